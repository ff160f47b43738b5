/** Named areas of our own map: counties, towns, villages, with their borders for drawing. The cloud decides what a name means. */
import { fetchFile } from "../api/door";
import type { LonLat } from "./shapes";

export type NamedArea = { name: string; county: string; level: "county" | "town" | "village"; rings: LonLat[][] };
type Feature = { properties: { name: string; county: string; level: NamedArea["level"] }; geometry: { type: string; coordinates: unknown } };

const ADDRESS = "/basemap/areas.geojson";
const LEVELS = ["county", "town", "village"];
let asked: Promise<NamedArea[]> | undefined;

export function loadAreas(): Promise<NamedArea[]> {
  asked ??= fetchFile<{ features: Feature[] }>(ADDRESS).then((file) => {
    if (!file) asked = undefined;
    return (file?.features ?? [])
      .map(({ properties, geometry }) => ({ ...properties, rings: (geometry.type === "MultiPolygon" ? (geometry.coordinates as LonLat[][][]).flat() : geometry.coordinates) as LonLat[][] }))
      .toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  });
  return asked;
}

/** 臺 and 台 are one, in search. */
export function plainName(said: string): string {
  return said.normalize("NFKC").replaceAll("臺", "台").replaceAll(" ", "");
}

export function fullName(area: NamedArea): string {
  return area.level === "county" ? area.name : area.county + area.name;
}

/** The area of that name, the larger level first; undefined where none or several of that level have it. */
export function findArea(areas: readonly NamedArea[], said: string): NamedArea | undefined {
  const name = plainName(said);
  const fits = areas.filter((one) => plainName(one.name) === name || plainName(fullName(one)) === name);
  const first = fits.filter((one) => one.level === fits[0]?.level);
  return first.length === 1 ? first[0] : undefined;
}
