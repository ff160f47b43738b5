"""Road lines out of an OpenStreetMap PBF: any extract, the country's file as well as a part of a town.

Only what a vehicle drives on is taken, and footways are left out. Ways are kept whole, with the ids of their nodes, so
that a graph can be made from them without guessing which ends meet.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from guardian.domain.errors import InputRefusedError

_DATA = Path(__file__).parent / "data"
BUNDLED: dict[str, Path] = {
    "taipei-daan": _DATA / "taipei-daan-roads.osm.pbf",
    "hsinchu-city": _DATA / "hsinchu-city-roads.osm.pbf",
}
"""Extracts that ship with the package; `data/README.md` says where they come from."""


class RoadKind(StrEnum):
    """Four widths of road, and the hairline of a path."""

    TRUNK = "trunk"  # motorways, expressways and their ramps
    MAIN = "main"  # 路
    STREET = "street"  # 街
    LANE = "lane"  # 巷 弄
    PATH = "path"  # unnamed service ways, park ways


_KIND_OF_HIGHWAY: dict[str, RoadKind] = {
    **dict.fromkeys(("motorway", "motorway_link", "trunk", "trunk_link"), RoadKind.TRUNK),
    **dict.fromkeys(("primary", "primary_link", "secondary", "secondary_link"), RoadKind.MAIN),
    **dict.fromkeys(("tertiary", "tertiary_link", "unclassified"), RoadKind.STREET),
    **dict.fromkeys(("residential", "living_street"), RoadKind.LANE),
    "service": RoadKind.PATH,
}
_PARK_WAY = ("步道", "慢跑道", "自行車道", "跑道")


class RoadLine(msgspec.Struct, frozen=True):
    """One way. `points` are (longitude, latitude) in WGS 84 and lie in the direction of travel where `oneway`."""

    name: str
    kind: RoadKind
    oneway: bool
    points: tuple[tuple[float, float], ...]
    nodes: tuple[int, ...]

    @property
    def is_park_way(self) -> bool:
        """Whether the name says that people walk here (大安森林公園 is full of such ways)."""
        return any(word in self.name for word in _PARK_WAY)


def load_roads(path: Path) -> list[RoadLine]:
    """Every drivable way of a PBF, in the file's order.

    Raises:
        InputRefusedError: the file is not there, is no PBF, or holds no road.
    """
    import osmium  # a large import that only map work needs

    if not path.is_file():
        raise InputRefusedError(f"There is no map file '{path.name}'.", reference="map-file-missing")
    roads: list[RoadLine] = []
    try:
        for thing in osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations():
            if not isinstance(thing, osmium.osm.Way) or "highway" not in thing.tags:
                continue
            kind = _KIND_OF_HIGHWAY.get(thing.tags["highway"])
            placed = [node for node in thing.nodes if node.location.valid()]
            if kind is None or len(placed) < 2:
                continue
            oneway = thing.tags.get("oneway", "no")
            if oneway == "-1":
                placed.reverse()
            roads.append(
                RoadLine(
                    name=thing.tags.get("name:zh") or thing.tags.get("name") or "",
                    kind=kind,
                    oneway=oneway in ("yes", "true", "1", "-1"),
                    points=tuple((node.lon, node.lat) for node in placed),
                    nodes=tuple(node.ref for node in placed),
                )
            )
    except RuntimeError as error:
        raise InputRefusedError(
            f"'{path.name}' cannot be read as OpenStreetMap PBF.",
            hint="Fetch the extract again; it may be cut short.",
            reference="map-file-broken",
        ) from error
    if not roads:
        raise InputRefusedError(f"'{path.name}' holds no road.", reference="map-file-empty")
    return roads
