/** From the finder's map to plates: peaks, their four corners, one box for each place. */
import type { Picture, Point, Quad } from "./picture";
import { resized } from "./picture";
import { PLATES_MAX, STRIDE } from "./sizes";

export interface Found {
  quad: Quad;
  prob: number;
}

/** Where a plate begins to be one. */
export const PROB_MIN = 0.3;
/** Boxes that share so much of the smaller one are the same plate. */
export const SAME_PLACE_SHARE = 0.5;

/** What the finder is shown: (3, height, width), RGB, 0 to 1. */
export function tensorOf(picture: Picture, width: number, height: number): Float32Array {
  const same = width === picture.width && height === picture.height;
  const bytes = same ? picture.rgba : resized(picture.rgba, picture.width, picture.height, 4, 3, width, height);
  const stride = same ? 4 : 3;
  const plane = width * height;
  const out = new Float32Array(3 * plane);
  for (let to = 0, from = 0; to < plane; to++, from += stride) {
    out[to] = bytes[from]! / 255;
    out[to + plane] = bytes[from + 1]! / 255;
    out[to + 2 * plane] = bytes[from + 2]! / 255;
  }
  return out;
}

/**
 * Peaks of the map: cells that no neighbour of the eight beats, likeliest first, doubles taken out.
 *
 * `map` is (9, rows, columns): the probability that a centre lies in the cell, then x and y of the four corners from the
 * cell's middle. Corners are given in px of the tensor.
 */
export function peaks(map: Float32Array, columns: number, rows: number, probMin = PROB_MIN, most = PLATES_MAX): Found[] {
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
  const kept: Found[] = [];
  for (const { at, prob } of found) {
    const quad = cornersAt(map, columns, rows, at);
    if (kept.every((other) => overlap(other.quad, quad) < SAME_PLACE_SHARE)) kept.push({ quad, prob });
    if (kept.length === most) break;
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

/** Shared part of two quadrangles' upright boxes, of the smaller one (guardian/vision/finder.py, `shared_part`). */
export function overlap(a: Quad, b: Quad): number {
  const [p, q] = [boxOf(a), boxOf(b)];
  const shared = Math.max(0, Math.min(p.right, q.right) - Math.max(p.left, q.left)) * Math.max(0, Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top));
  const smaller = Math.min((p.right - p.left) * (p.bottom - p.top), (q.right - q.left) * (q.bottom - q.top));
  return smaller > 0 ? shared / smaller : 1;
}

export function boxOf(quad: Quad): { left: number; top: number; right: number; bottom: number } {
  const xs = quad.map(([x]) => x);
  const ys = quad.map(([, y]) => y);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** The same corners in px of the picture, to a tenth. */
export function scaled(quad: Quad, x: number, y: number): Quad {
  const tenth = (px: number): number => Math.round(px * 10) / 10;
  return quad.map(([u, v]): Point => [tenth(u * x), tenth(v * y)]) as unknown as Quad;
}
