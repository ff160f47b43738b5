/**
 * One vote over frames, kept simple: the same text twice within a moment is a read; the same read again only counts up. Only
 * what was read anew is a vote.
 */

/** Between two looks at the same text; or two looks in a row, where a slow phone takes longer for one. */
export const AGREE_MS = 1500;
export const IN_A_ROW_MS = 8000;
/** The same text again within this time is the same vehicle. */
export const SAME_MS = 30_000;
/** So many reads stay in the list; older ones are forgotten. */
export const READS_MAX = 40;
const SEEN_MAX = 64;

export interface Seen {
  text: string;
  display: string;
  series: string;
  confidence: number;
  doubtful: readonly number[];
  /** Shown but not read in this look (settled.ts): keeps a read's time, and is no vote. */
  kept?: boolean;
}
export interface Read extends Seen {
  id: number;
  firstMs: number;
  lastMs: number;
  looks: number;
}

const valueOf = ({ text, display, series, confidence, doubtful }: Seen): Seen => ({ text, display, series, confidence, doubtful });

/** Bounded on every side: `READS_MAX` reads, and what was seen once is forgotten after `IN_A_ROW_MS`. */
export class Vote {
  reads: Read[] = [];
  private once = new Map<string, { at: number; look: number }>();
  private look = 0;
  private next = 1;

  /** Takes what one look saw; gives the reads that are new. `alone`: a photo has no second look, one is enough. */
  take(seen: readonly Seen[], nowMs: number, alone = false): Read[] {
    const fresh: Read[] = [];
    this.look += 1;
    for (const one of seen) {
      const known = this.reads.find((read) => read.text === one.text && nowMs - read.lastMs <= SAME_MS);
      if (known) {
        known.lastMs = nowMs;
        if (one.kept) continue;
        known.looks += 1;
        if (one.confidence > known.confidence) Object.assign(known, valueOf(one));
        continue;
      }
      if (one.kept) continue;
      const before = this.once.get(one.text);
      const allowed = before?.look === this.look - 1 ? IN_A_ROW_MS : AGREE_MS;
      if (alone || (before !== undefined && before.look !== this.look && nowMs - before.at <= allowed)) {
        this.once.delete(one.text);
        fresh.push({ ...valueOf(one), id: this.next++, firstMs: nowMs, lastMs: nowMs, looks: alone ? 1 : 2 });
      } else this.once.set(one.text, { at: nowMs, look: this.look });
    }
    for (const [text, { at }] of this.once) if (nowMs - at > IN_A_ROW_MS || this.once.size > SEEN_MAX) this.once.delete(text);
    this.reads = [...fresh, ...this.reads].sort((a, b) => b.lastMs - a.lastMs).slice(0, READS_MAX);
    return fresh;
  }

  clear(): void {
    this.reads = [];
    this.once.clear();
  }
}
