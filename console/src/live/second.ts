/**
 * What a second reader says of a hit, in words about the entry: of a look-alike both readers may read alike, and then the
 * vehicle is not the one on the list. It comes after the alarm and changes neither strength nor priority
 * (docs/decisions/0009-second-opinion.md).
 */
import type { HitCard } from "../api/types";
import { w } from "../words/index.svelte";

/** `same`: it read the entry's number; `other`: another; `none`: it could not say; `pending`: nothing has come. */
export type Mark = "same" | "other" | "none" | "pending";
/** `short` is for lists, where only what a reader saw is news: empty where nobody was asked. */
export type Second = { mark: Mark; words: string; short: string };

export function secondOf(hit: HitCard): Second {
  const say = w().second;
  const told = hit.opinion;
  if (!told) return { mark: "pending", words: say.noneYet, short: "" };
  switch (told.verdict) {
    case "not_asked":
      return { mark: "none", words: say.reasons[told.reason] ?? say.notAsked, short: "" };
    case "cannot_read":
      return { mark: "none", words: say.cannotRead, short: say.short.none };
    case "agrees":
      return told.bears_out_entry ? { mark: "same", words: say.agrees, short: say.short.same } : { mark: "other", words: say.alike(told.display), short: say.short.notEntry };
    case "partly":
    case "differs":
      return told.bears_out_entry
        ? { mark: "same", words: say.entry(told.display), short: say.short.entry }
        : { mark: "other", words: say.other(told.display, told.differing.map((place) => place + 1).join(w().signs.list)), short: say.short.other };
  }
}

/** Its signs in the columns of the check (`ladderOf`), where it read as many as the first reader did; else nothing. */
export function signsUnder(hit: HitCard, places: readonly (number | null)[]): string[] {
  const text = [...(hit.opinion?.text ?? "")];
  if (!text.length || text.length !== [...hit.read_text].length) return [];
  return places.map((place) => (place === null ? "-" : (text[place] ?? "")));
}
