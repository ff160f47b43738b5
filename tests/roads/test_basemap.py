"""The base map: what the browser will ask for is in it, by ranges, with every label's characters beside it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pmtiles.reader import Reader

from guardian.domain.errors import InputRefusedError
from guardian.roads import CREDITS, build_basemap, default_basemap, default_basemap_facts
from guardian.roads.basemap import tile_of
from tests.roads.extracts import write_extract


class Ranges:
    """A file that is only ever read by ranges, and remembers them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lengths: list[int] = []

    def __call__(self, offset: int, length: int) -> bytes:
        self.lengths.append(length)
        with self._path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)


def tile_at(path: Path, lon: float, lat: float, zoom: int) -> dict[str, Any]:
    body = Reader(Ranges(path)).get(zoom, *tile_of(lon, lat, zoom))
    assert body is not None
    return mapbox_vector_tile.decode(gzip.decompress(body))


def names(tile: dict[str, Any], layer: str) -> set[str]:
    return {f["properties"].get("name", "") for f in tile.get(layer, {}).get("features", [])}


def test_a_tile_over_xinyi_road_names_it() -> None:
    tile = tile_at(default_basemap(), 121.5402, 25.0333, 15)
    assert "信義路三段" in names(tile, "roads")
    kinds = {f["properties"]["kind"] for f in tile["roads"]["features"]}
    assert {"main", "lane"} <= kinds <= {"trunk", "main", "street", "lane", "path"}


def test_both_areas_and_the_whole_country_are_there() -> None:
    assert "大安區" in names(tile_at(default_basemap(), 121.5434, 25.0264, 11), "places")
    assert tile_at(default_basemap(), 120.9686, 24.8015, 14)["roads"]["features"]
    assert "台東縣" in names(tile_at(default_basemap(), 121.0, 23.0, 6), "places")


def test_daan_forest_park_is_a_park_and_the_strait_is_water() -> None:
    assert tile_at(default_basemap(), 121.5354, 25.0300, 15)["parks"]["features"]
    assert tile_at(default_basemap(), 120.905, 24.83, 12)["water"]["features"]


def test_the_map_is_read_by_small_ranges() -> None:
    ranges = Ranges(default_basemap())
    assert Reader(ranges).get(15, *tile_of(121.5402, 25.0333, 15)) is not None
    assert sum(ranges.lengths) < default_basemap().stat().st_size / 4


def test_a_tile_beyond_the_edge_is_absent_not_an_error() -> None:
    assert Reader(Ranges(default_basemap())).get(15, *tile_of(120.2, 23.0, 15)) is None


def test_every_character_of_every_label_is_announced() -> None:
    facts = default_basemap_facts()
    known = set(facts.characters)
    for zoom, lon, lat in ((8, 121.5, 25.0), (12, 121.54, 25.03), (15, 121.54, 25.03), (16, 120.97, 24.80)):
        tile = tile_at(default_basemap(), lon, lat, zoom)
        for layer in ("roads", "places"):
            for name in names(tile, layer):
                assert set(name) <= known, name


def test_credit_lines_stand_in_the_map_and_beside_it() -> None:
    assert default_basemap_facts().credits == CREDITS
    assert "© OpenStreetMap contributors (ODbL 1.0)" in Reader(Ranges(default_basemap())).metadata()["attribution"]


def test_a_map_is_built_from_any_extract(tmp_path: Path) -> None:
    extract = tmp_path / "town.osm.pbf"
    write_extract(
        extract,
        [
            ("測試路", "primary", "yes", [(121.530, 25.030), (121.534, 25.030), (121.534, 25.032)]),
            ("試驗巷", "residential", "no", [(121.534, 25.032), (121.530, 25.032), (121.530, 25.030)]),
        ],
    )
    said: list[str] = []
    facts = build_basemap(tmp_path / "map.pmtiles", [extract], tell=said.append)
    tile = tile_at(tmp_path / "map.pmtiles", 121.532, 25.031, 14)
    assert names(tile, "roads") == {"測試路", "試驗巷"}
    assert {f["properties"]["oneway"] for f in tile["roads"]["features"]} == {True, False}
    assert set("測試路試驗巷") <= set(facts.characters)
    assert facts.bounds[0] < 121.530 < 121.534 < facts.bounds[2]
    assert (tmp_path / "map.json").exists()
    assert not list(tmp_path.glob("*.part"))
    assert said


def test_districts_that_are_no_geojson_are_refused(tmp_path: Path) -> None:
    extract = tmp_path / "town.osm.pbf"
    write_extract(extract, [("測試路", "primary", "no", [(121.530, 25.030), (121.534, 25.030)])])
    broken = tmp_path / "districts.geojson"
    broken.write_text("{}")
    with pytest.raises(InputRefusedError, match="districts-file-broken"):
        build_basemap(tmp_path / "map.pmtiles", [extract], districts=broken)
    assert not (tmp_path / "map.pmtiles").exists()


@given(st.floats(119.0, 122.5), st.floats(21.5, 26.5), st.integers(0, 21))
def test_a_place_lies_in_the_child_of_its_tile(lon: float, lat: float, zoom: int) -> None:
    x, y = tile_of(lon, lat, zoom)
    child_x, child_y = tile_of(lon, lat, zoom + 1)
    assert (child_x // 2, child_y // 2) == (x, y)
    assert 0 <= x < 2**zoom and 0 <= y < 2**zoom
