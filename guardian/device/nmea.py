"""Positions and time from a receiver that speaks NMEA 0183: a serial line, a file, or a TCP port.

What a receiver says is believed only as far as it says that it knows (field case G13): RMC with status A and a place that
is not 0, 0; GGA with a fix quality above 0. Speed and heading come from RMC, accuracy from GGA's dilution. The date in
RMC gives the time, if it is not a date before this product.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pynmea2
import structlog

from guardian.device.position import DEFAULT_ACCURACY_M, Fix, PositionKeeper

log = structlog.get_logger("device.nmea")

METRES_PER_HDOP = 5.0
"""User equivalent range error of a single-frequency receiver, about 5 m (GPS SPS Performance Standard, 2020)."""
KNOT_KMH = 1.852
HEADING_MIN_KMH = 5.0
"""Below this a receiver's heading is noise."""
LINE_BYTES_MAX = 512
GGA_FRESH_MS = 2_000


class NMEAListener:
    """Sentences in, fixes and times out to a keeper. Knows nothing of where the sentences come from."""

    def __init__(self, keeper: PositionKeeper) -> None:
        self._keeper = keeper
        self._accuracy_m = DEFAULT_ACCURACY_M
        self._accuracy_mono_ms: int | None = None
        self.sentences = 0
        self.broken = 0
        self.without_fix = 0

    def hear(self, line: str) -> None:
        """One sentence; what is broken is counted."""
        line = line.strip()
        if not line.startswith(("$", "!")):
            return
        try:
            sentence: Any = pynmea2.parse(line, check=True)  # type: ignore[no-untyped-call]
        except (ValueError, TypeError):  # its ParseError is a ValueError
            self.broken += 1
            return
        self.sentences += 1
        kind = getattr(sentence, "sentence_type", "")
        try:
            if kind == "GGA":
                self._hear_gga(sentence)
            elif kind == "RMC":
                self._hear_rmc(sentence)
        except (ValueError, TypeError, AttributeError, OverflowError):
            self.broken += 1  # a field that is no number; pynmea2 parses when asked

    def _hear_gga(self, gga: Any) -> None:
        if int(gga.gps_qual or 0) > 0 and gga.horizontal_dil:
            self._accuracy_m = max(2.0, float(gga.horizontal_dil) * METRES_PER_HDOP)
            self._accuracy_mono_ms = self._keeper.clock.mono_ms()

    def _hear_rmc(self, rmc: Any) -> None:
        now = self._keeper.clock.mono_ms()
        valid = rmc.status == "A" and rmc.lat and rmc.lon
        if valid:
            heard = self._accuracy_mono_ms
            fresh = heard is not None and now - heard < GGA_FRESH_MS
            speed = float(rmc.spd_over_grnd) * KNOT_KMH if rmc.spd_over_grnd is not None else None
            course = float(rmc.true_course) if rmc.true_course is not None else None
            known = self._keeper.tell(
                Fix(
                    float(rmc.latitude),
                    float(rmc.longitude),
                    now,
                    self._accuracy_m if fresh else DEFAULT_ACCURACY_M,
                    course if speed is not None and speed >= HEADING_MIN_KMH else None,
                    speed,
                )
            )
            if known and rmc.datestamp is not None and rmc.timestamp is not None:
                told = datetime.combine(rmc.datestamp, rmc.timestamp.replace(tzinfo=None), tzinfo=UTC)
                self._keeper.clock.learn(int(told.timestamp() * 1000), "gps", at_mono_ms=now)
        else:
            self.without_fix += 1


class NMEAFeed:
    """A receiver behind an opener that gives a file descriptor; opened again after growing pauses when it goes away.

    Args:
        open_fd: opens the line; may raise OSError.
        pace_s: for files: wait so long after each RMC, as a receiver would.
    """

    def __init__(self, open_fd: Callable[[], int], *, pace_s: float = 0.0) -> None:
        self._open_fd = open_fd
        self._pace_s = pace_s

    def run(self, keeper: PositionKeeper, stop: threading.Event) -> None:
        listener = NMEAListener(keeper)
        pause_s = 1.0
        while not stop.is_set():
            try:
                fd = self._open_fd()
            except OSError as error:
                log.warning("receiver-unreachable", errno=error.errno)
                stop.wait(pause_s)
                pause_s = min(30.0, pause_s * 2)
                continue
            try:
                if self._listen(fd, listener, stop):
                    pause_s = 1.0
            except OSError as error:
                log.warning("receiver-gone", errno=error.errno)
            finally:
                os.close(fd)
            stop.wait(pause_s)
            pause_s = min(30.0, pause_s * 2)

    def _listen(self, fd: int, listener: NMEAListener, stop: threading.Event) -> bool:
        """Read until the line ends; gives whether anything was heard."""
        rest = b""
        before = listener.sentences
        while not stop.is_set():
            ready, _, _ = select.select([fd], [], [], 0.5)
            if not ready:
                continue
            piece = os.read(fd, 4096)
            if not piece:
                break
            *lines, rest = (rest + piece).split(b"\n")
            rest = rest[-LINE_BYTES_MAX:]
            for line in lines:
                listener.hear(line.decode("ascii", "replace"))
                if self._pace_s and b"RMC" in line[:8] and stop.wait(self._pace_s):
                    break
        return listener.sentences > before


def serial_feed(path: str, *, baud: int = 9600) -> NMEAFeed:
    """A receiver on a serial line (`/dev/ttyUSB0`), or a file of sentences, which is played at one fix a second."""
    is_line = path.startswith("/dev/")

    def open_fd() -> int:
        fd = os.open(path, os.O_RDONLY | os.O_NOCTTY | (os.O_NONBLOCK if is_line else 0))
        if is_line:
            import termios

            settings = termios.tcgetattr(fd)
            speed = getattr(termios, f"B{baud}")
            # Raw, eight bits, no parity: the receiver's bytes as they are.
            settings[0] = settings[1] = settings[3] = 0
            settings[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
            settings[4] = settings[5] = speed
            termios.tcsetattr(fd, termios.TCSANOW, settings)
            os.set_blocking(fd, True)
        return fd

    if not is_line:
        Path(path).stat()  # a file that is not there is said now, not tried for ever
    return NMEAFeed(open_fd, pace_s=0.0 if is_line else 1.0)


def tcp_feed(host: str, port: int) -> NMEAFeed:
    """Sentences from a TCP port."""

    def open_fd() -> int:
        return socket.create_connection((host, port), timeout=5.0).detach()

    return NMEAFeed(open_fd)
