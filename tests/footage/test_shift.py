"""The made-up shift: the same by seed, on real roads, and with no hit but the planned ones."""

from __future__ import annotations

import io
from collections import defaultdict
from itertools import pairwise

import cv2
import msgspec
import numpy as np
import pytest
from PIL import Image

from guardian.domain.position import distance_m
from guardian.domain.watch import MatchStrength
from guardian.footage import demo_watchlist
from guardian.footage.shift import MISREAD_PLATE, SHIFT_MS, SOURCE, UNITS, Shift
from guardian.footage.shift_art import draw_crop, places_in_crop
from guardian.footage.stills import load_stills
from guardian.roads import BUNDLED, PlaceNames, RoadGraph, load_roads
from guardian.watch.matcher import Matcher

NOW_MS = 1_795_000_000_000


@pytest.fixture(scope="module")
def graph() -> RoadGraph:
    return RoadGraph(load_roads(BUNDLED["taipei-daan"]))


@pytest.fixture(scope="module")
def shift(graph: RoadGraph) -> Shift:
    return Shift(graph, seed=7, now_ms=NOW_MS)


def test_the_same_seed_gives_the_same_shift_and_another_gives_another(graph: RoadGraph, shift: Shift) -> None:
    again, other = Shift(graph, seed=7, now_ms=NOW_MS), Shift(graph, seed=8, now_ms=NOW_MS)
    assert again.history == shift.history and again.at_once == shift.at_once
    third = Shift(graph, seed=7, now_ms=NOW_MS)
    assert [again.live(0, NOW_MS) for _ in range(3)] == [third.live(0, NOW_MS) for _ in range(3)]
    assert {s.plate for s in other.history} != {s.plate for s in shift.history}


def test_a_few_hundred_vehicles_lie_within_the_shift_and_some_were_seen_again_elsewhere(shift: Shift) -> None:
    assert 300 <= len(shift.history) <= 600
    assert all(NOW_MS - SHIFT_MS <= s.captured_ms < NOW_MS for s in shift.history)
    places = defaultdict(list)
    for sighting in shift.history:
        places[sighting.plate].append(sighting)
    again = [seen for seen in places.values() if len(seen) >= 3]
    assert len(again) >= 10
    for seen in again:
        for a, b in pairwise(seen):
            metres = distance_m(a.position.lat_deg, a.position.lon_deg, b.position.lat_deg, b.position.lon_deg)
            hours = (b.captured_ms - a.captured_ms) / 3_600_000
            assert metres / 1000 < 60 * hours, "nobody drives that fast through 大安"
    assert len({s.text for s in places[MISREAD_PLATE]}) >= 3, "one vehicle is read in several ways"


def test_every_sighting_lies_on_a_road_that_has_a_name(shift: Shift) -> None:
    names = PlaceNames(load_roads(BUNDLED["taipei-daan"]))
    assert all(names.find(s.position.lon_deg, s.position.lat_deg, reach_m=40) for s in shift.history)


def test_nothing_is_hit_but_what_the_plan_says(shift: Shift) -> None:
    matcher = Matcher(demo_watchlist(), 1, NOW_MS)
    seen = [*shift.history, *shift.at_once, *shift.soon, *(shift.live(u % 5, NOW_MS) for u in range(300))]
    for sighting, matches in zip(seen, matcher.match_many([s.as_read("d", 1) for s in seen]), strict=True):
        assert bool(matches) is sighting.planned_hit, sighting.text
    (first,) = matcher.match_many([shift.at_once[0].as_read("d", 1)])[0]
    assert first.strength is MatchStrength.LOOKALIKE and first.differing == (6,)
    assert shift.at_once[0].as_read("d", 1).doubtful == (6,)


def test_every_read_says_that_it_is_simulated(shift: Shift) -> None:
    for sighting in (*shift.history, *shift.at_once):
        read = sighting.as_read("d", 1)
        assert read.clock.source == SOURCE and read.position is not None and read.position.source == SOURCE
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(read), type=type(read)) == read


def test_units_move_along_their_loops_and_the_one_on_foot_is_slow_and_has_no_heading(shift: Shift) -> None:
    for number, unit in enumerate(UNITS):
        fixes = [shift.position(number, NOW_MS + 1000 * s) for s in range(0, 120, 5)]
        steps = [distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg) for a, b in pairwise(fixes)]
        assert max(steps) < (18 if unit.kind == "foot" else 90) and sum(steps) > 40
        if unit.kind == "foot":
            assert all(f.heading_deg is None and (f.speed_kmh or 0) < 8 for f in fixes)
        else:
            assert any(f.heading_deg is not None for f in fixes)


def test_a_crop_is_a_small_whole_jpeg_and_the_same_again(shift: Shift) -> None:
    jpeg, width, height = draw_crop(shift.at_once[0], 7)
    assert (jpeg, width, height) == draw_crop(shift.at_once[0], 7)
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert picture.size == (width, height) and picture.format == "JPEG"
    assert len(jpeg) < 20_000


def test_every_planned_hit_has_a_still_of_its_own_with_the_plate_in_it(shift: Shift) -> None:
    planned = [s for s in (*shift.history, *shift.at_once, *shift.soon) if s.planned_hit]
    assert len({s.still for s in planned}) == len(planned) >= 9
    for sighting in planned:
        still = load_stills()[sighting.still]
        jpeg = still.path.read_bytes()
        with Image.open(io.BytesIO(jpeg)) as picture:
            assert picture.size == (still.width_px, still.height_px)
        assert all(0 < x < still.width_px and 0 < y < still.height_px for x, y in still.corners)
        crop, width, height = still.crop(jpeg)
        assert width > height and crop.startswith(b"\xff\xd8")


def ink_in(picture: np.ndarray, places: bytes, *, dark: int) -> list[float]:
    """Share of dark pixels in the middle of each place of a crop."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    middle = grey[height * 2 // 5 : height * 4 // 5]
    edges = [round(share / 255 * width) for share in places]
    return [float((middle[:, a:b] < dark).mean()) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def test_the_places_of_made_up_crops_span_the_plate(shift: Shift) -> None:
    for sighting in shift.at_once[:20]:
        places = places_in_crop(sighting.plate)
        assert len(places) == 2 * len(sighting.plate)
        assert list(places) == sorted(places), "from left to right, and none over the next"
        _, width, _ = draw_crop(sighting, 7)
        assert 14 < places[0] / 255 * width < 45 and width - 45 < places[-1] / 255 * width < width - 14


def test_the_places_of_stills_hold_their_signs() -> None:
    for still in list(load_stills().values())[:6]:
        plate = still.name.partition("-")[0]
        places = still.places(plate)
        assert len(places) == 2 * len(plate)
        jpeg, _, _ = still.crop(still.path.read_bytes())
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        plate_px = picture[:, round(places[0] / 255 * picture.shape[1]) : round(places[-1] / 255 * picture.shape[1])]
        middle_tone = int(np.median(cv2.cvtColor(plate_px, cv2.COLOR_BGR2GRAY))) - 25
        assert min(ink_in(picture, places, dark=middle_tone)) > 0.03, f"{still.name}: every place holds ink"
