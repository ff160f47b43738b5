"""Areas: a box or a polygon on the map, in whole units of 1e-5 degree, and the grid cells that they touch.

Field case G60: corners may come in any order; latitude and longitude that have changed places are refused in words;
GeoJSON is longitude first, named fields are by name. No way gives silently nothing.

Inside is computed with whole numbers only, so that SQL and Python give the same answer to the last unit (about 1 m).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from guardian.domain.errors import InputRefusedError

UNITS_PER_DEG = 100_000
CELL_UNITS = 500
"""A cell is 0.005 degree: about 500 m (archive page, section 3)."""
GRID_LON_UNITS, GRID_LAT_UNITS = 11_700_000, 2_100_000
"""South-west corner of the grid: 117.0 E, 21.0 N; it covers Taiwan with Kinmen, Matsu, Penghu and Dongsha's longitude."""
GRID_CELLS = 2_048
"""Cells per side: 10.24 degrees."""
NO_PLACE = -(2**31)
"""What the columns hold for a read without position: no fix is not zero (field case G13)."""

TAIWAN = (20.5, 26.6, 116.5, 122.6)
"""Latitude and longitude bounds of what a question may be about, generously."""
POLYGON_POINTS_MAX = 64
BANDS_MAX = 64
"""Strips of latitude that a border is cut into, so that a place is held against the few edges at its height only."""
EDGES_PER_BAND = 4
Edge = tuple[int, int, int, int]
CELLS_LISTED_MAX = 4_000


class Region(msgspec.Struct, frozen=True):
    """An area made ready: its bounds (closed, in units), and its ring where it is a polygon.

    A named area may have several rings (islands, holes): inside is where an odd number of them is around one.
    """

    south: int
    north: int
    west: int
    east: int
    ring: tuple[tuple[int, int], ...] = ()  # (longitude, latitude), not closed
    others: tuple[tuple[tuple[int, int], ...], ...] = ()

    def contains(self, lon: int, lat: int) -> bool:
        """Whether a place in units lies inside."""
        if not (self.south <= lat <= self.north and self.west <= lon <= self.east):
            return False
        return not self.ring or sum(crosses(edge, lon, lat) for edge in self.edges()) % 2 == 1

    def bands(self) -> tuple[int, list[list[Edge]]]:
        """Height of a band in units, and the edges of each band from the south up: all that decide a place of that height."""
        edges = self.edges()
        count = min(BANDS_MAX, -(-len(edges) // EDGES_PER_BAND))
        height = (self.north - self.south) // max(1, count) + 1
        bands: list[list[Edge]] = [[] for _ in range(count)]
        for edge in edges:
            # Half-open as in `crosses`: an edge that ends on a band's lower rim decides nothing in that band.
            for band in range((edge[1] - self.south) // height, (edge[3] - 1 - self.south) // height + 1):
                bands[band].append(edge)
        return height, bands

    def edges(self) -> list[Edge]:
        """The rings' edges as (x1, y1, x2, y2) with y1 < y2; level ones never decide and are left out."""
        out = []
        for ring in (self.ring, *self.others):
            for (ax, ay), (bx, by) in zip(ring, (*ring[1:], *ring[:1]), strict=True):
                if ay < by:
                    out.append((ax, ay, bx, by))
                elif by < ay:
                    out.append((bx, by, ax, ay))
        return out

    def cells(self) -> list[int] | None:
        """The grid cells it touches, or None where they are too many to name or it reaches off the grid."""
        x0, x1 = (self.west - GRID_LON_UNITS) // CELL_UNITS, (self.east - GRID_LON_UNITS) // CELL_UNITS
        y0, y1 = (self.south - GRID_LAT_UNITS) // CELL_UNITS, (self.north - GRID_LAT_UNITS) // CELL_UNITS
        if min(x0, y0) < 0 or max(x1, y1) >= GRID_CELLS or (x1 - x0 + 1) * (y1 - y0 + 1) > CELLS_LISTED_MAX:
            return None
        return sorted(interleave(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1))


def crosses(edge: Edge, lon: int, lat: int) -> bool:
    """Whether a ray from the place eastwards crosses an edge (even-odd rule; half-open in latitude)."""
    x1, y1, x2, y2 = edge
    return y1 <= lat < y2 and (lon - x1) * (y2 - y1) < (x2 - x1) * (lat - y1)


def _spread() -> tuple[int, ...]:
    out = []
    for value in range(GRID_CELLS):
        bits = 0
        for place in range(11):
            bits |= ((value >> place) & 1) << (2 * place)
        out.append(bits)
    return tuple(out)


_SPREAD = _spread()


def interleave(x: int, y: int) -> int:
    """Cell number: the bits of column and row in turns, so that near cells have near numbers. 0 is kept for 'none'."""
    return (_SPREAD[x] | _SPREAD[y] << 1) + 1


def units(degrees: float) -> int:
    """Degrees in whole units, rounded half up on both sides of zero alike."""
    return math.floor(degrees * UNITS_PER_DEG + 0.5)


def cell_of(lon: int, lat: int) -> int:
    """The cell of a place in units; 0 off the grid."""
    x, y = (lon - GRID_LON_UNITS) // CELL_UNITS, (lat - GRID_LAT_UNITS) // CELL_UNITS
    if 0 <= x < GRID_CELLS and 0 <= y < GRID_CELLS:
        return (_SPREAD[x] | _SPREAD[y] << 1) + 1
    return 0


def box_region(lat_a: float, lat_b: float, lon_a: float, lon_b: float) -> Region:
    """A box from two opposite corners in any order.

    Raises:
        InputRefusedError: swapped, outside Taiwan, or no numbers.
    """
    _refuse_odd([(lon_a, lat_a), (lon_b, lat_b)])
    return Region(
        units(min(lat_a, lat_b)), units(max(lat_a, lat_b)), units(min(lon_a, lon_b)), units(max(lon_a, lon_b))
    )


def polygon_region(ring: Sequence[tuple[float, float]]) -> Region:
    """A polygon from a GeoJSON ring, longitude first; closed or not.

    Raises:
        InputRefusedError: fewer than three corners, too many, swapped, outside Taiwan, or flat.
    """
    points = list(ring)
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if not 3 <= len(points) <= POLYGON_POINTS_MAX:
        raise InputRefusedError(
            f"A polygon has 3 to {POLYGON_POINTS_MAX} corners; this one has {len(points)}.",
            hint="Draw it with fewer corners, or as a box.",
            reference="area-form",
        )
    _refuse_odd(points)
    corners = tuple((units(lon), units(lat)) for lon, lat in points)
    lons, lats = [x for x, _ in corners], [y for _, y in corners]
    if min(lons) == max(lons) or min(lats) == max(lats):
        raise InputRefusedError("The polygon has no inside.", hint="Draw it again.", reference="area-form")
    return Region(min(lats), max(lats), min(lons), max(lons), corners)


def named_region(rings: Sequence[Sequence[tuple[float, float]]]) -> Region:
    """The rings of a named area, longitude first; closed or not, as many corners as the map has."""
    own = [
        tuple((units(lon), units(lat)) for lon, lat in (ring[:-1] if ring[0] == ring[-1] else ring)) for ring in rings
    ]
    lons, lats = [x for ring in own for x, _ in ring], [y for ring in own for _, y in ring]
    return Region(min(lats), max(lats), min(lons), max(lons), own[0], tuple(own[1:]))


def _refuse_odd(points: Sequence[tuple[float, float]]) -> None:
    south, north, west, east = TAIWAN
    for lon, lat in points:
        if not (math.isfinite(lon) and math.isfinite(lat)):
            raise InputRefusedError("The area has a corner that is no number.", reference="area-form")
    lats, lons = [lat for _, lat in points], [lon for lon, _ in points]
    if all(west <= lat <= east for lat in lats) and all(south <= lon <= north for lon in lons):
        raise InputRefusedError(
            f"Latitude and longitude have changed places: {lats[0]:g} is no latitude in Taiwan.",
            hint="Latitude is 21 to 26, longitude 117 to 123; in GeoJSON longitude comes first.",
            reference="area-swapped",
        )
    if any(not -90 <= lat <= 90 for lat in lats) or any(not -180 <= lon <= 180 for lon in lons):
        raise InputRefusedError(
            "The area has a corner that is nowhere on Earth.",
            hint="Latitude is 21 to 26, longitude 117 to 123.",
            reference="area-form",
        )
    if min(lats) > north or max(lats) < south or min(lons) > east or max(lons) < west:
        raise InputRefusedError(
            "The area lies wholly outside Taiwan, where no device reads.",
            hint="Latitude is 21 to 26, longitude 117 to 123.",
            reference="area-outside",
        )
