"""What a drive is made from, and what comes of it: the order, the cast of vehicles, the truth."""

from __future__ import annotations

from pathlib import Path

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.footage.light import Light
from guardian.footage.vehicles import Body

START_MS = 1_795_000_000_000
"""Capture time of the first frame where the order names none; fixed, so that a seed gives the same files."""


class DriveSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An order for footage. The same order gives the same frames on one machine.

    `roads` are names of roads that the drive follows from one to the next; empty takes a drive by `seed`. `area` is a
    key of `guardian.roads.BUNDLED`. `plates` are given to vehicles that pass near enough to be read, in order;
    others get numbers by chance.
    """

    seconds: float = 60.0
    light: Light = Light.DAY
    seed: int = 7
    width_px: int = 1280
    height_px: int = 720
    frames_per_s: float = 12.0
    rain: bool = False
    mount: str = "car"  # or "motorcycle": the lens sits lower and leans
    area: str = "taipei-daan"
    roads: tuple[str, ...] = ()
    start_ms: int = START_MS
    plates: tuple[tuple[str, Body], ...] = ()
    start_m: float = 0.0  # how far along the roads the drive begins
    speed_kmh: float = 15.5
    stops: bool = True
    stamp: str = ""  # a line in the corner, as cameras print it; empty prints none

    def check(self) -> None:
        """Refuse an order that cannot be filmed.

        Raises:
            InputRefusedError: with what is wrong.
        """
        if not 0.2 <= self.seconds <= 3600:
            raise InputRefusedError("A drive lasts from 0.2 to 3600 seconds.", reference="drive-length")
        if not (160 <= self.width_px <= 3840 and 90 <= self.height_px <= 2160):
            raise InputRefusedError("A frame is from 160x90 to 3840x2160 pixels.", reference="drive-size")
        if self.width_px % 2 or self.height_px % 2:
            raise InputRefusedError("Width and height must be even for the video coder.", reference="drive-size")
        if self.mount not in ("car", "motorcycle"):
            raise InputRefusedError(
                f"A camera is not carried by '{self.mount}'.", hint="Take car or motorcycle.", reference="drive-mount"
            )
        if not 1 <= self.frames_per_s <= 60:
            raise InputRefusedError("A drive has from 1 to 60 frames a second.", reference="drive-rate")


class DriveFiles(msgspec.Struct, frozen=True):
    """Where the parts of a drive lie."""

    video: Path
    truth: Path
    track: Path
    nmea: Path
    spec: Path


class PlateView(msgspec.Struct, frozen=True, array_like=True):
    """A plate in one frame: frame number, corners (px, clockwise from the top left), height, blur, hidden share.

    `shown_share` is how well the coded film shows the worst of its signs (`shown.shown_share`); 1 where nobody has looked.
    """

    frame: int
    corners: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
    height_px: float
    blur_px: float
    hidden_share: float
    side: str  # "rear" | "front"
    shown_share: float = 1.0


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """The truth of one vehicle: number, series, class, colour, and every frame in which its plate stands.

    `readable_frames` counts frames with the plate at least `READABLE_PX` high, not hidden, not smeared, and not lost in coding.
    """

    vehicle: int
    plate: str
    display: str
    series: str
    vehicle_classes: tuple[str, ...]
    body: str
    colour: str
    parked: bool
    first_frame: int
    last_frame: int
    height_px_max: float
    readable_frames: int
    readable_from_ms: int | None
    views: tuple[PlateView, ...]


class TrackPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the camera was: capture time (UTC ms), position, heading, speed, road."""

    captured_ms: int
    video_s: float
    lat_deg: float
    lon_deg: float
    heading_deg: float
    speed_kmh: float
    accuracy_m: float
    road: str


READABLE_PX = 18.0
"""Plate height from which the day-one engine reads our plates; see tests/footage for the measured rate."""
SHOWN_MIN = 0.72
"""From here on a film shows each sign of a plate as it was drawn. Of 40 frames of the shipped drive looked at by eye, the 18 from
0.71 on can all be read; of 22 below, from 0.45 on, eight. One look, by one who knew the numbers."""
