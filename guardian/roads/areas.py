"""Named areas: counties, towns and villages by the name that people type, with their borders.

The borders are those of the base map (`data/districts.geojson`). 臺 and 台 are one; a name alone is enough where only one
area has it, else its county stands before it (新竹市北區).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.roads.basemap import DISTRICTS

Ring = tuple[tuple[float, float], ...]  # longitude, latitude

SUGGESTED_MAX = 5


class NamedArea(msgspec.Struct, frozen=True):
    """One area. Its rings are to be read even-odd: islands and holes alike."""

    name: str  # as the source writes it
    county: str
    level: str  # county | town | village
    rings: tuple[Ring, ...]

    @property
    def full_name(self) -> str:
        """With its county before it."""
        return self.name if self.level == "county" else self.county + self.name


def plain_name(typed: str) -> str:
    """One spelling of what people write."""
    return unicodedata.normalize("NFKC", typed).replace("臺", "台").replace(" ", "").strip()


class NamedAreas:
    """All areas that questions may name."""

    def __init__(self, areas: list[NamedArea]) -> None:
        self._by_name: dict[str, list[NamedArea]] = defaultdict(list)
        for area in areas:
            for name in {plain_name(area.name), plain_name(area.full_name)}:
                self._by_name[name].append(area)

    def find(self, typed: str) -> tuple[Ring, ...]:
        """The rings of the area that is called so.

        Raises:
            InputRefusedError: none is (`area-unknown`), or several are (`area-ambiguous`).
        """
        found = self._by_name.get(plain_name(typed), [])
        # A county comes before a town of its name: 嘉義市 is asked for more often than a village called so.
        first = min((_LEVELS.index(area.level) for area in found), default=0)
        found = [area for area in found if _LEVELS.index(area.level) == first]
        if not found:
            raise InputRefusedError(
                "No county, town or village of our map has that name.",
                hint="Draw the area on the map instead.",
                reference="area-unknown",
            )
        if len(found) > 1:
            names = sorted({area.full_name for area in found})
            raise InputRefusedError(
                f"{len(found)} areas have that name.",
                hint=f"Say which: {', '.join(names[:SUGGESTED_MAX])}." if len(names) > 1 else "Draw it on the map.",
                reference="area-ambiguous",
            )
        return found[0].rings


_LEVELS = ("county", "town", "village")


def _rings_of(geometry: dict[str, Any]) -> tuple[Ring, ...]:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return tuple(tuple((lon, lat) for lon, lat, *_ in ring) for part in parts for ring in part)


def load_areas(path: Path = DISTRICTS) -> NamedAreas:
    """Areas from a file of boundaries (GeoJSON with name, county, level)."""
    features = msgspec.json.decode(path.read_bytes())["features"]
    return NamedAreas(
        [
            NamedArea(
                feature["properties"]["name"],
                feature["properties"]["county"],
                feature["properties"]["level"],
                _rings_of(feature["geometry"]),
            )
            for feature in features
        ]
    )


@lru_cache(maxsize=1)
def default_areas() -> NamedAreas:
    """The areas that ship with the package; loaded once, when somebody first names one."""
    return load_areas()
