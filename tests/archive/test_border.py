"""A border decides the same in the column store, in Python and by another reckoning, on its very edge too."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.archive.area import Region, crosses, named_region, units
from guardian.archive.sql import region_conditions
from guardian.domain.position import Position
from guardian.roads.areas import default_areas
from tests.archive.builders import NOW_MS, held, make_read, pack
from tests.archive.house import open_engine

Point = tuple[int, int]
places = st.tuples(st.integers(0, 12), st.integers(0, 12))
rings = st.lists(st.lists(places, min_size=3, max_size=9), min_size=1, max_size=4)


def region_with(rings: list[list[Point]]) -> Region:
    """Rings in whole units; few of them, so that corners, level edges and edges over one another are common."""
    lons, lats = [x for ring in rings for x, _ in ring], [y for ring in rings for _, y in ring]
    first, *others = (tuple(ring) for ring in rings)
    return Region(min(lats), max(lats), min(lons), max(lons), first, tuple(others))


def by_ray_northwards(rings: list[list[Point]], place: Point) -> bool | None:
    """Even or odd along the other axis, in fractions; None on an edge, where the two rules may differ."""
    lon, lat = place
    odd = False
    for ring in rings:
        for (ax, ay), (bx, by) in zip(ring, (*ring[1:], *ring[:1]), strict=True):
            level = (bx - ax) * (lat - ay) == (by - ay) * (lon - ax)
            if level and min(ax, bx) <= lon <= max(ax, bx) and min(ay, by) <= lat <= max(ay, by):
                return None
            if (ax <= lon) != (bx <= lon):
                odd ^= ay + Fraction((lon - ax) * (by - ay), bx - ax) > lat
    return odd


@given(rings=rings, place=places)
def test_the_edges_of_its_band_decide_a_place_as_all_edges_do(rings: list[list[Point]], place: Point) -> None:
    region = region_with(rings)
    lon, lat = place
    height, bands = region.bands()
    within = region.south <= lat <= region.north and region.west <= lon <= region.east
    of_band = bands[(lat - region.south) // height] if within and bands else []
    assert (within and sum(crosses(edge, lon, lat) for edge in of_band) % 2 == 1) == region.contains(lon, lat)
    other = by_ray_northwards(rings, place)
    assert other is None or region.contains(lon, lat) == other


def test_a_place_at_penghu_is_held_against_a_few_of_its_353_edges() -> None:
    region = named_region(default_areas().find("澎湖縣"))
    _, bands = region.bands()
    assert len(region.edges()) == 353
    assert sum(map(len, bands)) / len(bands) < 12 and max(map(len, bands)) < 60


def at_the_border(region: Region) -> set[Point]:
    """Each corner and the middle of each edge, and the places around them, one unit away: about a metre."""
    found = set()
    for x1, y1, x2, y2 in region.edges():
        for lon, lat in ((x1, y1), (x2, y2), ((x1 + x2) // 2, (y1 + y2) // 2)):
            found |= {(lon + dx, lat + dy) for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))}
    return found


HOLED = [
    [(121.0, 25.0), (121.9, 25.0), (121.9, 25.5), (121.0, 25.5)],
    [(121.53, 25.0), (121.56, 25.0), (121.56, 25.1), (121.53, 25.1)],
]
STAR = [[(121.0, 24.0), (121.4, 24.9), (121.8, 24.0), (120.8, 24.6), (122.0, 24.6)]]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "area", ["澎湖縣", "嘉義市", HOLED, STAR], ids=["many islands", "a town", "a hole", "an edge over another"]
)
async def test_the_column_store_gives_the_same_answer_to_the_last_metre(tmp_path: Path, area: object) -> None:
    region = named_region(default_areas().find(area) if isinstance(area, str) else area)  # type: ignore[arg-type]
    rng = random.Random(60)
    asked = at_the_border(region)
    asked |= {(rng.randint(region.west, region.east), rng.randint(region.south, region.north)) for _ in range(500)}
    rows = [
        held(make_read(n, crop=None, position=Position(lat / 100_000, lon / 100_000, NOW_MS)))
        for n, (lon, lat) in enumerate(sorted(asked), 1)
    ]
    assert all((units(lon / 100_000), units(lat / 100_000)) == (lon, lat) for lon, lat in asked)
    archive = open_engine("chdb", tmp_path, lambda: NOW_MS)
    try:
        await archive.insert(rows, [pack(row.read) for row in rows], token="t1")
        found = await archive._ask(f"SELECT lon5, lat5 FROM sight WHERE {' AND '.join(region_conditions(region))}")  # type: ignore[attr-defined]
    finally:
        await archive.close()
    inside = {place for place in asked if region.contains(*place)}
    assert {(lon, lat) for lon, lat in found} == inside
    assert 0 < len(inside) < len(asked)
