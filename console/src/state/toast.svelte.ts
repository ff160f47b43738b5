/** The outcome of my own deed: at most one, 10 s when it can be taken back, else 4 s. Never for an alarm. */
export type Toast = { text: string; undo?: () => void; until: number };

export const toast = $state<{ now: Toast | null }>({ now: null });
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, undo?: () => void): void {
  const lasts = undo ? 10_000 : 4_000;
  clearTimeout(timer);
  toast.now = undo ? { text, undo, until: Date.now() + lasts } : { text, until: Date.now() + lasts };
  timer = setTimeout(hush, lasts);
}

export function hush(): void {
  clearTimeout(timer);
  toast.now = null;
}

export function undoLast(): void {
  const undo = toast.now?.undo;
  hush();
  undo?.();
}
