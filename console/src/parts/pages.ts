/** The pages in the order of the rail. A page that a role may never open is absent. */
import { may } from "../state/session.svelte";

export type PageId = "live" | "hits" | "search" | "lists" | "devices" | "quarantine" | "audit";

export const PAGES: { id: PageId; path: string; action: string; code: string; cap: string }[] = [
  { id: "live", path: "/live", action: "live.watch", code: "KeyL", cap: "L" },
  { id: "hits", path: "/hits", action: "hits.list", code: "KeyH", cap: "H" },
  { id: "search", path: "/search", action: "reads.search", code: "KeyS", cap: "S" },
  { id: "lists", path: "/lists", action: "lists.view", code: "KeyW", cap: "W" },
  { id: "devices", path: "/devices", action: "devices.view", code: "KeyD", cap: "D" },
  { id: "quarantine", path: "/quarantine", action: "quarantine.view", code: "KeyQ", cap: "Q" },
  { id: "audit", path: "/audit", action: "audit.view", code: "KeyA", cap: "A" },
];

export function pagesFor(): typeof PAGES {
  return PAGES.filter((page) => may(page.action));
}

export function countOf(id: PageId, counts: { open_hits: number; quarantined: number; devices_attention: number }): number {
  if (id === "hits") return counts.open_hits;
  if (id === "devices") return counts.devices_attention;
  return id === "quarantine" ? counts.quarantined : 0;
}
