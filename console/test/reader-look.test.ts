/** What a look does and leaves out: settled plates, standing pictures, and who computes when WebGPU fails. No model, no browser. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Looker } from "../src/reader/look";
import type { Models } from "../src/reader/models";
import type { PlateSeen, Running } from "../src/reader/protocol";
import { openEngine, type Engine, type Load } from "../src/reader/runtime";
import { cellsOf, REST_LOOKS, Scene } from "../src/reader/scene";
import { AGAIN_MS, MOVED_SHARE, SAME_MIN, Settled, SURE_PROB } from "../src/reader/settled";
import { CLASSES, SIGNS, STEPS } from "../src/reader/steps/ctc";
import type { Picture, Quad } from "../src/reader/steps/picture";
import { CROP, groundOf, MANNERS, READ_MAX, sidesFor, STANDING, STRIDE, WINDOW } from "../src/reader/steps/sizes";

afterEach(() => vi.unstubAllGlobals());

const grey = (width: number, height: number, value = 120): Picture => ({ width, height, rgba: new Uint8ClampedArray(width * height * 4).fill(value) });
const box = (x: number, y: number, w = 80, h = 40): Quad => [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];

/** A map of nothing but plates at some places, each so wide and half as high in px of what the finder sees. */
function mapWith(width: number, height: number, n: number, centres: readonly (readonly [number, number, number])[], wide: number): Float32Array {
  const [columns, rows] = [width / STRIDE, height / STRIDE];
  const plane = columns * rows;
  const out = new Float32Array(n * 9 * plane);
  for (let i = 0; i < n; i++) {
    for (const [x, y, prob] of centres) {
      const at = i * 9 * plane + Math.floor(y / STRIDE) * columns + Math.floor(x / STRIDE);
      out[at] = prob;
      [-2, -1, 2, -1, 2, 1, -2, 1].forEach((share, k) => (out[at + (k + 1) * plane] = (share * wide) / 4));
    }
  }
  return out;
}

function probsOf(text: string, n: number, prob = 0.98): Float32Array {
  const out = new Float32Array(n * STEPS * CLASSES);
  for (let step = 0; step < n * STEPS; step++) {
    const sign = text[((step % STEPS) - 2) / 4] ?? "_";
    out[step * CLASSES + (sign === "_" ? 0 : SIGNS.indexOf(sign) + 1)] = prob;
  }
  return out;
}

/** An engine that sees what it is told to, and counts what it is asked. */
function engineOf() {
  const it = {
    plates: [[200, 120, 0.9]] as [number, number, number][],
    text: "MXB-8083",
    prob: 0.98,
    late: 0,
    running: { detector: "wasm", threads: 1, whyNot: "" } as Running,
    finds: [] as [number, number][],
    looks: 0,
    windows: [] as number[],
    reads: [] as number[],
    seesAgain: true,
    /** The plates stand in the first look at a picture; one at half the size, for plates that come close, sees none. */
    find: async (_: Float32Array, width: number, height: number) => {
      const half = Math.abs((it.finds.at(-1)?.[0] ?? 0) - 2 * width) <= 32;
      it.looks += half ? 0 : 1;
      it.finds.push([width, height]);
      return mapWith(width, height, 1, half ? [] : it.plates, 80);
    },
    findInWindows: async (_: Float32Array, n: number) => (it.windows.push(n), mapWith(WINDOW.width, WINDOW.height, n, it.seesAgain ? [[WINDOW.width / 2, WINDOW.height / 2, 0.95]] : [], WINDOW.platePx)),
    read: async (_: Uint8Array, n: number) => (it.reads.push(n), probsOf(it.text, n, it.prob)),
  };
  return it satisfies Engine & object;
}

describe("a look", () => {
  let engine: ReturnType<typeof engineOf>;
  let now = 0;
  const looker = (kind: "moving" | "still" = "moving"): Looker => new Looker(engine, kind, () => now);
  /** Different each time, so that nothing stands. */
  let shade = 0;
  const anew = (width = 640, height = 384): Picture => grey(width, height, 60 + ((shade += 10) % 150));
  beforeEach(() => {
    engine = engineOf();
    now = 0;
  });

  test("finds, looks again in a window, reads what the window confirms", async () => {
    const { plates } = await looker().look(anew());
    expect([engine.finds, engine.windows, engine.reads]).toEqual([[[640, 384], [320, 192]], [1], [1]]);
    expect(plates).toMatchObject([{ prob: expect.closeTo(0.95, 5), kept: false, number: { text: "MXB8083", series: "2012-3+4" } }]);
    engine.seesAgain = false;
    engine.plates = [[200, 120, 0.55]];
    expect((await looker().look(anew())).plates, "half of 0.55 is below where a plate begins").toEqual([]);
  });
  test("a large camera picture is shown as guardian-fast shows it, a photo three times", async () => {
    const wide = [1600, 100] as const;
    await looker().look(anew(...wide));
    expect(engine.finds.map(([width]) => width)).toEqual([1, 2].map((part) => sidesFor(...wide, MANNERS.moving.sideMax / part).width));
    engine.finds = [];
    engine.plates = [[200, 20, 0.9]];
    await looker("still").look(anew(...wide));
    expect(engine.finds.map(([width]) => width)).toEqual([1, 2, 4].map((part) => sidesFor(...wide, MANNERS.still.sideMax / part).width));
  });
  test("a large photo that shows a plate of no height, or none, is looked at once more, larger; one that shows a near plate is not", async () => {
    const large = (): Promise<unknown> => looker("still").look(anew(MANNERS.still.sideMax * 3, 200));
    engine.plates = [];
    await large();
    expect(engine.finds.map(([width]) => width)).toEqual([1280, 640, 320, 2560]);
    engine.finds = [];
    engine.plates = [[200, 20, 0.9]];
    await large();
    expect(engine.finds.length, "80 px wide and half as high in each look").toBe(3);
  });
  test("a photo that is hardly more than a plate is shown with ground around it, a camera's picture is not; corners are the photo's", async () => {
    engine.plates = [[100, 60, 0.9]];
    const [width, height] = [160, 80];
    const photo = await looker("still").look(anew(width, height));
    const ground = groundOf({ width, height });
    expect(ground).toBe(20);
    expect(engine.finds[0]).toEqual([320, sidesFor(width + 2 * ground, height + 2 * ground, MANNERS.still.sideMin).height]);
    const middle = (quad: Quad): number => (quad[0][0] + quad[1][0] + quad[2][0] + quad[3][0]) / 4;
    const seen = (100 / 320) * (width + 2 * ground);
    expect(Math.abs(middle(photo.plates[0]!.quad) - (seen - ground))).toBeLessThan(3);
    engine.finds = [];
    const camera = await looker().look(anew(width, height));
    expect(engine.finds[0]).toEqual([320, sidesFor(width, height, MANNERS.moving.sideMin).height]);
    expect(Math.abs(middle(camera.plates[0]!.quad) - (100 / 320) * width)).toBeLessThan(3);
    expect(groundOf({ width: 401, height: 200 })).toBe(0);
  });
  test("places of the characters follow the model's lateness", async () => {
    const first = (await looker().look(anew())).plates[0]!.signs[0]!.place;
    engine.late = 1;
    expect((await looker().look(anew())).plates[0]!.signs[0]!.place).toBeCloseTo(first - 1 / STEPS, 6);
  });
  test("not more than so many plates are read, the likeliest", async () => {
    engine.plates = Array.from({ length: 24 }, (_, i) => [60 + (i % 6) * 100, 40 + Math.floor(i / 6) * 80, 0.7 + i / 100]);
    engine.seesAgain = false;
    const { plates } = await looker().look(anew());
    expect(engine.reads).toEqual([READ_MAX]);
    expect(Math.min(...plates.map((one) => one.prob))).toBeCloseTo((0.7 + (24 - READ_MAX) / 100) / 2, 5);
  });
  test("a plate that was read well and stands is not read again, nor looked at in a window, until its time is over", async () => {
    const one = looker();
    for (let i = 0; i < SAME_MIN; i++, now += 100) await one.look(anew());
    const { plates } = await one.look(anew());
    expect([engine.windows.length, engine.reads.length]).toEqual([SAME_MIN, SAME_MIN]);
    expect(plates).toMatchObject([{ kept: true, number: { text: "MXB8083" } }]);
    engine.text = "ABC-1235";
    now += AGAIN_MS;
    expect((await one.look(anew())).plates).toMatchObject([{ kept: false, number: { text: "ABC1235" } }]);
  });
  test("a new plate beside a settled one is read, alone", async () => {
    const one = looker();
    for (let i = 0; i < SAME_MIN; i++, now += 100) await one.look(anew());
    engine.plates = [...engine.plates, [400, 240, 0.8]];
    const { plates } = await one.look(anew());
    expect(engine.reads.at(-1)).toBe(1);
    expect(plates.map((plate) => plate.kept)).toEqual([true, false]);
  });
  test("a picture that stands is not looked at, but for once in a while; a photo always is", async () => {
    const picture = anew();
    const one = looker();
    await one.look(picture);
    const second = await one.look(picture);
    expect(second.standing, "one look bears out the other").toBe(false);
    now += STANDING.ms - 1;
    expect(await one.look(picture)).toMatchObject({ standing: true, plates: second.plates });
    expect(engine.looks).toBe(2);
    now += 1;
    expect((await one.look(picture)).standing).toBe(false);
    expect((await one.look(anew())).standing).toBe(false);
    const photo = looker("still");
    await photo.look(picture);
    expect((await photo.look(picture)).standing).toBe(false);
  });
});

describe("settled", () => {
  const plate = (quad: Quad, more: Partial<PlateSeen["number"] & object> = {}, kept = false): PlateSeen => ({
    quad,
    prob: 0.9,
    signs: [],
    kept,
    number: { text: "MXB8083", display: "MXB-8083", series: "2012-3+4", confidence: SURE_PROB, doubtful: [], ...more },
  });
  function after(times: number, made = plate(box(100, 100))): Settled {
    const settled = new Settled();
    for (let i = 0; i < times; i++) settled.take([made], i * 10);
    return settled;
  }

  test("is what was read so often, so surely, as a number of ours", () => {
    const here = box(100, 100);
    expect(after(SAME_MIN).at(here, 50)).not.toBeNull();
    expect(after(SAME_MIN - 1).at(here, 50)).toBeNull();
    expect(after(9, plate(here, { confidence: SURE_PROB - 0.01 })).at(here, 100)).toBeNull();
    expect(after(9, plate(here, { series: "" })).at(here, 100)).toBeNull();
    expect(after(9, { ...plate(here), number: null }).at(here, 100)).toBeNull();
  });
  test("is no more what reads otherwise, was out of sight for a look, or has moved", () => {
    const here = box(100, 100);
    const turned = after(SAME_MIN);
    turned.take([plate(here, { text: "MXB8063" })], 40);
    expect(turned.at(here, 50)).toBeNull();
    const away = after(SAME_MIN);
    away.take([], 40);
    expect(away.at(here, 50)).toBeNull();
    expect(after(SAME_MIN).at(box(100 + 40 * MOVED_SHARE - 1, 100), 50)).not.toBeNull();
    expect(after(SAME_MIN).at(box(100 + 40 * MOVED_SHARE + 1, 100), 50)).toBeNull();
  });
  test("creeping away in small steps counts from where it was read", () => {
    const settled = after(SAME_MIN);
    let x = 100;
    let steps = 0;
    for (; steps < 20 && settled.at(box((x += 4), 100), 50); steps++) settled.take([plate(box(x, 100), {}, true)], 50);
    expect(steps).toBe(5);
  });
  test("a reading that is kept does not prolong itself", () => {
    const settled = after(SAME_MIN);
    const readAt = (SAME_MIN - 1) * 10;
    for (let ms = 50; ms < AGAIN_MS; ms += 50) settled.take([plate(box(100, 100), {}, true)], ms);
    expect(settled.at(box(100, 100), readAt + AGAIN_MS - 1)).not.toBeNull();
    expect(settled.at(box(100, 100), readAt + AGAIN_MS)).toBeNull();
  });
});

describe("scene", () => {
  function noisy(seed: number, spread: number): Picture {
    let state = seed;
    const picture = grey(400, 200);
    for (let i = 0; i < picture.rgba.length; i++) picture.rgba[i] = 120 + (((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * 2 - 1) * spread;
    return picture;
  }
  test("the grain of a camera is no change, a plate that comes is one, and so is another size", () => {
    const scene = new Scene();
    const looked = (picture: Picture): void => {
      expect(scene.stands(picture, 0)).toBe(false);
      scene.done(0, 0);
    };
    looked(noisy(1, 12));
    looked(noisy(1, 12));
    expect(scene.stands(noisy(2, 12), 10)).toBe(true);
    const moved = noisy(3, 12);
    for (let y = 100; y < 120; y++) moved.rgba.fill(230, (y * 400 + 200) * 4, (y * 400 + 240) * 4);
    expect(scene.stands(moved, 20)).toBe(false);
    looked(noisy(4, 12));
    looked(noisy(5, 12));
    expect(scene.stands(grey(200, 400), 40)).toBe(false);
  });
  test("where a look takes long, the rest is longer", () => {
    const scene = new Scene();
    const picture = noisy(1, 3);
    for (const begun of [0, 1000]) {
      scene.stands(picture, begun);
      scene.done(begun, begun + 900);
    }
    expect(scene.stands(picture, 1900 + REST_LOOKS * 900 - 1)).toBe(true);
    expect(scene.stands(picture, 1900 + REST_LOOKS * 900)).toBe(false);
  });
  test("cells are means, and every px lies in one", () => {
    const half = grey(40, 20, 0);
    for (let y = 0; y < 20; y++) half.rgba.fill(200, (y * 40 + 20) * 4, (y * 40 + 40) * 4);
    expect([...cellsOf(half, 20)]).toEqual([0, 200]);
    expect([...cellsOf(grey(7, 5, 9), 20)]).toEqual([9]);
  });
});

describe("who computes", () => {
  const models: Models = { detector: new Uint8Array([1]), reader: new Uint8Array([2]), late: 0 };
  interface Faults {
    load?: boolean;
    create?: boolean;
    /** Which run of WebGPU's fails, from 0; the first is the comparison. */
    run?: number;
    off?: number;
    nan?: number;
  }
  let released = 0;

  /** ONNX Runtime as far as it is used: every map is 0.5, and WebGPU fails as it is told. */
  function runtimeWith(faults: Faults): { from: Load; asked: string[] } {
    const asked: string[] = [];
    const session = (provider: string, reads: boolean): object => {
      let runs = 0;
      return {
        release: async () => void (released += 1),
        run: async (feed: Record<string, { dims: number[] }>) => {
          asked.push(provider);
          if (reads) return { probs: { data: probsOf("A", feed["crops"]!.dims[0]!) } };
          const [n, , height, width] = feed["frame"]!.dims as [number, number, number, number];
          const data = new Float32Array((n * 9 * height * width) / STRIDE ** 2).fill(0.5);
          if (provider === "webgpu") {
            if (runs === faults.run) throw new Error("device lost");
            if (runs === faults.nan) data[3] = Number.NaN;
            data[0]! += faults.off ?? 0;
            runs += 1;
          }
          return { plates: { data } };
        },
      };
    };
    const from = async (withGpu: boolean): Promise<object> => {
      asked.push(withGpu ? "load webgpu" : "load wasm");
      if (withGpu && faults.load) throw new Error("no such file");
      return {
        env: { wasm: {} },
        Tensor: class {
          constructor(
            readonly type: string,
            readonly data: Float32Array,
            readonly dims: number[],
          ) {}
        },
        InferenceSession: {
          create: async (bytes: Uint8Array, { executionProviders: [provider] }: { executionProviders: string[] }) => {
            if (provider === "webgpu" && faults.create) throw new Error("no shader compiler");
            return session(provider!, bytes[0] === 2);
          },
        },
      };
    };
    return { from: from as unknown as Load, asked };
  }
  const tensor = (): [Float32Array, number, number] => [new Float32Array(3 * 64 * 32), 64, 32];

  beforeEach(() => {
    released = 0;
    vi.stubGlobal("navigator", { hardwareConcurrency: 4, gpu: { requestAdapter: async () => ({}) } });
    vi.stubGlobal("WebAssembly", { ...WebAssembly, Suspending: class {} });
  });

  test("WebGPU looks where it is there and says the same; windows and texts stay WASM's", async () => {
    const { from, asked } = runtimeWith({});
    const engine = await openEngine(models, "auto", "", undefined, from);
    expect(engine.running).toMatchObject({ detector: "webgpu", whyNot: "" });
    asked.length = 0;
    await engine.find(...tensor());
    await engine.findInWindows(new Float32Array(3 * WINDOW.width * WINDOW.height), 1);
    await engine.read(new Uint8Array(CROP.width * CROP.height), 1);
    expect(asked).toEqual(["webgpu", "wasm", "wasm"]);
  });
  test.each<[string, Faults, Running["whyNot"]]>([
    ["its build does not load", { load: true }, "failed"],
    ["no session comes about", { create: true }, "failed"],
    ["the first run breaks off", { run: 0 }, "failed"],
    ["it says something else", { off: 0.1 }, "differs"],
    ["it says nothing", { nan: 0 }, "differs"],
  ])("where %s, WASM takes over and the reason is known", async (_, faults, whyNot) => {
    const { from, asked } = runtimeWith(faults);
    const engine = await openEngine(models, "auto", "", undefined, from);
    expect(engine.running).toMatchObject({ detector: "wasm", whyNot });
    expect(asked.includes("load wasm")).toBe(faults.load === true);
    asked.length = 0;
    expect((await engine.find(...tensor())).length).toBe(9 * 16 * 8);
    expect(asked).toEqual(["wasm"]);
  });
  test.each<[string, Faults]>([["breaks off", { run: 1 }], ["comes back as nothing", { nan: 1 }]])("a look that %s on the way is answered all the same, by WASM, once and for all, and said", async (_, faults) => {
    const { from, asked } = runtimeWith(faults);
    const told: Running[] = [];
    const engine = await openEngine(models, "auto", "", (running) => told.push(running), from);
    expect(engine.running.detector).toBe("webgpu");
    asked.length = 0;
    const map = await engine.find(...tensor());
    expect([map.length, map[3]]).toEqual([9 * 16 * 8, 0.5]);
    await engine.find(...tensor());
    expect(asked).toEqual(["webgpu", "wasm", "wasm"]);
    expect(told).toEqual([{ detector: "wasm", threads: expect.any(Number), whyNot: "lost" }]);
    expect(engine.running).toBe(told[0]);
    expect(released).toBe(1);
  });
  test("a graphics chip that is emulated is used only where the address asks for it", async () => {
    vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => ({ info: { isFallbackAdapter: true } }) } });
    expect((await openEngine(models, "auto", "", undefined, runtimeWith({}).from)).running.whyNot).toBe("software");
    expect((await openEngine(models, "webgpu", "", undefined, runtimeWith({}).from)).running.detector).toBe("webgpu");
    expect((await openEngine(models, "wasm", "lost", undefined, runtimeWith({}).from)).running.whyNot).toBe("lost");
  });
});
