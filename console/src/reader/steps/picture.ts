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
  return neighbours(before, after, (i) => (i + 0.5) * scale - 0.5);
}

/** Enlarging one side while the other shrinks: what OpenCV's INTER_AREA does then, a step of old px with soft edges. */
function stepping(before: number, after: number, scale: number): Taps {
  return neighbours(before, after, (i) => {
    const first = Math.floor(i * scale);
    const part = i + 1 - (first + 1) / scale;
    return first + (part <= 0 ? 0 : part - Math.floor(part));
  });
}

function neighbours(before: number, after: number, at: (i: number) => number): Taps {
  const taps: Taps = { from: new Int32Array(after), count: new Int32Array(after), weight: new Float32Array(after * 2), most: 2 };
  for (let i = 0; i < after; i++) {
    const place = Math.min(Math.max(at(i), 0), before - 1);
    const first = Math.min(Math.floor(place), Math.max(0, before - 2));
    taps.from[i] = first;
    taps.count[i] = before > 1 ? 2 : 1;
    taps.weight[i * 2] = before > 1 ? 1 - (place - first) : 1;
    taps.weight[i * 2 + 1] = place - first;
  }
  return taps;
}

/** Interleaved bytes, `stride` of them a px. */
export interface Bytes {
  width: number;
  height: number;
  stride: number;
  values: Uint8Array | Uint8ClampedArray;
}
export interface Size {
  width: number;
  height: number;
}
/** A part of a picture in whole px; what of it lies beyond the edge repeats the edge. */
export interface Part extends Size {
  left: number;
  top: number;
}
/** How OpenCV would: `area` is the mean of what is covered, `linear` what lies between two px. */
export type Method = "area" | "linear";

/**
 * The first `channels` of a part of a picture at another size, interleaved, each new value rounded.
 *
 * `scale`: old px for each new one, where the sizes were rounded from it (OpenCV then samples by the scale, not by the sizes).
 */
export function resized(source: Bytes, part: Part, channels: number, to: Size, method: Method, scale?: number): Uint8Array {
  const [scaleX, scaleY] = [scale ?? part.width / to.width, scale ?? part.height / to.height];
  const way = method === "linear" ? between : scaleX >= 1 && scaleY >= 1 ? covering : stepping;
  const across = way(part.width, to.width, scaleX);
  const down = way(part.height, to.height, scaleY);
  const columns = Int32Array.from({ length: part.width }, (_, x) => inside(part.left + x, source.width) * source.stride);
  const out = new Uint8Array(to.width * to.height * channels);
  const row = new Float32Array(part.width * channels);
  for (let y = 0; y < to.height; y++) {
    row.fill(0);
    for (let k = 0; k < down.count[y]!; k++) {
      const share = down.weight[y * down.most + k]!;
      const line = inside(part.top + down.from[y]! + k, source.height) * source.width * source.stride;
      for (let x = 0, to = 0; x < part.width; x++) {
        const at = line + columns[x]!;
        for (let c = 0; c < channels; c++) row[to++]! += source.values[at + c]! * share;
      }
    }
    for (let x = 0; x < to.width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        let at = across.from[x]! * channels + c;
        for (let k = 0, w = x * across.most; k < across.count[x]!; k++, at += channels) sum += row[at]! * across.weight[w + k]!;
        out[(y * to.width + x) * channels + c] = Math.round(sum);
      }
    }
  }
  return out;
}

const inside = (at: number, length: number): number => Math.min(length - 1, Math.max(0, at));

export const bytesOf = (picture: Picture): Bytes => ({ width: picture.width, height: picture.height, stride: 4, values: picture.rgba });
export const whole = ({ width, height }: Size): Part => ({ left: 0, top: 0, width, height });

/** Grey of three bytes with OpenCV's whole numbers (BT.601). */
export function luminance(red: number, green: number, blue: number): number {
  return (red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14;
}

/** The picture with so many px of black all around. */
export function withGround(picture: Picture, room: number): Picture {
  const [width, height] = [picture.width + 2 * room, picture.height + 2 * room];
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let at = 3; at < rgba.length; at += 4) rgba[at] = 255;
  for (let y = 0; y < picture.height; y++) rgba.set(picture.rgba.subarray(y * picture.width * 4, (y + 1) * picture.width * 4), ((y + room) * width + room) * 4);
  return { ...picture, width, height, rgba };
}
