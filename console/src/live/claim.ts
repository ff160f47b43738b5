/** Whose check a hit is now. A claim ends when the cloud says (`claim_ends_ms`), whether or not a word came that it did. */
import type { HitCard, HitState } from "../api/types";

export function hasLapsed(hit: Pick<HitCard, "state" | "claim_ends_ms">, now: number): boolean {
  return hit.state === "checking" && hit.claim_ends_ms != null && hit.claim_ends_ms <= now;
}

export function stateNow(hit: HitCard, now: number): HitState {
  return hasLapsed(hit, now) ? "new" : hit.state;
}

/** Whole seconds until the claim ends; null where none is held or no end is known. */
export function secondsLeft(hit: HitCard, now: number): number | null {
  if (hit.state !== "checking" || hit.claim_ends_ms == null) return null;
  return Math.max(0, Math.ceil((hit.claim_ends_ms - now) / 1000));
}
