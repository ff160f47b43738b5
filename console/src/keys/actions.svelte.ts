/**
 * Deeds that have a key. Menu, button, palette and key share one record. Single keys match `event.code`, because with
 * Zhuyin switched on `event.key` is ㄅ or `Process`. Browser keys, Ctrl with letters (but K), Alt and F keys are left alone.
 */
import { untrack } from "svelte";
import { looks } from "../state/looks.svelte";
import { isComposing, isEditable } from "./ime";

export type Action = {
  /** What it does, in the person's language. */
  label: () => string;
  /** `event.code` values; a leading `Shift+` or `Ctrl+` as written. A two-step key is `KeyG KeyL`. */
  codes: string[];
  /** What stands on the key cap, for the menu. */
  cap: string;
  run: () => void;
  /** Not now: the sentence says why (shown beside the button). */
  off?: () => string | boolean;
  /** `everywhere` or the page's part, for the menu of keys. */
  group: string;
  /** Not listed (a second spelling of another). */
  quiet?: boolean;
  /** Also while a dialog is open or focus sits on a control that uses the key itself. */
  inFields?: boolean;
};

class Actions {
  list = $state.raw<readonly Action[]>([]);
  menuOpen = $state(false);
  paletteOpen = $state(false);
}
export const actions = new Actions();

/** Put deeds on record while a page or part is there; gives the way to take them off. */
export function offer(list: Action[]): () => void {
  const change = (to: readonly Action[]): void => {
    actions.list = to;
  };
  untrack(() => change([...actions.list, ...list]));
  return () => untrack(() => change(actions.list.filter((one) => !list.includes(one))));
}

let first: { code: string; at: number } | null = null;

export function codeOf(event: KeyboardEvent): string {
  // Where ? stands differs from keyboard to keyboard; its character decides.
  if (event.key === "?" && !event.ctrlKey && !event.metaKey) return "Shift+Slash";
  const ctrl = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return `${ctrl}${event.shiftKey ? "Shift+" : ""}${event.code}`;
}

/** Which deed a key press means; pure but for the memory of a first `G`. */
export function findAction(event: KeyboardEvent, list: readonly Action[]): Action | undefined {
  if (isComposing(event) || event.altKey || /^F\d+$/.test(event.code)) return undefined;
  const code = codeOf(event);
  const editing = isEditable(event.target);
  if (code.startsWith("Ctrl+")) {
    if (code !== "Ctrl+KeyK" && code !== "Ctrl+Enter") return undefined;
    return last(list, (one) => one.codes.includes(code));
  }
  if (editing) return last(list, (one) => one.inFields === true && one.codes.includes(code));
  if (first && event.timeStamp - first.at < 1500) {
    const pair = `${first.code} ${code}`;
    first = null;
    const found = last(list, (one) => one.codes.includes(pair));
    if (found) return found;
  }
  first = null;
  if (list.some((one) => one.codes.some((c) => c.startsWith(`${code} `)))) {
    first = { code, at: event.timeStamp };
    return undefined;
  }
  return last(list, (one) => one.codes.includes(code));
}

function last(list: readonly Action[], fits: (one: Action) => boolean): Action | undefined {
  for (let i = list.length - 1; i >= 0; i--) if (fits(list[i]!)) return list[i];
  return undefined;
}

/** Controls that use these keys themselves. */
function usesKey(target: EventTarget | null, code: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (code !== "Enter" && code !== "Space") return false;
  return target.closest("button, a[href], summary, [role=button], [role=menuitem], label") !== null;
}

export function startKeys(): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented) return;
    const found = findAction(event, actions.list);
    if (!found) return;
    const single = !found.codes.some((c) => c.startsWith("Ctrl+")) && !found.codes.includes("Escape");
    if (single && !looks.keys) return;
    if (document.querySelector("[role=dialog]") && !found.inFields) return;
    if (usesKey(event.target, event.code) && !codeOf(event).startsWith("Ctrl+")) {
      // Some controls give Enter to the page as soon as the page has something to confirm.
      const given = event.target instanceof Element && event.target.closest("[data-enter=page]") !== null;
      if (!given || found.off?.()) return;
    }
    if (event.repeat && !/^(Arrow|Key[JK]$)/.test(event.code)) return;
    event.preventDefault();
    if (found.off?.()) return;
    found.run();
  };
  addEventListener("keydown", listen);
  return () => removeEventListener("keydown", listen);
}
