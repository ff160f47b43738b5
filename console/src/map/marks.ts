/** Marks on the map, drawn in the tokens: units by kind and freshness, hits by priority and strength, tags for plates. */
import { ICONS, SHAPES } from "../parts/icons";
import type { Tokens } from "./style";

export type Mark = { name: string; data: ImageData; options: Record<string, unknown> };
const RATIO = 2;

function canvas(size: number, height = size): CanvasRenderingContext2D {
  const made = document.createElement("canvas");
  made.width = size * RATIO;
  made.height = height * RATIO;
  const c = made.getContext("2d", { willReadFrequently: true })!;
  c.scale(RATIO, RATIO);
  return c;
}

function done(name: string, c: CanvasRenderingContext2D, options: Record<string, unknown> = {}): Mark {
  return { name, data: c.getImageData(0, 0, c.canvas.width, c.canvas.height), options: { pixelRatio: RATIO, ...options } };
}

export function drawMarks(t: Tokens): Mark[] {
  const marks: Mark[] = [beak(t), tag(t, false), tag(t, true), stop(t)];
  for (const kind of ["car", "motorcycle", "foot"] as const)
    for (const state of ["fresh", "old", "lost"] as const) marks.push(unit(t, kind, state));
  for (const priority of [1, 2, 3]) for (const near of [false, true]) marks.push(pin(t, priority, near));
  return marks;
}

/** Disc of ink with its kind; old keeps its place with its age printed; lost is hollow, dashed and grey. */
function unit(t: Tokens, kind: "car" | "motorcycle" | "foot", state: "fresh" | "old" | "lost"): Mark {
  const c = canvas(36);
  c.translate(18, 18);
  const lost = state === "lost";
  if (lost) {
    c.strokeStyle = t["ink-3"];
    c.setLineDash([2, 3]);
    c.beginPath();
    c.arc(0, 0, 16, 0, 7);
    c.stroke();
    c.setLineDash([3, 2.4]);
  }
  c.beginPath();
  c.arc(0, 0, 10.5, 0, 7);
  c.fillStyle = lost ? t["map-land"] : state === "old" ? t["ink-2"] : t.ink;
  c.fill();
  c.lineWidth = 2;
  c.strokeStyle = lost ? t["ink-3"] : t["map-halo"];
  c.stroke();
  c.setLineDash([]);
  c.strokeStyle = lost ? t["ink-3"] : t["ink-on"];
  c.lineWidth = 1.9;
  c.lineCap = c.lineJoin = "round";
  c.scale(0.72, 0.72);
  c.translate(-10, -10);
  c.stroke(new Path2D(ICONS[kind]));
  return done(`unit-${kind}-${state}`, c);
}

function beak(t: Tokens): Mark {
  const c = canvas(40);
  c.translate(20, 20);
  const path = new Path2D("M-6 -9 0 -18.5 6 -9z");
  c.lineJoin = "round";
  c.lineWidth = 3;
  c.strokeStyle = t["map-halo"];
  c.stroke(path);
  c.fillStyle = t.ink;
  c.fill(path);
  return done("beak", c);
}

/** Solid is sure; hollow and dashed is look again. */
function pin(t: Tokens, priority: number, near: boolean): Mark {
  const [edge, fill] = ([[t.urgent, t["urgent-fill"]], [t.high, t["high-fill"]], [t.notice, t["notice-fill"]]] as const)[priority - 1]!;
  const size = priority === 3 ? 20 : 24;
  const c = canvas(32);
  c.translate(16 - size / 2, 16 - size / 2);
  c.scale(size / 24, size / 24);
  const path = new Path2D(SHAPES[priority]);
  c.lineJoin = "round";
  c.strokeStyle = t["map-halo"];
  c.lineWidth = 5;
  c.stroke(path);
  c.fillStyle = near ? t["map-land"] : fill;
  c.fill(path);
  c.strokeStyle = edge;
  c.lineWidth = near ? 2.2 : 1.5;
  if (near) c.setLineDash([3.5, 2]);
  c.stroke(path);
  return done(`pin-${priority}-${near ? "near" : "exact"}`, c);
}

/** A place of a found read, with its number over it. */
function stop(t: Tokens): Mark {
  const c = canvas(26);
  c.beginPath();
  c.arc(13, 13, 10, 0, 7);
  c.fillStyle = t.ink;
  c.fill();
  c.lineWidth = 2;
  c.strokeStyle = t["map-halo"];
  c.stroke();
  return done("stop", c);
}

function tag(t: Tokens, near: boolean): Mark {
  const c = canvas(60, 24);
  c.beginPath();
  c.roundRect(1, 1, 58, 22, 3);
  c.fillStyle = t.surface;
  c.fill();
  c.strokeStyle = near ? t["ink-2"] : t["line-strong"];
  if (near) c.setLineDash([3, 2.2]);
  c.lineWidth = 1;
  c.stroke();
  const whole = [[6 * RATIO, 54 * RATIO]];
  return done(near ? "tag-near" : "tag-exact", c, { stretchX: whole, stretchY: [[6 * RATIO, 18 * RATIO]], content: [4 * RATIO, 3 * RATIO, 56 * RATIO, 21 * RATIO] });
}
