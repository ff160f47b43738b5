/**
 * The live stream: an EventSource that is watched. A socket may say OPEN while nothing comes (a lid that was closed, a
 * network that drops silently; field case G39): after `SILENCE_MS` without a word the stream is given up, the page told,
 * and a new one opened after the last cursor. Waiting doubles from 1 s to 10 s.
 */
export const SILENCE_MS = 15_000;
const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 10_000];

export type StreamState = "connecting" | "live" | "stale" | "offline";
export type StreamEvent = { kind: string; data: unknown; cursor: string };

export type StreamParts = {
  open: (url: string) => EventSource;
  now: () => number;
  onEvent: (event: StreamEvent) => void;
  onState: (state: StreamState) => void;
  /** The stream lost something, or never had a start: load everything anew and give the cursor to go on from. */
  snapshot: () => Promise<string>;
};

const KINDS = ["tick", "read", "hit", "unit", "list", "gap"] as const;

export class LiveStream {
  #source: EventSource | null = null;
  #cursor = "";
  #heardAt = 0;
  #openedAt = 0;
  #failed = false;
  #tries = 0;
  #wait: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #stopped = true;

  constructor(private readonly parts: StreamParts) {}

  start(): void {
    this.#stopped = false;
    this.#heardAt = this.parts.now();
    this.parts.onState("connecting");
    this.#watch = setInterval(() => this.check(), 1_000);
    void this.#begin();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#watch);
    clearTimeout(this.#wait);
    this.#source?.close();
    this.#source = null;
  }

  /** Called every second and when the page wakes up. */
  check(): void {
    const now = this.parts.now();
    if (this.#stopped || now - this.#heardAt < SILENCE_MS) return;
    this.parts.onState(this.#failed ? "offline" : "stale");
    // A stream that was opened only now gets its own time to speak.
    if (this.#source && now - this.#openedAt >= SILENCE_MS) this.#again();
  }

  async #begin(): Promise<void> {
    try {
      this.#cursor = await this.parts.snapshot();
    } catch {
      this.#failed = true;
      if (!this.#stopped) this.#again();
      return;
    }
    if (!this.#stopped) this.#connect();
  }

  #connect(): void {
    this.#source?.close();
    const source = this.parts.open(`/api/live/events?after=${encodeURIComponent(this.#cursor)}`);
    this.#source = source;
    this.#openedAt = this.parts.now();
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => {
        if (this.#source === source) this.#take(kind, message as MessageEvent<string>);
      });
    }
    source.onerror = () => {
      if (this.#source !== source) return;
      this.#failed = true;
      this.#again();
    };
  }

  #take(kind: string, message: MessageEvent<string>): void {
    this.#heardAt = this.parts.now();
    this.#tries = 0;
    this.#failed = false;
    if (message.lastEventId) this.#cursor = message.lastEventId;
    if (kind === "gap") {
      this.#source?.close();
      this.#source = null;
      void this.#begin();
      return;
    }
    this.parts.onState("live");
    let data: unknown;
    try {
      data = JSON.parse(message.data);
    } catch {
      return;
    }
    this.parts.onEvent({ kind, data, cursor: this.#cursor });
  }

  #again(): void {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#wait);
    const wait = WAITS_MS[Math.min(this.#tries, WAITS_MS.length - 1)]!;
    this.#tries += 1;
    const silent = this.parts.now() - this.#heardAt >= SILENCE_MS;
    this.parts.onState(silent ? (this.#failed ? "offline" : "stale") : "connecting");
    this.#wait = setTimeout(() => {
      if (this.#stopped) return;
      if (this.#cursor) this.#connect();
      else void this.#begin();
    }, wait);
  }
}
