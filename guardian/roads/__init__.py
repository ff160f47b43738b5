"""Roads: what OpenStreetMap knows of them, a base map without network, a small graph for drives, names of places.

The first issue needs the base map and the tracks of our own footage; routing proper comes with dispatch. Every map made
from the road files shows `CREDITS`.
"""

from guardian.roads.basemap import BasemapFacts, build_basemap, default_basemap, default_basemap_facts
from guardian.roads.credits import CREDITS
from guardian.roads.graph import RoadGraph, Route
from guardian.roads.osm import BUNDLED, RoadLine, load_roads
from guardian.roads.place import PlaceNames, default_place_names

__all__ = [
    "BUNDLED",
    "CREDITS",
    "BasemapFacts",
    "PlaceNames",
    "RoadGraph",
    "RoadLine",
    "Route",
    "build_basemap",
    "default_basemap",
    "default_basemap_facts",
    "default_place_names",
    "load_roads",
]
