import { expect, test } from "vitest";
import { findArea, type NamedArea } from "../src/map/areas";
import { choose, isEnough } from "../src/lists/columns";
import { parseQuestion } from "../src/search/tokens";
import { lastPiece, suggest, SUGGESTED_MAX, type Known } from "../src/search/suggest";
import { bandOf } from "../src/parts/spark";

const area = (name: string, county: string, level: NamedArea["level"] = "town"): NamedArea => ({ name, county, level, rings: [] });
const known: Known = {
  plates: ["BQD-0187", "ABC-1235"],
  units: ["大安 3 號", "信義 1 號"],
  devices: ["tpe-da-003"],
  areas: [area("台北市", "台北市", "county"), area("大安區", "台北市"), area("東區", "新竹市"), area("東區", "嘉義市"), area("大學里", "台北市", "village")],
  colours: ["白", "黑"],
  looks: ["汽車", "機車"],
  times: ["近 2 小時", "今日"],
  keys: [{ text: "範圍:", note: "" }],
};
const texts = (typed: string): string[] => suggest(typed, known).map((one) => one.text);

test("an area is offered by its beginning, 臺 or 台, and with its county where two share a name", () => {
  expect(texts("範圍:大")).toEqual(["大安區", "大學里"]);
  expect(texts("範圍:臺北")).toEqual(["台北市", "大安區", "大學里"]);
  expect(texts("範圍:東")).toEqual(["新竹市東區", "嘉義市東區"]);
});
test("plates are offered by their beginning, with or without the dash", () => {
  expect(texts("bqd0")).toEqual(["BQD-0187"]);
  expect(texts("~bqd")).toEqual([]);
});
test("what was typed before stays; only the last piece is completed", () => {
  expect(lastPiece("BQD-0187 範圍:大")).toEqual({ before: "BQD-0187 ", piece: "範圍:大" });
  expect(lastPiece("近 2")).toEqual({ before: "近 ", piece: "2" });
  expect(texts("BQD-0187 顏色:")).toEqual(["白", "黑"]);
});
test("an empty field offers times and beginnings, and never more than fit", () => {
  expect(texts("")).toEqual(["近 2 小時", "今日", "範圍:", "BQD-0187", "ABC-1235"]);
  const many = { ...known, areas: Array.from({ length: 50 }, (_, i) => area(`大${i}里`, "台北市", "village")) };
  expect(suggest("範圍:大", many).length).toBe(SUGGESTED_MAX);
});
test("the larger of two areas of one name is meant; a name that two of a level have is nobody's", () => {
  const areas = [area("中山", "甲市"), area("中山", "甲市", "village"), area("東區", "甲市"), area("東區", "乙市")];
  expect(findArea(areas, "中山")?.level).toBe("town");
  expect(findArea(areas, "東區")).toBeUndefined();
  expect(findArea(areas, "乙市 東區")?.county).toBe("乙市");
});
test("colour and kind are taken in the words of people and sent in the archive's", () => {
  expect(parseQuestion("顏色:白色 車種:機車 範圍:大安區", 0).tokens).toEqual([
    { kind: "colour", text: "white" },
    { kind: "look", text: "motorcycle" },
    { kind: "area", text: "大安區" },
  ]);
  expect(parseQuestion("顏色:透明", 0).bad).toEqual([{ fault: "colour", text: "透明" }]);
});
test("a column holds one field; the two needed ones decide whether there is enough", () => {
  const choice = choose(choose({}, "plate", "#1"), "category", "#1");
  expect(choice).toEqual({ plate: "", category: "#1" });
  expect(isEnough(choice)).toBe(false);
  expect(isEnough(choose(choice, "plate", "#2"))).toBe(true);
  expect(isEnough({ plate: "#1", category: "=stolen" })).toBe(true);
});
test("what the fleet knows to be usual makes the band; unknown hours take the running median", () => {
  const band = bandOf([10, 10, 10, 0], [30, null, 30, 30]);
  expect(band.low.map(Math.round)).toEqual([20, 7, 20, 20]);
  expect(band.known).toBe(true);
  expect(bandOf([10, 10, 10, 10]).known).toBe(false);
});
