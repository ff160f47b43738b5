/** The one place that decides sizes: how large a picture may be, what the finder sees of it, what the reader sees. */

/** The finder's maps have one cell for this many px. */
export const STRIDE = 4;
/** Sides that the finder is shown are multiples of this. */
export const SIDE_STEP = 32;
/** Longest side of what the finder is shown: of a camera or a film by who computes, of a photo. Smaller pictures than `least` are enlarged to it. */
export const SIDE_MAX = { wasm: 640, webgpu: 960, still: 960, least: 320 } as const;
/** Longest side that is kept of a picture: 1080p is 8 MB of memory, a photo of 12 megapixels would be 48. */
export const PICTURE_SIDE_MAX = { moving: 1920, still: 2560 } as const;
/** So many plates of one look are read; the least likely go first. */
export const PLATES_MAX = 16;
/** The reader's crop, and the margin around the plate in parts of its height. */
export const CROP = { width: 160, height: 48, margin: 0.12 } as const;

/** Width and height at which a picture is shown, its longest side at about `sideMax` (guardian/vision/finder.py, `sides_for`). */
export function sidesFor(width: number, height: number, sideMax: number): { width: number; height: number } {
  const longest = Math.min(Math.max(width, height, SIDE_MAX.least), sideMax);
  const factor = longest / Math.max(width, height, 1);
  const side = (px: number): number => Math.max(SIDE_STEP, roundHalfEven((px * factor) / SIDE_STEP) * SIDE_STEP);
  return { width: side(width), height: side(height) };
}

/** As Python rounds: a half goes to the even neighbour. */
export function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  return value - low === 0.5 ? (low % 2 === 0 ? low : low + 1) : Math.round(value);
}

/** Size of a picture with its longest side bounded. */
export function bounded(width: number, height: number, sideMax: number): { width: number; height: number } {
  const scale = Math.min(1, sideMax / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
