/** The worker: holds the models and does every look, one at a time, so that the page never waits. */
import { Looker, readTexts } from "./look";
import { loadModels, RefusedError } from "./models";
import type { Answer, Asked } from "./protocol";
import { openEngine, type Engine } from "./runtime";
import type { Picture } from "./steps/picture";

const page = self as unknown as { postMessage(message: Answer): void; onmessage: ((event: MessageEvent<Asked>) => void) | null };

let engine: Engine | null = null;
let looker: { source: number; at: Looker } | null = null;
let canvas: OffscreenCanvas | null = null;

/** The bytes of a bitmap; one canvas for all, as large as the frame at hand. The bitmap is let go. */
function bytesOf(frame: ImageBitmap): Picture {
  const { width, height } = frame;
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  if (!context) throw new Error("no 2d context");
  context.drawImage(frame, 0, 0);
  frame.close();
  return { width, height, rgba: context.getImageData(0, 0, width, height).data };
}

async function open({ weights, wanted, because }: Extract<Asked, { kind: "open" }>): Promise<void> {
  try {
    const models = await loadModels(weights, (got, of) => page.postMessage({ kind: "loading", got, of }));
    engine = await openEngine(models, wanted, because, (running) => page.postMessage({ kind: "changed", running }));
    page.postMessage({ kind: "ready", running: engine.running });
  } catch (error) {
    const reference = error instanceof RefusedError ? error.reference : "runtime";
    page.postMessage({ kind: "refused", reference, detail: error instanceof Error ? error.message : String(error) });
  }
}

async function answer(asked: Exclude<Asked, { kind: "open" }>): Promise<void> {
  try {
    if (!engine) throw new Error("not open");
    if (asked.kind === "read") return page.postMessage({ kind: "texts", id: asked.id, texts: await readTexts(engine, asked.crops) });
    if (looker?.source !== asked.source) looker = { source: asked.source, at: new Looker(engine, asked.manner) };
    page.postMessage({ kind: "seen", id: asked.id, ...(await looker.at.look(bytesOf(asked.frame))) });
  } catch (error) {
    page.postMessage({ kind: "fault", id: asked.id, detail: error instanceof Error ? error.message : String(error) });
  }
}

let before: Promise<void> = Promise.resolve();
page.onmessage = ({ data }) => {
  before = before.then(() => (data.kind === "open" ? open(data) : answer(data)));
};
