/** Opening ONNX Runtime: WebGPU for whole looks where it is there and gives the same answer, else WASM; windows and texts on WASM. */
import type * as Ort from "onnxruntime-web/wasm";
import plainGlue from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import plainWasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import gpuGlue from "onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url";
import gpuWasm from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import type { Models } from "./models";
import type { Running, Wanted } from "./protocol";
import { CLASSES, STEPS } from "./steps/ctc";
import { CROP, STRIDE, WINDOW } from "./steps/sizes";

/** More would read little faster and make a phone hot. */
const THREADS_MAX = 4;
/** A graphics driver that is further off than this computes something else: probability, and px of a corner. */
const PROB_OFF_MAX = 0.02;
const CORNER_OFF_MAX = 1;
/** Crops that go through the reader at once. */
const BATCH_MAX = 16;

export interface Engine {
  /** Changes when WebGPU is lost; `told` has heard of it then. */
  readonly running: Running;
  late: number;
  /** (3, height, width) → (9, height / 4, width / 4) */
  find(tensor: Float32Array, width: number, height: number): Promise<Float32Array>;
  /** (n, 3, WINDOW) → (n, 9, WINDOW / 4) */
  findInWindows(tensor: Float32Array, n: number): Promise<Float32Array>;
  /** n crops of 48 × 160, grey bytes → n × 40 × 38 */
  read(crops: Uint8Array, n: number): Promise<Float32Array>;
}

type Gpu = { requestAdapter(options?: object): Promise<{ info?: { isFallbackAdapter?: boolean }; isFallbackAdapter?: boolean } | null> };

/** Empty where WebGPU can be tried; else why not. */
async function whyNoGpu(wanted: Wanted, because: Running["whyNot"]): Promise<Running["whyNot"]> {
  if (wanted === "wasm") return because || "not-wanted";
  const gpu = (navigator as unknown as { gpu?: Gpu }).gpu;
  if (!gpu) return "no-webgpu";
  if (!("Suspending" in WebAssembly)) return "no-jspi";
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: "low-power" });
    if (!adapter) return "no-webgpu";
    const software = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
    return software && wanted !== "webgpu" ? "software" : "";
  } catch {
    return "no-webgpu";
  }
}

export function threadsFor(cores: number, isolated: boolean): number {
  return isolated ? Math.max(1, Math.min(THREADS_MAX, Math.floor(cores / 2))) : 1;
}

/** The package's build for WebGPU, or its plain one. They share nothing, so that a broken one leaves the other whole. */
export type Load = (withGpu: boolean) => Promise<typeof Ort>;
const load: Load = async (withGpu) => {
  const ort = (withGpu ? await import("onnxruntime-web/jspi") : await import("onnxruntime-web/wasm")) as typeof Ort;
  ort.env.wasm.wasmPaths = withGpu ? { mjs: gpuGlue, wasm: gpuWasm } : { mjs: plainGlue, wasm: plainWasm };
  return ort;
};

/** `told` hears when WebGPU is lost on the way; what was asked of it is answered by WASM. */
export async function openEngine(models: Models, wanted: Wanted, because: Running["whyNot"] = "", told: (running: Running) => void = () => undefined, from: Load = load): Promise<Engine> {
  const whyNot = await whyNoGpu(wanted, because);
  if (whyNot !== "") return openWith(await from(false), models, whyNot, told);
  try {
    return await openWith(await from(true), models, "", told);
  } catch {
    return openWith(await from(false), models, "failed", told);
  }
}

async function openWith(ort: typeof Ort, models: Models, whyNot: Running["whyNot"], told: (running: Running) => void): Promise<Engine> {
  const threads = threadsFor(navigator.hardwareConcurrency || 1, globalThis.crossOriginIsolated ?? false);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  const open = (bytes: Uint8Array, provider: "wasm" | "webgpu"): Promise<Ort.InferenceSession> =>
    ort.InferenceSession.create(bytes, { executionProviders: [provider], graphOptimizationLevel: "all" });

  async function findWith(session: Ort.InferenceSession, tensor: Float32Array, n: number, width: number, height: number): Promise<Float32Array> {
    const frame = new ort.Tensor("float32", tensor, [n, 3, height, width]);
    const { plates } = await session.run({ frame }, ["plates"]);
    return plates!.data as Float32Array;
  }

  const [reader, detector] = [await open(models.reader, "wasm"), await open(models.detector, "wasm")];
  let running: Running = { detector: "wasm", threads, whyNot };
  let gpu: Ort.InferenceSession | null = null;

  /** A broken driver may answer late or never to `release`: nobody waits for it. */
  function withoutGpu(why: Running["whyNot"]): void {
    void gpu?.release().catch(() => undefined);
    gpu = null;
    running = { detector: "wasm", threads, whyNot: why };
  }

  if (whyNot === "") {
    const [width, height] = [160, 96];
    const sample = grain(3 * width * height);
    const onWasm = await findWith(detector, sample, 1, width, height);
    try {
      gpu = await open(models.detector, "webgpu");
      if (same(onWasm, await findWith(gpu, sample, 1, width, height), (width / STRIDE) * (height / STRIDE))) running = { detector: "webgpu", threads, whyNot: "" };
      else withoutGpu("differs");
    } catch {
      withoutGpu("failed");
    }
  }
  const engine: Engine = {
    get running() {
      return running;
    },
    late: models.late,
    async find(tensor, width, height) {
      if (gpu) {
        try {
          const map = await findWith(gpu, tensor, 1, width, height);
          if (map.length === (9 * width * height) / STRIDE ** 2 && isFinite(map.reduce((sum, one) => sum + one, 0))) return map;
        } catch {
          // said below
        }
        withoutGpu("lost");
        told(running);
      }
      return findWith(detector, tensor, 1, width, height);
    },
    findInWindows: (tensor, n) => findWith(detector, tensor, n, WINDOW.width, WINDOW.height),
    async read(crops, n) {
      const out = new Float32Array(n * STEPS * CLASSES);
      const one = CROP.width * CROP.height;
      for (let from = 0; from < n; from += BATCH_MAX) {
        const count = Math.min(BATCH_MAX, n - from);
        const values = Float32Array.from(crops.subarray(from * one, (from + count) * one), (v) => v / 255);
        const { probs } = await reader.run({ crops: new ort.Tensor("float32", values, [count, 1, CROP.height, CROP.width]) }, ["probs"]);
        out.set(probs!.data as Float32Array, from * STEPS * CLASSES);
      }
      return out;
    },
  };
  // Once each, so that the first real look is not the slow one.
  await engine.findInWindows(new Float32Array(3 * WINDOW.width * WINDOW.height), 1);
  await engine.read(new Uint8Array(CROP.width * CROP.height), 1);
  return engine;
}

/** Figures from 0 to 1 that look like nothing, the same every time. */
function grain(n: number): Float32Array {
  const out = new Float32Array(n);
  let state = 20261125;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state / 4294967296;
  }
  return out;
}

/** Whether two maps say the same; corners count where a plate may be. */
export function same(a: Float32Array, b: Float32Array, plane: number): boolean {
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs(a[i]! - b[i]!);
    const most = i < plane ? PROB_OFF_MAX : CORNER_OFF_MAX;
    if (!(off <= most)) return false;
  }
  return a.length === b.length;
}
