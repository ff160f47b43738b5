"""Where is that? The name of the nearest road and of the district, for screens and reads.

Road segments lie in a grid of about 100 m; a question looks at a few cells, so thousands of answers a second come from
one core. Beyond `reach_m` there is no name: a guess would be worse than silence.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from guardian.roads.osm import BUNDLED, RoadLine, load_roads

_CELL_DEG = 0.001
_DEG_M = 111_195.0  # metres of a degree of latitude on the sphere of domain.position


class Place(msgspec.Struct, frozen=True):
    """A road's name and how far its line was."""

    name: str
    distance_m: float


class PlaceNames:
    """Names of roads by position."""

    def __init__(self, roads: Iterable[RoadLine]) -> None:
        self._cells: dict[tuple[int, int], list[tuple[float, float, float, float, str]]] = defaultdict(list)
        for road in roads:
            if not road.name:
                continue
            for (alon, alat), (blon, blat) in zip(road.points, road.points[1:], strict=False):
                segment = (alon, alat, blon, blat, road.name)
                for cx in range(math.floor(min(alon, blon) / _CELL_DEG), math.floor(max(alon, blon) / _CELL_DEG) + 1):
                    for cy in range(
                        math.floor(min(alat, blat) / _CELL_DEG), math.floor(max(alat, blat) / _CELL_DEG) + 1
                    ):
                        self._cells[cx, cy].append(segment)

    def find(self, lon_deg: float, lat_deg: float, *, reach_m: float = 60.0) -> Place | None:
        """The nearest named road within reach, or None."""
        best: Place | None = None
        squeeze = math.cos(math.radians(lat_deg)) * _DEG_M
        ring = math.ceil(reach_m / (_CELL_DEG * squeeze))
        cx, cy = math.floor(lon_deg / _CELL_DEG), math.floor(lat_deg / _CELL_DEG)
        for dx in range(-ring, ring + 1):
            for dy in range(-ring, ring + 1):
                for alon, alat, blon, blat, name in self._cells.get((cx + dx, cy + dy), ()):
                    ax, ay = (alon - lon_deg) * squeeze, (alat - lat_deg) * _DEG_M
                    bx, by = (blon - lon_deg) * squeeze, (blat - lat_deg) * _DEG_M
                    ux, uy = bx - ax, by - ay
                    length2 = ux * ux + uy * uy
                    share = 0.0 if length2 == 0 else min(1.0, max(0.0, -(ax * ux + ay * uy) / length2))
                    gap = math.hypot(ax + share * ux, ay + share * uy)
                    if gap <= reach_m and (best is None or gap < best.distance_m):
                        best = Place(name, gap)
        return best

    def name_of(self, lon_deg: float, lat_deg: float) -> str:
        """The nearest road's name, or an empty text."""
        found = self.find(lon_deg, lat_deg)
        return found.name if found else ""


@lru_cache(maxsize=1)
def default_place_names() -> PlaceNames:
    """Names from the extracts that ship with the package; loaded once."""
    return PlaceNames(road for pbf in BUNDLED.values() for road in load_roads(pbf))
