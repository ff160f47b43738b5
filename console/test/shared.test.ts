import { beforeEach, describe, expect, test, vi } from "vitest";
import { ANSWER_MS, History, SharedSource, type SharedParts } from "../src/live/shared";
import { SILENCE_MS, type Heard, type Source } from "../src/live/stream";

/** The cloud: every message to every open stream, and to a new one what it missed. */
class Cloud {
  open: { source: Source; after: string; closed: boolean }[] = [];
  said: Heard[] = [];
  streams = 0;
  connect = (after: string): Source => {
    this.streams += 1;
    const source: Source = { onmessage: null, onerror: null, close: () => void (one.closed = true) };
    const one = { source, after, closed: false };
    this.open.push(one);
    queueMicrotask(() => {
      for (const message of this.said) if (Number(message.id.slice(2)) > Number(after.slice(2))) source.onmessage?.(message);
    });
    return source;
  };
  say(number: number, kind = "read"): void {
    const message = { kind, id: `e.${number}`, data: "{}" };
    this.said.push(message);
    for (const one of this.open) if (!one.closed) one.source.onmessage?.(message);
  }
  get alive(): number {
    return this.open.filter((one) => !one.closed).length;
  }
}

/** Web locks of one name as the browser has them: a holder, a queue, and theft. */
class Locks {
  holder: { end: (error?: Error) => void } | null = null;
  queue: (() => void)[] = [];
  request = ((_name: string, options: LockOptions, work: () => Promise<void>) =>
    new Promise<void>((resolve, reject) => {
      const start = (): void => {
        const mine = { end: (error?: Error) => (error ? reject(error) : resolve()) };
        this.holder = mine;
        void work().then(() => {
          mine.end();
          if (this.holder === mine) {
            this.holder = null;
            queueMicrotask(() => !this.holder && this.queue.shift()?.());
          }
        });
      };
      options.signal?.addEventListener("abort", () => {
        this.queue = this.queue.filter((one) => one !== start);
        reject(new Error("aborted"));
      });
      if (options.steal) {
        const robbed = this.holder;
        queueMicrotask(start);
        robbed?.end(new Error("stolen"));
      } else if (this.holder || this.queue.length) this.queue.push(start);
      else queueMicrotask(() => (this.holder ? this.queue.push(start) : start()));
    })) as LockManager["request"];
}

/** A channel: to all others, later, in order. A tab that sleeps hears nothing. */
class Air {
  tabs = new Map<object, { onmessage: ((event: MessageEvent) => void) | null; asleep: boolean }>();
  channel = () => {
    const end = {
      onmessage: null as ((event: MessageEvent) => void) | null,
      asleep: false,
      postMessage: (data: unknown) => {
        const copy = structuredClone(data);
        queueMicrotask(() => this.tabs.forEach((other) => other !== end && !other.asleep && other.onmessage?.({ data: copy } as MessageEvent)));
      },
      close: () => void this.tabs.delete(end),
    };
    this.tabs.set(end, end);
    return end;
  };
}

let name = 0;
describe("one stream for all tabs", () => {
  let cloud: Cloud, locks: Locks, air: Air, now: number, who: string;
  const heard = new Map<SharedSource, string[]>();
  const ends = new Map<SharedSource, { asleep: boolean }>();
  beforeEach(() => {
    vi.useFakeTimers();
    [cloud, locks, air, now, who] = [new Cloud(), new Locks(), new Air(), 0, `t${++name}`];
    heard.clear();
  });
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
  async function tab(after: string, history = new History()): Promise<SharedSource> {
    const parts: SharedParts = { open: cloud.connect, locks, channel: air.channel, now: () => now, history };
    const source = new SharedSource(who, after, parts);
    const said: string[] = [];
    source.onmessage = (message) => said.push(message.kind === "read" ? message.id.slice(2) : message.kind);
    heard.set(source, said);
    ends.set(source, [...air.tabs.values()].at(-1)!);
    await settle();
    return source;
  }

  test("is opened once, and every tab hears every message once", async () => {
    const tabs = [await tab("e.0"), await tab("e.0"), await tab("e.0")];
    for (const number of [1, 2, 3]) cloud.say(number);
    await settle();
    expect(cloud.streams).toBe(1);
    expect(tabs.map((one) => one.leads)).toEqual([true, false, false]);
    for (const one of tabs) expect(heard.get(one)).toEqual(["1", "2", "3"]);
  });
  test("tells a tab that comes later what came after its own cursor, and no more", async () => {
    const first = await tab("e.0");
    for (const number of [1, 2, 3]) cloud.say(number);
    await settle();
    const late = await tab("e.2");
    cloud.say(4);
    await settle();
    expect(heard.get(late)).toEqual(["3", "4"]);
    expect(heard.get(first)).toEqual(["1", "2", "3", "4"]);
  });
  test("is handed over when the leader closes: what came meanwhile is heard once by all that are left", async () => {
    const [first, second, third] = [await tab("e.0"), await tab("e.0"), await tab("e.0")];
    cloud.say(1);
    await settle();
    first.close();
    cloud.say(2); // nobody is connected
    await settle();
    cloud.say(3);
    await settle();
    expect([second.leads, third.leads, cloud.alive]).toEqual([true, false, 1]);
    for (const one of [second, third]) expect(heard.get(one)).toEqual(["1", "2", "3"]);
  });
  test("is taken from a leader that does not answer, and the leader follows when it wakes", async () => {
    const first = await tab("e.0");
    ends.get(first)!.asleep = true;
    const second = await tab("e.0");
    await vi.advanceTimersByTimeAsync(ANSWER_MS - 1);
    expect(second.leads).toBe(false);
    ends.get(first)!.asleep = false;
    await vi.advanceTimersByTimeAsync(1);
    expect([second.leads, first.leads, cloud.alive]).toEqual([true, false, 1]);
    cloud.say(1);
    cloud.say(2);
    await settle();
    expect(heard.get(second)).toEqual(["1", "2"]);
    expect(heard.get(first)).toEqual(["1", "2"]);
  });
  test("is taken from a leader that has heard nothing for so long that its stream is dead", async () => {
    const first = await tab("e.0");
    now = SILENCE_MS;
    const second = await tab("e.0");
    expect([second.leads, first.leads, cloud.streams]).toEqual([true, false, 2]);
  });
  test("leaves no hole for a tab that slept: the next message makes it ask", async () => {
    await tab("e.0");
    const sleeper = await tab("e.0");
    cloud.say(1);
    await settle();
    ends.get(sleeper)!.asleep = true;
    cloud.say(2);
    await settle();
    ends.get(sleeper)!.asleep = false;
    cloud.say(3);
    await settle();
    expect(heard.get(sleeper)).toEqual(["1", "2", "3"]);
  });
  test("says to everybody that it broke, and whether it was refused", async () => {
    const tabs = [await tab("e.0"), await tab("e.0")];
    const errors: boolean[] = [];
    for (const one of tabs) one.onerror = (refused) => errors.push(refused);
    cloud.open[0]!.source.onerror?.(true);
    await settle();
    expect(errors).toEqual([true, true]);
  });
  test("a tab whose cursor is older than what is kept takes everything anew, but not in a circle", async () => {
    await tab("e.500");
    const history = new History();
    const old = await tab("e.7", history);
    expect(heard.get(old)).toEqual(["gap"]);
    const again = await tab("e.8", history);
    expect(heard.get(again)).toEqual([]);
  });
});
