/** The one place that decides sizes: how large a picture may be, what the finder sees of it, what the reader sees. */
import table from "./finder.json";

/** The finder's maps have one cell for this many px. */
export const STRIDE = table.stride_px;
/** Sides that the finder is shown are multiples of this. */
export const SIDE_STEP = table.side_step_px;
/** What a picture is made smaller by after the mean of whole px, at least (guardian/vision/finder.py, `REST_MIN`). */
export const REST_MIN = table.rest_min;
/** The second look at what was found: its size, how wide a plate is in it, what part of a side a steep one may fill, from where on it counts, how many at once, what is left of one unseen. */
export const WINDOW = { width: table.window.width, height: table.window.height, platePx: table.window.plate_px, share: table.window.share, probMin: table.window.prob_min, most: table.window.most, unseenShare: table.window.unseen_share } as const;
/** So many plates of one look are found; the least likely go first. */
export const FOUND_MAX = table.plates_max;
/** Plates whose upright boxes share more than this of the smaller one are one plate. */
export const SAME_PLACE_SHARE = table.same_place_share;

/** How a look is made: the longest side that the finder is shown, smaller pictures enlarged to `sideMin`, further looks at half each time, and one twice as large where a plate less high than `farPx`, or none, is shown. */
export interface Manner {
  sideMax: number;
  sideMin: number;
  halves: number;
  farPx: number;
  probMin: number;
}
const manner = (one: { side_max_px: number; side_min_px: number; halves: number; far_px: number; prob_min: number }): Manner => ({ sideMax: one.side_max_px, sideMin: one.side_min_px, halves: one.halves, farPx: one.far_px, probMin: one.prob_min });
/** As the engines of guardian/vision/engine.py look: at a camera or film `guardian-fast`, at a photo `guardian`. */
export const MANNERS = { moving: manner(table.moving), still: manner(table.still) } as const;
export type Kind = keyof typeof MANNERS;

/** Longest side that is kept of a picture: 1080p is 8 MB of memory, a photo of 12 megapixels would be 48. */
export const PICTURE_SIDE_MAX = { moving: 1920, still: 2560 } as const;
/** So many plates of one look are read; the least likely go first. */
export const READ_MAX = 16;
/** The reader's crop, and the margin around the plate in parts of its height. */
export const CROP = { width: table.crop.width, height: table.crop.height, margin: table.crop.margin } as const;
/** What cannot be a plate by its shape: too low to read, too narrow, too long. */
export const SHAPE = { heightMin: table.shape.height_min_px, aspectMin: table.shape.aspect_min, aspectMax: table.shape.aspect_max } as const;
/** A picture that stands: cells of so many px, none of which differs by more; it is looked at anew this often all the same. */
export const STANDING = { cellPx: table.standing.cell_px, changeMax: table.standing.change_max, ms: table.standing.ms } as const;

/** The longest side at which a picture is shown. */
export function longestOf(width: number, height: number, { sideMax, sideMin }: Manner): number {
  return Math.min(Math.max(width, height, sideMin), sideMax);
}

/** Width and height at which a picture is shown, its longest side at about `longest` (guardian/vision/finder.py, `sides_for`). */
export function sidesFor(width: number, height: number, longest: number): { width: number; height: number } {
  const factor = longest / Math.max(width, height, 1);
  const side = (px: number): number => Math.max(SIDE_STEP, roundHalfEven((px * factor) / SIDE_STEP) * SIDE_STEP);
  return { width: side(width), height: side(height) };
}

/** As Python rounds: a half goes to the even neighbour. */
export function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  return value - low === 0.5 ? (low % 2 === 0 ? low : low + 1) : Math.round(value);
}

/** To a tenth of a px, as Python's corners. */
export const tenth = (px: number): number => roundHalfEven(px * 10) / 10;

/** Size of a picture with its longest side bounded. */
export function bounded(width: number, height: number, sideMax: number): { width: number; height: number } {
  const scale = Math.min(1, sideMax / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Px of dark ground that a photo is shown with: one no larger than a plate that was cut out needs some around it. */
export const groundOf = (picture: { width: number; height: number }): number =>
  Math.max(picture.width, picture.height) <= table.ground.side_max_px ? Math.round(Math.min(picture.width, picture.height) * table.ground.share) : 0;
