/**
 * What need not be read again in every look: a plate that was read well and stands where it stood.
 *
 * Bounded three ways, so that no number stays on another vehicle: the plate was seen in the look before, it has not left the
 * place at which it was read, and after `AGAIN_MS` it is read anew whatever it does.
 */
import type { PlateSeen } from "./protocol";
import { overlap, quadSize } from "./steps/quad";
import { SAME_PLACE_SHARE } from "./steps/sizes";
import type { Quad } from "./steps/picture";

/** So many readings in a row that say the same, each at least so sure, of a number that fits a series. */
export const SAME_MIN = 3;
export const SURE_PROB = 0.9;
/** A settled plate is read again this often. */
export const AGAIN_MS = 1500;
/** It stands while none of its corners is further from where it was read than this part of its height. */
export const MOVED_SHARE = 0.5;

interface Held {
  plate: PlateSeen;
  /** Where it was read, and when. */
  readAt: Quad;
  readMs: number;
  same: number;
}

export class Settled {
  private held: Held[] = [];

  /** The plate of the look before that stands at this place, if it is settled: as it was read then. */
  at(quad: Quad, nowMs: number): PlateSeen | null {
    const one = this.held.find(({ plate }) => overlap(plate.quad, quad) > SAME_PLACE_SHARE);
    if (!one || one.same < SAME_MIN || nowMs - one.readMs >= AGAIN_MS) return null;
    const { number } = one.plate;
    return number && number.series && number.confidence >= SURE_PROB && stands(one.readAt, quad) ? one.plate : null;
  }

  /** All that a look saw; what it did not see is forgotten. */
  take(plates: readonly PlateSeen[], nowMs: number): void {
    const before = this.held;
    this.held = plates.map((plate) => {
      const old = before.find((one) => overlap(one.plate.quad, plate.quad) > SAME_PLACE_SHARE && one.plate.number?.text === plate.number?.text);
      if (plate.kept && old) return { ...old, plate };
      return { plate, readAt: plate.quad, readMs: nowMs, same: (old?.same ?? 0) + 1 };
    });
  }
}

function stands(readAt: Quad, quad: Quad): boolean {
  const most = quadSize(readAt).height * MOVED_SHARE;
  return readAt.every(([x, y], i) => Math.hypot(quad[i]![0] - x, quad[i]![1] - y) <= most);
}
