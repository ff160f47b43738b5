/** Keeps the screen on while plates are read. The system takes it back whenever the page is hidden; then it is asked for again. */
export class Awake {
  private lock: WakeLockSentinel | null = null;
  private wanted = false;

  constructor(private readonly told: (on: boolean) => void) {
    document.addEventListener("visibilitychange", () => void this.hold());
  }

  async want(on: boolean): Promise<void> {
    this.wanted = on;
    if (on) await this.hold();
    else {
      const held = this.lock;
      this.lock = null;
      await held?.release().catch(() => undefined);
      this.told(false);
    }
  }

  private async hold(): Promise<void> {
    if (!this.wanted || document.visibilityState !== "visible" || (this.lock && !this.lock.released)) return;
    try {
      this.lock = (await navigator.wakeLock?.request("screen")) ?? null;
      this.lock?.addEventListener("release", () => this.told(false));
      this.told(this.lock !== null);
      if (!this.wanted) await this.want(false);
    } catch {
      this.told(false); // low battery, or not allowed: reading goes on
    }
  }
}
