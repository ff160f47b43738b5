/** `w()` gives the catalogue of the person's language; reading it in a template follows the choice. */
import { recall, remember } from "../state/remembered";
import { Fault } from "../api/door";
import type { HealthFinding } from "../api/types";
import { en } from "./en";
import { sayFinding } from "./findings";
import { ageOf, clockWords } from "./time";
import { zh } from "./zh-TW";

/** The zh-TW catalogue is the shape; a key that another language lacks fails the types. */
export type Words = typeof zh;
export type Language = "zh-TW" | "en";

export const language = $state<{ now: Language }>({ now: recall("language") === "en" ? "en" : "zh-TW" });
const catalogues: Record<Language, Words> = { "zh-TW": zh, en };

export function w(): Words {
  return catalogues[language.now];
}

export function applyLanguage(): void {
  document.documentElement.lang = language.now === "en" ? "en" : "zh-Hant-TW";
}

export function switchLanguage(): void {
  language.now = language.now === "en" ? "zh-TW" : "en";
  remember("language", language.now);
}

/** 「12 秒前」; from a day on the date. */
export function ago(ms: number, now: number): string {
  const age = ageOf(ms, now);
  return age.unit === "day" ? clockWords(ms, now, `${w().time.yesterday}`, false) : w().time.ago[age.unit](age.count);
}

/** 「12 秒」. */
export function age(ms: number, now: number): string {
  const it = ageOf(ms, now);
  return w().time.short[it.unit](it.count);
}

export function clockText(ms: number, now: number, withSeconds = true): string {
  return clockWords(ms, now, w().time.yesterday, withSeconds);
}

/** What a fault says to the person: our sentence by its reference, else what the cloud said, and the reference to quote. */
export function faultWords(error: unknown): string {
  if (!(error instanceof Fault)) return w().faultUnknown(error instanceof Error ? error.message : "");
  const known = w().faults[error.reference];
  const said = known ?? (error.sentence ? `${error.sentence}${error.hint ? ` ${error.hint}` : ""}` : (w().faults[`http-${error.status}`] ?? w().faultUnknown("")));
  return `${said}${w().signs.aside(error.reference)}`;
}

/** What is out of band on a device, and its cure. */
export function findingWords(finding: HealthFinding): { sentence: string; cure: string } {
  return sayFinding(finding, language.now);
}

/** Where a clock's time comes from; a source of a newer device by its own name. */
export function clockSource(source = "unset"): string {
  return w().devices.clockSource[source] ?? source;
}

/** 「白 轎車」 from the registry's words. */
export function lookWords(colour: string, kind: string): string {
  const words = w();
  return [words.colours[colour] ?? colour, words.kinds[kind] ?? kind].filter(Boolean).join(" ");
}
