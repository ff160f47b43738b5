/**
 * The one door for requests: every call to the cloud passes `ask`, nothing else in the console calls `fetch`
 * (the live stream apart, which is an EventSource in `src/live/shared.ts`).
 *
 * An answer is either the value or a `Fault`, thrown: what happened, by the cloud's fixed reference, so that screens can
 * say it in their own language. A request that never reached the cloud is a Fault too (`unreachable`).
 */
import createClient from "openapi-fetch";
import type { paths } from "./schema";

export class Fault extends Error {
  constructor(
    readonly reference: string,
    readonly sentence: string,
    readonly hint: string,
    readonly status: number,
  ) {
    super(`${reference}: ${sentence}`);
    this.name = "Fault";
  }

  /** The cloud was not reached or is not able: trying later may help, nothing was decided. */
  get passing(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

export const client = createClient<paths>({ baseUrl: "", credentials: "same-origin" });

type Outcome<T> = { data?: T; error?: unknown; response: Response };

/** What the session's end does; set once by the session. */
let onSignedOut: () => void = () => undefined;
export function whenSignedOut(deed: () => void): void {
  onSignedOut = deed;
}

/** The value of a call made with `client`, or a `Fault`. */
export async function ask<T>(call: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Fault("unreachable", error instanceof Error ? error.message : "", "", 0);
  }
  if (outcome.response.ok) return outcome.data as T;
  if (outcome.response.status === 401) onSignedOut();
  throw faultOf(outcome.error, outcome.response.status);
}

/** As `ask`, for structs that hold tuples: the client widens those on the way; the struct is what the document says. */
export function askAs<T>(call: Promise<Outcome<unknown>>): Promise<T> {
  return ask(call) as Promise<T>;
}

function faultOf(body: unknown, status: number): Fault {
  const said = (body && typeof body === "object" ? body : {}) as Record<string, unknown>;
  const text = (key: string): string => (typeof said[key] === "string" ? said[key] : "");
  return new Fault(text("reference") || `http-${status}`, text("sentence"), text("hint"), status);
}

/** A cancelled request is no fault to show. */
export function isCancelled(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** A JSON file that stands beside the API (the base map's labels); null where it is not there. */
export async function fetchFile<T>(address: string): Promise<T | null> {
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    return answer.ok ? ((await answer.json()) as T) : null;
  } catch {
    return null;
  }
}
