/** What the reader's page decides by itself: votes, pace, faults of a camera, places on the screen, trust in a model. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { abilitiesOf, CameraError, faultOf, openCamera } from "../src/reader/camera";
import { BYTES_MAX, loadModels, RefusedError, sha256Of } from "../src/reader/models";
import { contained, placed } from "../src/reader/overlay";
import { Pace } from "../src/reader/pace";
import { same, threadsFor } from "../src/reader/runtime";
import { AGREE_MS, IN_A_ROW_MS, READS_MAX, SAME_MS, Vote } from "../src/reader/vote";
import { wantedEngine } from "../src/reader/reading.svelte";

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
