/**
 * What the search field offers while somebody types. Plates come from this session's own questions only: a field that
 * offered other people's plates would answer a question that nobody asked with a purpose.
 */
import { fullName, plainName, type NamedArea } from "../map/areas";

export type Suggestion = { kind: "plate" | "time" | "area" | "device" | "unit" | "colour" | "look" | "key"; text: string; note: string };
export type Known = {
  plates: readonly string[];
  units: readonly string[];
  devices: readonly string[];
  areas: readonly NamedArea[];
  colours: readonly string[];
  looks: readonly string[];
  times: readonly string[];
  /** Beginnings that can be typed: 範圍:, 顏色: … */
  keys: readonly { text: string; note: string }[];
};

export const SUGGESTED_MAX = 8;

const KEYS: [RegExp, Suggestion["kind"]][] = [
  [/^(?:範圍|area)[:：]\s*/iu, "area"],
  [/^(?:顏色|車色|colou?r)[:：]\s*/iu, "colour"],
  [/^(?:車種|kind)[:：]\s*/iu, "look"],
  [/^(?:警網|unit)[:：]\s*/iu, "unit"],
  [/^(?:設備|device)[:：]\s*/iu, "device"],
];

/** The words that are not tokens yet; the last piece is what suggestions complete. */
export function lastPiece(typed: string): { before: string; piece: string } {
  const keyed = /(?:^|\s)((?:範圍|顏色|車色|車種|警網|設備|area|colou?r|kind|unit|device)[:：][^:：]*)$/iu.exec(typed);
  if (keyed) return { before: typed.slice(0, typed.length - keyed[1]!.length), piece: keyed[1]! };
  const at = typed.search(/\S*$/u);
  return { before: typed.slice(0, at), piece: typed.slice(at) };
}

export function suggest(typed: string, known: Known): Suggestion[] {
  const { piece } = lastPiece(typed);
  const key = KEYS.find(([form]) => form.test(piece));
  const said = key ? piece.replace(key[0], "") : piece;
  const fits = plainName(said).toUpperCase();
  const starts = (text: string): boolean => plainName(text).toUpperCase().startsWith(fits);
  const holds = (text: string): boolean => plainName(text).toUpperCase().includes(fits);
  const out: Suggestion[] = [];
  const add = (kind: Suggestion["kind"], list: readonly string[], note = ""): void => {
    for (const text of list) if (holds(text)) out.push({ kind, text, note });
  };
  const addAreas = (): void => {
    const found = known.areas.filter((one) => starts(one.name) || starts(fullName(one)));
    const twice = (one: NamedArea): boolean => known.areas.some((other) => other !== one && other.name === one.name);
    for (const one of found) out.push({ kind: "area", text: twice(one) ? fullName(one) : one.name, note: one.level === "county" ? "" : one.county });
  };
  if (key) {
    if (key[1] === "area") addAreas();
    else if (key[1] === "colour") add("colour", known.colours);
    else if (key[1] === "look") add("look", known.looks);
    else if (key[1] === "unit") add("unit", known.units);
    else add("device", known.devices);
  } else if (said === "") {
    add("time", known.times);
    for (const one of known.keys) out.push({ kind: "key", ...one });
    add("plate", known.plates.slice(0, 3));
  } else {
    const plate = said.normalize("NFKC").toUpperCase().replaceAll("-", "");
    for (const text of known.plates) if (/^[A-Z0-9]/.test(plate) && text.replaceAll("-", "").startsWith(plate)) out.push({ kind: "plate", text, note: "" });
    add("time", known.times);
    for (const one of known.keys) if (starts(one.text)) out.push({ kind: "key", ...one });
    if (/[^\x00-\x7f]/u.test(said)) {
      add("unit", known.units);
      addAreas();
      for (const text of known.colours) if (starts(text)) out.push({ kind: "colour", text, note: "" });
      for (const text of known.looks) if (starts(text)) out.push({ kind: "look", text, note: "" });
    } else if (said.length > 1) add("device", known.devices);
  }
  const seen = new Set<string>();
  return out.filter((one) => !seen.has(one.kind + one.text) && seen.add(one.kind + one.text)).slice(0, SUGGESTED_MAX);
}
