/**
 * Whether the picture is still the one that was looked at last: at a red light the phone cools down. The rule and its figures are
 * those of the patrol car's device (guardian/device/gaze.py); there a look is quick, here it may take longer than the rest.
 */
import type { Picture } from "./steps/picture";
import { STANDING } from "./steps/sizes";

/** Every so many px, along and down, is asked: the mean of a hundred of a cell's four hundred is as good here. */
const EVERY = 2;

/** The picture as means of its cells, green: enough to tell whether something moved. */
export function cellsOf({ width, height, rgba }: Picture, cellPx: number = STANDING.cellPx): Float32Array {
  const [columns, rows] = [Math.max(1, Math.floor(width / cellPx)), Math.max(1, Math.floor(height / cellPx))];
  const out = new Float32Array(columns * rows);
  const asked = new Uint16Array(columns * rows);
  for (let y = 0; y < height; y += EVERY) {
    const row = Math.min(rows - 1, Math.floor((y * rows) / height)) * columns;
    for (let x = 0; x < width; x += EVERY) {
      const cell = row + Math.min(columns - 1, Math.floor((x * columns) / width));
      out[cell]! += rgba[(y * width + x) * 4 + 1]!;
      asked[cell]! += 1;
    }
  }
  return out.map((sum, i) => sum / asked[i]!);
}

/** So many looks at a picture before it is left alone: the second bears out what the first read. */
const LOOKS_MIN = 2;
/** A look at a picture that stands is followed by a rest of so many times what it took. */
export const REST_LOOKS = 3;

export class Scene {
  private cells: Float32Array | null = null;
  private shape = "";
  private looks = 0;
  private restUntilMs = 0;

  /** Whether the picture is the one that was looked at last and may be left alone; where not, it is the one looked at now. */
  stands(picture: Picture, nowMs: number): boolean {
    const cells = cellsOf(picture);
    const shape = `${picture.width}x${picture.height}`;
    const old = this.cells;
    const same = old !== null && shape === this.shape && cells.every((mean, i) => Math.abs(mean - old[i]!) <= STANDING.changeMax);
    if (same && this.looks >= LOOKS_MIN && nowMs < this.restUntilMs) return true;
    this.looks = same ? this.looks + 1 : 1;
    [this.cells, this.shape] = [cells, shape];
    return false;
  }

  /** The look is done. A slow phone rests longer, or it would find no rest at all. */
  done(begunMs: number, nowMs: number): void {
    this.restUntilMs = Math.max(begunMs + STANDING.ms, nowMs + REST_LOOKS * (nowMs - begunMs));
  }
}
