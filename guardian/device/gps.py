"""What a person may write behind `--gps`, as a feed."""

from __future__ import annotations

import re
from pathlib import Path

from guardian.device.gpsd import GpsdFeed
from guardian.device.nmea import serial_feed, tcp_feed
from guardian.device.position import CircleFeed, FixedFeed, PositionFeed
from guardian.device.trackfile import SilentFeed
from guardian.domain.errors import InputRefusedError
from guardian.domain.position import Position

_HINT = "Write none, gpsd, gpsd://HOST:PORT, nmea://HOST:PORT, /dev/ttyUSB0, a file of NMEA, 25.0330,121.5654, or simulated."


def open_feed(text: str) -> PositionFeed:
    """The feed that a person named.

    Raises:
        InputRefusedError: nothing of the kind.
    """
    if text in ("", "none"):
        return SilentFeed()
    if text == "simulated":
        return CircleFeed(25.0330, 121.5654)
    if text == "gpsd":
        return GpsdFeed()
    address = re.fullmatch(r"(gpsd|nmea)://([^:/]+)(?::(\d{1,5}))?/?", text)
    if address is not None:
        port = int(address[3] or (2947 if address[1] == "gpsd" else 10110))
        return GpsdFeed(address[2], port) if address[1] == "gpsd" else tcp_feed(address[2], port)
    place = re.fullmatch(r"(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)", text)
    if place is not None:
        lat, lon = float(place[1]), float(place[2])
        problem = Position(lat, lon, 0).problem()
        if problem is not None:
            raise InputRefusedError(f"'{text}': {problem}.", hint="Latitude first: 25.0330,121.5654.")
        return FixedFeed(lat, lon)
    if text.startswith("/dev/") or Path(text).is_file():
        return serial_feed(text)
    raise InputRefusedError(f"'{text}' is no source of positions.", hint=_HINT)
