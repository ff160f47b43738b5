/** What the reader's columns say: the likeliest sign of each run, with its place along the crop and what else it may be. */

export const SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
/** Columns of probabilities that the reader gives for one crop, and classes in each: blank first, then `SIGNS`. */
export const STEPS = 40;
export const CLASSES = SIGNS.length + 1;
/** So many of a step's likeliest classes are looked at; itself, the blank and the dash are no alternatives. */
const LIKELIEST = 8;
const ALTERNATIVE_MIN = 0.0005;

export interface Sign {
  sign: string;
  prob: number;
  /** Its middle along the crop: 0 the left edge, 1 the right. */
  place: number;
  /** Other signs that may stand here, likeliest first. */
  others: { sign: string; prob: number }[];
}

/**
 * Greedy decoding (guardian/vision/ctc.py, plate_reader.py): the likeliest class of each step, runs of the same one merged,
 * blanks dropped. A run's probability and alternatives are those of its surest step, its place is the run's middle.
 *
 * `late`: by how many steps the network speaks behind what it sees (a figure of the model).
 * Source: Graves et al., Connectionist Temporal Classification, ICML 2006, 3.2.
 */
export function decoded(probs: Float32Array, offset = 0, late = 0): Sign[] {
  const bestOf = (step: number): number => {
    const at = offset + step * CLASSES;
    let best = 0;
    for (let k = 1; k < CLASSES; k++) if (probs[at + k]! > probs[at + best]!) best = k;
    return best;
  };
  const out: Sign[] = [];
  for (let start = 0; start < STEPS; ) {
    const best = bestOf(start);
    let end = start + 1;
    while (end < STEPS && bestOf(end) === best) end++;
    if (best !== 0) {
      let surest = start;
      for (let step = start; step < end; step++) if (probs[offset + step * CLASSES + best]! > probs[offset + surest * CLASSES + best]!) surest = step;
      out.push(signAt(probs, offset + surest * CLASSES, best, Math.min(1, Math.max(0, ((start + end) / 2 - late) / STEPS))));
    }
    start = end;
  }
  return out;
}

function signAt(probs: Float32Array, at: number, best: number, place: number): Sign {
  const likeliest = Array.from({ length: CLASSES }, (_, k) => k).sort((a, b) => probs[at + b]! - probs[at + a]! || a - b);
  const others = likeliest
    .slice(0, LIKELIEST)
    .filter((k) => k !== 0 && k !== best && k !== SIGNS.length && probs[at + k]! > ALTERNATIVE_MIN)
    .map((k) => ({ sign: SIGNS[k - 1]!, prob: probs[at + k]! }));
  return { sign: SIGNS[best - 1]!, prob: Math.min(1, probs[at + best]!), place, others };
}
