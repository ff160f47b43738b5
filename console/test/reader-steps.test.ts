/** The reader's steps against what Python makes of the same picture (scripts/reader_tables.py), and rules of their own. */
import { describe, expect, test } from "vitest";
import { CLASSES, decoded, SIGNS, STEPS, type Sign } from "../src/reader/steps/ctc";
import { lookedAgain, windowAround } from "../src/reader/steps/again";
import { apart, peaks, tensorOf, viewAt, viewHalf, viewOf, type Found, type Shown, type View } from "../src/reader/steps/detect";
import { bytesOf, luminance, resized, whole, type Picture, type Quad } from "../src/reader/steps/picture";
import { moved, overlap, plausible, quadSize, widthOf } from "../src/reader/steps/quad";
import { numberOf, told } from "../src/reader/steps/series";
import { bounded, CROP, FOUND_MAX, longestOf, MANNERS, roundHalfEven, sidesFor, STRIDE, tenth, WINDOW } from "../src/reader/steps/sizes";
import { cropOf, grown, homography, mapped } from "../src/reader/steps/straighten";
import made from "./reader-cases.json";

interface Shot {
  width: number;
  height: number;
  across: number;
  down: number;
  green: string;
}
interface Cases {
  picture: { width: number; height: number; rgb: string };
  resized: { width: number; height: number; green: string }[];
  views: { at: Shot; half: Shot }[];
  straightened: { quad: Quad; seen: Quad; size: number[]; grey: string }[];
  sides: { of: [number, number]; longest: number; are: [number, number] }[];
  peaks: { rows: number; columns: number; prob_min: number; map: string; found: Found[]; apart: Found[] };
  again: { windows: { quad: Quad; part: number[]; green: string }[]; found: Found[]; cells: number[][][]; seen: Found[]; many: Found[]; many_seen: Found[] };
  runs: { probs: string; signs: { sign: string; prob: number; place: number }[] };
  series: { text: string; ids: string[] }[];
}
const cases = made as unknown as Cases;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const floats = (text: string): Float32Array => new Float32Array(bytes(text).buffer);

const rgb = bytes(cases.picture.rgb);
const picture: Picture = { width: cases.picture.width, height: cases.picture.height, rgba: new Uint8ClampedArray(cases.picture.width * cases.picture.height * 4).fill(255) };
for (let i = 0; i < picture.width * picture.height; i++) picture.rgba.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((most, one, i) => Math.max(most, Math.abs(one - b[i]!)), 0);
const mean = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, one, i) => sum + Math.abs(one - b[i]!), 0) / a.length;

const shown = (found: readonly Found[]): Shown[] => found.map((one) => ({ ...one, shown: widthOf(one.quad) }));

describe("as in Python", () => {
  test.each(cases.resized)("a picture at $width × $height", (one) => {
    const out = resized(bytesOf(picture), whole(picture), 3, one, one.height < picture.height ? "area" : "linear");
    expect(out.length).toBe(one.width * one.height * 3);
    expect(furthest(out.filter((_, i) => i % 3 === 1), bytes(one.green))).toBeLessThanOrEqual(1);
  });
  test.each(cases.views.map((one, i) => [i, one] as const))("look %i and the one at half of it", (_, { at, half }) => {
    const first = viewAt(viewOf(picture), at);
    const like = ({ bytes: { width, height, stride, values }, across, down }: View, shot: Shot): void => {
      expect([width, height, across, down]).toEqual([shot.width, shot.height, expect.closeTo(shot.across, 6), expect.closeTo(shot.down, 6)]);
      const green = values.filter((_, i) => i % stride === 1);
      expect(mean(green, bytes(shot.green))).toBeLessThan(0.25);
      // Two or three steps, each rounded.
      expect(furthest(green, bytes(shot.green))).toBeLessThanOrEqual(2);
    };
    like(first, at);
    like(viewHalf(first, half), half);
  });
  test.each(cases.straightened.map((one, i) => [i, one] as const))("plate %i straightened", (_, one) => {
    const size = quadSize(one.quad);
    expect([size.width, size.height]).toEqual(one.size.map((side) => expect.closeTo(side, 6)));
    expect(furthest(grown(one.quad, size.height * CROP.margin).flat(), one.seen.flat())).toBeLessThan(0.11);
    const crop = cropOf(picture, one.quad)!;
    expect([crop.width, crop.height]).toEqual([160, 48]);
    expect(mean(crop.values, bytes(one.grey))).toBeLessThan(0.05);
    expect(furthest(crop.values, bytes(one.grey))).toBeLessThanOrEqual(1);
  });
  test.each(cases.sides)("sides of $of within $longest", ({ of, longest, are }) => {
    expect(sidesFor(...of, longest)).toEqual({ width: are[0], height: are[1] });
  });
  test("peaks of a map", () => {
    const { rows, columns, prob_min, map, found } = cases.peaks;
    const here = peaks(floats(map), columns, rows, prob_min);
    same(here, found);
    same(apart(shown(here)), cases.peaks.apart);
    expect(cases.peaks.apart.length).toBeLessThan(found.length);
  });
  test.each(cases.again.windows.map((one, i) => [i, one] as const))("the window around plate %i", (_, { quad, part, green }) => {
    const window = windowAround(picture, quad);
    expect([window.part.left, window.part.top, window.part.width, window.part.height]).toEqual(part.map((side) => expect.closeTo(side, 6)));
    expect(furthest(window.rgb.filter((_, i) => i % 3 === 1), bytes(green))).toBeLessThanOrEqual(1);
  });
  test("what windows make of what was found: surer, less sure, unseen, and those beyond the most that are asked", async () => {
    const { found, cells, seen, many, many_seen } = cases.again;
    let asked = 0;
    const find = async (tensor: Float32Array, n: number): Promise<Float32Array> => {
      expect(tensor.length).toBe(n * 3 * WINDOW.width * WINDOW.height);
      asked = n;
      return windowMaps(cells, n);
    };
    same(await lookedAgain(picture, found, find), seen, 0.01);
    expect(asked).toBe(found.length);
    same(await lookedAgain(picture, many, find), many_seen, 0.01);
    expect(asked).toBe(WINDOW.most);
    expect(many.length).toBeGreaterThan(WINDOW.most);
    expect(await lookedAgain(picture, [], find)).toEqual([]);
  });
  test("signs of columns", () => {
    const here = decoded(floats(cases.runs.probs));
    expect(here.map((one) => one.sign).join("")).toBe(cases.runs.signs.map((one) => one.sign).join(""));
    here.forEach((one, i) => expect([one.prob, one.place]).toEqual([expect.closeTo(cases.runs.signs[i]!.prob, 6), expect.closeTo(cases.runs.signs[i]!.place, 6)]));
  });
  test.each(cases.series)("series of '$text'", ({ text, ids }) => {
    const number = numberOf([...text].map((sign) => sure(sign)));
    if (text.length < 4) expect(number).toBeNull();
    else expect(number!.series).toBe(ids[0] ?? "");
  });
});

/** One cell each for probability, row, column, half the plate's width: as scripts/reader_tables.py draws it. */
function windowMaps(cells: number[][][], n: number): Float32Array {
  const [columns, rows] = [WINDOW.width / STRIDE, WINDOW.height / STRIDE];
  const out = new Float32Array(n * 9 * columns * rows);
  cells.forEach((some, i) => {
    for (const [prob, row, column, half] of some) {
      const put = (plane: number, value: number): number => (out[(i * 9 + plane) * columns * rows + row! * columns + column!] = value);
      put(0, prob!);
      [-1, -0.5, 1, -0.5, 1, 0.5, -1, 0.5].forEach((share, k) => put(k + 1, share * half!));
    }
  });
  return out;
}

/** The same plates in the same order, corners to so many px. */
function same(here: readonly Found[], there: readonly Found[], px = 1e-3): void {
  expect(here.map((one) => one.prob)).toEqual(there.map((one) => expect.closeTo(one.prob, 6)));
  here.forEach((one, i) => expect(furthest(one.quad.flat(), there[i]!.quad.flat())).toBeLessThan(px));
}

const sure = (sign: string, prob = 0.99): Sign => ({ sign, prob, place: 0.5, others: [] });

describe("places", () => {
  test("a homography takes each corner to its own, and its inverse back", () => {
    const from: Quad = [[3, 4], [90, 11], [84, 60], [1, 48]];
    const to: Quad = [[0, 0], [160, 0], [160, 48], [0, 48]];
    const [there, back] = [homography(from, to)!, homography(to, from)!];
    from.forEach((corner, i) => {
      expect(mapped(there, corner)).toEqual([expect.closeTo(to[i]![0], 6), expect.closeTo(to[i]![1], 6)]);
      expect(mapped(back, mapped(there, [corner[0] + 2, corner[1] + 1]))).toEqual([expect.closeTo(corner[0] + 2, 6), expect.closeTo(corner[1] + 1, 6)]);
    });
  });
  test("corners on a line enclose nothing", () => {
    expect(homography([[0, 0], [1, 1], [2, 2], [3, 3]], [[0, 0], [1, 0], [1, 1], [0, 1]])).toBeNull();
    expect(cropOf(picture, [[5, 5], [5.2, 5], [5.2, 5.1], [5, 5.1]])).toBeNull();
  });
  test("a plate wholly beyond the edge repeats the edge and does not fail", () => {
    const crop = cropOf(picture, [[-90, -90], [-40, -90], [-40, -70], [-90, -70]])!;
    expect(new Set(crop.values).size).toBe(1);
  });
  const box = (x: number, y: number, w: number, h: number): Quad => [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
  test("boxes in one another are one place, boxes apart are two", () => {
    expect(overlap(box(0, 0, 10, 10), box(2, 2, 4, 4))).toBe(1);
    expect(overlap(box(0, 0, 10, 10), box(5, 0, 10, 10))).toBe(0.5);
    expect(overlap(box(0, 0, 10, 10), box(20, 0, 10, 10))).toBe(0);
  });
  test("two equal neighbours are one plate, and the most that are asked for is a bound", () => {
    const map = new Float32Array(9 * 8 * 4);
    map[0] = map[1] = 0.9;
    map[7] = 0.8;
    map[24] = 0.7;
    for (let cell = 0; cell < 32; cell++) [-4, -2, 4, -2, 4, 2, -4, 2].forEach((offset, i) => (map[(i + 1) * 32 + cell] = offset));
    expect(apart(shown(peaks(map, 8, 4, 0.3))).map((one) => one.prob.toFixed(1))).toEqual(["0.9", "0.8", "0.7"]);
    expect(apart(shown(peaks(map, 8, 4, 0.75))).length).toBe(2);
    const crowd = Array.from({ length: FOUND_MAX + 9 }, (_, i): Found => ({ prob: 0.5, quad: box(i * 20, 0, 10, 5) }));
    expect(apart(shown(crowd)).length).toBe(FOUND_MAX);
  });
  test("of two looks at one plate the clearly likelier counts, of two alike the one that showed it as large as a window does", () => {
    const look = (prob: number, wide: number, left = 0): Shown => ({ prob, quad: box(left, 0, 100, 40), shown: wide });
    expect(apart([look(0.951, 60), look(0.958, 118, 1)])[0]!.quad[0][0]).toBe(1);
    expect(apart([look(0.958, 60), look(0.951, 118, 1)])[0]!.quad[0][0]).toBe(1);
    expect(apart([look(0.7, 118), look(0.95, 60, 1)])[0]!.quad[0][0]).toBe(1);
  });
  test("what is too low, too narrow or too long is no plate", () => {
    expect([box(0, 0, 30, 10), box(0, 0, 24, 8), box(0, 0, 20, 20), box(0, 0, 15, 20), box(0, 0, 90, 15)].map(plausible)).toEqual([true, false, true, false, false]);
  });
});

describe("sizes", () => {
  test("a picture's shape is kept within a step, small ones grow, large ones shrink", () => {
    expect(sidesFor(1920, 1080, 640)).toEqual({ width: 640, height: 352 });
    expect(sidesFor(10_000, 10, 640)).toEqual({ width: 640, height: 32 });
    const { moving } = MANNERS;
    expect([longestOf(100, 50, moving), longestOf(640, 480, moving), longestOf(1080, 1920, moving)]).toEqual([moving.sideMin, 640, moving.sideMax]);
  });
  test("halves go to the even neighbour, as in Python", () => {
    expect([0.5, 1.5, 2.5, -1.5, 2.4, 2.6].map(roundHalfEven)).toEqual([0, 2, 2, -2, 2, 3]);
    expect(moved([[1, 2.25], [3, 4.35], [5, 6.04], [7, 8.06]], (x, y) => [x * 2, tenth(y)])).toEqual([[2, 2.2], [6, 4.4], [10, 6], [14, 8.1]]);
  });
  test("what is kept of a picture is bounded, and never enlarged", () => {
    expect(bounded(4000, 3000, 1920)).toEqual({ width: 1920, height: 1440 });
    expect(bounded(640, 480, 1920)).toEqual({ width: 640, height: 480 });
  });
  test("the finder's tensor is planes of red, green, blue from 0 to 1", () => {
    const two: Picture = { width: 2, height: 1, rgba: new Uint8ClampedArray([255, 0, 51, 255, 0, 255, 102, 255]) };
    expect([...tensorOf(bytesOf(two))]).toEqual([1, 0, 0, 1, expect.closeTo(0.2, 6), expect.closeTo(0.4, 6)]);
    expect([luminance(255, 255, 255), luminance(0, 0, 0), luminance(255, 0, 0)]).toEqual([255, 0, 76]);
  });
});

describe("signs", () => {
  function columns(path: string, prob = 0.9): Float32Array {
    const out = new Float32Array(STEPS * CLASSES);
    for (let step = 0; step < STEPS; step++) {
      const sign = path[step] ?? "_";
      const k = sign === "_" ? 0 : SIGNS.indexOf(sign) + 1;
      out.fill((1 - prob) / (CLASSES - 1), step * CLASSES, (step + 1) * CLASSES);
      out[step * CLASSES + k] = prob;
    }
    return out;
  }
  test("a run is one sign, a blank between two makes two", () => {
    expect(decoded(columns("AAA_BB_B-11")).map((one) => one.sign).join("")).toBe("ABB-1");
    expect(decoded(columns(""))).toEqual([]);
  });
  test("what else may stand there is named, likeliest first, and the dash is not", () => {
    const probs = columns("8", 0.7);
    probs[SIGNS.indexOf("B") + 1] = 0.2;
    probs[SIGNS.indexOf("-") + 1] = 0.3;
    const [one] = decoded(probs);
    expect(one!.others[0]).toEqual({ sign: "B", prob: expect.closeTo(0.2, 6) });
    expect(one!.others.map((other) => other.sign)).not.toContain("-");
    expect(decoded(columns("__A"), 0, 1)[0]!.place).toBeCloseTo(1.5 / 40, 6);
  });
});

describe("numbers", () => {
  test("the dash stands where the series prints it, and a seen one decides between two series", () => {
    expect(numberOf([..."ABC1235"].map((sign) => sure(sign)))!.display).toBe("ABC-1235");
    expect(numberOf([..."AB1-235"].map((sign) => sure(sign)))!).toMatchObject({ series: "1992-moto-3+3b", display: "AB1-235" });
    expect(numberOf([..."AB-1235"].map((sign) => sure(sign)))!).toMatchObject({ series: "1992-car-2+4", display: "AB-1235" });
  });
  test("the weakest sign decides, and each doubtful one is named by its place", () => {
    const number = numberOf([sure("M"), sure("X", 0.6), sure("B"), sure("-", 0.2), sure("8"), sure("0", 0.79), sure("8", 0.8), sure("3")])!;
    expect(number.confidence).toBe(0.6);
    expect(number.doubtful).toEqual([1, 4]);
  });
  test("a text that fits no series stays as it was read", () => {
    expect(numberOf([..."AB-C1234"].map((sign) => sure(sign)))!).toMatchObject({ text: "ABC1234", display: "AB-C1234", series: "" });
    expect(numberOf([..."--A"].map((sign) => sure(sign)))).toBeNull();
    expect(numberOf([..."AB-C1234"].map((sign, i) => sure(sign, i === 5 ? 0.89 : 0.99))), "a shop sign more often than a plate").toBeNull();
    expect(numberOf([..."ABC-1235"].map((sign, i) => sure(sign, i === 5 ? 0.2 : 0.99))), "a plate all the same").not.toBeNull();
  });
});

describe("what is told", () => {
  const number = { text: "BKD8869", display: "BKD-8869", series: "2012-3+4", confidence: 0.45, doubtful: [0] };
  test("a doubtful reading where no plate is sure is not, either of them alone is", () => {
    expect([told(number, 0.85), told(number, 0.95), told({ ...number, confidence: 0.55 }, 0.85), told(null, 0.95)].map((one) => one?.text ?? null)).toEqual([null, "BKD8869", "BKD8869", null]);
  });
});
