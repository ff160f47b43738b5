/** From the finder's maps to plates: peaks, their four corners, one box for each place. */
import { bytesOf, resized, whole, type Bytes, type Method, type Part, type Picture, type Point, type Quad, type Size } from "./picture";
import { overlap } from "./quad";
import { FOUND_MAX, REST_MIN, SAME_PLACE_SHARE, STRIDE, WINDOW } from "./sizes";

export interface Found {
  quad: Quad;
  prob: number;
}

/** Peaks of one map that are looked at at all. */
const PEAKS_MAX = FOUND_MAX * 4;

/** A picture at the size of one look, and how many px of the picture one of the look is. */
export interface View {
  bytes: Bytes;
  across: number;
  down: number;
}
export const viewOf = (picture: Picture): View => ({ bytes: bytesOf(picture), across: 1, down: 1 });

/** At another size (guardian/vision/finder.py, `View.at`): the mean of so many whole px that `REST_MIN` is left, then what lies between two px. */
export const viewAt = (view: View, to: Size): View => by(view, Math.max(1, Math.floor(Math.min(view.bytes.height / to.height, view.bytes.width / to.width) / REST_MIN)), to);

/** At about half the size. */
export const viewHalf = (view: View, to: Size): View => by(view, 2, to);

function by({ bytes, across, down }: View, times: number, to: Size): View {
  const mean = { width: Math.floor(bytes.width / times), height: Math.floor(bytes.height / times) };
  // What is left over at the right and below is less than one px of the mean.
  const covered = sized(bytes, { left: 0, top: 0, width: mean.width * times, height: mean.height * times }, mean, "area");
  return { bytes: sized(covered, whole(covered), to, "linear"), across: (across * times * mean.width) / to.width, down: (down * times * mean.height) / to.height };
}

function sized(bytes: Bytes, part: Part, to: Size, method: Method): Bytes {
  if (part.width === to.width && part.height === to.height) return bytes;
  return { ...to, stride: 3, values: resized(bytes, part, 3, to, method) };
}

/** What the finder is shown: (3, height, width), RGB, 0 to 1. */
export function tensorOf({ width, height, stride, values }: Bytes): Float32Array {
  const out = new Float32Array(3 * width * height);
  planes(values, stride, out, 0, width * height);
  return out;
}

/** Interleaved bytes into planes of red, green and blue from `at` on, 0 to 1. */
export function planes(bytes: Uint8Array | Uint8ClampedArray, stride: number, out: Float32Array, at: number, plane: number): void {
  for (let to = at, from = 0; to < at + plane; to++, from += stride) {
    out[to] = bytes[from]! / 255;
    out[to + plane] = bytes[from + 1]! / 255;
    out[to + 2 * plane] = bytes[from + 2]! / 255;
  }
}

/**
 * Peaks of one map: cells that no neighbour of the eight beats, likeliest first; several may be one plate.
 *
 * `map` is (9, rows, columns): the probability that a centre lies in the cell, then x and y of the four corners from the
 * cell's middle. Corners are given in px of the tensor.
 */
export function peaks(map: Float32Array, columns: number, rows: number, probMin: number): Found[] {
  const found: { at: number; prob: number }[] = [];
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const prob = map[at]!;
      if (!(prob >= probMin)) continue;
      let peak = true;
      for (let r = Math.max(0, row - 1); peak && r <= Math.min(rows - 1, row + 1); r++)
        for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) if (map[r * columns + c]! > prob) peak = false;
      if (peak) found.push({ at, prob });
    }
  }
  found.sort((a, b) => b.prob - a.prob || a.at - b.at);
  return found.slice(0, PEAKS_MAX).map(({ at, prob }) => ({ quad: cornersAt(map, columns, rows, at), prob }));
}

/** What one of several looks saw; `shown` is how wide the plate was in it, px. */
export interface Shown extends Found {
  shown: number;
}

/**
 * Doubles taken out, `FOUND_MAX` at most. Of two looks that see one plate about equally likely the one counts that showed it nearest
 * to the size of a window: the last digits of two probabilities differ from machine to machine (guardian/vision/finder.py, `_standing`).
 */
export function apart(found: readonly Shown[]): Found[] {
  const tenth = ({ prob }: Shown): number => Math.floor(prob * 10 + 0.5);
  const unlike = ({ shown }: Shown): number => Math.abs(Math.log(Math.max(1, shown) / WINDOW.platePx));
  const kept: Found[] = [];
  for (const one of [...found].sort((a, b) => tenth(b) - tenth(a) || unlike(a) - unlike(b) || b.prob - a.prob)) {
    if (kept.length === FOUND_MAX) break;
    if (kept.every((other) => overlap(other.quad, one.quad) < SAME_PLACE_SHARE)) kept.push({ quad: one.quad, prob: one.prob });
  }
  return kept;
}

/** A neighbour that is centre for less than this share of the peak has no say about the corners. */
const SAY_MIN = 0.3;

/** The corners that a peak and its neighbours name, weighed by how much they are centre themselves. */
function cornersAt(map: Float32Array, columns: number, rows: number, at: number): Quad {
  const plane = columns * rows;
  const [row, column] = [Math.floor(at / columns), at % columns];
  const sums = new Array<number>(8).fill(0);
  let said = 0;
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
      const cell = r * columns + c;
      const weight = map[cell]!;
      if (!(weight > SAY_MIN * map[at]!)) continue;
      said += weight;
      for (let i = 0; i < 8; i++) sums[i]! += weight * (map[(1 + i) * plane + cell]! + ((i % 2 ? r : c) + 0.5) * STRIDE);
    }
  }
  const corner = (i: number): Point => [sums[2 * i]! / said, sums[2 * i + 1]! / said];
  return [corner(0), corner(1), corner(2), corner(3)];
}
