"""Where is that? The road's name, or honest silence."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.roads import BUNDLED, PlaceNames, default_place_names, load_roads

ROADS = [road for road in load_roads(BUNDLED["taipei-daan"]) if road.name]
NAMES = PlaceNames(ROADS)


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [(121.5402, 25.0334, "信義路三段"), (121.5437, 25.0290, "復興南路二段"), (121.5290, 25.0266, "和平東路一段")],
)
def test_a_place_on_a_road_has_its_name(lon: float, lat: float, name: str) -> None:
    assert NAMES.name_of(lon, lat) == name


def test_a_place_far_from_every_road_has_no_name() -> None:
    assert NAMES.find(121.0, 24.0) is None
    assert NAMES.name_of(121.0, 24.0) == ""


def _slowly(lon: float, lat: float) -> float:
    squeeze, best = math.cos(math.radians(lat)) * 111_195.0, math.inf
    for road in ROADS:
        for (ax, ay), (bx, by) in zip(road.points, road.points[1:], strict=False):
            px, py = (ax - lon) * squeeze, (ay - lat) * 111_195.0
            qx, qy = (bx - lon) * squeeze, (by - lat) * 111_195.0
            dx, dy = qx - px, qy - py
            square = dx * dx + dy * dy
            t = 0.0 if square == 0 else min(1.0, max(0.0, -(px * dx + py * dy) / square))
            best = min(best, math.hypot(px + t * dx, py + t * dy))
    return best


@settings(max_examples=30, deadline=None)
@given(st.floats(121.518, 121.560), st.floats(25.021, 25.041))
def test_the_grid_finds_what_looking_at_every_road_finds(lon: float, lat: float) -> None:
    nearest = _slowly(lon, lat)
    found = NAMES.find(lon, lat, reach_m=150.0)
    if nearest > 150.0:
        assert found is None
    else:
        assert found is not None
        assert found.distance_m == pytest.approx(nearest, abs=1e-6)


def test_thousands_of_answers_a_second() -> None:
    default_place_names()
    started = time.process_time()
    for step in range(2000):
        NAMES.find(121.52 + step * 1e-5, 25.03)
    assert 2000 / (time.process_time() - started) > 1000
