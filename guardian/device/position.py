"""Where the device is, how well that is known, and how old the knowledge is (field case G13).

No fix is not zero: until a receiver has really said where we are, there is no position, and a read without one is still
a read. After the fix is lost (a tunnel) the last one stays with the moment at which it was taken, and its radius grows by
what a car can have driven since. `nmea.py`, `gpsd.py` and `trackfile.py` tell this keeper what they hear.
"""

from __future__ import annotations

import math
import threading
from typing import Protocol

import msgspec

from guardian.device.clock import DeviceClock
from guardian.domain.position import Position, distance_m

STILL_FRESH_MS = 3_000
"""Receivers speak once a second; two missed words are not a lost fix."""
GROWTH_MS = 33.0
"""Metres a second by which an old fix grows: 120 km/h, the motorway limit and a bit."""
ACCURACY_MAX_M = 20_000.0
DEFAULT_ACCURACY_M = 15.0


class Fix(msgspec.Struct, frozen=True):
    """What a receiver said, with the monotonic moment at which it said it."""

    lat_deg: float
    lon_deg: float
    mono_ms: int
    accuracy_m: float = DEFAULT_ACCURACY_M
    heading_deg: float | None = None
    speed_kmh: float | None = None
    source: str = "gps"


class PositionFeed(Protocol):
    """Something that runs in a thread of its own and tells a keeper what it hears until it is stopped."""

    def run(self, keeper: PositionKeeper, stop: threading.Event) -> None:
        """Listen, and tell; comes back soon after `stop` is set."""
        ...


class PositionKeeper:
    """The last fix and its age. One writer, many readers."""

    def __init__(self, clock: DeviceClock) -> None:
        self.clock = clock
        self._fix: Fix | None = None
        self.refused = 0

    def tell(self, fix: Fix) -> bool:
        """Take a fix; gives False for one that cannot be (0, 0; not a number; out of range)."""
        problem = Position(fix.lat_deg, fix.lon_deg, 0).problem()
        if problem is not None:
            self.refused += 1
            return False
        self._fix = fix
        return True

    def at(self, mono_ms: int, media_ms: int | None = None) -> Position | None:
        """Where we were at a moment of this run; `media_ms` is the film's own time, for films that bring their track."""
        fix = self._fix
        if fix is None:
            return None
        age_ms = max(0, mono_ms - fix.mono_ms)
        accuracy, heading, speed = fix.accuracy_m, fix.heading_deg, fix.speed_kmh
        if age_ms > STILL_FRESH_MS:
            accuracy = min(ACCURACY_MAX_M, accuracy + GROWTH_MS * (age_ms - STILL_FRESH_MS) / 1000)
            heading = speed = None  # what it did then says nothing about now
        return Position(
            round(fix.lat_deg, 7),
            round(fix.lon_deg, 7),
            self.clock.at(fix.mono_ms)[0],
            accuracy_m=round(accuracy, 1),
            heading_deg=heading,
            speed_kmh=speed,
            source=fix.source,
        )


class FixedFeed:
    """A device that does not move: a gate, a test bench."""

    def __init__(self, lat_deg: float, lon_deg: float, *, source: str = "fixed") -> None:
        self._place = (lat_deg, lon_deg, source)

    def run(self, keeper: PositionKeeper, stop: threading.Event) -> None:
        lat, lon, source = self._place
        while True:
            keeper.tell(Fix(lat, lon, keeper.clock.mono_ms(), accuracy_m=5.0, source=source))
            if stop.wait(1.0):
                return


class CircleFeed:
    """A simulated car that drives round a block at a steady speed; for desks without a receiver."""

    def __init__(self, lat_deg: float, lon_deg: float, *, radius_m: float = 250.0, speed_kmh: float = 30.0) -> None:
        self._centre = (lat_deg, lon_deg)
        self._radius_m = radius_m
        self._speed_kmh = speed_kmh

    def place(self, elapsed_s: float) -> tuple[float, float, float]:
        """Latitude, longitude and heading after so many seconds."""
        angle = self._speed_kmh / 3.6 * elapsed_s / self._radius_m
        lat0, lon0 = self._centre
        per_degree_m = distance_m(lat0, lon0, lat0 + 1, lon0)
        lat = lat0 + self._radius_m * math.cos(angle) / per_degree_m
        lon = lon0 + self._radius_m * math.sin(angle) / per_degree_m / math.cos(math.radians(lat0))
        return lat, lon, (math.degrees(angle) + 90) % 360

    def run(self, keeper: PositionKeeper, stop: threading.Event) -> None:
        begun = keeper.clock.mono_ms()
        while True:
            now = keeper.clock.mono_ms()
            lat, lon, heading = self.place((now - begun) / 1000)
            keeper.tell(Fix(lat, lon, now, 5.0, heading, self._speed_kmh, "simulated"))
            if stop.wait(1.0):
                return
