/**
 * The search field's tokens, typed or picked. Full width, lower case and a missing dash are accepted; `?` is one
 * character, `*` any number, a leading `~` asks for look-alikes as well.
 */
import { colourOf, kindOf } from "./words";
import { hourMinute, midnight, taipeiMoment } from "../words/time";

export type Token =
  | { kind: "plate"; text: string; lookalike: boolean }
  | { kind: "time"; from_ms: number; until_ms: number; words: string }
  | { kind: "device"; text: string }
  | { kind: "unit"; text: string }
  /** A county, town or village by its name; the cloud knows its border. */
  | { kind: "area"; text: string }
  /** The archive's word for a colour, for a kind of vehicle. */
  | { kind: "colour"; text: string }
  | { kind: "look"; text: string };
export type BadToken = { fault: "sign" | "time" | "empty" | "key" | "colour" | "look"; text: string };
type Key = "device" | "unit" | "plate" | "area" | "colour" | "look";
export type Parsed = { tokens: Token[]; bad: BadToken[] };

const KEYS: Record<string, Key> = {
  設備: "device", device: "device", 警網: "unit", unit: "unit", 車牌: "plate", plate: "plate", 範圍: "area", 地點: "area", area: "area",
  顏色: "colour", 車色: "colour", colour: "colour", color: "colour", 車種: "look", kind: "look",
}; // prettier-ignore

/** What people type, in one width, one dash, one colon; commas of the input method are separators. */
export function clean(typed: string): string {
  return typed
    .normalize("NFKC")
    .replace(/[‐‑‒–—―−－ー~～](?=\s*\d{1,2}:\d{2})/gu, "–")
    .replace(/[‐‑‒—―−]/gu, "-")
    .replace(/[,，、;；]/gu, " ");
}

const TIME = String.raw`(\d{1,2}):(\d{2})`;
const DAY = String.raw`(今日|今天|昨日|昨天|today|yesterday|(?:\d{4}-)?\d{1,2}-\d{1,2})`;
const RANGE = new RegExp(String.raw`^(?:${DAY}\s*)?${TIME}\s*[–-]\s*(?:${DAY}\s*)?${TIME}$`, "iu");
const LAST = /^(?:近|last)\s*(\d{1,3})\s*(?:小時|時|h|hours?)$/iu;
const WHOLE_DAY = new RegExp(`^${DAY}$`, "iu");

function dayStart(word: string | undefined, now: number): number | null {
  if (!word || /^(今日|今天|today)$/iu.test(word)) return midnight(now);
  if (/^(昨日|昨天|yesterday)$/iu.test(word)) return midnight(now, -1);
  const numbers = word.split("-").map(Number);
  const [year, month, day] = numbers.length === 3 ? numbers : [new Date(now + 8 * 3_600_000).getUTCFullYear(), ...numbers];
  if (!year || !month || !day || month > 12 || day > 31) return null;
  const at = taipeiMoment(year, month, day);
  return new Date(at + 8 * 3_600_000).getUTCDate() === day ? at : null;
}

/** `昨日 22:00–06:00`, `近 2 小時`, `今日`; an end before its begin is on the following day. */
export function parseTime(text: string, now: number): { from_ms: number; until_ms: number } | null {
  const last = LAST.exec(text);
  if (last) return { from_ms: now - Number(last[1]) * 3_600_000, until_ms: now };
  const whole = WHOLE_DAY.exec(text);
  if (whole) {
    const from = dayStart(whole[1], now);
    return from === null ? null : { from_ms: from, until_ms: from + 86_400_000 - 1 };
  }
  const range = RANGE.exec(text);
  if (!range) return null;
  const [, day1, h1, m1, day2, h2, m2] = range;
  const first = dayStart(day1, now);
  const second = day2 ? dayStart(day2, now) : first;
  if (first === null || second === null || Number(h1) > 24 || Number(h2) > 24 || Number(m1) > 59 || Number(m2) > 59) return null;
  const from_ms = first + (Number(h1) * 60 + Number(m1)) * 60_000;
  let until_ms = second + (Number(h2) * 60 + Number(m2)) * 60_000;
  if (!day2 && until_ms <= from_ms) until_ms += 86_400_000;
  return until_ms > from_ms ? { from_ms, until_ms } : null;
}

const PLATE = /^~?\s*[A-Z0-9?*-]{1,14}$/u;
const TIMES = new RegExp(String.raw`(?:(?:${DAY})\s*)?\d{1,2}:\d{2}\s*[–-]\s*(?:(?:${DAY})\s*)?\d{1,2}:\d{2}|(?:近|last)\s*\d{1,3}\s*(?:小時|時|hours?|h)|今日|今天|昨日|昨天|today|yesterday`, "giu");

export function parseQuestion(typed: string, now: number): Parsed {
  let text = ` ${clean(typed)} `;
  const out: Parsed = { tokens: [], bad: [] };
  text = text.replace(/(設備|警網|車牌|[a-z]+|[^\s:]+?):\s*("[^"]*"|[^\s:]+(?:\s+(?:機|步)?\s*\d+(?:\s*號)?)?|(?=\s|$))/giu, (whole, key: string, value: string) => {
    if (/\d$/.test(key)) return whole;
    const kind = KEYS[key.toLowerCase()];
    const said = value.replaceAll('"', "").trim();
    if (!kind) out.bad.push({ fault: "key", text: key });
    else if (!said) out.bad.push({ fault: "empty", text: key });
    else if (kind === "plate") return ` ${said} `;
    else if (kind === "colour" || kind === "look") {
      const word = kind === "colour" ? colourOf(said) : kindOf(said);
      if (word === null) out.bad.push({ fault: kind, text: said });
      else out.tokens.push({ kind, text: word });
    } else out.tokens.push({ kind, text: said });
    return " ";
  });
  text = text.replace(TIMES, (words) => {
    const span = parseTime(words.trim(), now);
    if (span) out.tokens.push({ kind: "time", ...span, words: words.trim() });
    else out.bad.push({ fault: "time", text: words.trim() });
    return " ";
  });
  const rest = text.replace(/~\s+/gu, "~").trim();
  for (const word of rest.split(/\s+/u).filter(Boolean)) {
    const upper = word.toUpperCase();
    if (PLATE.test(upper)) out.tokens.push({ kind: "plate", text: upper.replace(/^~\s*/u, ""), lookalike: upper.startsWith("~") });
    else if (/\d:\d/.test(word)) out.bad.push({ fault: "time", text: word });
    else out.bad.push({ fault: "sign", text: word });
  }
  return out;
}

export function spanWords(from_ms: number, until_ms: number): string {
  return `${hourMinute(from_ms)} – ${hourMinute(until_ms)}`;
}
