import { expect, test } from "vitest";
import { placesOf, windowOf } from "../src/live/ladder";
import { hasLapsed, secondsLeft, stateNow } from "../src/live/claim";
import { compareHits } from "../src/live/queue";
import type { HitCard } from "../src/api/types";

const packed = (edges: number[]): string => btoa(String.fromCharCode(...edges));

test("two bytes a character give its left and right edge in the crop", () => {
  expect(placesOf(packed([0, 51, 51, 102]), 2)).toEqual([[0, 0.2], [0.2, 0.4]]);
});
test("places of another number of characters are no places", () => {
  expect(placesOf(packed([0, 51, 51, 102]), 3)).toEqual([]);
  expect(placesOf("", 3)).toEqual([]);
  expect(placesOf(undefined, 3)).toEqual([]);
});
test("a window shows a little beside its character and never beyond the crop", () => {
  const { from, width } = windowOf([0, 0.2]);
  expect(from).toBe(0);
  expect(width).toBeCloseTo(0.224);
  expect(windowOf([0.9, 1]).from + windowOf([0.9, 1]).width).toBeLessThanOrEqual(1);
});

const hit = (id: string, more: Partial<HitCard>): HitCard => ({ id, state: "checking", checker_id: "other", priority: 1, captured_ms: 1, claim_ends_ms: 1000, ...more }) as HitCard;

test("a claim ends when the cloud said it would, without another word", () => {
  expect(hasLapsed(hit("a", {}), 999)).toBe(false);
  expect(stateNow(hit("a", {}), 1000)).toBe("new");
  expect(stateNow(hit("a", { state: "confirmed" }), 5000)).toBe("confirmed");
  expect(secondsLeft(hit("a", {}), 1)).toBe(1);
  expect(secondsLeft(hit("a", { claim_ends_ms: null }), 1)).toBe(null);
});
test("a hit whose check lapsed stands again with those that nobody has", () => {
  const lapsed = hit("a", {});
  const held = hit("b", { claim_ends_ms: 9000 });
  expect(compareHits(lapsed, held, "me", 2000)).toBeLessThan(0);
  expect(compareHits(lapsed, held, "me", 500)).toBeGreaterThan(0);
});
