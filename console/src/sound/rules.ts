/**
 * What a hit sounds like (console.md section 8): exact and urgent three rising notes, again every 10 s until claimed;
 * exact and high two notes once; look-alike of any priority one low soft note; notice none. Nothing sounds twice for one
 * vehicle in 10 minutes unless its priority rises. At most one sound at a time, the highest.
 */
import type { HitCard } from "../api/types";

export type Sound = "urgent" | "high" | "near";
export const QUIET_MS = 600_000;
const LOUDNESS: Record<Sound, number> = { urgent: 3, high: 2, near: 1 };

export function soundOf(hit: Pick<HitCard, "strength" | "priority">): Sound | null {
  if (hit.strength === "lookalike") return "near";
  if (hit.priority === 1) return "urgent";
  return hit.priority === 2 ? "high" : null;
}

export function louder(a: Sound | null, b: Sound | null): Sound | null {
  if (!a || !b) return a ?? b;
  return LOUDNESS[a] >= LOUDNESS[b] ? a : b;
}

/** Remembers which vehicle sounded when, and how urgently. */
export class Sounded {
  #last = new Map<string, { at: number; priority: number }>();

  /** Whether this hit may sound now; if so it counts as sounded. */
  mayNow(hit: Pick<HitCard, "entry_text" | "priority">, now: number): boolean {
    const before = this.#last.get(hit.entry_text);
    if (before && now - before.at < QUIET_MS && hit.priority >= before.priority) return false;
    this.#last.set(hit.entry_text, { at: now, priority: hit.priority });
    if (this.#last.size > 500) this.#last.delete(this.#last.keys().next().value!);
    return true;
  }
}
