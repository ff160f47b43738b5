/** What the page and its worker say to one another. */
import type { Quad } from "./steps/picture";
import type { Sign } from "./steps/ctc";
import type { Number } from "./steps/series";

export type Wanted = "auto" | "webgpu" | "wasm";

export interface Running {
  /** Who computes the detector; the reader always runs on WASM, so that a text never hangs on a graphics driver. */
  detector: "webgpu" | "wasm";
  threads: number;
  /** Why WebGPU is not used, as a reference of the words; empty where it is. */
  whyNot: "" | "no-webgpu" | "no-jspi" | "software" | "differs" | "failed" | "not-wanted";
}

export interface PlateSeen {
  quad: Quad;
  prob: number;
  signs: Sign[];
  number: Number | null;
}

export interface Times {
  preparedMs: number;
  detectedMs: number;
  readMs: number;
}

export type Asked =
  /** `because`: why WebGPU was given up before, if it was. */
  | { kind: "open"; weights: string; wanted: Wanted; because?: Running["whyNot"] }
  /** `sideMax`: the longest side of what the detector sees. */
  | { kind: "look"; id: number; frame: ImageBitmap; sideMax: number }
  /** Crops that are cut already: n × 48 × 160, grey. */
  | { kind: "read"; id: number; crops: Uint8Array };

export type Answer =
  | { kind: "loading"; got: number; of: number }
  | { kind: "ready"; running: Running }
  | { kind: "refused"; reference: Refusal; detail: string }
  | { kind: "seen"; id: number; plates: PlateSeen[]; times: Times }
  | { kind: "texts"; id: number; texts: Sign[][] }
  | { kind: "fault"; id: number; detail: string };

/** Why there is no reading at all; each has its words. */
export type Refusal = "models-missing" | "models-changed" | "models-form" | "not-signed-in" | "not-allowed" | "unreachable" | "insecure" | "runtime";
