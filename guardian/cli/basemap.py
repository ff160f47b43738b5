"""`guardian basemap`: the offline map of the console, made from OpenStreetMap files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

app = App(name="basemap", help="Make the offline base map of the console.")


@app.command(
    help_epilogue="""\
Examples:
  guardian basemap build map.pmtiles                        the two areas that
                                                            ship with guardian
  guardian basemap build map.pmtiles taiwan-latest.osm.pbf  a file of your own

The credits that it prints belong on every map that is made of it.
"""
)
def build(
    out: Annotated[Path, Parameter(help="The file to write.")],
    /,
    *pbf: Annotated[Path, Parameter(help="OpenStreetMap extracts (.osm.pbf).")],
    districts: Annotated[Path | None, Parameter(help="GeoJSON of districts; else those of the package.")] = None,
) -> int:
    """Write a base map (PMTiles) and the JSON beside it."""
    from guardian.roads import BUNDLED, build_basemap
    from guardian.roads.basemap import DISTRICTS

    facts = build_basemap(
        out,
        pbf or tuple(BUNDLED.values()),
        districts=districts or DISTRICTS,
        tell=lambda sentence: print(sentence, file=sys.stderr),
    )
    print(f"{out}: {facts.tiles} tiles, {facts.size_bytes / 1e6:.2f} MB, {len(facts.characters)} characters in labels.")
    for line in facts.credits:
        print(f"Show on every map: {line}")
    return 0
