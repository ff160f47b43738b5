"""Where to look in the next frames of a camera: everywhere, or only where plates were a moment ago.

A look at a whole frame costs hundreds of milliseconds; a look at the surroundings of a known plate a fraction of it. After a
whole look that found plates, the next few frames are looked at only around them: the rule of several frames is met within a
fraction of the time, so the officer hears sooner, and each vote has more single reads. Then comes a whole look again, so no
vehicle waits longer than a few cheap looks to be found. Where nothing was found, every look is whole.

Only for sources in their own time, where a frame that is not looked at in time is lost; where every frame counts, each
look is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np

from guardian.domain.read import Corners
from guardian.vision.engine import StageTimes
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import Frame as Image

NARROW_LOOKS = 3
"""So many narrow looks follow a whole one that found something: with it, one more than a sure decision needs."""
WINDOWS_MAX = 3
SHARE_MAX = 0.4
"""Windows that cover more of the frame than this save nothing."""

Window = tuple[int, int, int, int]  # left, top, right, bottom in px


class Looking(Protocol):
    """An engine, as far as looking goes."""

    def look(self, frame: Image, times: StageTimes | None = None) -> list[PlateSeen]:
        """All plates of one picture."""
        ...


class Gaze:
    """Looks with an engine, at the whole frame or at windows of it. `whole` and `narrow` count the looks."""

    def __init__(self, engine: Looking, *, narrow_looks: int = NARROW_LOOKS) -> None:
        self._engine = engine
        self._narrow_looks = narrow_looks
        self._left = 0
        self._known: list[Corners] = []
        self._shape: tuple[int, ...] = ()
        self.whole = 0
        self.narrow = 0

    def look(self, frame: Image, times: StageTimes | None = None) -> list[PlateSeen]:
        """The plates of a frame, in its own pixels."""
        times = times if times is not None else StageTimes()
        windows = self._windows(frame)
        if not windows:
            self.whole += 1
            plates = self._engine.look(frame, times)
            self._left = self._narrow_looks
        else:
            self.narrow += 1
            self._left -= 1
            plates = []
            for left, top, right, bottom in windows:
                part = StageTimes()
                found = self._engine.look(np.ascontiguousarray(frame[top:bottom, left:right]), part)
                plates += [_moved(plate, left, top) for plate in found]
                times.detect_ms += part.detect_ms
                times.rectify_ms += part.rectify_ms
                times.read_ms += part.read_ms
                times.judge_ms += part.judge_ms
        self._shape = frame.shape
        self._known = [plate.corners for plate in plates]
        return plates

    def _windows(self, frame: Image) -> list[Window]:
        """Where to look; empty for everywhere."""
        if self._left <= 0 or not self._known or frame.shape != self._shape or len(self._known) > WINDOWS_MAX:
            return []
        height, width = frame.shape[:2]
        windows = merged([around(corners, width, height) for corners in self._known])
        area = sum((right - left) * (bottom - top) for left, top, right, bottom in windows)
        return windows if area <= SHARE_MAX * width * height else []


def around(corners: Corners, width: int, height: int) -> Window:
    """The surroundings of a plate: one plate's width to each side, three heights up and down, inside the frame."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    w, h = max(xs) - min(xs), max(ys) - min(ys)
    return (
        max(0, int(min(xs) - w)),
        max(0, int(min(ys) - 3 * h)),
        min(width, int(max(xs) + w) + 1),
        min(height, int(max(ys) + 3 * h) + 1),
    )


def merged(windows: Sequence[Window]) -> list[Window]:
    """Windows that overlap become one, so that no plate is seen twice."""
    out: list[Window] = []
    for window in windows:
        joined = window
        while True:
            hit = next((w for w in out if _overlap(w, joined)), None)
            if hit is None:
                break
            out.remove(hit)
            joined = (
                min(hit[0], joined[0]),
                min(hit[1], joined[1]),
                max(hit[2], joined[2]),
                max(hit[3], joined[3]),
            )
        out.append(joined)
    return out


def _overlap(a: Window, b: Window) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _moved(plate: PlateSeen, left: int, top: int) -> PlateSeen:
    a, b, c, d = ((x + left, y + top) for x, y in plate.corners)
    return msgspec.structs.replace(plate, corners=(a, b, c, d))
