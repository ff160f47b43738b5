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
import numpy as np
import numpy.typing as npt

from guardian.roads.osm import BUNDLED, RoadLine, load_roads

_CELL_DEG = 0.001
CELLS_HELD_MAX = 4096
"""Neighbourhoods kept as arrays, some 5 kB each: the streets where units are just now."""
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
        self._around = lru_cache(maxsize=CELLS_HELD_MAX)(self._gather)

    def find(self, lon_deg: float, lat_deg: float, *, reach_m: float = 60.0) -> Place | None:
        """The nearest named road within reach, or None."""
        squeeze = math.cos(math.radians(lat_deg)) * _DEG_M
        ring = math.ceil(reach_m / (_CELL_DEG * squeeze))
        ends, names = self._around(math.floor(lon_deg / _CELL_DEG), math.floor(lat_deg / _CELL_DEG), ring)
        if not names:
            return None
        metres = (ends - (lon_deg, lat_deg, lon_deg, lat_deg)) * (squeeze, _DEG_M, squeeze, _DEG_M)
        ax, ay, bx, by = metres.T
        ux, uy = bx - ax, by - ay
        length2 = np.maximum(ux * ux + uy * uy, 1e-12)
        share = np.clip(-(ax * ux + ay * uy) / length2, 0.0, 1.0)
        gaps = np.hypot(ax + share * ux, ay + share * uy)
        nearest = int(gaps.argmin())
        gap = float(gaps[nearest])
        return Place(names[nearest], gap) if gap <= reach_m else None

    def _gather(self, cx: int, cy: int, ring: int) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
        """All segments of a cell and of those around it: (n, 4) degrees lon, lat, lon, lat, and their roads' names."""
        near = [
            segment
            for dx in range(-ring, ring + 1)
            for dy in range(-ring, ring + 1)
            for segment in self._cells.get((cx + dx, cy + dy), ())
        ]
        return np.array([segment[:4] for segment in near], np.float64).reshape(-1, 4), tuple(s[4] for s in near)

    def name_of(self, lon_deg: float, lat_deg: float) -> str:
        """The nearest road's name, or an empty text."""
        found = self.find(lon_deg, lat_deg)
        return found.name if found else ""


@lru_cache(maxsize=1)
def default_place_names() -> PlaceNames:
    """Names from the extracts that ship with the package; loaded once."""
    return PlaceNames(road for pbf in BUNDLED.values() for road in load_roads(pbf))
