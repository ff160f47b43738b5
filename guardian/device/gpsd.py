"""Positions and time from gpsd, by its JSON over TCP: our own small client, since it is forty lines.

Source: gpsd_json(5). Only TPV is used: mode 2 or 3 with lat and lon is a fix, `eph` is the estimated horizontal error in
metres, `track` degrees from true north, `speed` in m/s.
"""

from __future__ import annotations

import select
import socket
import threading

import msgspec
import structlog

from guardian.device.nmea import HEADING_MIN_KMH
from guardian.device.position import DEFAULT_ACCURACY_M, Fix, PositionKeeper
from guardian.domain.errors import InputRefusedError
from guardian.domain.moment import parse_instant

log = structlog.get_logger("device.gpsd")

WATCH = b'?WATCH={"enable":true,"json":true}\n'
LINE_BYTES_MAX = 64 * 1024


class _Report(msgspec.Struct):
    """The fields of a TPV that are used; other classes leave them out."""

    kind: str = msgspec.field(default="", name="class")
    mode: int = 0
    time: str | None = None
    lat: float | None = None
    lon: float | None = None
    eph: float | None = None
    epx: float | None = None
    epy: float | None = None
    track: float | None = None
    speed: float | None = None


_decode = msgspec.json.Decoder(_Report).decode


class GpsdFeed:
    """Listens to one gpsd; connects again after growing pauses."""

    def __init__(self, host: str = "127.0.0.1", port: int = 2947) -> None:
        self._address = (host, port)
        self.reports = 0
        self.broken = 0

    def run(self, keeper: PositionKeeper, stop: threading.Event) -> None:
        pause_s = 0.5
        while not stop.is_set():
            heard = self.reports
            try:
                with socket.create_connection(self._address, timeout=5.0) as line:
                    line.sendall(WATCH)
                    self._listen(line, keeper, stop)
            except OSError as error:
                log.warning("gpsd-unreachable", errno=error.errno)
            pause_s = 0.5 if self.reports > heard else min(30.0, pause_s * 2)
            stop.wait(pause_s)

    def _listen(self, line: socket.socket, keeper: PositionKeeper, stop: threading.Event) -> None:
        rest = b""
        while not stop.is_set():
            ready, _, _ = select.select([line], [], [], 0.5)
            if not ready:
                continue
            piece = line.recv(8192)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            rest = rest[-LINE_BYTES_MAX:]
            for text in lines:
                self.hear(text, keeper)

    def hear(self, text: bytes, keeper: PositionKeeper) -> None:
        """One line of JSON."""
        if not text.strip():
            return
        try:
            report = _decode(text)
        except msgspec.DecodeError:
            self.broken += 1
            return
        if report.kind != "TPV":
            return
        self.reports += 1
        if report.mode < 2 or report.lat is None or report.lon is None:
            return
        now = keeper.clock.mono_ms()
        error_m = report.eph
        if error_m is None and report.epx is not None and report.epy is not None:
            error_m = max(report.epx, report.epy)
        speed_kmh = report.speed * 3.6 if report.speed is not None else None
        moving = speed_kmh is not None and speed_kmh >= HEADING_MIN_KMH
        known = keeper.tell(
            Fix(
                report.lat,
                report.lon,
                now,
                error_m if error_m is not None else DEFAULT_ACCURACY_M,
                report.track if moving else None,
                speed_kmh,
            )
        )
        if known and report.time:
            try:
                keeper.clock.learn(parse_instant(report.time), "gps", at_mono_ms=now)
            except InputRefusedError:
                self.broken += 1
