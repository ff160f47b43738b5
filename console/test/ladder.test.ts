import { expect, test } from "vitest";
import { pitchOf, placesOf, windowOf, type Column } from "../src/live/ladder";
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
test("a window holds its character whole with a little of its neighbours, and never leaves the crop", () => {
  const inner = windowOf([0.4, 0.45], 0.1);
  expect(inner.from).toBeCloseTo(0.3625);
  expect(inner.width).toBeCloseTo(0.125);
  expect(windowOf([0, 0.05], 0.1).from).toBe(0);
  const last = windowOf([0.95, 1], 0.1);
  expect(last.from + last.width).toBeCloseTo(1);
});
test("the step from character to character is the usual one, not the one over the dash", () => {
  const column = (left: number): Column => ({ edges: [left, left + 0.05] }) as Column;
  expect(pitchOf([column(0), column(0.1), column(0.2), column(0.4), column(0.5)])).toBeCloseTo(0.1);
  expect(pitchOf([column(0)])).toBe(0);
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
