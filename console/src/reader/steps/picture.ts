/** Pictures as numbers: RGBA bytes as a canvas gives them, rows from the top. */
export interface Picture {
  width: number;
  height: number;
  /** width × height × 4: red, green, blue, alpha */
  rgba: Uint8ClampedArray;
}
/** One channel, 0 to 255. */
export interface Grey {
  width: number;
  height: number;
  values: Uint8Array;
}
export type Point = readonly [x: number, y: number];
/** Clockwise from the top left, px. */
export type Quad = readonly [Point, Point, Point, Point];

interface Taps {
  /** First old px of each new one, how many, and how much of each. */
  from: Int32Array;
  count: Int32Array;
  weight: Float32Array;
  most: number;
}

/** Shrinking along one side: each new px is the mean of what it covers (OpenCV's INTER_AREA). */
function covering(before: number, after: number, scale: number): Taps {
  const most = Math.ceil(scale) + 2;
  const taps: Taps = { from: new Int32Array(after), count: new Int32Array(after), weight: new Float32Array(after * most), most };
  for (let i = 0; i < after; i++) {
    const begin = i * scale;
    const end = Math.min(before, begin + scale);
    const first = Math.min(before - 1, Math.floor(begin + 1e-9));
    taps.from[i] = first;
    let n = 0;
    for (let j = first; j < end - 1e-9 && n < most; j++) taps.weight[i * most + n++] = (Math.min(end, j + 1) - Math.max(begin, j)) / (end - begin);
    taps.count[i] = n;
  }
  return taps;
}

/** Between two neighbours along one side, the edge repeated (OpenCV's INTER_LINEAR). */
function between(before: number, after: number, scale: number): Taps {
  const taps: Taps = { from: new Int32Array(after), count: new Int32Array(after), weight: new Float32Array(after * 2), most: 2 };
  for (let i = 0; i < after; i++) {
    const at = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), before - 1);
    const first = Math.min(Math.floor(at), Math.max(0, before - 2));
    taps.from[i] = first;
    taps.count[i] = before > 1 ? 2 : 1;
    taps.weight[i * 2] = before > 1 ? 1 - (at - first) : 1;
    taps.weight[i * 2 + 1] = at - first;
  }
  return taps;
}

/**
 * Channels of interleaved bytes at another size, each new value rounded: by area where both sides shrink, else linear.
 *
 * `stride` is the number of bytes of one px, `channels` how many of them are wanted; the answer is interleaved by `channels`.
 * `scale`: old px for each new one, where the sizes were rounded from it (OpenCV then samples by the scale, not by the sizes).
 */
export function resized(source: Uint8Array | Uint8ClampedArray, width: number, height: number, stride: number, channels: number, toWidth: number, toHeight: number, scale?: number): Uint8Array {
  const taps = toWidth <= width && toHeight <= height ? covering : between;
  const across = taps(width, toWidth, scale ?? width / toWidth);
  const down = taps(height, toHeight, scale ?? height / toHeight);
  const out = new Uint8Array(toWidth * toHeight * channels);
  const row = new Float32Array(width * channels);
  for (let y = 0; y < toHeight; y++) {
    row.fill(0);
    for (let k = 0; k < down.count[y]!; k++) {
      const share = down.weight[y * down.most + k]!;
      let at = (down.from[y]! + k) * width * stride;
      for (let x = 0, to = 0; x < width; x++, at += stride) for (let c = 0; c < channels; c++) row[to++]! += source[at + c]! * share;
    }
    for (let x = 0; x < toWidth; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        let at = across.from[x]! * channels + c;
        for (let k = 0, w = x * across.most; k < across.count[x]!; k++, at += channels) sum += row[at]! * across.weight[w + k]!;
        out[(y * toWidth + x) * channels + c] = Math.round(sum);
      }
    }
  }
  return out;
}

/** Grey of three bytes with OpenCV's whole numbers (BT.601). */
export function luminance(red: number, green: number, blue: number): number {
  return (red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14;
}
