"""Positions: where something was measured, how well, and how old the measurement is.

No fix is not zero (field case G13): a position is there with its accuracy and age, or it is absent.
"""

from __future__ import annotations

import math

import msgspec

EARTH_RADIUS_M = 6_371_008.8
"""IUGG mean radius; good to 0.5 % in Taiwan, far below any fix."""


class Position(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A measured place in WGS 84.

    `fixed_ms` is when the fix was taken, not when it was used: a read in a tunnel carries the last fix with its age.
    `heading_deg` is clockwise from north and absent when standing or unknown.
    """

    lat_deg: float
    lon_deg: float
    fixed_ms: int
    accuracy_m: float | None = None
    heading_deg: float | None = None
    speed_kmh: float | None = None
    source: str = "gps"  # "gps" | "track" | "simulated" | "fixed"

    def problem(self) -> str | None:
        """Why this cannot be a place where police equipment stood, or None."""
        if not (math.isfinite(self.lat_deg) and math.isfinite(self.lon_deg)):
            return "position is not a number"
        if not -90 <= self.lat_deg <= 90:
            return f"latitude {self.lat_deg:g} is outside -90..90"
        if not -180 <= self.lon_deg <= 180:
            return f"longitude {self.lon_deg:g} is outside -180..180"
        if abs(self.lat_deg) < 0.01 and abs(self.lon_deg) < 0.01:
            return "position 0, 0 is what receivers say without a fix"
        return None


def distance_m(a_lat_deg: float, a_lon_deg: float, b_lat_deg: float, b_lon_deg: float) -> float:
    """Great-circle distance in metres (haversine)."""
    p, q = math.radians(a_lat_deg), math.radians(b_lat_deg)
    dp, dl = q - p, math.radians(b_lon_deg - a_lon_deg)
    h = math.sin(dp / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(dl / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def bearing_deg(a_lat_deg: float, a_lon_deg: float, b_lat_deg: float, b_lon_deg: float) -> float:
    """Initial bearing from a to b, degrees clockwise from north, 0 <= bearing < 360."""
    p, q, dl = math.radians(a_lat_deg), math.radians(b_lat_deg), math.radians(b_lon_deg - a_lon_deg)
    y = math.sin(dl) * math.cos(q)
    x = math.cos(p) * math.sin(q) - math.sin(p) * math.cos(q) * math.cos(dl)
    return math.degrees(math.atan2(y, x)) % 360.0
