/** A short note and a short buzz for a new read, each only if the person has turned it on. */
let context: AudioContext | null = null;

export const canBuzz = (): boolean => typeof navigator.vibrate === "function" && (globalThis.matchMedia?.("(pointer: coarse)").matches ?? false);
export const canSound = (): boolean => typeof globalThis.AudioContext === "function";

/** To be called from a press: browsers let nothing sound without one. */
export async function armSound(): Promise<void> {
  context ??= new AudioContext();
  await context.resume();
  note();
}

export function note(): void {
  if (context?.state !== "running") return;
  const at = context.currentTime;
  const tone = context.createOscillator();
  const level = context.createGain();
  tone.frequency.value = 880;
  level.gain.setValueAtTime(0, at);
  level.gain.linearRampToValueAtTime(0.12, at + 0.01);
  level.gain.linearRampToValueAtTime(0, at + 0.12);
  tone.connect(level).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.13);
}

export function buzz(): void {
  if (canBuzz()) navigator.vibrate(40);
}
