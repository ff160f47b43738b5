/** Keys that belong to an input method or to a field are none of ours (field case G37). */

let endedAt = Number.NEGATIVE_INFINITY;

/** Safari ends the composition first and sends the Enter that chose the word afterwards, with keyCode 229. */
export function watchComposition(target: EventTarget): void {
  target.addEventListener("compositionend", (event) => {
    endedAt = event.timeStamp;
  });
}

/** Whether this key press chose a word in an input method instead of meaning what it says. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229 || event.key === "Process" || event.timeStamp - endedAt < 1;
}

/** Whether typing goes into this element. */
export function isEditable(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["button", "checkbox", "radio", "submit", "file", "range"].includes(target.type);
}
