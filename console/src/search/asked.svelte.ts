/** Questions asked in this page's life. An answer belongs to the last question only (field case G40). */
import { askAs, client } from "../api/door";
import type { SearchAnswer, SearchRequest } from "../api/types";
import type { Box } from "../map/shapes";
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

export function requestOf(tokens: readonly Token[], box: Box | null, reason: { purpose: string; case_number: string }): SearchRequest {
  const plate = tokens.find((token) => token.kind === "plate");
  const time = tokens.find((token) => token.kind === "time");
  return {
    purpose: reason.purpose,
    case_number: reason.case_number,
    plate: plate?.text ?? "",
    lookalike: plate?.lookalike ?? false,
    from_ms: time?.from_ms ?? null,
    until_ms: time?.until_ms ?? null,
    area: box ? { ...box, polygon: null, name: "" } : null,
    device_ids: tokens.flatMap((token) => (token.kind === "device" ? [token.text] : [])),
    units: tokens.flatMap((token) => (token.kind === "unit" ? [token.text] : [])),
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
