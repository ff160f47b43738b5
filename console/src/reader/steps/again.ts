/** The second look: each place that was found is shown once more in a window of its own, where its corners are seen best. */
import { peaks, planes, type Found } from "./detect";
import { bytesOf, resized, type Part, type Picture, type Point, type Quad } from "./picture";
import { moved, overlap } from "./quad";
import { SAME_PLACE_SHARE, STRIDE, WINDOW } from "./sizes";

const PLANE = WINDOW.width * WINDOW.height;
const CELLS = 9 * (WINDOW.width / STRIDE) * (WINDOW.height / STRIDE);

export interface Window {
  /** WINDOW.width × WINDOW.height × 3 */
  rgb: Uint8Array;
  /** What of the picture it shows; may reach beyond the edge. */
  part: Part;
}

/** The surroundings of a plate (guardian/vision/finder.py, `window_around`); figures of corners are rounded as Python has them. */
export function windowAround(picture: Picture, quad: Quad): Window {
  const [a, b, c, d] = moved(quad, (x, y) => [Math.fround(x), Math.fround(y)]);
  const across = Math.hypot((b[0] - a[0] + c[0] - d[0]) / 2, (b[1] - a[1] + c[1] - d[1]) / 2);
  const fits = (which: 0 | 1, shown: number): number => {
    const at = [a[which], b[which], c[which], d[which]];
    return (WINDOW.share * shown) / Math.max(4, Math.fround(Math.max(...at) - Math.min(...at)));
  };
  const factor = Math.min(WINDOW.platePx / Math.max(4, across), fits(0, WINDOW.width), fits(1, WINDOW.height));
  const side = (which: 0 | 1, length: number, shown: number): [number, number] => {
    const middle = Math.min(Math.max(Math.fround((a[which] + b[which] + c[which] + d[which]) / 4), 0), length - 1);
    const half = Math.fround(shown / (2 * factor));
    return [Math.floor(middle - half), Math.ceil(middle + half)];
  };
  const [left, right] = side(0, picture.width, WINDOW.width);
  const [top, bottom] = side(1, picture.height, WINDOW.height);
  const part = { left, top, width: right - left, height: bottom - top };
  return { rgb: resized(bytesOf(picture), part, 3, WINDOW, factor < 1 ? "area" : "linear"), part };
}

/** Finds in so many windows, one beside the other: (n, 3, height, width) → (n, 9, height / 4, width / 4). */
export type FindInWindows = (tensor: Float32Array, n: number) => Promise<Float32Array>;

/** The same plates with the corners that their windows show, likeliest first; beyond `WINDOW.most` they stay as they are. */
export async function lookedAgain(picture: Picture, found: readonly Found[], find: FindInWindows): Promise<Found[]> {
  const head = found.slice(0, WINDOW.most);
  if (head.length === 0) return [];
  const windows = head.map((one) => windowAround(picture, one.quad));
  const tensor = new Float32Array(head.length * 3 * PLANE);
  windows.forEach(({ rgb }, i) => planes(rgb, 3, tensor, i * 3 * PLANE, PLANE));
  const maps = await find(tensor, head.length);
  const out = found.slice(WINDOW.most);
  head.forEach((one, i) => {
    const { part } = windows[i]!;
    const back = (x: number, y: number): Point => [(x * part.width) / WINDOW.width + part.left, (y * part.height) / WINDOW.height + part.top];
    const again = peaks(maps.subarray(i * CELLS, (i + 1) * CELLS), WINDOW.width / STRIDE, WINDOW.height / STRIDE, WINDOW.probMin).map(({ quad, prob }) => ({ quad: moved(quad, back), prob }));
    const same = again.find(({ quad }) => overlap(quad, one.quad) > SAME_PLACE_SHARE);
    out.push(same ? { quad: same.quad, prob: Math.max(one.prob, same.prob) } : { quad: one.quad, prob: one.prob * WINDOW.unseenShare });
  });
  return out.sort((a, b) => b.prob - a.prob);
}
