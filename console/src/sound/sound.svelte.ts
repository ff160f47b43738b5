/** Sounds made here (WebAudio, no files). If the browser does not allow them yet, the page says so until it does (G38). */
import type { HitCard } from "../api/types";
import { louder, Sounded, soundOf, type Sound } from "./rules";

export const sound = $state({ armed: false, possible: true, muted: { urgent: false, high: false, near: false } as Record<Sound, boolean> });

let context: AudioContext | null = null;
const sounded = new Sounded();
let playingUntil = 0;
let playing: Sound | null = null;

function audio(): AudioContext | null {
  if (!context) {
    const Made = globalThis.AudioContext;
    if (!Made) {
      sound.possible = false;
      return null;
    }
    context = new Made();
    context.onstatechange = () => {
      sound.armed = context?.state === "running";
    };
    sound.armed = context.state === "running";
  }
  return context;
}

/** Ask at once whether the browser lets us sound without a click. */
export function probeSound(): void {
  audio();
}

/** A press of the person allows it; a short note proves it. */
export async function armSound(): Promise<void> {
  const ctx = audio();
  if (!ctx) return;
  await ctx.resume();
  sound.armed = ctx.state === "running";
  if (sound.armed) note(ctx, 660, 0, 0.12, 0.12);
}

/** Any press in the page arms it silently, so that nobody is asked for what they have given already. */
export function armOnFirstTouch(): void {
  const arm = (): void => {
    const ctx = audio();
    if (ctx && ctx.state !== "running") void ctx.resume();
  };
  addEventListener("pointerdown", arm, { once: true, capture: true });
  addEventListener("keydown", arm, { once: true, capture: true });
}

function note(ctx: AudioContext, hz: number, after: number, lasts: number, gain: number, type: OscillatorType = "sine"): void {
  const at = ctx.currentTime + after;
  const osc = ctx.createOscillator();
  const level = ctx.createGain();
  osc.type = type;
  osc.frequency.value = hz;
  level.gain.setValueAtTime(0, at);
  level.gain.linearRampToValueAtTime(gain, at + 0.012);
  level.gain.setValueAtTime(gain, at + lasts - 0.05);
  level.gain.linearRampToValueAtTime(0, at + lasts);
  osc.connect(level).connect(ctx.destination);
  osc.start(at);
  osc.stop(at + lasts + 0.02);
}

function play(kind: Sound): void {
  const ctx = audio();
  if (!ctx || ctx.state !== "running" || sound.muted[kind]) return;
  const now = performance.now();
  if (now < playingUntil && louder(playing, kind) === playing) return;
  playing = kind;
  playingUntil = now + 900;
  if (kind === "urgent") [659, 784, 988].forEach((hz, i) => note(ctx, hz, i * 0.2, 0.22, 0.3, "triangle"));
  else if (kind === "high") [659, 784].forEach((hz, i) => note(ctx, hz, i * 0.22, 0.2, 0.22, "triangle"));
  else note(ctx, 294, 0, 0.4, 0.14);
}

/** Hits that have just become known: one sound, the highest. */
export function soundFor(hits: readonly HitCard[], now: number): Sound | null {
  let best: Sound | null = null;
  for (const hit of hits) {
    const kind = soundOf(hit);
    if (kind && sounded.mayNow(hit, now)) best = louder(best, kind);
  }
  if (best) play(best);
  return best;
}

/** Every 10 s while an exact urgent hit is unclaimed. */
export function remind(hits: Iterable<HitCard>): void {
  for (const hit of hits) if (hit.state === "new" && soundOf(hit) === "urgent") return play("urgent");
}

export function switchMute(kind: Sound): void {
  sound.muted[kind] = !sound.muted[kind];
}
