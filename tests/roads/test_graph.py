"""Routes for drives: along named roads, never against a one-way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.errors import NotFoundError
from guardian.domain.position import distance_m
from guardian.roads import BUNDLED, RoadGraph, load_roads

ROADS = load_roads(BUNDLED["taipei-daan"])
GRAPH = RoadGraph(ROADS)
MAY_DRIVE = {leg for road in ROADS for leg in pairwise(road.points)} | {
    (b, a) for road in ROADS if not road.oneway for a, b in pairwise(road.points)
}
MAIN_NODES = [n for road in ROADS if str(road.kind) == "main" for n in road.nodes]


def test_a_drive_from_road_to_road_follows_them() -> None:
    stops = [GRAPH.crossing("新生南路一段", "信義路三段"), GRAPH.crossing("信義路三段", "復興南路二段")]
    route = GRAPH.through(stops)
    assert route.names.count("信義路三段") > len(route.names) * 0.8
    assert 900 < route.length_m < 1300


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MAIN_NODES), st.sampled_from(MAIN_NODES))
def test_no_leg_goes_against_a_one_way(start: int, goal: int) -> None:
    try:
        route = GRAPH.route(start, goal)
    except NotFoundError:
        return
    assert all(leg in MAY_DRIVE for leg in pairwise(route.points))
    length = sum(distance_m(a[1], a[0], b[1], b[0]) for a, b in pairwise(route.points))
    assert route.length_m == pytest.approx(length, rel=1e-9, abs=1e-6)
    assert len(route.names) == len(route.points) - 1


def test_an_unknown_road_is_named_in_the_refusal() -> None:
    with pytest.raises(NotFoundError, match="無此路"):
        GRAPH.nodes_of("無此路")
