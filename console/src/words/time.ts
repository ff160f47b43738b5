/**
 * Moments as people read them. Everything is UTC milliseconds inside and Taipei time (UTC+8, no daylight saving since
 * 1979) on the screen, whatever zone the browser is in (field case G62).
 */
const DAY = 86_400_000;
const TAIPEI = 8 * 3_600_000;

export type Age = { count: number; unit: "s" | "min" | "h" | "day" };

function parts(ms: number) {
  const d = new Date(ms + TAIPEI);
  const two = (n: number): string => String(n).padStart(2, "0");
  return {
    year: d.getUTCFullYear(),
    month: two(d.getUTCMonth() + 1),
    day: two(d.getUTCDate()),
    hour: two(d.getUTCHours()),
    minute: two(d.getUTCMinutes()),
    second: two(d.getUTCSeconds()),
    milli: String(d.getUTCMilliseconds()).padStart(3, "0"),
    dayNumber: Math.floor((ms + TAIPEI) / DAY),
  };
}

/** `03:12:47` today, `昨 23:08`, `11-24 21:40` this year, `2025-11-24 21:40` before. */
export function clockWords(ms: number, now: number, yesterday: string, withSeconds = true): string {
  const at = parts(ms);
  const today = parts(now);
  const short = `${at.hour}:${at.minute}`;
  if (at.dayNumber === today.dayNumber) return withSeconds ? `${short}:${at.second}` : short;
  if (at.dayNumber === today.dayNumber - 1) return `${yesterday} ${short}`;
  if (at.year === today.year) return `${at.month}-${at.day} ${short}`;
  return `${at.year}-${at.month}-${at.day} ${short}`;
}

/** Date, milliseconds and zone, for the hover. */
export function fullMoment(ms: number): string {
  const p = parts(ms);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}.${p.milli} +08:00`;
}

export function dayWords(ms: number): string {
  const p = parts(ms);
  return `${p.year}-${p.month}-${p.day}`;
}

export function wallClock(ms: number): string {
  const p = parts(ms);
  return `${p.hour}:${p.minute}:${p.second}`;
}

export function hourMinute(ms: number): string {
  const p = parts(ms);
  return `${p.hour}:${p.minute}`;
}

/** Age in the largest sensible unit; never below 0 (a device clock may run ahead). */
export function ageOf(ms: number, now: number): Age {
  const s = Math.max(0, Math.floor((now - ms) / 1000));
  if (s < 60) return { count: s, unit: "s" };
  if (s < 3600) return { count: Math.floor(s / 60), unit: "min" };
  if (s < 86_400) return { count: Math.floor(s / 3600), unit: "h" };
  return { count: Math.floor(s / 86_400), unit: "day" };
}

/** `0:28`, for a claim that runs. */
export function stopwatch(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** Midnight in Taipei of the day that holds `now`, shifted by whole days. */
export function midnight(now: number, days = 0): number {
  return (Math.floor((now + TAIPEI) / DAY) + days) * DAY - TAIPEI;
}

/** Local hour in Taipei, 0-23. */
export function taipeiHour(now: number): number {
  return new Date(now + TAIPEI).getUTCHours();
}

/** Milliseconds of a Taipei wall-clock moment. */
export function taipeiMoment(year: number, month: number, day: number, hour = 0, minute = 0): number {
  return Date.UTC(year, month - 1, day, hour, minute) - TAIPEI;
}
