/** Deeds on hits. A verdict that cannot be sent waits, marked 待送出, and is sent in order once the cloud answers again. */
import { askAs, client, Fault } from "../api/door";
import type { HitDetail, Outcome, Verdict } from "../api/types";

export type Waiting = { hit_id: string; display: string; verdict: Verdict; seen_fact: number; note: string };

export const waiting = $state<{ list: Waiting[]; refused: { display: string; fault: Fault }[] }>({ list: [], refused: [] });

export type Sent = { detail: HitDetail } | { waits: true };

export async function giveVerdict(deed: Waiting): Promise<Sent> {
  if (waiting.list.length) {
    waiting.list.push(deed);
    return { waits: true };
  }
  try {
    return { detail: await post(deed) };
  } catch (error) {
    if (error instanceof Fault && error.passing) {
      waiting.list.push(deed);
      return { waits: true };
    }
    throw error;
  }
}

function post(deed: Waiting): Promise<HitDetail> {
  const { hit_id, verdict, seen_fact, note } = deed;
  return detail(client.POST("/api/hits/{hit_id}/verdict", { ...at(hit_id), body: { verdict, seen_fact, note } }));
}

let sending = false;
export async function sendWaiting(): Promise<void> {
  if (sending) return;
  sending = true;
  try {
    while (waiting.list.length) {
      const deed = waiting.list[0]!;
      try {
        await post(deed);
      } catch (error) {
        if (!(error instanceof Fault) || error.passing) return;
        waiting.refused.push({ display: deed.display, fault: error });
      }
      waiting.list.shift();
    }
  } finally {
    sending = false;
  }
}

type Path = { params: { path: { hit_id: string } } };
function at(hit_id: string): Path {
  return { params: { path: { hit_id } } };
}

const detail = askAs<HitDetail>;

export const loadHit = (id: string): Promise<HitDetail> => detail(client.GET("/api/hits/{hit_id}", at(id)));
export const claim = (id: string, take_over = false): Promise<HitDetail> =>
  detail(client.POST("/api/hits/{hit_id}/claim", { ...at(id), body: { take_over } }));
export const keep = (id: string): Promise<HitDetail> => detail(client.POST("/api/hits/{hit_id}/keep", at(id)));
export const passOn = (id: string): Promise<HitDetail> => detail(client.POST("/api/hits/{hit_id}/release", at(id)));
export const takeBack = (id: string, seen_fact: number): Promise<HitDetail> =>
  detail(client.POST("/api/hits/{hit_id}/undo", { ...at(id), body: { seen_fact } }));
export const giveOutcome = (id: string, outcome: Outcome, seen_fact: number, note = ""): Promise<HitDetail> =>
  detail(client.POST("/api/hits/{hit_id}/outcome", { ...at(id), body: { outcome, seen_fact, note } }));
