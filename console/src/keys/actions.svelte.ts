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
  /** The first step of a two-step key while it waits for its second; the page shows what may follow. */
  first = $state.raw<string | null>(null);
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

/**
 * How long a first step waits. It is shown meanwhile, so nobody is surprised by its second step; a time too short to be
 * seen would lose the step of a slow hand, and of a page that is busy between the two (loading its map, say).
 */
const FIRST_WAITS_MS = 5000;
let firstEnds: ReturnType<typeof setTimeout> | undefined;

function begin(code: string): void {
  actions.first = code;
  clearTimeout(firstEnds);
  firstEnds = setTimeout(forgetFirst, FIRST_WAITS_MS);
}

/** The second step is not to come: Esc, a press of the mouse, another window, a field. */
export function forgetFirst(): void {
  clearTimeout(firstEnds);
  actions.first = null;
}

/** What may follow the first step that waits. */
export function secondSteps(list: readonly Action[], first: string | null): { cap: string; label: string }[] {
  if (first === null) return [];
  const follows = (one: Action): boolean => one.codes.some((code) => code.startsWith(`${first} `));
  return list.filter(follows).map((one) => ({ cap: one.cap.split(" ").at(-1)!, label: one.label() }));
}

export function codeOf(event: KeyboardEvent): string {
  // Where ? stands differs from keyboard to keyboard; its character decides.
  if (event.key === "?" && !event.ctrlKey && !event.metaKey) return "Shift+Slash";
  const ctrl = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return `${ctrl}${event.shiftKey ? "Shift+" : ""}${event.code}`;
}

const MODIFIERS = /^(Shift|Control|Alt|Meta|CapsLock)/;

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
  const { first } = actions;
  if (first !== null && !MODIFIERS.test(event.code)) {
    forgetFirst();
    const found = last(list, (one) => one.codes.includes(`${first} ${code}`));
    if (found || code === "Escape") return found;
  }
  if (list.some((one) => one.codes.some((c) => c.startsWith(`${code} `)))) {
    if (!event.repeat) begin(code);
    return undefined;
  }
  return last(list, (one) => one.codes.includes(code));
}

function last(list: readonly Action[], fits: (one: Action) => boolean): Action | undefined {
  for (let i = list.length - 1; i >= 0; i--) if (fits(list[i]!)) return list[i];
  return undefined;
}

function isTwoStep(one: Action): boolean {
  return one.codes.some((code) => code.includes(" "));
}

/** Controls that use these keys themselves. */
function usesKey(target: EventTarget | null, code: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (code !== "Enter" && code !== "Space") return false;
  return target.closest("button, a[href], summary, [role=button], [role=menuitem], label") !== null;
}

/** How long typing is kept for a field that is on its way (a page whose code still comes). */
const AHEAD_WAITS_MS = 10_000;
let ahead: { text: string; until: number } | null = null;

/** A deed brings a page with a field: what is typed before the field is there belongs into it and does no other deed. */
export function typeAhead(): void {
  ahead = { text: "", until: performance.now() + AHEAD_WAITS_MS };
}

/** The field is there: what was typed meanwhile. */
export function takeTyped(): string {
  const text = ahead?.text ?? "";
  ahead = null;
  return text;
}

/** Whether the key was kept for the field. Anything but text (Esc, Tab, a press of the mouse) ends the keeping. */
function keepTyped(event: KeyboardEvent): boolean {
  if (!ahead) return false;
  if (performance.now() > ahead.until || isEditable(event.target)) ahead = null;
  else if (event.ctrlKey || event.metaKey || event.altKey || isComposing(event)) return false;
  else if (event.key.length === 1) ahead.text += event.key;
  else if (event.key === "Backspace") ahead.text = ahead.text.slice(0, -1);
  else if (event.key === "Enter") return true; // a question is asked by an Enter that saw it
  else if (!MODIFIERS.test(event.code)) ahead = null;
  return ahead !== null;
}

export function startKeys(): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented) return;
    if (keepTyped(event)) {
      event.preventDefault();
      return;
    }
    const found = findAction(event, looks.keys ? actions.list : actions.list.filter((one) => !isTwoStep(one)));
    if (!found) return;
    const single = !found.codes.some((c) => c.startsWith("Ctrl+")) && !found.codes.includes("Escape");
    if (single && !looks.keys) return;
    if (document.querySelector("[role=dialog]") && !found.inFields) return;
    if (usesKey(event.target, event.code) && !codeOf(event).startsWith("Ctrl+")) {
      // Some controls give Enter to the page as soon as the page has something to confirm.
      const given = event.target instanceof Element && event.target.closest(event.code === "Space" ? "[data-space=page]" : "[data-enter=page]") !== null;
      if (!given || found.off?.()) return;
    }
    if (event.repeat && !/^(Arrow|Key[JK]$)/.test(event.code)) return;
    event.preventDefault();
    if (found.off?.()) return;
    found.run();
  };
  const pressed = (): void => {
    forgetFirst();
    ahead = null;
  };
  const toField = (event: FocusEvent): void => {
    if (isEditable(event.target)) forgetFirst();
  };
  addEventListener("keydown", listen);
  addEventListener("pointerdown", pressed);
  addEventListener("blur", forgetFirst);
  addEventListener("focusin", toField);
  return () => {
    removeEventListener("keydown", listen);
    removeEventListener("pointerdown", pressed);
    removeEventListener("blur", forgetFirst);
    removeEventListener("focusin", toField);
    forgetFirst();
  };
}
