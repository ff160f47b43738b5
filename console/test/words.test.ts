import { expect, test } from "vitest";
import { en as consoleEn } from "../src/words/en";
import { books, cameras, sayFinding } from "../src/words/findings";
import { en as readerEn } from "../src/words/reader-en";
import { zh as readerZh } from "../src/words/reader-zh-TW";
import { zh as consoleZh } from "../src/words/zh-TW";
import { faultyParts } from "../src/lists/changes";
import { signsOf, spelled } from "../src/parts/plate";

// Two catalogues of one house: the reader's page does not carry the console's.
const zh = { ...consoleZh, reader: readerZh };
const en = { ...consoleEn, reader: readerEn };

function leaves(value: unknown, path = ""): [string, unknown][] {
  if (value === null || typeof value !== "object") return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

test("no word is empty in either language", () => {
  for (const catalogue of [zh, en]) for (const [path, word] of leaves(catalogue)) if (typeof word === "string") expect(word.trim(), path).not.toBe("");
});
test("English has every key that zh-TW has, those of open tables too", () => {
  expect(leaves(en).map(([path]) => path).sort()).toEqual(leaves(zh).map(([path]) => path).sort());
});
/** Every word of a catalogue as it stands on a screen, tried with one thing. */
function spoken(value: unknown, ...with_: unknown[]): [string, string][] {
  return leaves(value).map(([path, word]) => [path, typeof word === "function" ? String((word as (...a: unknown[]) => unknown)(...with_)) : String(word)]);
}

test("English is English: Chinese only where it names the other language, gives an example of data, or goes on record", () => {
  const data = /^\.menu\.language$|^\.reader\.tools\.language$|caseHint$|keyHints\.\d\.note$|sourceHint$|placeholder$|purposes\.\d\.value$|faults\.case-form$/u;
  const foreign = spoken(en, "1", "1", "1").filter(([path, text]) => !data.test(path) && /[\p{Script=Han}\u3000-\u303f\uff00-\uffef]/u.test(text));
  expect(foreign).toEqual([]);
});
test("English counts one thing as one", () => {
  const things = /\b1 (?:new |ordinary )?(?:entries|reads|rows|devices|items|corners|pictures|hits|plates|places|verdicts|vehicles|days|characters)\b/u;
  const some = /differsMany/u; // said of several
  for (const one of ["1", 1]) expect(spoken(en, one, one, one).filter(([path, text]) => !some.test(path) && things.test(text))).toEqual([]);
});
test("every finding is said in both languages, each in its own words, and one of a newer cloud by the cloud's", () => {
  const facts = Object.fromEntries(["age_ms", "apart_ms", "offset_ms", "items", "version", "current", "celsius", "limit_celsius", "share", "photos", "reads", "lost", "missing", "chars", "usual"].map((name) => [name, 1]));
  for (const language of ["zh-TW", "en"] as const) {
    const said = Object.keys(books[language]).map((code) => sayFinding({ figure: "", level: "fault", sentence: "", cure: "", code: code as never, facts }, language));
    expect(new Set(said.map((one) => one.sentence)).size).toBe(said.length);
    for (const one of said) {
      expect(one.cure).not.toBe("");
      expect(/\p{Script=Han}/u.test(one.sentence + one.cure)).toBe(language === "zh-TW");
      expect(one.sentence + one.cure).not.toMatch(/undefined|NaN/u);
    }
  }
  expect(Object.keys(cameras.en).sort()).toEqual(Object.keys(cameras["zh-TW"]).sort());
  expect(sayFinding({ figure: "x", level: "fault", sentence: "新的", cure: "等", code: "of-a-newer-cloud" as never }, "en")).toEqual({ sentence: "新的", cure: "等" });
  expect(sayFinding({ figure: "clock", level: "fault", sentence: "", cure: "", code: "clock-apart", facts: { apart_ms: -7_200_000 } }, "en").sentence).toBe("The device's clock is 2 h fast by the cloud's");
});
test("zh-TW says no 「您」, no 「成功」, no exclamation mark and no 請 on its buttons", () => {
  for (const [path, word] of leaves(zh)) {
    const text = typeof word === "function" ? String((word as (...a: unknown[]) => unknown)("1", "2", "3")) : String(word);
    expect(text, path).not.toMatch(/您|成功|[!！]/u);
  }
});
test("a plate is read aloud character by character, and the dash has no place", () => {
  expect(spelled("MXB-8083")).toBe("M X B 8 0 8 3");
  expect(signsOf("MXB-8083")[4]).toEqual({ sign: "8", place: 3 });
});
test("the faulty characters of a raw cell are marked", () => {
  expect(faultyParts("RBK-2149").filter((part) => part.bad)).toEqual([{ text: "4", bad: true }]);
  expect(faultyParts("ATX３０２９").filter((part) => part.bad)).toEqual([{ text: "３０２９", bad: true }]);
  expect(faultyParts("BQD-0187").some((part) => part.bad)).toBe(false);
});
