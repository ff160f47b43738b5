/** Theme, density and single keys: the person's choices. Dark from 18:00 to 06:00 until somebody chooses. */
import { recall, remember } from "./remembered";
import { taipeiHour } from "../words/time";

export type Theme = "dark" | "light";

export function themeByHour(now: number): Theme {
  const hour = taipeiHour(now);
  return hour >= 18 || hour < 6 ? "dark" : "light";
}

const chosen = recall("theme");
export const looks = $state({
  theme: (chosen === "dark" || chosen === "light" ? chosen : themeByHour(Date.now())) as Theme,
  wide: recall("density") ? recall("density") === "wide" : (globalThis.matchMedia?.("(pointer: coarse)").matches ?? false),
  keys: recall("keys") !== "off",
});

export function applyLooks(): void {
  document.documentElement.dataset.theme = looks.theme;
  document.documentElement.dataset.density = looks.wide ? "wide" : "tight";
}

export function switchTheme(): void {
  looks.theme = looks.theme === "dark" ? "light" : "dark";
  remember("theme", looks.theme);
}

export function switchDensity(): void {
  looks.wide = !looks.wide;
  remember("density", looks.wide ? "wide" : "tight");
}

export function switchKeys(): void {
  looks.keys = !looks.keys;
  remember("keys", looks.keys ? null : "off");
}
