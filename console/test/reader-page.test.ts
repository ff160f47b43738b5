/** What the reader's page decides by itself: votes, pace, faults of a camera, places on the screen, trust in a model. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { abilitiesOf, CameraError, faultOf, openCamera } from "../src/reader/camera";
import { BYTES_MAX, loadModels, RefusedError, sha256Of } from "../src/reader/models";
import { contained, percentOf, placed, signPlace, type Sign } from "../src/reader/overlay";
import { Pace } from "../src/reader/pace";
import { same, threadsFor } from "../src/reader/runtime";
import { AGREE_MS, IN_A_ROW_MS, READS_MAX, SAME_MS, Vote } from "../src/reader/vote";
import type { Answer, Asked, PlateSeen, Running } from "../src/reader/protocol";
import { clearReads, forget, GPU_WAIT_MS, lookAt, openWorker, reading, wantedEngine, wantsFrame } from "../src/reader/reading.svelte";

afterEach(() => vi.unstubAllGlobals());
const seen = (text: string, confidence = 0.9) => ({ text, display: text, series: "s", confidence, doubtful: [] });

describe("vote", () => {
  test("a text is a read when it is seen twice within the time, not when seen once or too late", () => {
    const vote = new Vote();
    expect(vote.take([seen("A")], 0)).toEqual([]);
    vote.take([], 100);
    expect(vote.take([seen("A")], AGREE_MS + 1)).toEqual([]);
    vote.take([], AGREE_MS + 100);
    expect(vote.take([seen("A")], 2 * AGREE_MS).map((one) => one.text)).toEqual(["A"]);
  });
  test("where one look takes long, two in a row are enough, but not for ever; twice in one look is once", () => {
    const vote = new Vote();
    expect(vote.take([seen("A"), seen("A")], 0)).toEqual([]);
    expect(vote.take([seen("A")], AGREE_MS * 2).length).toBe(1);
    expect(vote.take([seen("B")], 20_000)).toEqual([]);
    expect(vote.take([seen("B")], 20_001 + IN_A_ROW_MS)).toEqual([]);
  });
  test("the same number again is the same read, its surest look is kept, and much later it is another", () => {
    const vote = new Vote();
    vote.take([seen("A", 0.5)], 0);
    vote.take([seen("A", 0.6)], 100);
    expect(vote.take([seen("A", 0.95)], 200)).toEqual([]);
    expect(vote.reads).toMatchObject([{ text: "A", looks: 3, confidence: 0.95, firstMs: 100, lastMs: 200 }]);
    expect(vote.take([seen("A")], 201 + SAME_MS, true).length).toBe(1);
  });
  test("what was not read anew is no vote: it only says that the vehicle is still there", () => {
    const vote = new Vote();
    vote.take([seen("A", 0.9)], 0);
    vote.take([{ ...seen("A", 0.9), kept: true }], 100);
    expect(vote.reads).toEqual([]);
    vote.take([seen("A", 0.9)], 200);
    vote.take([{ ...seen("A", 0.99), kept: true }], SAME_MS);
    expect(vote.reads).toMatchObject([{ looks: 2, confidence: 0.9, lastMs: SAME_MS }]);
    expect(vote.reads[0]).not.toHaveProperty("kept");
    expect(vote.take([seen("A")], SAME_MS + 300), "still the same vehicle").toEqual([]);
  });
  test("a photo has one look, and that is enough", () => {
    expect(new Vote().take([seen("A"), seen("B")], 0, true).length).toBe(2);
  });
  test("nothing grows without end", () => {
    const vote = new Vote();
    for (let i = 0; i < 500; i++) vote.take([seen(`R${i}`)], i, true);
    expect(vote.reads.length).toBe(READS_MAX);
    expect(vote.reads[0]!.text).toBe("R499");
    for (let i = 0; i < 5000; i++) vote.take([seen(`X${i}`)], 1000);
    expect((vote as unknown as { once: Map<string, number> }).once.size).toBeLessThanOrEqual(65);
  });
});

describe("pace", () => {
  test("one look at a time, what comes meanwhile is dropped and counted", () => {
    const pace = new Pace();
    expect([pace.take(0), pace.take(10), pace.take(20)]).toEqual([true, false, false]);
    pace.done(400);
    expect(pace.dropped).toBe(2);
    expect(pace.take(450), "a quarter of what the look took is rest").toBe(false);
    expect(pace.take(501)).toBe(true);
  });
  test("however quick the look, not more than eight a second", () => {
    const pace = new Pace();
    let looks = 0;
    for (let ms = 0; ms < 3000; ms += 16) {
      if (!pace.take(ms)) continue;
      looks += 1;
      pace.done(ms + 1);
    }
    expect(looks).toBeLessThanOrEqual(25);
    expect(pace.perSecond(3000)).toBeGreaterThan(6);
  });
});

describe("camera", () => {
  test.each([["NotAllowedError", "refused"], ["NotFoundError", "none"], ["OverconstrainedError", "none"], ["NotReadableError", "busy"], ["AbortError", "busy"], ["Odd", "failed"]])("%s means %s", (name, reference) => {
    expect(faultOf(Object.assign(new Error("x"), { name }))).toBe(reference);
  });
  test("an address that is not encrypted is said to be the reason", async () => {
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("isSecureContext", false);
    await expect(openCamera()).rejects.toMatchObject({ reference: "insecure" });
    vi.stubGlobal("isSecureContext", true);
    await expect(openCamera()).rejects.toBeInstanceOf(CameraError);
    await expect(openCamera()).rejects.toMatchObject({ reference: "unsupported" });
  });
  test("the rear camera is asked for, without its microphone, and a chosen one by its name", async () => {
    const getUserMedia = vi.fn(async (_asked: MediaStreamConstraints) => ({}));
    vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
    await openCamera();
    await openCamera("c2");
    expect(getUserMedia.mock.calls[0]![0]).toMatchObject({ audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 } } });
    expect(getUserMedia.mock.calls[1]![0]).toMatchObject({ video: { deviceId: { exact: "c2" } } });
  });
  test("light and zoom are there only where the track has them", () => {
    const track = (can?: object): MediaStreamTrack => ({ ...(can ? { getCapabilities: () => can } : {}) }) as unknown as MediaStreamTrack;
    expect(abilitiesOf(track())).toEqual({ torch: false, zoom: null });
    expect(abilitiesOf(track({ torch: true, zoom: { min: 1, max: 5, step: 0.5 } }))).toEqual({ torch: true, zoom: { min: 1, max: 5, step: 0.5 } });
    expect(abilitiesOf(track({ zoom: { min: 1, max: 1 } })).zoom).toBeNull();
  });
});

describe("screen", () => {
  test("a picture keeps its shape in the middle of the stage", () => {
    expect(contained(1280, 720, 390, 400)).toMatchObject({ left: 0, scale: 390 / 1280 });
    expect(contained(720, 1280, 400, 640)).toEqual({ left: 20, top: 0, scale: 0.5 });
    expect(placed([[0, 0], [720, 0], [720, 1280], [0, 1280]], contained(720, 1280, 400, 640))).toEqual([[20, 0], [380, 0], [380, 640], [20, 640]]);
  });
});

describe("texts over the picture", () => {
  const box = (left: number, top: number): { left: number; top: number; right: number; bottom: number } => ({ left, top, right: left + 40, bottom: top + 20 });
  test("stand above their plate, below where there is no room, and not on one another while there is room", () => {
    expect(signPlace(box(100, 100), 120, 30, 400, 300, [])).toMatchObject({ x: 60, y: 65 });
    expect(signPlace(box(0, 10), 120, 30, 400, 300, [])).toMatchObject({ x: 2, y: 35 });
    const taken: Sign[] = [];
    for (let i = 0; i < 5; i++) taken.push(signPlace(box(60 + 45 * i, 120), 120, 30, 400, 300, taken));
    for (const a of taken) for (const b of taken) if (a !== b) expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
    expect(signPlace(box(100, 280), 120, 30, 400, 31, []).y, "no room at all").toBeGreaterThanOrEqual(0);
  });
  test("nothing is ever wholly sure", () => {
    expect([0.5, 0.994, 0.9999, 1].map(percentOf)).toEqual([50, 99, 99, 99]);
  });
});

describe("models", () => {
  const model = new Uint8Array([1, 2, 3]);
  async function serve(change: (files: Record<string, Response>) => void = () => undefined): Promise<void> {
    const sha256 = await sha256Of(model);
    const files: Record<string, Response> = {
      "weights.json": Response.json({ detector: { file: "d.onnx", sha256 }, reader: { file: "r.onnx", sha256, facts: { late_steps: 1.5 } } }),
      "d.onnx": new Response(model),
      "r.onnx": new Response(model),
    };
    change(files);
    vi.stubGlobal("fetch", async (url: string) => files[url.split("/").pop()!] ?? new Response("", { status: 404 }));
  }
  const refusal = (): Promise<string> => loadModels("/w/", () => undefined).then(() => "", (error: RefusedError) => error.reference);

  test("files with the hash of the list are taken, with what belongs to them", async () => {
    await serve();
    await expect(loadModels("/w/", () => undefined)).resolves.toEqual({ detector: model, reader: model, late: 1.5 });
  });
  test("one changed byte is refused", async () => {
    await serve((files) => (files["r.onnx"] = new Response(new Uint8Array([1, 2, 4]))));
    expect(await refusal()).toBe("models-changed");
  });
  test("a file without end is not taken in whole", async () => {
    await serve((files) => (files["d.onnx"] = new Response(new Uint8Array(BYTES_MAX + 1))));
    expect(await refusal()).toBe("models-changed");
  });
  test.each([["not-signed-in", 401], ["not-allowed", 403], ["models-missing", 404], ["unreachable", 502]])("%s by status %i", async (reference, status) => {
    await serve((files) => (files["weights.json"] = new Response("", { status })));
    expect(await refusal()).toBe(reference);
  });
  test.each([["no JSON", "{"], ["no reader", '{"detector":{"file":"d.onnx","sha256":"00"}}'], ["a way out", `{"detector":{"file":"../d.onnx","sha256":"${"0".repeat(64)}"}}`]])("a list with %s is refused", async (_, text) => {
    await serve((files) => (files["weights.json"] = new Response(text)));
    expect(await refusal()).toBe("models-form");
  });
  test("without a line, and without encryption, it says so", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("offline")));
    expect(await refusal()).toBe("unreachable");
    vi.stubGlobal("crypto", {});
    expect(await refusal()).toBe("insecure");
  });
});

describe("who computes", () => {
  test("threads only where memory may be shared, half of the cores, few", () => {
    expect([threadsFor(8, false), threadsFor(1, true), threadsFor(2, true), threadsFor(6, true), threadsFor(32, true)]).toEqual([1, 1, 1, 3, 4]);
  });
  test("a graphics driver that computes something else is found out", () => {
    const a = new Float32Array(9 * 4).fill(0.5);
    const off = (at: number, by: number): Float32Array => a.map((v, i) => (i === at ? v + by : v));
    expect(same(a, off(2, 0.01), 4)).toBe(true);
    expect(same(a, off(2, 0.05), 4)).toBe(false);
    expect(same(a, off(20, 0.5), 4)).toBe(true);
    expect(same(a, off(20, 2), 4)).toBe(false);
    expect(same(a, off(3, Number.NaN), 4)).toBe(false);
  });
  test("the address may ask for one", () => {
    expect(["", "?engine=wasm", "?engine=webgpu", "?engine=x"].map(wantedEngine)).toEqual(["auto", "wasm", "webgpu", "auto"]);
  });
});

describe("the page and its worker", () => {
  /** Workers that were started, each with what it was told; `answer` is what it says. */
  let workers: { told: Asked[]; ended: boolean; onmessage: ((event: { data: Answer }) => void) | null; onerror: ((event: { message: string }) => void) | null }[] = [];
  const now = (): (typeof workers)[number] => workers.at(-1)!;
  const answer = (data: Answer): void => now().onmessage!({ data });
  const on = (detector: Running["detector"], whyNot: Running["whyNot"] = ""): Running => ({ detector, threads: 1, whyNot });
  const plate = (text: string, kept = false): PlateSeen => ({ quad: [[0, 0], [9, 0], [9, 4], [0, 4]], prob: 0.9, signs: [], kept, number: seen(text) });
  const times = { findMs: 1, againMs: 1, readMs: 1 };
  const bitmap = { width: 640, height: 360 } as ImageBitmap;
  const looks = (): Extract<Asked, { kind: "look" }>[] => now().told.flatMap((one) => (one.kind === "look" ? [one] : []));
  const see = (plates: PlateSeen[], standing = false): void => answer({ kind: "seen", id: looks().at(-1)!.id, plates, times, standing });

  beforeEach(() => {
    workers = [];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
    vi.stubGlobal("createImageBitmap", async (one: ImageBitmap) => one);
    vi.stubGlobal("navigator", { gpu: {} });
    vi.stubGlobal(
      "Worker",
      class {
        onmessage = null;
        onerror = null;
        told: Asked[] = [];
        ended = false;
        constructor() {
          workers.push(this);
        }
        postMessage(message: Asked): void {
          this.told.push(message);
        }
        terminate(): void {
          this.ended = true;
        }
      },
    );
    Object.assign(reading, { paused: false, trouble: null, times: null, plates: [] });
    clearReads();
    openWorker("auto");
  });
  afterEach(() => vi.useRealTimers());

  test("one frame at a time, the next when the answer is there", async () => {
    expect(wantsFrame(), "nothing is looked at before the models are there").toBe(false);
    answer({ kind: "ready", running: on("wasm", "no-webgpu") });
    expect(wantsFrame()).toBe(true);
    await lookAt(bitmap, "camera");
    vi.advanceTimersByTime(1000);
    expect(wantsFrame()).toBe(false);
    see([plate("A")]);
    vi.advanceTimersByTime(1000);
    expect(wantsFrame()).toBe(true);
    expect(looks()).toMatchObject([{ manner: "moving" }]);
  });
  test("a standing picture is no second look, and shows the time of the last one", async () => {
    answer({ kind: "ready", running: on("wasm", "no-webgpu") });
    await lookAt(bitmap, "camera");
    see([plate("A")]);
    await lookAt(bitmap, "camera");
    answer({ kind: "seen", id: looks().at(-1)!.id, plates: [plate("A")], times: { findMs: 0, againMs: 0, readMs: 0 }, standing: true });
    expect(reading.reads).toEqual([]);
    expect(reading.times).toEqual(times);
    expect(reading.plates.length).toBe(1);
    await lookAt(bitmap, "camera");
    see([plate("A")]);
    expect(reading.reads.map((one) => one.text)).toEqual(["A"]);
  });
  test("an answer for the picture before is not for the next, and the worker is told of the next", async () => {
    answer({ kind: "ready", running: on("wasm", "no-webgpu") });
    await lookAt(bitmap, "camera");
    const late = looks().at(-1)!.id;
    forget();
    await lookAt(bitmap, "camera");
    answer({ kind: "seen", id: late, plates: [plate("A")], times, standing: false });
    expect(reading.plates).toEqual([]);
    expect(looks()[1]!.source).not.toBe(looks()[0]!.source);
  });
  test("WebGPU that does not start is given up, with a word, and reading goes on", () => {
    answer({ kind: "loading", got: 1, of: 1 });
    vi.advanceTimersByTime(GPU_WAIT_MS.open);
    expect(workers.map((one) => one.ended)).toEqual([true, false]);
    expect(now().told).toMatchObject([{ kind: "open", wanted: "wasm", because: "failed" }]);
    answer({ kind: "loading", got: 1, of: 1 });
    vi.advanceTimersByTime(GPU_WAIT_MS.open * 2);
    expect(workers.length, "without WebGPU nobody waits in vain").toBe(2);
  });
  test("WebGPU that never answers a look is given up, and the next frame is WASM's", async () => {
    answer({ kind: "ready", running: on("webgpu") });
    await lookAt(bitmap, "camera");
    vi.advanceTimersByTime(GPU_WAIT_MS.open - 1);
    see([]);
    vi.advanceTimersByTime(1000);
    expect(wantsFrame(), "the first look may take as long as the opening").toBe(true);
    await lookAt(bitmap, "camera");
    vi.advanceTimersByTime(GPU_WAIT_MS.look - 1);
    expect(workers.length).toBe(1);
    vi.advanceTimersByTime(1);
    expect(now().told).toMatchObject([{ kind: "open", wanted: "wasm", because: "lost" }]);
    answer({ kind: "ready", running: on("wasm", "lost") });
    expect(wantsFrame()).toBe(true);
    await lookAt(bitmap, "camera");
    see([plate("A")]);
    vi.advanceTimersByTime(GPU_WAIT_MS.look * 2);
    expect(workers.length).toBe(2);
    expect(reading.plates.length).toBe(1);
  });
  test("WebGPU that is lost on the way changes what is said, and no frame", async () => {
    answer({ kind: "ready", running: on("webgpu") });
    await lookAt(bitmap, "camera");
    answer({ kind: "changed", running: on("wasm", "lost") });
    see([plate("A")]);
    expect(reading.running).toEqual(on("wasm", "lost"));
    expect([reading.plates.length, workers.length]).toEqual([1, 1]);
  });
  test("a driver that takes the worker with it costs one frame; without a driver the fault is said", async () => {
    answer({ kind: "ready", running: on("webgpu") });
    await lookAt(bitmap, "camera");
    answer({ kind: "fault", id: looks().at(-1)!.id, detail: "aborted" });
    expect(now().told).toMatchObject([{ kind: "open", wanted: "wasm", because: "lost" }]);
    answer({ kind: "ready", running: on("wasm", "lost") });
    await lookAt(bitmap, "camera");
    answer({ kind: "fault", id: looks().at(-1)!.id, detail: "aborted" });
    expect(workers.length).toBe(2);
    expect(reading.trouble).toMatchObject({ about: "look" });
  });
  test("a worker that dies is started once more without WebGPU, then the page says so", () => {
    now().onerror!({ message: "out of memory" });
    expect(now().told).toMatchObject([{ wanted: "wasm" }]);
    expect(reading.refused).toBeNull();
    now().onerror!({ message: "out of memory" });
    expect(workers.length).toBe(2);
    expect(reading.refused).toMatchObject({ reference: "runtime" });
  });
});
