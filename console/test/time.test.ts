import { expect, test } from "vitest";
import { themeByHour } from "../src/state/looks.svelte";
import { ageOf, clockWords, fullMoment, midnight, stopwatch, taipeiMoment } from "../src/words/time";

const now = taipeiMoment(2026, 11, 25, 3, 12) + 47_000;

test("a moment is said as briefly as it can be without doubt", () => {
  expect(clockWords(now, now, "昨")).toBe("03:12:47");
  expect(clockWords(taipeiMoment(2026, 11, 24, 23, 8), now, "昨")).toBe("昨 23:08");
  expect(clockWords(taipeiMoment(2026, 11, 20, 21, 40), now, "昨")).toBe("11-20 21:40");
  expect(clockWords(taipeiMoment(2025, 11, 24, 21, 40), now, "昨")).toBe("2025-11-24 21:40");
});
test("the zone is Taipei's wherever the browser stands, and the hover says it with milliseconds", () => {
  expect(fullMoment(Date.UTC(2026, 10, 24, 19, 12, 47, 5))).toBe("2026-11-25 03:12:47.005 +08:00");
  expect(midnight(now)).toBe(Date.UTC(2026, 10, 24, 16));
});
test("ages take the largest unit, and a device clock that runs ahead is no negative age", () => {
  expect(ageOf(now - 12_000, now)).toEqual({ count: 12, unit: "s" });
  expect(ageOf(now - 6 * 60_000, now)).toEqual({ count: 6, unit: "min" });
  expect(ageOf(now - 3 * 3_600_000, now)).toEqual({ count: 3, unit: "h" });
  expect(ageOf(now + 5_000, now)).toEqual({ count: 0, unit: "s" });
});
test("a claim runs like a stopwatch", () => expect(stopwatch(130_000)).toBe("2:10"));
test("dark is the default from six in the evening to six in the morning", () => {
  expect(themeByHour(taipeiMoment(2026, 1, 1, 17, 59))).toBe("light");
  expect(themeByHour(taipeiMoment(2026, 1, 1, 18))).toBe("dark");
  expect(themeByHour(taipeiMoment(2026, 1, 1, 5, 59))).toBe("dark");
  expect(themeByHour(taipeiMoment(2026, 1, 1, 6))).toBe("light");
});
