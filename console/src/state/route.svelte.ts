/** Where we are. No plate, name or case number ever stands in an address: addresses end in histories and proxy logs. */
import { untrack } from "svelte";

export const route = $state({ path: location.pathname, query: location.search });

let allow: () => boolean = () => true;

/** A page with unsaved text may hold the person back; `ask` returns false to stay. */
export function guardLeaving(ask: () => boolean): () => void {
  allow = ask;
  return () => {
    allow = () => true;
  };
}

export function go(to: string, { replace = false } = {}): void {
  const url = new URL(to, location.origin);
  if (untrack(() => url.pathname + url.search === route.path + route.query)) return;
  if (url.pathname !== untrack(() => route.path) && !allow()) return;
  history[replace ? "replaceState" : "pushState"](null, "", url.pathname + url.search);
  settle();
}

function settle(): void {
  route.path = location.pathname;
  route.query = location.search;
}

/** Links of our own do not load the page anew. */
export function startRouting(): void {
  addEventListener("popstate", settle);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname) {
      const there = document.getElementById(link.hash.slice(1));
      there?.focus();
      return;
    }
    go(link.pathname + link.search);
  });
}

/** Go to the first thing of a list page, but only from the bare page: while another page comes, this one is still there. */
export function goFromBare(bare: string, to: string): void {
  if (untrack(() => route.path) === bare) go(to, { replace: true });
}

/** The pieces of `/lists/abc` after the first: `["abc"]`. */
export function pieces(path: string): string[] {
  return path.split("/").filter(Boolean).map(decodeURIComponent);
}
