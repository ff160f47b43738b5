"""A small graph of named roads: routes for plausible drives, one-ways respected.

Nodes are the ends that ways share. Cost is length, weighed by the kind of road so that a patrol keeps to streets that
have a name. Routing proper (turn bans, live speeds) comes with dispatch and an engine for it.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from guardian.domain.errors import NotFoundError
from guardian.domain.position import distance_m
from guardian.roads.osm import RoadKind, RoadLine

_WEIGHT = {RoadKind.TRUNK: 3.0, RoadKind.MAIN: 1.0, RoadKind.STREET: 1.1, RoadKind.LANE: 1.4, RoadKind.PATH: 6.0}


class Route(msgspec.Struct, frozen=True):
    """A drive: (longitude, latitude) in order, and the road's name of each leg between two points."""

    points: tuple[tuple[float, float], ...]
    names: tuple[str, ...]
    length_m: float


class _Edge(msgspec.Struct, frozen=True):
    to: int
    cost: float
    length_m: float
    name: str


class RoadGraph:
    """Roads as nodes and directed edges."""

    def __init__(self, roads: Iterable[RoadLine]) -> None:
        self._place: dict[int, tuple[float, float]] = {}
        self._edges: dict[int, list[_Edge]] = defaultdict(list)
        self._named: dict[str, list[int]] = defaultdict(list)
        for road in roads:
            if road.is_park_way:
                continue
            weight = _WEIGHT[road.kind] * (1.0 if road.name else 2.0)
            for node, point in zip(road.nodes, road.points, strict=True):
                self._place[node] = point
            for (a, b), ((alon, alat), (blon, blat)) in zip(
                zip(road.nodes, road.nodes[1:], strict=False),
                zip(road.points, road.points[1:], strict=False),
                strict=True,
            ):
                length = distance_m(alat, alon, blat, blon)
                self._edges[a].append(_Edge(b, length * weight, length, road.name))
                if not road.oneway:
                    self._edges[b].append(_Edge(a, length * weight, length, road.name))
            if road.name:
                self._named[road.name].extend(road.nodes)

    def names(self) -> list[str]:
        """Every road name, sorted."""
        return sorted(self._named)

    def nodes_of(self, name: str) -> list[int]:
        """The nodes of a road, west to east.

        Raises:
            NotFoundError: no road of that name here.
        """
        if name not in self._named:
            raise NotFoundError(f"There is no road named '{name}' here.", reference="road-not-found")
        return sorted(set(self._named[name]), key=lambda node: self._place[node])

    def crossing(self, one: str, other: str) -> int:
        """A node that two roads share, or the one of the first that comes nearest to the second.

        Raises:
            NotFoundError: one of the names is not here.
        """
        mine, theirs = self.nodes_of(one), self.nodes_of(other)
        shared = sorted(set(mine) & set(theirs))
        if shared:
            return shared[0]

        def gap_m(node: int) -> float:
            lon, lat = self._place[node]
            return min(distance_m(lat, lon, self._place[n][1], self._place[n][0]) for n in theirs)

        return min(mine, key=gap_m)

    def place_of(self, node: int) -> tuple[float, float]:
        """Longitude and latitude of a node."""
        return self._place[node]

    def nearest_node(self, lon_deg: float, lat_deg: float) -> int:
        """The node nearest to a place; looks at every node (a town has thousands, a drive asks twice)."""
        return min(self._edges, key=lambda n: distance_m(lat_deg, lon_deg, self._place[n][1], self._place[n][0]))

    def route(self, start: int, goal: int) -> Route:
        """The cheapest way with one-ways respected (Dijkstra).

        Raises:
            NotFoundError: there is no way.
        """
        best: dict[int, float] = {start: 0.0}
        came: dict[int, tuple[int, _Edge]] = {}
        queue: list[tuple[float, int]] = [(0.0, start)]
        while queue:
            cost, node = heapq.heappop(queue)
            if node == goal:
                return self._walk_back(start, goal, came)
            if cost > best[node]:
                continue
            for edge in self._edges[node]:
                reached = cost + edge.cost
                if reached < best.get(edge.to, float("inf")):
                    best[edge.to] = reached
                    came[edge.to] = (node, edge)
                    heapq.heappush(queue, (reached, edge.to))
        raise NotFoundError("There is no way between these two places.", reference="no-way")

    def through(self, stops: Sequence[int]) -> Route:
        """A drive over several nodes in order."""
        points: list[tuple[float, float]] = [self._place[stops[0]]]
        names: list[str] = []
        length = 0.0
        for start, goal in pairwise(stops):
            leg = self.route(start, goal)
            points.extend(leg.points[1:])
            names.extend(leg.names)
            length += leg.length_m
        return Route(tuple(points), tuple(names), length)

    def _walk_back(self, start: int, goal: int, came: dict[int, tuple[int, _Edge]]) -> Route:
        nodes, names, length = [goal], [], 0.0
        while nodes[-1] != start:
            before, edge = came[nodes[-1]]
            nodes.append(before)
            names.append(edge.name)
            length += edge.length_m
        return Route(tuple(self._place[n] for n in reversed(nodes)), tuple(reversed(names)), length)
