/** What people call colours and kinds, in both languages, as the archive's words. */
const COLOURS: Record<string, string> = {
  白: "white", 黑: "black", 灰: "grey", 銀: "silver", 紅: "red", 藍: "blue", 綠: "green", 黃: "yellow", 棕: "brown", 咖啡: "brown", 橙: "orange", 橘: "orange", 紫: "purple", 金: "gold",
  white: "white", black: "black", grey: "grey", gray: "grey", silver: "silver", red: "red", blue: "blue", green: "green", yellow: "yellow", brown: "brown", orange: "orange", purple: "purple", gold: "gold",
}; // prettier-ignore
const KINDS: Record<string, string> = {
  汽車: "car", 小客車: "car", 轎車: "car", 機車: "motorcycle", 摩托車: "motorcycle", 貨車: "truck", 卡車: "truck", 大客車: "bus", 公車: "bus", 巴士: "bus", car: "car", motorcycle: "motorcycle", scooter: "motorcycle", truck: "truck", bus: "bus",
}; // prettier-ignore

/** The colours that a question may name, in the order of menus. */
export const COLOUR_KEYS = ["white", "black", "grey", "silver", "red", "blue", "green", "yellow", "brown", "orange", "purple", "gold"] as const;
export const KIND_KEYS = ["car", "motorcycle", "truck", "bus"] as const;

export function colourOf(said: string): string | null {
  return COLOURS[said.toLowerCase().replace(/色$/u, "")] ?? null;
}

export function kindOf(said: string): string | null {
  return KINDS[said.toLowerCase()] ?? null;
}
