/** Moving through rows by keyboard: one row of a list is in the tab order, arrows and J K go through it. */
export function focusRow(list: Element | null, index: number): void {
  const rows = list?.querySelectorAll<HTMLElement>("[data-row]");
  const row = rows?.[Math.max(0, Math.min(index, rows.length - 1))];
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}
