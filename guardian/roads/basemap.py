"""The base map as one PMTiles file: vector tiles that a browser reads by byte ranges, with no server of tiles.

Layers and attributes (the console's style function draws from these and nothing else):

| layer | geometry | attributes | zooms |
|---|---|---|---|
| `water` | polygons: what is not land | – | 6– |
| `land` | polygons | – | 6– |
| `blocks` | polygons between roads, a little shrunk | – | 14– |
| `parks` | polygons | – | 12– |
| `districts` | lines | `level`: `county`, `town`, `village` | county 6–, town 10–, village 14– |
| `roads` | lines | `kind`: `trunk`, `main`, `street`, `lane`, `path`; `oneway`: bool; `name` and `name_vertical` (one character a line) where known | trunk, main 10–, street 12–, lane 13–, path 15– |
| `places` | points | `name`; `kind`: `county`, `town`, `village` | county 6–9, town 10–, village 15– |

A tile that is not in the file is plain land: the style's background has the land's colour. Beside the file stands a
JSON with the same stem: distinct characters of all labels (the browser loads its font for them *before* the style),
bounds, centre, zooms, credit lines, layers.
"""

from __future__ import annotations

import gzip
import json
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.roads.credits import CREDITS
from guardian.roads.osm import RoadKind, RoadLine, load_roads

ZOOM_MIN, ZOOM_MAX = 6, 16
_COUNTRY_ZOOM_MAX = 9  # up to here the whole country is drawn, above it only the covered areas
_EXTENT = 4096
_BUFFER = 96  # units of a tile around its edge, so that wide lines meet across the seam
_PAD_DEG = 0.012  # a covered area reaches this far beyond its outermost road
_R_M = 6378137.0
_WORLD_M = 2 * math.pi * _R_M

_FIRST_ZOOM = {
    RoadKind.TRUNK: 10,
    RoadKind.MAIN: 10,
    RoadKind.STREET: 12,
    RoadKind.LANE: 13,
    RoadKind.PATH: 15,
}
_DATA = Path(__file__).parent / "data"
DISTRICTS = _DATA / "districts.geojson"


class BasemapFacts(msgspec.Struct, frozen=True):
    """What stands beside a base map. Bounds are west, south, east, north; the centre is longitude, latitude."""

    characters: str
    bounds: tuple[float, float, float, float]
    areas: tuple[tuple[float, float, float, float], ...]
    centre: tuple[float, float]
    zoom_min: int
    zoom_max: int
    credits: tuple[str, ...]
    layers: tuple[str, ...]
    tiles: int
    size_bytes: int


def default_basemap() -> Path:
    """The base map that ships with the package: parts of Taipei (大安, 中正) and Hsinchu City."""
    return _DATA / "basemap.pmtiles"


def default_basemap_facts() -> BasemapFacts:
    """The facts beside the shipped base map."""
    return msgspec.json.decode((_DATA / "basemap.json").read_bytes(), type=BasemapFacts)


def mercator(lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """Web Mercator metres (EPSG:3857)."""
    return math.radians(lon_deg) * _R_M, math.log(math.tan(math.pi / 4 + math.radians(lat_deg) / 2)) * _R_M


def tile_of(lon_deg: float, lat_deg: float, zoom: int) -> tuple[int, int]:
    """Column and row of the tile over a place, rows counted from the north."""
    x, y = mercator(lon_deg, lat_deg)
    side = _WORLD_M / 2**zoom
    return int((x + _WORLD_M / 2) // side), int((_WORLD_M / 2 - y) // side)


def _shapely() -> Any:
    """Shapely, which has no types, loaded only when a map is built."""
    return import_module("shapely")


class _Thing(msgspec.Struct):
    """One feature on its way into tiles: geometry in Mercator metres."""

    layer: str
    geometry: Any
    properties: dict[str, Any]
    zoom_first: int
    zoom_last: int = ZOOM_MAX


def build_basemap(
    out: Path,
    pbfs: Sequence[Path],
    *,
    districts: Path = DISTRICTS,
    tell: Callable[[str], None] = lambda _: None,
) -> BasemapFacts:
    """Write `out` (PMTiles) and the JSON beside it from road extracts and district boundaries.

    Args:
        out: the file to write; replaced whole when it is ready.
        pbfs: OpenStreetMap extracts; each is one covered area.
        districts: GeoJSON of polygons with `level` (`county`, `town`, `village`) and `name`.
        tell: hears one sentence for each step.

    Raises:
        InputRefusedError: a file that cannot be read.
    """
    tell("Reading roads")
    per_area = [load_roads(pbf) for pbf in pbfs]
    areas = tuple(_bounds_of(roads) for roads in per_area)
    tell(f"{sum(map(len, per_area))} ways, reading districts")
    things: list[_Thing] = []
    for roads, area in zip(per_area, areas, strict=True):
        things += _road_things(roads)
        things += _block_things(roads, area)
    things += _district_things(districts, areas)
    characters = "".join(
        sorted({sign for thing in things for sign in str(thing.properties.get("name", ""))} | set(" 0123456789"))
    )
    tell(f"{len(things)} features, cutting tiles")
    tiles = _cut(things, areas, tell)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    layers = tuple(sorted({thing.layer for thing in things}))
    bounds = (
        min(a[0] for a in areas),
        min(a[1] for a in areas),
        max(a[2] for a in areas),
        max(a[3] for a in areas),
    )
    centre = ((areas[0][0] + areas[0][2]) / 2, (areas[0][1] + areas[0][3]) / 2)
    _write(part, tiles, bounds, centre, layers)
    part.replace(out)
    facts = BasemapFacts(
        characters=characters,
        bounds=bounds,
        areas=areas,
        centre=centre,
        zoom_min=ZOOM_MIN,
        zoom_max=ZOOM_MAX,
        credits=CREDITS,
        layers=layers,
        tiles=len(tiles),
        size_bytes=out.stat().st_size,
    )
    out.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")
    tell(f"{len(tiles)} tiles, {facts.size_bytes / 1e6:.2f} MB")
    return facts


def _bounds_of(roads: Iterable[RoadLine]) -> tuple[float, float, float, float]:
    lons = [lon for road in roads for lon, _ in road.points]
    lats = [lat for road in roads for _, lat in road.points]
    return (
        round(min(lons) - _PAD_DEG, 5),
        round(min(lats) - _PAD_DEG, 5),
        round(max(lons) + _PAD_DEG, 5),
        round(max(lats) + _PAD_DEG, 5),
    )


def _project(geometry: Any) -> Any:
    import numpy as np

    shapely = _shapely()

    def metres(lonlat: Any) -> Any:
        lat = np.radians(lonlat[:, 1])
        return np.column_stack((np.radians(lonlat[:, 0]) * _R_M, np.log(np.tan(np.pi / 4 + lat / 2)) * _R_M))

    return shapely.transform(geometry, metres)


def _road_things(roads: Sequence[RoadLine]) -> list[_Thing]:
    """Ways joined by name, so that a label has a line long enough to stand on."""
    shapely = _shapely()

    joined: dict[tuple[str, RoadKind, bool], list[Any]] = defaultdict(list)
    for road in roads:
        kind = RoadKind.PATH if road.is_park_way else road.kind
        joined[road.name, kind, road.oneway].append(shapely.LineString(road.points))
    things = []
    for (name, kind, oneway), lines in joined.items():
        merged = shapely.line_merge(shapely.MultiLineString(lines), directed=oneway)
        properties: dict[str, Any] = {"kind": str(kind), "oneway": oneway}
        if name:
            properties |= {"name": name, "name_vertical": "\n".join(name)}
        for line in shapely.get_parts(_project(merged)):
            things.append(_Thing("roads", line, properties, _FIRST_ZOOM[kind]))
    return things


def _block_things(roads: Sequence[RoadLine], area: tuple[float, float, float, float]) -> list[_Thing]:
    """Blocks are the faces between roads; a face that park ways cross is a park."""
    shapely = _shapely()

    carriage = [
        _project(shapely.LineString(r.points)) for r in roads if r.kind is not RoadKind.PATH and not r.is_park_way
    ]
    park_ways = [_project(shapely.LineString(r.points)) for r in roads if r.is_park_way]
    net = shapely.union_all(carriage)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(net).tolist()))
    tree = shapely.STRtree(park_ways) if park_ways else None
    things = []
    for face in faces:
        if not 400 < face.area < 400_000:
            continue
        inset = 11.0 if face.area > 20_000 else 5.0
        shrunk = face.buffer(-inset, join_style="mitre").buffer(-1.5).buffer(1.5)
        if shrunk.is_empty:
            continue
        inner_m = 0.0
        if tree is not None:
            inner_m = sum(park_ways[i].intersection(shrunk).length for i in tree.query(shrunk, predicate="intersects"))
        park = inner_m > 150 and inner_m / math.sqrt(shrunk.area) > 0.7
        things.append(_Thing("parks" if park else "blocks", shrunk, {}, 12 if park else 14))
    return things


def _district_things(path: Path, areas: Sequence[tuple[float, float, float, float]]) -> list[_Thing]:
    shapely = _shapely()
    shape = import_module("shapely.geometry").shape

    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (OSError, ValueError, KeyError) as error:
        raise InputRefusedError(
            f"'{path.name}' is no GeoJSON of districts.", reference="districts-file-broken"
        ) from error
    first = {"county": 6, "town": 10, "village": 14}
    things: list[_Thing] = []
    rings: dict[str, list[Any]] = defaultdict(list)
    county_land: list[Any] = []
    town_land: list[Any] = []
    boxes = shapely.union_all([shapely.box(*area) for area in areas])
    for feature in features:
        properties = feature["properties"]
        level, name = properties["level"], properties["name"]
        plain = shapely.make_valid(shape(feature["geometry"]))
        geometry = _project(plain)
        rings[level].append(geometry.boundary)
        if level == "county":
            county_land.append(geometry)
        elif level == "town":
            town_land.append(geometry)
        last = ZOOM_MAX
        spot = plain
        if level == "county":
            last = 10
        else:
            seen = plain.intersection(boxes)  # the label stands where the map is, not in a far corner of the district
            if seen.is_empty:
                continue
            spot = seen
        biggest = max(shapely.get_parts(spot), key=lambda part: part.area)
        point = _project(biggest.representative_point())
        zoom = {"county": 6, "town": 10, "village": 15}[level]
        things.append(_Thing("places", point, {"name": name, "kind": level}, zoom, last))
    # Shared borders once: lines united over all polygons of a level; a border of a higher level is not drawn again.
    for level, lines in rings.items():
        merged = shapely.line_merge(shapely.union_all(lines))
        last = 10 if level == "county" else ZOOM_MAX
        for line in shapely.get_parts(merged):
            things.append(_Thing("districts", line, {"level": level}, first[level], last))
    land_far, land_near = shapely.union_all(county_land), shapely.union_all(town_land)
    west, south = mercator(117.0, 20.5)
    east, north = mercator(124.5, 27.0)
    sea = shapely.box(west, south, east, north)
    for land, zoom_first, zoom_last in ((land_far, ZOOM_MIN, _COUNTRY_ZOOM_MAX), (land_near, 10, ZOOM_MAX)):
        for part in shapely.get_parts(land):
            things.append(_Thing("land", part, {}, zoom_first, zoom_last))
        water = sea.difference(land)
        if zoom_first == 10:  # only near the covered towns is it known what is sea
            water = water.difference(land_far.buffer(150)).intersection(_project(boxes).buffer(20_000))
        for part in shapely.get_parts(water):
            things.append(_Thing("water", part, {}, zoom_first, zoom_last))
    return things


def _cut(
    things: Sequence[_Thing], areas: Sequence[tuple[float, float, float, float]], tell: Callable[[str], None]
) -> dict[tuple[int, int, int], bytes]:
    """Every tile of the covered areas, encoded and compressed; the whole country on the low zooms."""
    shapely, mapbox_vector_tile = _shapely(), import_module("mapbox_vector_tile")

    tiles: dict[tuple[int, int, int], bytes] = {}
    for zoom in range(ZOOM_MIN, ZOOM_MAX + 1):
        shown = [thing for thing in things if thing.zoom_first <= zoom <= thing.zoom_last]
        side = _WORLD_M / 2**zoom
        unit = side / _EXTENT
        simplified = [
            thing.geometry
            if zoom == ZOOM_MAX or thing.layer == "places"
            else shapely.simplify(thing.geometry, unit * (4 if thing.layer == "roads" else 6))
            for thing in shown
        ]
        tree = shapely.STRtree(simplified)
        spans = areas if zoom > _COUNTRY_ZOOM_MAX else ((118.0, 21.7, 122.3, 26.5),)
        wanted: dict[tuple[int, int], None] = {}
        for west, south, east, north in spans:
            left, top = tile_of(west, north, zoom)
            right, bottom = tile_of(east, south, zoom)
            wanted.update({(x, y): None for x in range(left, right + 1) for y in range(top, bottom + 1)})
        for x, y in wanted:
            west_m = x * side - _WORLD_M / 2
            north_m = _WORLD_M / 2 - y * side
            pad = _BUFFER * unit
            frame = shapely.box(west_m - pad, north_m - side - pad, west_m + side + pad, north_m + pad)
            layers: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for index in sorted(tree.query(frame, predicate="intersects")):
                thing = shown[index]
                clipped = (
                    shapely.clip_by_rect(simplified[index], *frame.bounds)
                    if thing.layer != "places"
                    else simplified[index]
                )
                if clipped.is_empty:
                    continue
                layers[thing.layer].append({"geometry": clipped, "properties": thing.properties})
            if not layers:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # the encoder still calls shapely.ops.transform
                body = mapbox_vector_tile.encode(
                    [{"name": name, "features": features} for name, features in sorted(layers.items())],
                    default_options={
                        "quantize_bounds": (west_m, north_m - side, west_m + side, north_m),
                        "extents": _EXTENT,
                    },
                )
            tiles[zoom, x, y] = gzip.compress(body, 9, mtime=0)
        tell(f"Zoom {zoom}: {len(wanted)} tiles")
    return tiles


def _write(
    path: Path,
    tiles: dict[tuple[int, int, int], bytes],
    bounds: tuple[float, float, float, float],
    centre: tuple[float, float],
    layers: tuple[str, ...],
) -> None:
    tile: Any = import_module("pmtiles.tile")
    writer_of: Any = import_module("pmtiles.writer").Writer

    with path.open("wb") as stream:
        writer = writer_of(stream)
        for key in sorted(tiles, key=lambda k: tile.zxy_to_tileid(*k)):
            writer.write_tile(tile.zxy_to_tileid(*key), tiles[key])
        west, south, east, north = (round(v * 1e7) for v in bounds)
        writer.finalize(
            {
                "tile_type": tile.TileType.MVT,
                "tile_compression": tile.Compression.GZIP,
                "min_lon_e7": west,
                "min_lat_e7": south,
                "max_lon_e7": east,
                "max_lat_e7": north,
                "center_zoom": 14,
                "center_lon_e7": round(centre[0] * 1e7),
                "center_lat_e7": round(centre[1] * 1e7),
            },
            {
                "attribution": " ".join(CREDITS),
                "vector_layers": [
                    {"id": name, "fields": {}, "minzoom": ZOOM_MIN, "maxzoom": ZOOM_MAX} for name in layers
                ],
            },
        )
