/** The console's clock: the cloud's time, kept by the offset seen at the last answer; ticks once a second. */
export const clock = $state({ now: Date.now(), offset_ms: 0 });

export function serverNow(): number {
  return Date.now() + clock.offset_ms;
}

/** `server_ms` was said between two readings of our own clock. */
export function setServerTime(server_ms: number, asked: number, answered: number): void {
  clock.offset_ms = server_ms - (asked + answered) / 2;
  clock.now = serverNow();
}

export function startClock(): () => void {
  const timer = setInterval(() => {
    clock.now = serverNow();
  }, 1000);
  return () => clearInterval(timer);
}
