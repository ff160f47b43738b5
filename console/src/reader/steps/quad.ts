/** Four corners: what box they lie in, how large they are, whether they can be a plate. */
import type { Point, Quad } from "./picture";
import { SHAPE } from "./sizes";

export function boxOf(quad: Quad): { left: number; top: number; right: number; bottom: number } {
  const xs = quad.map(([x]) => x);
  const ys = quad.map(([, y]) => y);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** Every corner taken to another place. */
export function moved([a, b, c, d]: Quad, to: (x: number, y: number) => Point): Quad {
  return [to(...a), to(...b), to(...c), to(...d)];
}

/** Shared part of two quadrangles' upright boxes, of the smaller one (guardian/vision/finder.py, `shared_part`). */
export function overlap(a: Quad, b: Quad): number {
  const [p, q] = [boxOf(a), boxOf(b)];
  const shared = Math.max(0, Math.min(p.right, q.right) - Math.max(p.left, q.left)) * Math.max(0, Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top));
  const smaller = Math.min((p.right - p.left) * (p.bottom - p.top), (q.right - q.left) * (q.bottom - q.top));
  return smaller > 0 ? shared / smaller : 1;
}

/** Length of the line from the middle of the upper side to that of the lower one. */
export function heightOf([a, b, c, d]: Quad): number {
  return Math.hypot(d[0] - a[0] + c[0] - b[0], d[1] - a[1] + c[1] - b[1]) / 2;
}

/** Length of the line from the middle of the left side to that of the right one. */
export function widthOf([a, b, c, d]: Quad): number {
  return Math.hypot(b[0] - a[0] + c[0] - d[0], b[1] - a[1] + c[1] - d[1]) / 2;
}

/** Width and height of a quadrangle: the longer of each pair of opposite sides. */
export function quadSize([a, b, c, d]: Quad): { width: number; height: number } {
  const side = (p: Point, q: Point): number => Math.hypot(q[0] - p[0], q[1] - p[1]);
  return { width: Math.max(side(a, b), side(d, c)), height: Math.max(side(a, d), side(b, c)) };
}

/** Whether a place may be a plate by its shape alone (guardian/vision/judge.py, `plausible_line`). */
export function plausible(quad: Quad): boolean {
  const { width, height } = quadSize(quad);
  return height >= SHAPE.heightMin && width / height >= SHAPE.aspectMin && width / height <= SHAPE.aspectMax;
}
