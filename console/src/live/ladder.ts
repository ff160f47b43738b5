/** One column a character: read, entry and probability under each other. */
import type { HitCard, HitDetail } from "../api/types";

export type Column = {
  place: number | null;
  read: string;
  entry: string;
  prob: number | null;
  doubtful: boolean;
  differs: boolean;
  /** Left and right edge in the crop, in shares of its width; null where the reader gave none. */
  edges: [number, number] | null;
  /** The read character and its rivals, likeliest first. */
  rivals: { sign: string; prob: number }[];
};

/** A rival comes as `["6", 0.37]`, whatever the document says of it. */
function rival(one: unknown): { sign: string; prob: number } {
  if (Array.isArray(one)) return { sign: String(one[0]), prob: Number(one[1]) };
  const { sign, prob } = one as { sign: string; prob: number };
  return { sign, prob };
}

const dashOf = (display: string): number => display.indexOf("-");

/**
 * Where each character stands in the crop: two bytes a character in base64, left and right edge in 255ths of its width
 * (`guardian/domain/read.py`, `pack_places`). Nothing, or another number of characters than the text has: not known.
 */
export function placesOf(packed: string | undefined, length: number): [number, number][] {
  if (!packed) return [];
  const bytes = [...atob(packed)].map((sign) => sign.charCodeAt(0) / 255);
  if (bytes.length !== 2 * length) return [];
  return Array.from({ length }, (_, i): [number, number] => [bytes[2 * i]!, bytes[2 * i + 1]!]);
}

/**
 * What is shown of the crop for one character: its place and a little of its neighbours, since places are good to a
 * quarter of a character at worst, and one that is cut would be judged by what is left of it.
 */
const PITCHES = 1.25;
export function windowOf([left, right]: [number, number], pitch: number): { from: number; width: number } {
  const width = Math.min(1, Math.max(right - left, pitch * PITCHES));
  const from = Math.max(0, Math.min((left + right - width) / 2, 1 - width));
  return { from, width };
}

/** The usual step from character to character, in shares of the crop's width: the middle one, since a dash widens its own. */
export function pitchOf(columns: readonly Column[]): number {
  const middles = columns.flatMap((one) => (one.edges ? [(one.edges[0] + one.edges[1]) / 2] : []));
  const steps = middles.slice(1).map((at, i) => at - middles[i]!).toSorted((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/** Columns in the display form of the entry; where lengths differ the shorter row ends early. */
export function ladderOf(detail: HitDetail, card: HitCard): Column[] {
  const { char_probs, alternatives } = detail.read;
  const read = [...card.read_text];
  const entry = [...card.entry_text];
  const edges = placesOf(detail.read.places, [...detail.read.text].length);
  const at = Math.max(dashOf(card.entry_display), dashOf(card.read_display));
  const out: Column[] = [];
  for (let place = 0; place < Math.max(read.length, entry.length); place++) {
    if (at > 0 && place === at) out.push({ place: null, read: "-", entry: "-", prob: null, doubtful: false, differs: false, edges: null, rivals: [] });
    const prob = char_probs[place] ?? null;
    const others = ((alternatives ?? [])[place] ?? []).map(rival);
    const own = read[place] ?? "";
    out.push({
      place,
      read: own,
      entry: entry[place] ?? "",
      prob,
      doubtful: card.doubtful.includes(place),
      differs: own !== (entry[place] ?? ""),
      edges: edges[place] ?? null,
      rivals: [...(prob === null ? [] : [{ sign: own, prob }]), ...others.filter((one) => one.sign !== own)].sort((a, b) => b.prob - a.prob),
    });
  }
  return out;
}

/** 「投票 8：14　6：9」: the votes at the first place where read and entry differ. */
export function votesAt(detail: HitDetail, place: number): [string, number][] {
  const n = new Map<string, number>();
  for (const vote of detail.read.votes ?? []) {
    const sign = [...vote.text][place];
    if (sign) n.set(sign, (n.get(sign) ?? 0) + 1);
  }
  return [...n].sort((a, b) => b[1] - a[1]);
}
