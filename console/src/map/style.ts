/**
 * The base map's looks: one function over the colour tokens for both themes. Land, blocks, parks and four widths of road
 * in greys within .12 of the land's lightness, no colour but a trace of green: the data is the loudest thing on it.
 * Layers and attributes are those of `guardian/roads/basemap.py`. No `glyphs`: labels are drawn with the page's own fonts,
 * Chinese upright along steep roads.
 */
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";

export const TOKEN_NAMES = [
  "map-land",
  "map-block",
  "map-park",
  "map-road",
  "map-road-2",
  "map-edge",
  "map-label",
  "map-halo",
  "line-strong",
  "ink",
  "ink-2",
  "ink-3",
  "ink-on",
  "surface",
  "accent",
  "urgent",
  "urgent-fill",
  "high",
  "high-fill",
  "notice",
  "notice-fill",
] as const;
export type Tokens = Record<(typeof TOKEN_NAMES)[number], string>;

export const LABEL_FONT = "Noto Sans TC Variable";
export const PLATE_FONT = "Atkinson Hyperlegible Mono Variable";

/** Read the tokens now in force from the page, so that screen and map share one number. */
export function tokensOf(element: Element): Tokens {
  const style = getComputedStyle(element);
  return Object.fromEntries(TOKEN_NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Tokens;
}

type Width = [zoom: number, px: number][];
const width = (stops: Width): unknown[] => ["interpolate", ["exponential", 1.5], ["zoom"], ...stops.flat()];

const ROADS: { kind: string; from: number; fill: keyof Tokens; width: Width; edge: number }[] = [
  { kind: "path", from: 15, fill: "map-edge", width: [[15, 0.6], [18, 2]], edge: 0 },
  { kind: "lane", from: 13, fill: "map-road", width: [[13, 0.7], [15, 2.4], [17, 7]], edge: 1.4 },
  { kind: "street", from: 12, fill: "map-road", width: [[12, 0.8], [14, 2.6], [16, 8], [18, 22]], edge: 1.6 },
  { kind: "main", from: 10, fill: "map-road-2", width: [[10, 0.8], [13, 3], [15, 9], [17, 22]], edge: 1.8 },
  { kind: "trunk", from: 9, fill: "map-road-2", width: [[9, 0.9], [13, 3.6], [15, 11], [17, 26]], edge: 2 },
];

export function baseStyle(tokens: Tokens, tiles: string | null): StyleSpecification {
  const layers: LayerSpecification[] = [{ id: "ground", type: "background", paint: { "background-color": tokens["map-land"] } }];
  if (tiles) layers.push(...baseLayers(tokens));
  return {
    version: 8,
    sources: tiles ? { base: { type: "vector", url: tiles } } : {},
    layers,
  } as StyleSpecification;
}

function baseLayers(tokens: Tokens): LayerSpecification[] {
  const of = (layer: string): { source: string; "source-layer": string } => ({ source: "base", "source-layer": layer });
  const out: unknown[] = [
    { id: "water", type: "fill", ...of("water"), paint: { "fill-color": tokens["map-edge"], "fill-opacity": 0.55 } },
    { id: "blocks", type: "fill", ...of("blocks"), minzoom: 14, paint: { "fill-color": tokens["map-block"] } },
    { id: "parks", type: "fill", ...of("parks"), minzoom: 12, paint: { "fill-color": tokens["map-park"] } },
    {
      id: "villages",
      type: "line",
      ...of("districts"),
      minzoom: 14,
      filter: ["==", ["get", "level"], "village"],
      paint: { "line-color": tokens["ink-3"], "line-opacity": 0.28, "line-width": 1, "line-dasharray": [1, 4] },
    },
    {
      id: "districts",
      type: "line",
      ...of("districts"),
      filter: ["!=", ["get", "level"], "village"],
      paint: { "line-color": tokens["ink-3"], "line-opacity": 0.4, "line-width": 1, "line-dasharray": [3, 3] },
    },
  ];
  const road = (kind: string): unknown[] => ["==", ["get", "kind"], kind];
  const round = { "line-cap": "round", "line-join": "round" };
  for (const { kind, from, width: w, edge } of ROADS) {
    if (edge === 0) continue;
    out.push({
      id: `edge-${kind}`,
      type: "line",
      ...of("roads"),
      minzoom: Math.max(from, 13),
      filter: road(kind),
      layout: round,
      paint: { "line-color": tokens["map-edge"], "line-width": width(w.map(([z, px]) => [z, px + edge])) },
    });
  }
  for (const { kind, from, fill, width: w } of ROADS) {
    out.push({
      id: `road-${kind}`,
      type: "line",
      ...of("roads"),
      minzoom: from,
      filter: road(kind),
      layout: round,
      paint: { "line-color": tokens[fill], "line-width": width(w) },
    });
  }
  return out as LayerSpecification[];
}

/** Names of roads and places; put on when the fonts are in, so that the streets need not wait for them. */
export function labelLayers(tokens: Tokens): LayerSpecification[] {
  const of = (layer: string): { source: string; "source-layer": string } => ({ source: "base", "source-layer": layer });
  const road = (kind: string): unknown[] => ["==", ["get", "kind"], kind];
  const out: unknown[] = [];
  const label = { "text-font": [LABEL_FONT], "text-padding": 6 };
  const paint = { "text-color": tokens["map-label"], "text-halo-color": tokens["map-halo"], "text-halo-width": 1.4 };
  for (const [kind, from, size] of [["trunk", 12, 12], ["main", 13, 12], ["street", 15, 11], ["lane", 16, 11]] as const) {
    out.push({
      id: `name-${kind}`,
      type: "symbol",
      ...of("roads"),
      minzoom: from,
      filter: ["all", road(kind), ["has", "name"]],
      layout: { ...label, "symbol-placement": "line", "text-field": ["get", "name"], "text-size": size, "symbol-spacing": 320, "text-max-angle": 30, "text-letter-spacing": 0.04 },
      paint,
    });
  }
  out.push({
    id: "places",
    type: "symbol",
    ...of("places"),
    filter: ["any", ["!=", ["get", "kind"], "village"], [">=", ["zoom"], 15.5]],
    layout: { ...label, "text-field": ["get", "name"], "text-size": ["case", ["==", ["get", "kind"], "village"], 11, 13], "text-letter-spacing": 0.12 },
    paint,
  });
  return out as LayerSpecification[];
}

/** Layers of what is known now, over the base map; their sources are filled by the map component. */
export const DATA_SOURCES = ["area", "trail", "dots", "units", "pins"] as const;

export function dataLayers(tokens: Tokens): LayerSpecification[] {
  const near = ["get", "near"];
  const text = { "text-font": [LABEL_FONT], "text-size": 12, "text-optional": true };
  const halo = { "text-halo-color": tokens["map-halo"], "text-halo-width": 1.6 };
  const layers: unknown[] = [
    { id: "area-fill", type: "fill", source: "area", paint: { "fill-color": tokens.accent, "fill-opacity": 0.08 } },
    { id: "area-line", type: "line", source: "area", paint: { "line-color": tokens.accent, "line-width": 1.5 } },
    { id: "trail-case", type: "line", source: "trail", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": tokens["map-halo"], "line-width": 6 } },
    { id: "trail-sure", type: "line", source: "trail", filter: ["!", ["get", "guess"]], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": tokens.accent, "line-width": 2.5 } },
    { id: "trail-guess", type: "line", source: "trail", filter: ["get", "guess"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": tokens.accent, "line-width": 2.5, "line-dasharray": [0.1, 2.2] } },
    { id: "dots", type: "circle", source: "dots", paint: { "circle-radius": 3.2, "circle-color": tokens["ink-3"], "circle-stroke-color": tokens["map-halo"], "circle-stroke-width": 1 } },
    {
      id: "beaks",
      type: "symbol",
      source: "units",
      filter: ["all", ["has", "heading"], ["==", ["get", "state"], "fresh"]],
      layout: { "icon-image": "beak", "icon-rotate": ["get", "heading"], "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true },
    },
    {
      id: "units",
      type: "symbol",
      source: "units",
      layout: {
        ...text,
        "icon-image": ["concat", "unit-", ["get", "kind"], "-", ["get", "state"]],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "text-field": ["get", "label"],
        "text-variable-anchor-offset": ["left", [1.6, 0], "right", [-1.6, 0], "top", [0, 1.4], "bottom", [0, -1.4]],
        "text-justify": "auto",
      },
      paint: { "text-color": ["match", ["get", "state"], "fresh", tokens.ink, "old", tokens["ink-2"], tokens["ink-3"]], ...halo },
    },
    {
      id: "pins",
      type: "symbol",
      source: "pins",
      layout: { "icon-image": ["get", "icon"], "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["get", "order"] },
    },
    {
      id: "tags",
      type: "symbol",
      source: "pins",
      filter: ["!=", ["get", "plate"], ""],
      layout: {
        "text-font": [PLATE_FONT],
        "text-size": 13,
        "text-field": ["get", "plate"],
        "text-variable-anchor-offset": ["left", [1.9, 0], "right", [-1.9, 0]],
        "text-justify": "auto",
        "icon-image": ["case", near, "tag-near", "tag-exact"],
        "icon-text-fit": "both",
        "icon-text-fit-padding": [1, 5, 1, 5],
        "symbol-sort-key": ["get", "order"],
      },
      paint: { "text-color": tokens.ink },
    },
    {
      id: "numbers",
      type: "symbol",
      source: "pins",
      filter: ["has", "number"],
      layout: { "text-font": [LABEL_FONT], "text-size": 12, "text-field": ["to-string", ["get", "number"]], "text-allow-overlap": true, "text-ignore-placement": true },
      paint: { "text-color": tokens["ink-on"] },
    },
  ];
  return layers as LayerSpecification[];
}
