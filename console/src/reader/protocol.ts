/** What the page and its worker say to one another. */
import type { Quad } from "./steps/picture";
import type { Sign } from "./steps/ctc";
import type { Number } from "./steps/series";
import type { Kind } from "./steps/sizes";

export type Wanted = "auto" | "webgpu" | "wasm";

export interface Running {
  /** Who looks at whole pictures; windows and texts are always WASM's, so that a text never hangs on a graphics driver. */
  detector: "webgpu" | "wasm";
  threads: number;
  /** Why WebGPU is not used, as a reference of the words; empty where it is. */
  whyNot: "" | "no-webgpu" | "no-jspi" | "software" | "differs" | "failed" | "lost" | "not-wanted";
}

export interface PlateSeen {
  quad: Quad;
  prob: number;
  signs: Sign[];
  number: Number | null;
  /** Not read in this look: it stands where it was read a moment ago (settled.ts). */
  kept: boolean;
}

export interface Times {
  findMs: number;
  againMs: number;
  readMs: number;
}

export type Asked =
  /** `because`: why WebGPU was given up before, if it was. */
  | { kind: "open"; weights: string; wanted: Wanted; because?: Running["whyNot"] }
  /** `source` counts cameras, films and photos: what was seen of one says nothing about the next. */
  | { kind: "look"; id: number; frame: ImageBitmap; manner: Kind; source: number }
  /** Crops that are cut already: n × 48 × 160, grey. */
  | { kind: "read"; id: number; crops: Uint8Array };

export type Answer =
  | { kind: "loading"; got: number; of: number }
  | { kind: "ready"; running: Running }
  /** WebGPU was lost, reading goes on without it. */
  | { kind: "changed"; running: Running }
  | { kind: "refused"; reference: Refusal; detail: string }
  /** `standing`: the picture has not changed, nothing was looked at. */
  | { kind: "seen"; id: number; plates: PlateSeen[]; times: Times; standing: boolean }
  | { kind: "texts"; id: number; texts: Sign[][] }
  | { kind: "fault"; id: number; detail: string };

/** Why there is no reading at all; each has its words. */
export type Refusal = "models-missing" | "models-changed" | "models-form" | "not-signed-in" | "not-allowed" | "unreachable" | "insecure" | "runtime";
