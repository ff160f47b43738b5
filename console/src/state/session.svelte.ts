/** Who I am and what I may do. Pages that a role may never open are absent; the cloud decides, the console shows. */
import { ask, client, whenSignedOut } from "../api/door";
import type { SessionView } from "../api/types";
import { setServerTime } from "./clock.svelte";

export const session = $state<{ view: SessionView | null; known: boolean }>({ view: null, known: false });

whenSignedOut(() => {
  session.view = null;
  session.known = true;
});

export async function loadSession(): Promise<void> {
  const asked = Date.now();
  try {
    session.view = await ask(client.GET("/api/session"));
    setServerTime(session.view.server_ms, asked, Date.now());
  } catch {
    session.view = null;
  } finally {
    session.known = true;
  }
}

export async function openSession(token: string): Promise<void> {
  const asked = Date.now();
  session.view = await ask(client.POST("/api/session", { body: { token } }));
  session.known = true;
  setServerTime(session.view.server_ms, asked, Date.now());
}

export async function closeSession(): Promise<void> {
  await ask(client.DELETE("/api/session")).catch(() => undefined);
  session.view = null;
}

export function may(action: string): boolean {
  return session.view?.actions.includes(action) ?? false;
}
