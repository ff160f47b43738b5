import { afterEach, describe, expect, test, vi } from "vitest";
import { actions, findAction, forgetFirst, secondSteps, startKeys, type Action } from "../src/keys/actions.svelte";
import { isComposing, isEditable, watchComposition } from "../src/keys/ime";

const action = (codes: string[], more: Partial<Action> = {}): Action => ({ label: () => codes[0]!, codes, cap: "", group: "", run: () => undefined, ...more });
const press = (code: string, init: KeyboardEventInit & { keyCode?: number } = {}, target: EventTarget = document.body): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { code, bubbles: true, ...init });
  if (init.keyCode !== undefined) Object.defineProperty(event, "keyCode", { value: init.keyCode });
  Object.defineProperty(event, "target", { value: target });
  return event;
};

afterEach(() => {
  forgetFirst();
  vi.useRealTimers();
});

describe("single keys", () => {
  const list = [action(["KeyJ"]), action(["KeyG KeyL"]), action(["Ctrl+KeyK"], { inFields: true }), action(["Ctrl+Enter"], { inFields: true })];

  test("match the place of the key, whatever character an input method makes of it", () => {
    expect(findAction(press("KeyJ", { key: "ㄨ" }), list)?.codes).toEqual(["KeyJ"]);
  });
  test("never fire in a field", () => {
    const input = document.createElement("input");
    expect(findAction(press("KeyJ", {}, input), list)).toBeUndefined();
    expect(findAction(press("KeyK", { ctrlKey: true }, input), list)?.codes).toEqual(["Ctrl+KeyK"]);
  });
  test("leave the browser its own: Alt, F keys, Ctrl with letters but K", () => {
    const all = [...list, action(["KeyR"]), action(["F5"]), action(["Ctrl+KeyS"])];
    expect(findAction(press("KeyJ", { altKey: true }), all)).toBeUndefined();
    expect(findAction(press("F5"), all)).toBeUndefined();
    expect(findAction(press("KeyS", { ctrlKey: true }), all)).toBeUndefined();
  });
  test("G then L goes to a page; G then nothing known does nothing", () => {
    expect(findAction(press("KeyG"), list)).toBeUndefined();
    expect(findAction(press("KeyL"), list)?.codes).toEqual(["KeyG KeyL"]);
    expect(findAction(press("KeyG"), list)).toBeUndefined();
    expect(findAction(press("KeyX"), list)).toBeUndefined();
    expect(findAction(press("KeyL"), list)).toBeUndefined();
  });
  test("G waits for its second step as long as it is shown, however busy the page was between the two", () => {
    vi.useFakeTimers();
    const busy = (at: number, code: string): KeyboardEvent => {
      const event = press(code);
      Object.defineProperty(event, "timeStamp", { value: at });
      return event;
    };
    findAction(busy(0, "KeyG"), list);
    expect(secondSteps(list, actions.first)).toHaveLength(1);
    vi.advanceTimersByTime(4000);
    expect(findAction(busy(4000, "KeyL"), list)?.codes).toEqual(["KeyG KeyL"]);
    findAction(press("KeyG"), list);
    vi.advanceTimersByTime(5000);
    expect(actions.first).toBeNull();
    expect(findAction(press("KeyL"), list)).toBeUndefined();
  });
  test("Esc, a press of the mouse, a field and another window take the first step back; Shift does not", () => {
    const esc = action(["Escape"]);
    findAction(press("KeyG"), list);
    expect(findAction(press("Escape"), [...list, esc])).toBeUndefined();
    expect(findAction(press("Escape"), [...list, esc])).toBe(esc);
    const stop = startKeys();
    const input = document.body.appendChild(document.createElement("input"));
    for (const forget of [new Event("pointerdown"), new Event("blur")]) {
      findAction(press("KeyG"), list);
      window.dispatchEvent(forget);
      expect(findAction(press("KeyL"), list)).toBeUndefined();
    }
    findAction(press("KeyG"), list);
    input.focus();
    expect(findAction(press("KeyL"), list)).toBeUndefined();
    stop();
    findAction(press("KeyG"), list);
    findAction(press("ShiftLeft"), list);
    expect(findAction(press("KeyL"), list)?.codes).toEqual(["KeyG KeyL"]);
  });
  test("the newest of two deeds on one key wins: a page over the frame", () => {
    const page = action(["KeyJ"]);
    expect(findAction(press("KeyJ"), [...list, page])).toBe(page);
  });
});

describe("an input method", () => {
  test("keeps its keys: while composing, by key code 229, by Process", () => {
    expect(isComposing(press("Enter", { isComposing: true }))).toBe(true);
    expect(isComposing(press("Enter", { keyCode: 229 }))).toBe(true);
    expect(isComposing(press("KeyJ", { key: "Process" }))).toBe(true);
    expect(isComposing(press("Enter"))).toBe(false);
  });
  test("that ends with the Enter itself (Safari) has not sent anything either", () => {
    const field = document.createElement("input");
    watchComposition(field);
    const end = new Event("compositionend");
    field.dispatchEvent(end);
    const enter = press("Enter");
    Object.defineProperty(enter, "timeStamp", { value: end.timeStamp });
    expect(isComposing(enter)).toBe(true);
    const later = press("Enter");
    Object.defineProperty(later, "timeStamp", { value: end.timeStamp + 50 });
    expect(isComposing(later)).toBe(false);
  });
  test("buttons and boxes are no fields", () => {
    const box = document.createElement("input");
    box.type = "checkbox";
    expect(isEditable(box)).toBe(false);
    expect(isEditable(document.createElement("button"))).toBe(false);
    expect(isEditable(document.createElement("textarea"))).toBe(true);
  });
});
