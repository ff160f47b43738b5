/** What is known of the street now: units, open hits, newest reads, counts; and how sure we are that it is now. */
import { SvelteMap } from "svelte/reactivity";
import { askAs, client } from "../api/door";
import { isChecked, type HitCard, type LiveSnapshot, type LiveTick, type ReadRow, type UnitView } from "../api/types";
import { setServerTime, serverNow } from "../state/clock.svelte";
import { session } from "../state/session.svelte";
import { remind, soundFor } from "../sound/sound.svelte";
import { sendWaiting } from "./verdicts.svelte";
import { openStream } from "./shared";
import { LiveStream, type StreamEvent, type StreamState } from "./stream";

export const READS_MAX = 200;

export const units = new SvelteMap<string, UnitView>();
export const hits = new SvelteMap<string, HitCard>();

export const live = $state({
  state: "connecting" as StreamState,
  /** Server time of the last word, for 「資料停在 …」. */
  heard_ms: 0,
  latency_ms: null as number | null,
  counts: { reads_per_min: 0, open_hits: 0, quarantined: 0, devices_attention: 0, list_version: 0, list_issued_ms: 0 },
  reads: [] as ReadRow[],
  loaded: false,
  /** Ids of hits raised in this page's life, for the ring on the map and the title. */
  fresh: [] as string[],
  /** Hits that came while we were deaf, in order of capture. */
  missed: [] as string[],
  /** The stream of reads is held: counted, not shown. */
  held: false,
  held_count: 0,
});

let waitingReads: ReadRow[] = [];
let everLoaded = false;

export function takeHit(hit: HitCard): void {
  const known = hits.get(hit.id);
  if (known && known.facts > hit.facts) return;
  hits.set(hit.id, hit);
}

function takeCounts(tick: LiveTick | LiveSnapshot): void {
  const { reads_per_min, open_hits, quarantined, devices_attention, list_version, list_issued_ms } = tick;
  live.counts = { reads_per_min, open_hits, quarantined, devices_attention, list_version, list_issued_ms };
}

/** New hits in order of capture, each announced once. */
function announce(found: HitCard[], missed: boolean): void {
  if (!found.length) return;
  found.sort((a, b) => a.captured_ms - b.captured_ms);
  live.fresh = [...live.fresh, ...found.map((hit) => hit.id)].slice(-50);
  if (missed) {
    const at = (id: string): number => hits.get(id)?.captured_ms ?? 0;
    live.missed = [...live.missed, ...found.map((hit) => hit.id)].sort((a, b) => at(a) - at(b));
  }
  soundFor(found, serverNow());
}

async function snapshot(): Promise<string> {
  const asked = Date.now();
  const shot = await askAs<LiveSnapshot>(client.GET("/api/live"));
  setServerTime(shot.server_ms, asked, Date.now());
  const unseen = everLoaded ? shot.hits.filter((hit) => !hits.has(hit.id) && hit.state === "new") : [];
  units.clear();
  for (const unit of shot.units) units.set(unit.device_id, unit);
  const still = new Set(shot.hits.map((hit) => hit.id));
  for (const id of [...hits.keys()]) if (!still.has(id)) hits.delete(id);
  for (const hit of shot.hits) hits.set(hit.id, hit);
  live.reads = shot.reads.slice(0, READS_MAX);
  waitingReads = [];
  live.held_count = 0;
  takeCounts(shot);
  live.heard_ms = shot.server_ms;
  live.loaded = true;
  announce(unseen, true);
  if (!everLoaded) soundFor(shot.hits.filter((hit) => hit.state === "new"), serverNow());
  everLoaded = true;
  return shot.cursor;
}

function takeRead(read: ReadRow): void {
  if (live.reads.some((one) => one.id === read.id) || waitingReads.some((one) => one.id === read.id)) return;
  waitingReads.unshift(read);
  waitingReads.length = Math.min(waitingReads.length, READS_MAX);
  if (live.held) live.held_count += 1;
  else scheduleReads();
}

let drawing = false;
/** Many reads a second become one change a frame: the page draws, it does not chase. */
function scheduleReads(): void {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    if (!live.held) release();
  }, 120);
}

function release(): void {
  if (!waitingReads.length) return;
  live.reads = [...waitingReads, ...live.reads].sort((a, b) => b.captured_ms - a.captured_ms).slice(0, READS_MAX);
  waitingReads = [];
  live.held_count = 0;
}

export function hold(on: boolean): void {
  live.held = on;
  if (!on) release();
}

/** Hits raised before this came while we were deaf. */
let deafUntil_ms = 0;

function onEvent({ kind, data }: StreamEvent): void {
  live.heard_ms = serverNow();
  if (kind === "tick" || kind === "list") {
    const tick = data as LiveTick;
    takeCounts(tick);
    live.latency_ms = Math.max(0, serverNow() - tick.server_ms);
  } else if (kind === "read") takeRead(data as ReadRow);
  else if (kind === "unit") units.set((data as UnitView).device_id, data as UnitView);
  else if (kind === "hit") {
    const hit = data as HitCard;
    const isNew = !hits.has(hit.id) && !isChecked(hit.state);
    takeHit(hit);
    if (isNew) announce([hit], hit.raised_ms <= deafUntil_ms);
  }
}

let wasLive = false;

function onState(state: StreamState): void {
  const was = live.state;
  live.state = state;
  if (state === "live" && was !== "live") {
    if (everLoaded && live.heard_ms) deafUntil_ms = wasLive ? serverNow() : 0;
    wasLive = true;
    void sendWaiting();
  }
}

let stream: LiveStream | null = null;
let reminder: ReturnType<typeof setInterval> | undefined;

export function startLive(): () => void {
  const who = me();
  stream = new LiveStream({ open: (after) => openStream(who, after), now: () => performance.now(), onEvent, onState, snapshot });
  stream.start();
  reminder = setInterval(() => remind(hits.values()), 10_000);
  const wake = (): void => {
    if (document.visibilityState === "visible") stream?.check();
  };
  document.addEventListener("visibilitychange", wake);
  return () => {
    stream?.stop();
    stream = null;
    clearInterval(reminder);
    document.removeEventListener("visibilitychange", wake);
  };
}

/** Whether what the page shows may be old. */
export function isOld(): boolean {
  return live.state === "stale" || live.state === "offline";
}

export function me(): string {
  return session.view?.subject_id ?? "";
}
