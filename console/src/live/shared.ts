/**
 * One live stream for all tabs of a person in one browser. HTTP/1.1 gives a host six connections: with a stream in each
 * tab, the seventh tab could not even load its page.
 *
 * The tab that holds the lock `guardian.live.WHO` leads: it alone has an EventSource, and says every message to the others
 * over a channel of that name. Each tab keeps the last messages and its own cursor. A tab that comes says where it stands
 * and is told what it missed. When the leader goes (closed, signed out, its stream broken), the browser gives the lock to
 * the next in line, which goes on after its own cursor: the cloud and the tabs drop what came twice, nothing is lost.
 *
 * A leader that does not answer (a tab put to sleep), or has itself heard nothing for `SILENCE_MS`, loses the lock by force.
 * Whether the stream is alive each tab judges for itself (`stream.ts`, field case G39): a follower to which nothing is said
 * is as stale as a leader that hears nothing.
 *
 * Without locks or channels (an address that is neither https nor loopback) each tab has a stream of its own.
 */
import { SILENCE_MS, type Heard, type Source } from "./stream";

export const ANSWER_MS = 3_000;
const KEPT = 500;
const KINDS = ["tick", "read", "hit", "unit", "list", "gap"] as const;

type Said =
  | { say: "join"; from: string; after: string }
  | { say: "welcome"; to: string; leader: string; at: number; quiet_ms: number; missed: Heard[] | null }
  | { say: "message"; leader: string; at: number; message: Heard }
  | { say: "lead"; leader: string }
  | { say: "down"; leader: string; refused: boolean };

export type SharedParts = {
  /** An own stream after a cursor. */
  open: (after: string) => Source;
  locks: Pick<LockManager, "request">;
  channel: (name: string) => Pick<BroadcastChannel, "postMessage" | "close"> & { onmessage: ((event: MessageEvent) => void) | null };
  now: () => number;
  /** This tab's, kept from one source to the next. */
  history: History;
};

/** `epoch.number`; the stand-in's cursors are numbers alone. */
function split(cursor: string): { epoch: string; number: number } {
  const at = cursor.lastIndexOf(".");
  return { epoch: cursor.slice(0, Math.max(0, at)), number: Number(cursor.slice(at + 1)) };
}

function isAfter(id: string, cursor: string): boolean {
  const [a, b] = [split(id), split(cursor)];
  return a.epoch !== b.epoch || a.number > b.number;
}

/** The last messages in order, whole from `#floor` on: what a tab that leads can tell those that come. */
export class History {
  #floor = "";
  #end = "";
  #kept: Heard[] = [];
  /** When this tab was last told to take everything anew. */
  gapAt = -Infinity;

  startAt(cursor: string): void {
    if (cursor === this.#end) return;
    this.#floor = this.#end = cursor;
    this.#kept = [];
  }

  add(message: Heard): void {
    if (!message.id) return;
    this.#end = message.id;
    if (message.kind === "tick") return;
    this.#kept.push(message);
    if (this.#kept.length > KEPT) this.#floor = this.#kept.shift()!.id;
  }

  /** What came after the cursor; null where that is not all here. */
  since(cursor: string): Heard[] | null {
    const [floor, asked] = [split(this.#floor), split(cursor)];
    if (asked.epoch !== floor.epoch || asked.number < floor.number) return null;
    return this.#kept.filter((message) => isAfter(message.id, cursor));
  }
}

const histories = new Map<string, History>();

/** A stream as `LiveStream` wants one, led or followed. */
export class SharedSource implements Source {
  onmessage: ((message: Heard) => void) | null = null;
  onerror: ((refused: boolean) => void) | null = null;
  readonly #me = Math.random().toString(36).slice(2);
  readonly #channel: ReturnType<SharedParts["channel"]>;
  readonly #waiting = new AbortController();
  #cursor: string;
  /** Whom we follow, and the number of its last message; empty until somebody has answered. */
  #leader = "";
  #at = 0;
  #own: Source | null = null;
  #heardAt = 0;
  #release: (() => void) | null = null;
  #answer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly name: string,
    after: string,
    private readonly parts: SharedParts,
  ) {
    this.#cursor = after;
    parts.history.startAt(after);
    this.#channel = parts.channel(name);
    this.#channel.onmessage = (event) => this.#hear(event.data as Said);
    this.#queue();
    this.#join();
  }

  get leads(): boolean {
    return this.#own !== null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#answer);
    this.#own?.close();
    this.#own = null;
    this.#waiting.abort();
    this.#release?.();
    this.#channel.close();
  }

  /** Wait for the lock; whoever has it leads until it closes or is robbed. */
  #queue(): void {
    this.parts.locks.request(this.name, { signal: this.#waiting.signal }, () => this.#lead()).catch(() => this.#robbed());
  }

  #steal(): void {
    if (this.#closed || this.#own) return;
    this.parts.locks.request(this.name, { steal: true }, () => this.#lead()).catch(() => this.#robbed());
  }

  #lead(): Promise<void> {
    if (this.#closed || this.#own) return Promise.resolve();
    clearTimeout(this.#answer);
    this.#leader = this.#me;
    this.#at = 0;
    this.#heardAt = this.parts.now();
    const own = this.parts.open(this.#cursor);
    this.#own = own;
    own.onmessage = (message) => {
      if (this.#own !== own) return;
      this.#heardAt = this.parts.now();
      this.#at += 1;
      this.#post({ say: "message", leader: this.#me, at: this.#at, message });
      this.#take(message);
    };
    own.onerror = (refused) => {
      if (this.#own !== own) return;
      this.#post({ say: "down", leader: this.#me, refused });
      this.onerror?.(refused);
    };
    this.#post({ say: "lead", leader: this.#me });
    return new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  /** The lock is gone, taken by force: follow who has it now. */
  #robbed(): void {
    if (this.#closed || !this.#own) return;
    this.#own.close();
    this.#own = null;
    this.#release = null;
    this.#queue();
    this.#join();
  }

  #join(): void {
    this.#leader = "";
    this.#post({ say: "join", from: this.#me, after: this.#cursor });
    clearTimeout(this.#answer);
    this.#answer = setTimeout(() => this.#steal(), ANSWER_MS);
  }

  #hear(said: Said): void {
    if (this.#closed) return;
    if (this.#own) {
      if (said.say !== "join") return;
      const quiet_ms = this.parts.now() - this.#heardAt;
      this.#post({ say: "welcome", to: said.from, leader: this.#me, at: this.#at, quiet_ms, missed: this.parts.history.since(said.after) });
    } else if (said.say === "welcome") {
      if (said.to === this.#me) this.#welcomed(said);
    } else if (said.say === "lead") {
      this.#join();
    } else if (said.say === "down") {
      if (!this.#leader || said.leader === this.#leader) this.onerror?.(said.refused);
    } else if (said.say === "message" && this.#leader) {
      // Another leader, or a hole (messages are not kept for a tab that sleeps): ask for what is missing.
      if (said.leader !== this.#leader || said.at !== this.#at + 1) return this.#join();
      this.#at = said.at;
      this.#take(said.message);
    }
  }

  #welcomed({ leader, at, quiet_ms, missed }: Extract<Said, { say: "welcome" }>): void {
    clearTimeout(this.#answer);
    if (quiet_ms >= SILENCE_MS) return this.#steal();
    this.#leader = leader;
    this.#at = at;
    if (missed) {
      for (const message of missed) this.#take(message);
      return;
    }
    // Everything anew; but not in a circle, should the leader's own stream be of a cloud that is no more.
    const { history, now } = this.parts;
    const again = now() - history.gapAt < ANSWER_MS;
    history.gapAt = now();
    if (again) this.onerror?.(false);
    else this.onmessage?.({ kind: "gap", id: "", data: "{}" });
  }

  #take(message: Heard): void {
    // What a new leader's stream repeats, and what we were told when we came. A tick says only that all is well.
    if (message.kind !== "tick" && message.kind !== "gap" && message.id && !isAfter(message.id, this.#cursor)) return;
    if (message.id) this.#cursor = message.id;
    if (message.kind !== "gap") this.parts.history.add(message);
    this.onmessage?.(message);
  }

  #post(said: Said): void {
    if (!this.#closed) this.#channel.postMessage(said);
  }
}

/** An EventSource as a source: one listener for every kind, and whether the cloud refused it (401, 403) or was not there. */
function openOwn(after: string): Source {
  const events = new EventSource(`/api/live/events?after=${encodeURIComponent(after)}`);
  const source: Source = { onmessage: null, onerror: null, close: () => events.close() };
  for (const kind of KINDS) {
    events.addEventListener(kind, ({ data, lastEventId }: MessageEvent<string>) => source.onmessage?.({ kind, data, id: lastEventId }));
  }
  events.onerror = () => source.onerror?.(events.readyState === EventSource.CLOSED);
  return source;
}

/** The stream of this person: shared where the browser can. */
export function openStream(who: string, after: string): Source {
  const { locks } = navigator as Partial<Navigator>;
  if (!locks || !("BroadcastChannel" in globalThis)) return openOwn(after);
  const name = `guardian.live.${who}`;
  const history = histories.get(name) ?? new History();
  histories.set(name, history);
  return new SharedSource(name, after, { open: openOwn, locks, channel: (of) => new BroadcastChannel(of), now: () => performance.now(), history });
}
