/**
 * The live stream, watched; whether it is this tab's own or one that tabs share is the matter of `shared.ts`. A socket may
 * say OPEN while nothing comes (a lid that was closed, a network that drops silently; field case G39): after `SILENCE_MS`
 * without a word the stream is given up, the page told, and a new one opened after the last cursor. Waiting doubles from
 * 1 s to 10 s.
 */
export const SILENCE_MS = 15_000;
const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 10_000];

export type StreamState = "connecting" | "live" | "stale" | "offline";
export type StreamEvent = { kind: string; data: unknown; cursor: string };

/** A message as the cloud sent it: `id` is the cursor after it, `data` JSON. */
export type Heard = { kind: string; id: string; data: string };

/** Where messages come from. `onerror` says whether the cloud refused (the session may have ended) or was not reached. */
export interface Source {
  onmessage: ((message: Heard) => void) | null;
  onerror: ((refused: boolean) => void) | null;
  close(): void;
}

export type StreamParts = {
  /** A source of what comes after the cursor. */
  open: (after: string) => Source;
  now: () => number;
  onEvent: (event: StreamEvent) => void;
  onState: (state: StreamState) => void;
  /** The stream lost something, or never had a start: load everything anew and give the cursor to go on from. */
  snapshot: () => Promise<string>;
};

export class LiveStream {
  #source: Source | null = null;
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
    const source = this.parts.open(this.#cursor);
    this.#source = source;
    this.#openedAt = this.parts.now();
    source.onmessage = (message) => {
      if (this.#source === source) this.#take(message);
    };
    source.onerror = (refused) => {
      if (this.#source !== source) return;
      this.#failed = true;
      // A refusal is no matter of waiting: asking for everything anew says what is the matter (the session has ended).
      if (refused) this.#cursor = "";
      this.#again();
    };
  }

  #take(message: Heard): void {
    this.#heardAt = this.parts.now();
    this.#tries = 0;
    this.#failed = false;
    if (message.id) this.#cursor = message.id;
    if (message.kind === "gap") {
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
    this.parts.onEvent({ kind: message.kind, data, cursor: this.#cursor });
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
