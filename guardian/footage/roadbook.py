"""Which real roads a drive follows, and which roads cross it on the way."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np

from guardian.domain.errors import InputRefusedError
from guardian.domain.position import distance_m
from guardian.footage.model import DriveSpec
from guardian.footage.path import Crossing
from guardian.roads.graph import RoadGraph, Route
from guardian.roads.osm import BUNDLED, RoadKind, RoadLine, load_roads

_KIND_WIDTH_M = {RoadKind.TRUNK: 20.0, RoadKind.MAIN: 18.0, RoadKind.STREET: 11.0, RoadKind.LANE: 6.0}


@lru_cache(maxsize=2)
def _network(area: str) -> tuple[RoadGraph, tuple[RoadLine, ...]]:
    if area not in BUNDLED:
        raise InputRefusedError(
            f"There is no area '{area}'.", hint="Take one of: " + ", ".join(BUNDLED), reference="drive-area"
        )
    roads = tuple(load_roads(BUNDLED[area]))
    return RoadGraph(roads), roads


def find_drive(spec: DriveSpec) -> tuple[list[tuple[float, float]], list[str], list[Crossing]]:
    """Points (longitude, latitude), the road of each leg, and crossings along the drive.

    Raises:
        InputRefusedError: an area or a road that is not there.
    """
    graph, roads = _network(spec.area)
    wanted_m = spec.seconds * spec.speed_kmh / 3.6 + 60
    route = _follow(graph, spec.roads) if len(spec.roads) >= 2 else _wander(graph, roads, spec, wanted_m)
    points = [route.points[0]]
    names: list[str] = []
    for point, name in zip(route.points[1:], route.names, strict=True):
        if distance_m(points[-1][1], points[-1][0], point[1], point[0]) < 0.5:
            continue
        points.append(point)
        names.append(name or (names[-1] if names else ""))
    points, names = _cut(points, names, spec.start_m)
    return points, names, _crossings(points, names, roads)


def _cut(
    points: list[tuple[float, float]], names: list[str], start_m: float
) -> tuple[list[tuple[float, float]], list[str]]:
    """Leave out the first metres; the cut may fall between two points."""
    for index, (a, b) in enumerate(pairwise(points)):
        length = distance_m(a[1], a[0], b[1], b[0])
        if start_m < length:
            share = start_m / length
            first = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
            return [first, *points[index + 1 :]], names[index:]
        start_m -= length
    raise InputRefusedError("The drive would begin behind the end of its roads.", reference="drive-length")


def _follow(graph: RoadGraph, names: tuple[str, ...]) -> Route:
    stops = [graph.crossing(a, b) for a, b in pairwise(names)]
    return graph.through(stops)


def _wander(graph: RoadGraph, roads: tuple[RoadLine, ...], spec: DriveSpec, wanted_m: float) -> Route:
    """A route of about the wanted length between two places on main roads, chosen by seed; straight ones first."""
    rng = np.random.default_rng((spec.seed, 9))
    ends = [
        n
        for road in roads
        if road.kind in (RoadKind.MAIN, RoadKind.STREET) and not road.is_park_way
        for n in road.nodes
    ]
    best: tuple[float, Route] | None = None
    for _ in range(40):
        start, goal = (int(ends[int(i)]) for i in rng.integers(0, len(ends), 2))
        (alon, alat), (blon, blat) = graph.place_of(start), graph.place_of(goal)
        direct = distance_m(alat, alon, blat, blon)
        if not wanted_m * 0.6 < direct < max(wanted_m * 2.0, 600):
            continue
        try:
            route = graph.route(start, goal)
        except Exception:  # noqa: S112 - one-ways can make a place unreachable; another pair is drawn
            continue
        bent = route.length_m / max(direct, 1.0) + max(0.0, wanted_m - route.length_m) / 100
        if best is None or bent < best[0]:
            best = (bent, route)
    if best is None:
        raise InputRefusedError("No drive of that length was found.", hint="Shorten it.", reference="drive-length")
    return best[1]


def _crossings(points: list[tuple[float, float]], names: list[str], roads: tuple[RoadLine, ...]) -> list[Crossing]:
    on_way: dict[tuple[float, float], tuple[float, str]] = {}
    along = 0.0
    for index, point in enumerate(points):
        if index:
            before = points[index - 1]
            along += distance_m(before[1], before[0], point[1], point[0])
        on_way[point] = (along, names[min(index, len(names) - 1)])
    widest: dict[int, Crossing] = {}
    for road in roads:
        width = _KIND_WIDTH_M.get(road.kind)
        if width is None or road.is_park_way:
            continue
        for point in road.points:
            found = on_way.get(point)
            if found is None or found[1] == road.name or not found[0] > 0:
                continue
            key = math.floor(found[0] / 30)
            new = Crossing(found[0], width, road.name, road.kind in (RoadKind.MAIN, RoadKind.STREET))
            if key not in widest or widest[key].width_m < width:
                widest[key] = new
    out: list[Crossing] = []
    for crossing in sorted(widest.values(), key=lambda c: c.s_m):
        if out and crossing.s_m - out[-1].s_m < 26:
            if crossing.width_m > out[-1].width_m:
                out[-1] = crossing
            continue
        out.append(crossing)
    return out
