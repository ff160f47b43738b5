/** `w()` gives this page's words in the person's language: the same choice as the console's. */
import { recall, remember } from "../state/remembered";
import { en } from "../words/reader-en";
import { zh, type ReaderWords } from "../words/reader-zh-TW";

export const language = $state<{ now: "zh-TW" | "en" }>({ now: recall("language") === "en" ? "en" : "zh-TW" });

export function w(): ReaderWords {
  return language.now === "en" ? en : zh;
}

export function applyLanguage(): void {
  document.documentElement.lang = language.now === "en" ? "en" : "zh-Hant-TW";
}

export function switchLanguage(): void {
  language.now = language.now === "en" ? "zh-TW" : "en";
  remember("language", language.now);
}
