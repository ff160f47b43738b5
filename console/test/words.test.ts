import { expect, test } from "vitest";
import { en } from "../src/words/en";
import { zh } from "../src/words/zh-TW";
import { faultyParts } from "../src/lists/changes";
import { signsOf, spelled } from "../src/parts/plate";

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
