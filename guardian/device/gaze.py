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

import cv2
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

PLATE_WIDTH_PX = 200.0
"""The reader works on lines 48 px high; a plate of this width has 80 or more."""

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
                piece, factor = self._piece(frame, (left, top, right, bottom))
                plates += [_placed(plate, factor, left, top) for plate in self._engine.look(piece, part)]
                times.detect_ms += part.detect_ms
                times.rectify_ms += part.rectify_ms
                times.read_ms += part.read_ms
                times.judge_ms += part.judge_ms
        self._shape = frame.shape
        self._known = [plate.corners for plate in plates]
        return plates

    def _piece(self, frame: Image, window: Window) -> tuple[Image, float]:
        """A window cut out, shrunk so that the widest plate in it is no wider than reading needs; and the factor."""
        left, top, right, bottom = window
        piece = np.ascontiguousarray(frame[top:bottom, left:right])
        inside = [c for c in self._known if left <= c[0][0] <= right and top <= c[0][1] <= bottom]
        widest = max((max(x for x, _ in c) - min(x for x, _ in c) for c in inside), default=0.0)
        factor = min(1.0, PLATE_WIDTH_PX / max(1.0, widest))
        if factor > 0.8:
            return piece, 1.0
        size = (max(1, round(piece.shape[1] * factor)), max(1, round(piece.shape[0] * factor)))
        return np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), size[0] / piece.shape[
            1
        ]

    def _windows(self, frame: Image) -> list[Window]:
        """Where to look; empty for everywhere."""
        if self._left <= 0 or not self._known or frame.shape != self._shape or len(self._known) > WINDOWS_MAX:
            return []
        height, width = frame.shape[:2]
        windows = merged([around(corners, width, height) for corners in self._known])
        area = sum((right - left) * (bottom - top) for left, top, right, bottom in windows)
        return windows if area <= SHARE_MAX * width * height else []


def around(corners: Corners, width: int, height: int) -> Window:
    """The surroundings of a plate: its width to each side, 1.8 heights up and down, inside the frame.

    Between two looks a tenth of a second passes; a plate that moves further in it is found by the next whole look.
    """
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    w, h = max(xs) - min(xs), max(ys) - min(ys)
    return (
        max(0, int(min(xs) - w)),
        max(0, int(min(ys) - 1.8 * h)),
        min(width, int(max(xs) + w) + 1),
        min(height, int(max(ys) + 1.8 * h) + 1),
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


def _placed(plate: PlateSeen, factor: float, left: int, top: int) -> PlateSeen:
    """A plate of a window, in the frame's pixels."""
    a, b, c, d = ((round(x / factor + left, 1), round(y / factor + top, 1)) for x, y in plate.corners)
    return msgspec.structs.replace(plate, corners=(a, b, c, d))
