/** What pages put on the map, and its GeoJSON. Positions are longitude, latitude. */
import type { HitCard, ReadRow, UnitView } from "../api/types";

export type LonLat = [number, number];
export type Box = { lon_min: number; lat_min: number; lon_max: number; lat_max: number };
/** An area that a person drew: a box, or the corners of a polygon. */
export type Drawn = Box | { points: LonLat[] };
export type Stop = { id: string; number: number; lon: number; lat: number; plate: string; near: boolean };
export type Trail = { points: LonLat[]; guess: boolean };
export type Freshness = "fresh" | "old" | "lost";

type Feature = { type: "Feature"; geometry: unknown; properties: Record<string, unknown> };
export type Collection = { type: "FeatureCollection"; features: Feature[] };

const point = (at: LonLat, properties: Record<string, unknown>): Feature => ({ type: "Feature", geometry: { type: "Point", coordinates: at }, properties });
export const collect = (features: Feature[]): Collection => ({ type: "FeatureCollection", features });

/** Fresh ≤ 60 s, old ≤ 5 min, then lost: by the fix's own time, whatever the last word of the cloud was. */
export function freshnessOf(unit: Pick<UnitView, "fixed_ms" | "seen_ms">, now: number): Freshness {
  const s = (now - (unit.fixed_ms ?? unit.seen_ms)) / 1000;
  return s <= 60 ? "fresh" : s <= 300 ? "old" : "lost";
}

/** No beak when heading is unknown or the unit stands. */
export function headingOf(unit: UnitView): number | null {
  return unit.heading_deg !== null && (unit.speed_kmh ?? 0) >= 5 ? unit.heading_deg : null;
}

export function unitFeature(unit: UnitView, at: LonLat, state: Freshness, label: string): Feature {
  const heading = headingOf(unit);
  return point(at, {
    id: unit.device_id,
    kind: unit.kind === "motorcycle" || unit.kind === "foot" ? unit.kind : "car",
    state,
    label,
    ...(heading === null ? {} : { heading }),
  });
}

export function pinFeature(hit: HitCard): Feature | null {
  if (hit.lat_deg === null || hit.lon_deg === null) return null;
  const near = hit.strength === "lookalike";
  return point([hit.lon_deg, hit.lat_deg], {
    id: hit.id,
    icon: `pin-${hit.priority}-${near ? "near" : "exact"}`,
    near,
    plate: hit.priority === 3 ? "" : hit.read_display,
    order: hit.priority,
  });
}

export function stopFeature(stop: Stop): Feature {
  return point([stop.lon, stop.lat], { id: stop.id, icon: "stop", near: stop.near, plate: stop.number === 1 ? stop.plate : "", number: stop.number, order: stop.number });
}

export function trailFeature(trail: Trail): Feature {
  return { type: "Feature", geometry: { type: "LineString", coordinates: trail.points }, properties: { guess: trail.guess } };
}

export function ringOf(drawn: Drawn): LonLat[] {
  if ("points" in drawn) return [...drawn.points, drawn.points[0]!];
  const { lon_min: w, lat_min: s, lon_max: e, lat_max: n } = drawn;
  return [[w, s], [e, s], [e, n], [w, n], [w, s]];
}

/** Each ring by itself: an island is not a hole of its mainland. */
export function areaFeatures(rings: readonly LonLat[][]): Feature[] {
  return rings.map((ring) => ({ type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties: {} }));
}

const EARTH_M = 6_371_008.8;
export function metresBetween(a: LonLat, b: LonLat): number {
  const rad = Math.PI / 180;
  const x = (b[0] - a[0]) * rad * Math.cos(((a[1] + b[1]) / 2) * rad);
  const y = (b[1] - a[1]) * rad;
  return Math.hypot(x, y) * EARTH_M;
}

/** Reads lie close enough that one way only is plausible: at most 400 m and 2 min apart. Everything else is a guess. */
export function trailOf(reads: readonly ReadRow[]): Trail[] {
  const placed = reads
    .filter((read): read is ReadRow & { lat_deg: number; lon_deg: number } => read.lat_deg !== null && read.lon_deg !== null)
    .toSorted((a, b) => a.captured_ms - b.captured_ms);
  const out: Trail[] = [];
  for (let i = 1; i < placed.length; i++) {
    const a = placed[i - 1]!;
    const b = placed[i]!;
    const points: LonLat[] = [
      [a.lon_deg, a.lat_deg],
      [b.lon_deg, b.lat_deg],
    ];
    if (points[0]![0] === points[1]![0] && points[0]![1] === points[1]![1]) continue;
    out.push({ points, guess: metresBetween(points[0]!, points[1]!) > 400 || b.captured_ms - a.captured_ms > 120_000 });
  }
  return out;
}
