/** The page's state, and its side of the talk with the worker. Bounded: one frame under way, the list of `vote.ts`, nothing kept. */
import type { Answer, Asked, PlateSeen, Refusal, Running, Times, Wanted } from "./protocol";
import { Pace } from "./pace";
import { bounded, PICTURE_SIDE_MAX } from "./steps/sizes";
import { Vote, type Read } from "./vote";
import { buzz, note } from "./signals";
import { w } from "./words.svelte";

export type Source = "none" | "camera" | "film" | "photo";
/** What went wrong with a source; the words are by the same names. */
export interface Trouble {
  about: "camera" | "file" | "look";
  reference: string;
}

class Reading {
  source = $state<Source>("none");
  opening = $state<"" | "camera" | "file">("");
  paused = $state(false);
  running = $state.raw<Running | null>(null);
  loading = $state.raw({ got: 0, of: 0 });
  refused = $state.raw<{ reference: Refusal; detail: string } | null>(null);
  trouble = $state.raw<Trouble | null>(null);
  plates = $state.raw<PlateSeen[]>([]);
  /** Size of the picture that the plates' corners are px of. */
  size = $state.raw({ width: 0, height: 0 });
  looked = $state(false);
  times = $state.raw<Times | null>(null);
  perSecond = $state(0);
  dropped = $state(0);
  reads = $state.raw<Read[]>([]);
  /** What the last look added to the list. */
  fresh = $state.raw<Read[]>([]);
  awake = $state(false);
  sound = $state(false);
  buzz = $state(false);
}
export const reading = new Reading();

/** How far the models are: on their way, or here and being prepared. */
export function loadingWords(): string {
  const { got, of } = reading.loading;
  const percent = of > 0 ? Math.round((100 * got) / of) : 0;
  if (percent >= 100) return w().loading.engine;
  return percent > 0 ? `${w().loading.models}${w().loading.between}${w().loading.share(percent)}` : w().loading.models;
}

const WEIGHTS = "/reader/weights/";
const vote = new Vote();
let pace = new Pace();
let worker: Worker | null = null;
let asked = 0;
/** Cameras, films and photos are counted: what the worker remembers of one is not for the next. */
let sources = 0;
let waiting: { id: number; alone: boolean; width: number; height: number } | null = null;

/** A graphics driver may compile for ever, or never answer; after so long reading goes on without it. The first look compiles as well. */
export const GPU_WAIT_MS = { open: 60_000, look: 20_000 } as const;
let triesGpu = false;
let warm = false;
const giveUp: { open?: ReturnType<typeof setTimeout>; look?: ReturnType<typeof setTimeout> } = {};

export function openWorker(wanted: Wanted, because?: Running["whyNot"]): void {
  worker?.terminate();
  clearTimeout(giveUp.open);
  clearTimeout(giveUp.look);
  triesGpu = wanted !== "wasm" && "gpu" in navigator;
  waiting = null;
  warm = false;
  pace = new Pace();
  Object.assign(reading, { running: null, refused: null, loading: { got: 0, of: 0 } });
  try {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "reader" });
  } catch (error) {
    reading.refused = { reference: "runtime", detail: String(error) };
    return;
  }
  worker.onmessage = ({ data }: MessageEvent<Answer>) => heard(data);
  worker.onerror = (event) => {
    if (triesGpu) return openWorker("wasm", "failed"); // once: without it there is nothing more to leave out
    reading.refused ??= { reference: "runtime", detail: event.message || "worker" };
  };
  say({ kind: "open", weights: WEIGHTS, wanted, because });
}

/** `?engine=wasm` or `?engine=webgpu` in the address, for comparing. */
export function wantedEngine(search: string): Wanted {
  const engine = new URLSearchParams(search).get("engine");
  return engine === "wasm" || engine === "webgpu" ? engine : "auto";
}

function say(message: Asked, transfer: Transferable[] = []): void {
  worker?.postMessage(message, transfer);
}

/** Whether a moving picture's frame should be looked at now; if not, it is dropped and counted. */
export function wantsFrame(): boolean {
  if (!reading.running || reading.paused) return false;
  return pace.take(performance.now());
}

/** Looks at what an element shows; its px are copied at once, so it may go on. */
export async function lookAt(shown: HTMLVideoElement | ImageBitmap, source: Source): Promise<void> {
  const still = source === "photo" ? "still" : "moving";
  const [width, height] = shown instanceof HTMLVideoElement ? [shown.videoWidth, shown.videoHeight] : [shown.width, shown.height];
  const size = bounded(width, height, PICTURE_SIDE_MAX[still]);
  const id = ++asked;
  try {
    const frame = size.width === width ? await createImageBitmap(shown) : await createImageBitmap(shown, { resizeWidth: size.width, resizeHeight: size.height, resizeQuality: "high" });
    waiting = { id, alone: still === "still", ...size };
    say({ kind: "look", id, frame, manner: still, source: sources }, [frame]);
    if (reading.running?.detector === "webgpu") giveUp.look = setTimeout(() => openWorker("wasm", "lost"), warm ? GPU_WAIT_MS.look : GPU_WAIT_MS.open);
  } catch {
    pace.done(performance.now()); // the element lost its picture between two frames
  }
}

/** Lets go of what was shown; an answer that is under way is not for the next picture. */
export function forget(): void {
  waiting = null;
  sources += 1;
  clearTimeout(giveUp.look);
  pace = new Pace();
  Object.assign(reading, { plates: [], looked: false, times: null, perSecond: 0, dropped: 0 });
}

export function clearReads(): void {
  vote.clear();
  reading.reads = [];
}

function heard(answer: Answer): void {
  if (answer.kind === "loading") {
    reading.loading = { got: answer.got, of: answer.of };
    clearTimeout(giveUp.open);
    if (triesGpu) giveUp.open = setTimeout(() => openWorker("wasm", "failed"), GPU_WAIT_MS.open);
  } else if (answer.kind === "ready" || answer.kind === "changed") {
    clearTimeout(giveUp.open);
    reading.running = answer.running;
  } else if (answer.kind === "refused") {
    clearTimeout(giveUp.open);
    reading.refused = { reference: answer.reference, detail: answer.detail };
  }
  if (answer.kind === "fault") failed(answer.id);
  else if (answer.kind === "seen" && waiting?.id === answer.id) seen(answer, waiting);
}

/** A look that broke off. A lost graphics driver is the worker's own business, but it may take the worker with it. */
function failed(id: number): void {
  if (waiting?.id !== id) return;
  clearTimeout(giveUp.look);
  if (triesGpu && (reading.running?.detector === "webgpu" || reading.running?.whyNot === "lost")) openWorker("wasm", "lost");
  else reading.trouble = { about: "look", reference: "look" };
}

function seen(answer: Extract<Answer, { kind: "seen" }>, asked: NonNullable<typeof waiting>): void {
  const now = performance.now();
  waiting = null;
  warm = true;
  clearTimeout(giveUp.look);
  pace.done(now);
  const numbers = answer.plates.flatMap((plate) => (plate.number ? [{ ...plate.number, kept: plate.kept }] : []));
  const fresh = answer.standing ? [] : vote.take(numbers, Date.now(), asked.alone);
  Object.assign(reading, { plates: answer.plates, looked: true, dropped: pace.dropped, size: { width: asked.width, height: asked.height }, times: answer.standing && reading.times ? reading.times : answer.times });
  reading.perSecond = pace.perSecond(now);
  reading.reads = vote.reads.map((read) => ({ ...read }));
  if (fresh.length === 0) return;
  reading.fresh = fresh;
  if (reading.sound) note();
  if (reading.buzz) buzz();
}
