/** Boxes and texts over the picture. The picture keeps its shape within the stage (object-fit: contain). */
import type { PlateSeen } from "./protocol";
import type { Point, Quad } from "./steps/picture";
import { boxOf } from "./steps/quad";

export interface Placed {
  left: number;
  top: number;
  scale: number;
}

/** Where a picture of that size lies in a box of that size, whole and in the middle. */
export function contained(width: number, height: number, boxWidth: number, boxHeight: number): Placed {
  const scale = Math.min(boxWidth / width, boxHeight / height);
  return { left: (boxWidth - width * scale) / 2, top: (boxHeight - height * scale) / 2, scale };
}

export const placed = (quad: Quad, at: Placed): Quad => quad.map(([x, y]): Point => [at.left + x * at.scale, at.top + y * at.scale]) as unknown as Quad;

export interface Sign {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Where a text of that size stands for a box: above it, else below, else further off where no other text is; inside the stage. */
export function signPlace(box: { left: number; top: number; right: number; bottom: number }, w: number, h: number, width: number, height: number, taken: readonly Sign[]): Sign {
  const x = Math.max(2, Math.min(width - w - 2, (box.left + box.right - w) / 2));
  const free = (y: number): boolean => y >= 2 && y + h <= height - 2 && !taken.some((one) => x < one.x + one.w && one.x < x + w && y < one.y + one.h && one.y < y + h);
  for (let step = 0; step < 4; step++)
    for (const y of [box.top - h - 5 - step * (h + 3), box.bottom + 5 + step * (h + 3)]) if (free(y)) return { x, y, w, h };
  return { x, y: Math.max(2, Math.min(height - h - 2, box.bottom + 5)), w, h };
}

/** Per cent as it is shown: nothing is ever wholly sure. */
export const percentOf = (prob: number): number => Math.min(99, Math.round(100 * prob));

const TONES = { sure: "#6ee7a0", doubt: "#ffd24a", none: "#ffffff", ground: "rgb(8 11 15/0.86)", ink: "#ffffff" } as const;
const FONT = '"Atkinson Hyperlegible Mono Variable", ui-monospace, monospace';

/** Draws everything anew. `context` is scaled to CSS px already; `width` and `height` are those of the stage. */
export function drawPlates(context: CanvasRenderingContext2D, plates: readonly PlateSeen[], at: Placed, width: number, height: number): void {
  context.clearRect(0, 0, width, height);
  context.lineJoin = "round";
  for (const plate of plates) drawBox(context, placed(plate.quad, at), plate);
  const taken: Sign[] = [];
  for (const plate of plates) drawText(context, placed(plate.quad, at), plate, width, height, taken);
}

function drawBox(context: CanvasRenderingContext2D, quad: Quad, plate: PlateSeen): void {
  const { number } = plate;
  context.beginPath();
  quad.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.closePath();
  context.setLineDash(number?.series ? [] : [6, 4]);
  context.strokeStyle = "rgb(0 0 0/0.65)";
  context.lineWidth = 5;
  context.stroke();
  context.strokeStyle = !number ? TONES.none : number.doubtful.length || !number.series ? TONES.doubt : TONES.sure;
  context.lineWidth = 2.5;
  context.stroke();
  context.setLineDash([]);
}

function drawText(context: CanvasRenderingContext2D, quad: Quad, plate: PlateSeen, width: number, height: number, taken: Sign[]): void {
  const { number } = plate;
  if (!number) return;
  const size = Math.max(15, Math.min(30, width / 22, height / 15));
  const small = Math.max(12, size * 0.6);
  context.textBaseline = "middle";
  context.font = `700 ${size}px ${FONT}`;
  const cell = context.measureText("0").width;
  const percent = `${percentOf(number.confidence)}%`;
  context.font = `500 ${small}px ${FONT}`;
  const w = number.display.length * cell + context.measureText(percent).width + 22;
  const h = size * 1.5;
  const { x, y } = signPlace(boxOf(quad), w, h, width, height, taken);
  taken.push({ x, y, w, h });
  context.fillStyle = TONES.ground;
  context.beginPath();
  context.roundRect(x, y, w, h, 5);
  context.fill();
  let place = 0;
  let at = x + 8;
  context.font = `700 ${size}px ${FONT}`;
  for (const sign of number.display) {
    const doubtful = sign !== "-" && number.doubtful.includes(place);
    if (sign !== "-") place += 1;
    context.fillStyle = doubtful ? TONES.doubt : TONES.ink;
    context.fillText(sign, at, y + h / 2);
    if (doubtful) wave(context, at, y + h - 4, cell);
    at += cell;
  }
  context.font = `500 ${small}px ${FONT}`;
  context.fillStyle = number.series ? "#d7dce2" : TONES.doubt;
  context.fillText(percent, at + 6, y + h / 2 + 1);
}

/** Doubt is said by shape and not by colour alone. */
function wave(context: CanvasRenderingContext2D, x: number, y: number, width: number): void {
  context.beginPath();
  context.moveTo(x, y);
  for (let i = 1; i <= 4; i++) context.quadraticCurveTo(x + (width * (i - 0.5)) / 4, y + (i % 2 ? -3 : 3), x + (width * i) / 4, y);
  context.strokeStyle = TONES.doubt;
  context.lineWidth = 1.8;
  context.stroke();
}
