"""The track that lies beside a film: where the camera was at each moment of it.

One JSON object a line, as `guardian footage` writes it: `{"video_s", "lat_deg", "lon_deg", "heading_deg", "speed_kmh",
"accuracy_m"}`, `video_s` counted from the film's first frame; `{"t_ms", "lat", "lon", …}` is understood as well. A read taken from the film gets the place of its frame, however fast the film is played.
"""

from __future__ import annotations

import bisect
import os
import threading
from pathlib import Path

import msgspec

from guardian.device.clock import DeviceClock
from guardian.device.position import DEFAULT_ACCURACY_M, Fix, PositionKeeper
from guardian.domain.errors import InputRefusedError
from guardian.domain.position import Position

END_GRACE_MS = 2_000


class TrackPoint(msgspec.Struct, frozen=True):
    """One place of a track; `t_ms` is the film's time."""

    t_ms: int
    lat: float
    lon: float
    heading_deg: float | None = None
    speed_kmh: float | None = None
    accuracy_m: float = DEFAULT_ACCURACY_M


class _Line(msgspec.Struct, frozen=True):
    """One line as it stands in a file; both spellings."""

    video_s: float | None = None
    t_ms: float | None = None
    lat_deg: float | None = None
    lat: float | None = None
    lon_deg: float | None = None
    lon: float | None = None
    heading_deg: float | None = None
    speed_kmh: float | None = None
    accuracy_m: float = DEFAULT_ACCURACY_M

    def point(self) -> TrackPoint | None:
        """The place, or None where time or place is missing."""
        t_ms = self.t_ms if self.video_s is None else self.video_s * 1000
        lat = self.lat if self.lat_deg is None else self.lat_deg
        lon = self.lon if self.lon_deg is None else self.lon_deg
        if t_ms is None or lat is None or lon is None:
            return None
        return TrackPoint(round(t_ms), lat, lon, self.heading_deg, self.speed_kmh, self.accuracy_m)


_FORM = "Each line is {video_s, lat_deg, lon_deg, heading_deg, speed_kmh}."


def load_track(path: Path) -> list[TrackPoint]:
    """Read a track file, in order of time.

    Raises:
        InputRefusedError: names the first bad line.
    """
    decoder = msgspec.json.Decoder(_Line)
    points: list[TrackPoint] = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputRefusedError(
            f"The track {path.name} cannot be read ({os.strerror(error.errno or 0).lower()}); nothing was started.",
            hint="guardian footage writes one beside its film; leave --track out to run without.",
            reference="track-unreadable",
        ) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            point = decoder.decode(line).point()
        except msgspec.DecodeError as error:
            raise InputRefusedError(f"Line {number} of the track is not a point: {error}.", hint=_FORM) from error
        if point is None:
            raise InputRefusedError(f"Line {number} of the track lacks its time or its place.", hint=_FORM)
        problem = Position(point.lat, point.lon, 0).problem()
        if problem is not None:
            raise InputRefusedError(f"Line {number} of the track: {problem}.", hint=_FORM)
        points.append(point)
    if not points:
        raise InputRefusedError("The track holds no point.", hint=_FORM)
    return sorted(points, key=lambda p: p.t_ms)


class TrackKeeper(PositionKeeper):
    """Positions from a track by the film's own time. Without a film's time it tells the last place that was asked for."""

    def __init__(self, clock: DeviceClock, points: list[TrackPoint]) -> None:
        super().__init__(clock)
        self._points = points
        self._times = [p.t_ms for p in points]

    def at(self, mono_ms: int, media_ms: int | None = None) -> Position | None:
        if media_ms is None:
            return super().at(mono_ms)
        point = self._between(media_ms)
        if point is None:
            return super().at(mono_ms)
        self.tell(Fix(point.lat, point.lon, mono_ms, point.accuracy_m, point.heading_deg, point.speed_kmh, "track"))
        return super().at(mono_ms)

    def _between(self, t_ms: int) -> TrackPoint | None:
        times = self._times
        if t_ms < times[0] - END_GRACE_MS or t_ms > times[-1] + END_GRACE_MS:
            return None
        after = bisect.bisect_right(times, t_ms)
        if after == 0:
            return self._points[0]
        if after == len(times):
            return self._points[-1]
        a, b = self._points[after - 1], self._points[after]
        share = (t_ms - a.t_ms) / max(1, b.t_ms - a.t_ms)
        heading = a.heading_deg
        if a.heading_deg is not None and b.heading_deg is not None:
            turn = (b.heading_deg - a.heading_deg + 180) % 360 - 180
            heading = (a.heading_deg + turn * share) % 360
        return TrackPoint(
            t_ms,
            a.lat + (b.lat - a.lat) * share,
            a.lon + (b.lon - a.lon) * share,
            heading,
            a.speed_kmh,
            max(a.accuracy_m, b.accuracy_m),
        )


class SilentFeed:
    """For films that bring their track: nothing to listen to."""

    def run(self, keeper: PositionKeeper, stop: threading.Event) -> None:
        stop.wait()
