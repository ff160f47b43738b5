/** Order of the queue: mine, unclaimed, claimed by others; within each by priority, then newest. */
import { isChecked, type HitCard } from "../api/types";
import { stateNow } from "./claim";

export function rank(hit: HitCard, me: string, now = 0): number {
  if (stateNow(hit, now) === "new") return 1;
  return hit.checker_id === me ? 0 : 2;
}

export function compareHits(a: HitCard, b: HitCard, me: string, now = 0): number {
  return rank(a, me, now) - rank(b, me, now) || a.priority - b.priority || b.captured_ms - a.captured_ms || (a.id < b.id ? 1 : -1);
}

/**
 * The open hits in order. While somebody's focus is in the list (`held` is the order then shown), nothing moves under
 * the hand: known rows keep their places, what left is gone, what is new stands at the far end.
 */
export function orderQueue(hits: Iterable<HitCard>, me: string, held: readonly string[] | null = null, now = 0): HitCard[] {
  const open = [...hits].filter((hit) => !isChecked(hit.state)).sort((a, b) => compareHits(a, b, me, now));
  if (!held) return open;
  const place = new Map(held.map((id, i) => [id, i]));
  const known = open.filter((hit) => place.has(hit.id)).sort((a, b) => place.get(a.id)! - place.get(b.id)!);
  return [...known, ...open.filter((hit) => !place.has(hit.id))];
}
