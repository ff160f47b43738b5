"""Any OpenStreetMap extract becomes road lines; a broken one is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.errors import InputRefusedError
from guardian.roads.osm import BUNDLED, RoadKind, load_roads
from tests.roads.extracts import write_extract


def test_shipped_extract_of_taipei_knows_its_named_roads() -> None:
    roads = load_roads(BUNDLED["taipei-daan"])
    names = {road.name for road in roads}
    assert {"信義路三段", "復興南路二段", "和平東路二段"} <= names
    assert len(roads) == 3386
    assert sum(road.oneway for road in roads) == 1140


def test_a_way_against_its_own_direction_is_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "a.osm.pbf"
    write_extract(path, [("倒行路", "primary", "-1", [(121.50, 25.00), (121.51, 25.00)])])
    (road,) = load_roads(path)
    assert road.oneway
    assert road.points[0][0] > road.points[-1][0]
    assert road.kind is RoadKind.MAIN


def test_footways_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.osm.pbf"
    write_extract(
        path,
        [
            ("走路", "footway", "no", [(121.50, 25.00), (121.51, 25.00)]),
            ("開車", "residential", "no", [(121.50, 25.01), (121.51, 25.01)]),
        ],
    )
    assert [road.name for road in load_roads(path)] == ["開車"]


@pytest.mark.parametrize(("content", "reference"), [(None, "map-file-missing"), (b"no map at all", "map-file-broken")])
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, content: bytes | None, reference: str) -> None:
    path = tmp_path / "x.osm.pbf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputRefusedError) as refused:
        load_roads(path)
    assert refused.value.reference == reference
    assert str(tmp_path) not in str(refused.value)
