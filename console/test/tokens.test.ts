import { describe, expect, test } from "vitest";
import { parseQuestion, parseTime } from "../src/search/tokens";
import { taipeiMoment } from "../src/words/time";

const now = taipeiMoment(2026, 11, 25, 3, 12);

describe("plates", () => {
  test.each([
    ["b?d-01*", "B?D-01*", false],
    ["～ＢＱＤ－０１８７", "BQD-0187", true],
    ["~ bqd0187", "BQD0187", true],
    ["車牌:BQD0187", "BQD0187", false],
  ])("%s", (typed, text, lookalike) => {
    expect(parseQuestion(typed, now)).toEqual({ tokens: [{ kind: "plate", text, lookalike }], bad: [] });
  });
});

describe("times", () => {
  test("an end before its begin is on the following day", () => {
    expect(parseTime("昨日 22:00–06:00", now)).toEqual({ from_ms: taipeiMoment(2026, 11, 24, 22), until_ms: taipeiMoment(2026, 11, 25, 6) });
  });
  test("a day for itself, an hour count, a date", () => {
    expect(parseTime("今日", now)?.from_ms).toBe(taipeiMoment(2026, 11, 25));
    expect(parseTime("近 2 小時", now)).toEqual({ from_ms: now - 7_200_000, until_ms: now });
    expect(parseTime("11-20 08:00-12:30", now)).toEqual({ from_ms: taipeiMoment(2026, 11, 20, 8), until_ms: taipeiMoment(2026, 11, 20, 12, 30) });
  });
  test("what is no time is said, not guessed", () => {
    expect(parseTime("02-30 08:00-09:00", now)).toBeNull();
    expect(parseQuestion("25:70-26:00", now).bad[0]?.fault).toBe("time");
  });
});

test("a whole question, in any order and with the signs of the input method", () => {
  const got = parseQuestion("警網:大安 3 號，B?D-01*　昨日 22:00－06:00", now);
  expect(got.bad).toEqual([]);
  expect(got.tokens.map((token) => token.kind).sort()).toEqual(["plate", "time", "unit"]);
  expect(got.tokens.find((token) => token.kind === "unit")).toEqual({ kind: "unit", text: "大安 3 號" });
});
test("a word that is no condition is refused with its name", () => {
  expect(parseQuestion("大安區", now).bad).toEqual([{ fault: "sign", text: "大安區" }]);
  expect(parseQuestion("天氣:晴", now).bad).toEqual([{ fault: "key", text: "天氣" }]);
  expect(parseQuestion("警網:", now).bad).toEqual([{ fault: "empty", text: "警網" }]);
});
