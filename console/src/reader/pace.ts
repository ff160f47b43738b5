/** How often to look: never two at once, with rests so that a phone stays cool. What comes meanwhile is dropped, not queued. */

const GAP_MS_MIN = 120;
/** After a look, rest for this share of what it took. */
const REST_SHARE = 0.25;

export class Pace {
  dropped = 0;
  private busySince: number | null = null;
  private notBefore = 0;
  private lately: number[] = [];

  /** A frame is there: whether it is to be looked at. */
  take(nowMs: number): boolean {
    if (this.busySince !== null || nowMs < this.notBefore) {
      this.dropped += 1;
      return false;
    }
    this.busySince = nowMs;
    return true;
  }

  /** The look is done (or failed). */
  done(nowMs: number): void {
    if (this.busySince === null) return;
    const took = nowMs - this.busySince;
    this.notBefore = Math.max(this.busySince + GAP_MS_MIN, nowMs + took * REST_SHARE);
    this.busySince = null;
    this.lately = [...this.lately.filter((at) => nowMs - at < 3000), nowMs];
  }

  /** Looks a second over the last three. */
  perSecond(nowMs: number): number {
    return this.lately.filter((at) => nowMs - at < 3000).length / 3;
  }
}
