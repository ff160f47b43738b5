/** Questions asked in this page's life. An answer belongs to the last question only (field case G40). */
import { askAs, client } from "../api/door";
import type { SearchAnswer, SearchRequest } from "../api/types";
import type { Drawn } from "../map/shapes";
import type { Token } from "./tokens";

export const shift = $state({ purpose: "", case_number: "" });
const known = new Map<string, SearchAnswer>();
const KNOWN_MAX = 20;

export function remembered(id: string): SearchAnswer | undefined {
  return known.get(id);
}

export function keepAnswer(answer: SearchAnswer): void {
  known.set(answer.search_id, answer);
  if (known.size > KNOWN_MAX) known.delete(known.keys().next().value!);
}

const NOWHERE = { lat_min: null, lat_max: null, lon_min: null, lon_max: null, polygon: null, name: "" };
function areaOf(tokens: readonly Token[], drawn: Drawn | null): SearchRequest["area"] {
  const named = tokens.find((token) => token.kind === "area");
  if (named) return { ...NOWHERE, name: named.text };
  if (!drawn) return null;
  return "points" in drawn ? { ...NOWHERE, polygon: drawn.points } : { ...NOWHERE, ...drawn };
}

/** Plates and cases of this session's own questions, newest first; gone with the page. */
export const asked = $state({ plates: [] as string[], cases: [] as string[] });
const ASKED_MAX = 12;
function remember(answer: SearchAnswer): void {
  const { plate, case_number } = answer.question;
  if (plate && !/[?*]/.test(plate)) asked.plates = [answer.normal || plate, ...asked.plates.filter((one) => one !== (answer.normal || plate))].slice(0, ASKED_MAX);
  if (case_number) asked.cases = [case_number, ...asked.cases.filter((one) => one !== case_number)].slice(0, ASKED_MAX);
}

export function requestOf(tokens: readonly Token[], drawn: Drawn | null, reason: { purpose: string; case_number: string }): SearchRequest {
  const plate = tokens.find((token) => token.kind === "plate");
  const time = tokens.find((token) => token.kind === "time");
  return {
    purpose: reason.purpose,
    case_number: reason.case_number,
    plate: plate?.text ?? "",
    lookalike: plate?.lookalike ?? false,
    from_ms: time?.from_ms ?? null,
    until_ms: time?.until_ms ?? null,
    area: areaOf(tokens, drawn),
    device_ids: tokens.flatMap((token) => (token.kind === "device" ? [token.text] : [])),
    units: tokens.flatMap((token) => (token.kind === "unit" ? [token.text] : [])),
    colours: tokens.flatMap((token) => (token.kind === "colour" ? [token.text] : [])),
    kinds: tokens.flatMap((token) => (token.kind === "look" ? [token.text] : [])),
    page_size: 50,
  };
}

let running: AbortController | null = null;

/** Ask; a question that is still running is cancelled here and, by the closed connection, at the cloud. */
export async function askReads(request: SearchRequest): Promise<SearchAnswer> {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const answer = await askAs<SearchAnswer>(client.POST("/api/searches", { body: request, signal: mine.signal }));
  if (mine.signal.aborted) throw new DOMException("superseded", "AbortError");
  keepAnswer(answer);
  remember(answer);
  return answer;
}

export function cancelAsking(): void {
  running?.abort();
  running = null;
}

export function openShared(search_id: string, reason: { purpose: string; case_number: string }): Promise<SearchAnswer> {
  return askAs<SearchAnswer>(client.POST("/api/searches/{search_id}/open", { params: { path: { search_id } }, body: reason }));
}

export function nextPage(search_id: string, cursor: string): Promise<SearchAnswer> {
  return askAs<SearchAnswer>(client.POST("/api/searches/{search_id}/pages", { params: { path: { search_id } }, body: { cursor } }));
}
