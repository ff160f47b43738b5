import { beforeEach, describe, expect, test, vi } from "vitest";
import type { HitCard } from "../src/api/types";
import { orderQueue } from "../src/live/queue";
import { LiveStream, SILENCE_MS, type Heard, type Source, type StreamState } from "../src/live/stream";
import { louder, QUIET_MS, Sounded, soundOf } from "../src/sound/rules";
import { trailOf, freshnessOf } from "../src/map/shapes";

const hit = (id: string, more: Partial<HitCard> = {}): HitCard => ({ id, priority: 2, state: "new", checker_id: "", captured_ms: 0, strength: "exact", entry_text: id, ...more }) as HitCard;

describe("the queue", () => {
  const mine = hit("mine", { state: "checking", checker_id: "me", priority: 3 });
  const theirs = hit("theirs", { state: "checking", checker_id: "you", priority: 1 });
  const urgent = hit("urgent", { priority: 1, captured_ms: 5 });
  const late = hit("late", { captured_ms: 9 });
  const early = hit("early", { captured_ms: 1 });
  test("is mine, unclaimed, claimed by others; within each by priority, then newest", () => {
    expect(orderQueue([theirs, early, late, urgent, mine], "me").map((one) => one.id)).toEqual(["mine", "urgent", "late", "early", "theirs"]);
  });
  test("does not move under the hand: known rows keep their places, new ones stand at the end", () => {
    const held = ["early", "late", "gone"];
    expect(orderQueue([urgent, late, early], "me", held).map((one) => one.id)).toEqual(["early", "late", "urgent"]);
  });
  test("holds no hit that somebody has judged", () => {
    expect(orderQueue([hit("x", { state: "wrong_plate" })], "me")).toEqual([]);
  });
});

describe("sounds", () => {
  test("a look-alike of any priority is one low note, an exact notice is silent", () => {
    expect(soundOf({ strength: "lookalike", priority: 1 } as HitCard)).toBe("near");
    expect(soundOf({ strength: "exact", priority: 1 } as HitCard)).toBe("urgent");
    expect(soundOf({ strength: "exact", priority: 3 } as HitCard)).toBeNull();
    expect(louder("near", "urgent")).toBe("urgent");
  });
  test("one vehicle sounds once in ten minutes unless its priority rises", () => {
    const sounded = new Sounded();
    expect(sounded.mayNow({ entry_text: "A", priority: 2 } as HitCard, 0)).toBe(true);
    expect(sounded.mayNow({ entry_text: "A", priority: 2 } as HitCard, QUIET_MS - 1)).toBe(false);
    expect(sounded.mayNow({ entry_text: "A", priority: 1 } as HitCard, 1000)).toBe(true);
    expect(sounded.mayNow({ entry_text: "A", priority: 2 } as HitCard, QUIET_MS + 2000)).toBe(true);
  });
});

class FakeSource implements Source {
  static made: FakeSource[] = [];
  closed = false;
  onmessage: ((message: Heard) => void) | null = null;
  onerror: ((refused: boolean) => void) | null = null;
  constructor(readonly after: string) {
    FakeSource.made.push(this);
  }
  close(): void {
    this.closed = true;
  }
  say(kind: string, data: unknown, id: string): void {
    this.onmessage?.({ kind, id, data: JSON.stringify(data) });
  }
}

describe("the stream", () => {
  let now = 0;
  let states: StreamState[] = [];
  let snapshots = 0;
  let stream: LiveStream;
  beforeEach(() => {
    vi.useFakeTimers();
    now = 0;
    states = [];
    snapshots = 0;
    FakeSource.made = [];
    stream = new LiveStream({
      open: (after) => new FakeSource(after),
      now: () => now,
      onEvent: () => undefined,
      onState: (state) => states.push(state),
      snapshot: async () => `c${++snapshots}`,
    });
    stream.start();
  });
  test("that says OPEN and nothing more is called stale and opened anew after its last cursor", async () => {
    await vi.advanceTimersByTimeAsync(0);
    FakeSource.made[0]!.say("tick", {}, "c7");
    expect(states.at(-1)).toBe("live");
    now = SILENCE_MS + 1;
    stream.check();
    expect(states.at(-1)).toBe("stale");
    expect(FakeSource.made[0]!.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSource.made[1]!.after).toBe("c7");
    expect(snapshots).toBe(1);
    // The new stream gets its own time before it is given up in turn.
    now += 2_000;
    stream.check();
    expect(FakeSource.made).toHaveLength(2);
    stream.stop();
  });
  test("that breaks is offline after the silence, and connecting before", async () => {
    await vi.advanceTimersByTimeAsync(0);
    FakeSource.made[0]!.say("tick", {}, "c7");
    FakeSource.made[0]!.onerror?.(false);
    expect(states.at(-1)).toBe("connecting");
    now = SILENCE_MS + 1;
    stream.check();
    expect(states.at(-1)).toBe("offline");
    stream.stop();
  });
  test("that has a gap takes a new snapshot", async () => {
    await vi.advanceTimersByTimeAsync(0);
    FakeSource.made[0]!.say("gap", {}, "c9");
    await vi.advanceTimersByTimeAsync(0);
    expect(snapshots).toBe(2);
    expect(FakeSource.made[1]!.after).toBe("c2");
    stream.stop();
  });
  test("that the cloud refuses asks for everything anew, which says that the session has ended", async () => {
    await vi.advanceTimersByTimeAsync(0);
    FakeSource.made[0]!.say("tick", {}, "c7");
    FakeSource.made[0]!.onerror?.(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(snapshots).toBe(2);
    expect(FakeSource.made[1]!.after).toBe("c2");
    stream.stop();
  });
});

test("a unit's freshness is its fix's, not the last word's", () => {
  expect(freshnessOf({ fixed_ms: 0, seen_ms: 100_000 }, 61_000)).toBe("old");
  expect(freshnessOf({ fixed_ms: 0, seen_ms: 0 }, 60_000)).toBe("fresh");
  expect(freshnessOf({ fixed_ms: null, seen_ms: 0 }, 301_000)).toBe("lost");
});
test("a trail is solid only where one way alone is plausible", () => {
  const read = (t: number, lon: number): never => ({ captured_ms: t, lat_deg: 25, lon_deg: lon }) as never;
  expect(trailOf([read(60_000, 121.003), read(0, 121), read(400_000, 121.004)]).map((one) => one.guess)).toEqual([false, true]);
});
