"""Footage of our own: street drives with Taiwanese plates, along real roads, with the truth beside them.

The demo and many tests play it. It is made from an order (`DriveSpec`) and a seed; nothing in it is a real vehicle's
number on purpose, and no picture of the world is used.
"""

from guardian.footage.demo import DEMO_PLATES, demo_spec, demo_watchlist
from guardian.footage.light import Light
from guardian.footage.model import READABLE_PX, DriveFiles, DriveSpec, Pass, PlateView, TrackPoint
from guardian.footage.shipped import demo_drive, files_in, load_track, load_truth, start_at
from guardian.footage.vehicles import Body
from guardian.footage.write import build_studio, nmea_of, position_of, render_drive

__all__ = [
    "DEMO_PLATES",
    "READABLE_PX",
    "Body",
    "DriveFiles",
    "DriveSpec",
    "Light",
    "Pass",
    "PlateView",
    "TrackPoint",
    "build_studio",
    "demo_drive",
    "demo_spec",
    "demo_watchlist",
    "files_in",
    "load_track",
    "load_truth",
    "nmea_of",
    "position_of",
    "render_drive",
    "start_at",
]
