"""Small OpenStreetMap extracts, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import osmium

Way = tuple[str, str, str, Sequence[tuple[float, float]]]  # name, highway, oneway, (longitude, latitude)…


def write_extract(path: Path, ways: Sequence[Way]) -> None:
    """Write ways to a PBF; equal places become one node."""
    nodes: dict[tuple[float, float], int] = {}
    for _, _, _, points in ways:
        for point in points:
            nodes.setdefault(point, len(nodes) + 1)
    writer = osmium.SimpleWriter(str(path))
    for point, ref in nodes.items():
        writer.add_node(osmium.osm.mutable.Node(id=ref, location=point))
    for number, (name, highway, oneway, points) in enumerate(ways, start=1):
        tags = {"highway": highway, "name": name, "oneway": oneway}
        writer.add_way(osmium.osm.mutable.Way(id=number, nodes=[nodes[p] for p in points], tags=tags))
    writer.close()
