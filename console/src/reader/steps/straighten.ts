/** Cutting one plate out upright, to the reader's one size: the same steps as in Python, so that the same text comes out. */
import { luminance, resized, whole, type Grey, type Picture, type Point, type Quad } from "./picture";
import { boxOf, quadSize } from "./quad";
import { CROP, roundHalfEven, tenth } from "./sizes";

/** Nine figures, row by row; the last is 1. */
export type Homography = readonly number[];

/**
 * The projective map that takes four points to four others.
 *
 * Source: Hartley and Zisserman, Multiple View Geometry, 2nd ed., 4.1. `null` where the points lie on a line.
 */
export function homography(from: Quad, to: Quad): Homography | null {
  const rows: number[][] = [];
  for (let i = 0; i < 4; i++) {
    const [x, y] = from[i]!;
    const [u, v] = to[i]!;
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  }
  for (let column = 0; column < 8; column++) {
    let best = column;
    for (let r = column + 1; r < 8; r++) if (Math.abs(rows[r]![column]!) > Math.abs(rows[best]![column]!)) best = r;
    [rows[column], rows[best]] = [rows[best]!, rows[column]!];
    const pivot = rows[column]![column]!;
    if (Math.abs(pivot) < 1e-12) return null;
    for (let r = 0; r < 8; r++) {
      if (r === column) continue;
      const share = rows[r]![column]! / pivot;
      if (share !== 0) for (let c = column; c < 9; c++) rows[r]![c]! -= share * rows[column]![c]!;
    }
  }
  return [...rows.map((row, i) => row[8]! / row[i]!), 1];
}

export function mapped(m: Homography, [x, y]: Point): Point {
  const w = m[6]! * x + m[7]! * y + m[8]!;
  return [(m[0]! * x + m[1]! * y + m[2]!) / w, (m[3]! * x + m[4]! * y + m[5]!) / w];
}

/** Push all four sides outwards along the quadrangle's own axes; to a tenth of a px, as in Python. */
export function grown(quad: Quad, px: number): Quad {
  const [a, b, c, d] = quad;
  const unit = (x: number, y: number): Point => {
    const length = Math.max(Math.hypot(x, y), 1e-6);
    return [(x / length) * px, (y / length) * px];
  };
  const u = unit((b[0] - a[0] + c[0] - d[0]) / 2, (b[1] - a[1] + c[1] - d[1]) / 2);
  const v = unit((d[0] - a[0] + c[0] - b[0]) / 2, (d[1] - a[1] + c[1] - b[1]) / 2);
  const moved = ([x, y]: Point, across: number, down: number): Point => [tenth(x + u[0] * across + v[0] * down), tenth(y + u[1] * across + v[1] * down)];
  return [moved(a, -1, -1), moved(b, 1, -1), moved(c, 1, 1), moved(d, -1, 1)];
}

/** The reader's crop of a plate: 160 × 48, grey; `null` where the corners enclose nothing. */
export function cropOf(picture: Picture, quad: Quad): Grey | null {
  return straightened(picture, grown(quad, quadSize(quad).height * CROP.margin), CROP.width, CROP.height);
}

/** Shrinking by more than half needs area sampling first, to twice the wanted height; warping alone would skip rows of px. */
const SHRINK_MAX = 2;

/** One quadrangle upright (guardian/vision/crop.py, `straighten_to`); parts outside the picture repeat its edge. */
export function straightened(picture: Picture, quad: Quad, width: number, height: number): Grey | null {
  const size = quadSize(quad);
  if (!(size.width >= 1 && size.height >= 1)) return null;
  const shrink = size.height / height;
  const far = shrink > SHRINK_MAX;
  const box = boxOf(quad);
  // What a px at the rim is mixed from lies up to two px beyond.
  const left = clamp(Math.floor(box.left) - 2, picture.width - 1);
  const top = clamp(Math.floor(box.top) - 2, picture.height - 1);
  const right = Math.max(left + 1, clamp(Math.ceil(box.right) + 2, picture.width));
  const bottom = Math.max(top + 1, clamp(Math.ceil(box.bottom) + 2, picture.height));
  let patch = patchOf(picture, left, top, right - left, bottom - top);
  let [fx, fy] = [1, 1];
  if (far) {
    const to = { width: Math.max(1, roundHalfEven((patch.width * SHRINK_MAX) / shrink)), height: Math.max(1, roundHalfEven((patch.height * SHRINK_MAX) / shrink)) };
    fx = to.width / patch.width;
    fy = to.height / patch.height;
    patch = { ...to, rgb: resized({ ...patch, stride: 3, values: patch.rgb }, whole(patch), 3, to, "area", shrink / SHRINK_MAX) };
  }
  const there = quad.map(([x, y]): Point => [(x - left) * fx, (y - top) * fy]) as unknown as Quad;
  const back = homography([[0, 0], [width, 0], [width, height], [0, height]], there);
  return back && warped(patch, back, width, height);
}

function clamp(value: number, most: number): number {
  return value < 0 ? 0 : value > most ? most : value;
}

/** Parts of a px that are told apart when a place between px is mixed. OpenCV 5 tells apart all, its older releases 32. */
const PARTS = 1024;
/** Shares of the four px around each part (cubic convolution, a = -0.75: OpenCV's INTER_CUBIC). */
const CUBIC = Float32Array.from({ length: PARTS * 4 }, (_, i) => {
  const a = -0.75;
  const x = Math.abs((i >> 2) / PARTS + 1 - (i & 3));
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
});

interface Patch {
  width: number;
  height: number;
  /** width × height × 3 */
  rgb: Uint8Array;
}

function patchOf(picture: Picture, left: number, top: number, width: number, height: number): Patch {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    let at = ((top + y) * picture.width + left) * 4;
    for (let x = 0; x < width; x++, at += 4) {
      rgb[to++] = picture.rgba[at]!;
      rgb[to++] = picture.rgba[at + 1]!;
      rgb[to++] = picture.rgba[at + 2]!;
    }
  }
  return { width, height, rgb };
}

/** `back` leads from px of the result to px of the patch. Each colour is warped and rounded by itself, then made grey: as in Python. */
function warped({ width: wide, height: tall, rgb }: Patch, back: Homography, width: number, height: number): Grey {
  const values = new Uint8Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = mapped(back, [x, y]);
      const [partsX, partsY] = [roundHalfEven(u * PARTS), roundHalfEven(v * PARTS)];
      const [x0, y0] = [Math.floor(partsX / PARTS), Math.floor(partsY / PARTS)];
      const [wx, wy] = [(partsX - x0 * PARTS) * 4, (partsY - y0 * PARTS) * 4];
      let [r, g, b] = [0, 0, 0];
      for (let j = 0; j < 4; j++) {
        const row = clamp(y0 + j - 1, tall - 1) * wide;
        for (let i = 0; i < 4; i++) {
          const at = (row + clamp(x0 + i - 1, wide - 1)) * 3;
          const share = CUBIC[wx + i]! * CUBIC[wy + j]!;
          r += rgb[at]! * share;
          g += rgb[at + 1]! * share;
          b += rgb[at + 2]! * share;
        }
      }
      values[to++] = luminance(byte(r), byte(g), byte(b));
    }
  }
  return { width, height, values };
}

const byte = (value: number): number => clamp(Math.round(value), 255);
