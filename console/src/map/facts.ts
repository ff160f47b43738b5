/** What stands beside the base map: characters of its labels, bounds, centre, credits. */
import { fetchFile } from "../api/door";

export type BasemapFacts = {
  characters: string;
  bounds: [number, number, number, number];
  areas: [number, number, number, number][];
  centre: [number, number];
  credits: string[];
};

const ADDRESS = "/basemap/labels.json";
let asked: Promise<BasemapFacts | null> | undefined;

export function loadFacts(): Promise<BasemapFacts | null> {
  asked ??= fetchFile<BasemapFacts>(ADDRESS).then((facts) => {
    if (!facts) asked = undefined;
    return facts;
  });
  return asked;
}

/** The fonts must be in before the style, else labels are drawn with a fallback: the family is split by code range. */
export async function loadFonts(characters: string): Promise<void> {
  await Promise.allSettled([
    document.fonts.load('500 12px "Noto Sans TC Variable"', `${characters}即時失聯分秒前小號機步`),
    document.fonts.load('600 13px "Atkinson Hyperlegible Mono Variable"', "ABC-0123456789"),
  ]);
}

export const TILES_ADDRESS = "/basemap/guardian.pmtiles";
/** Where to look before anything is known: Da'an, Taipei. */
export const HOME: [number, number] = [121.5389, 25.0309];
