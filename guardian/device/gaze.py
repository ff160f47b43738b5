"""Where to look in the next frame: everywhere, or only where a plate is expected on which nothing is decided yet.

A look at a whole frame costs hundreds of milliseconds; a look around a known plate some forty. So each frame is looked at
first around the plates that are being followed, and what that decides alarms at once. Only then, and not in every frame
while something is open, comes the rest of the frame, to find new plates: a first sight never decides, so no alarm waits for a
whole look. A settled plate has no window; whole looks keep its track alive.

A picture that has not changed since the last whole look is not looked at wholly again for a while: at a red light the
processor cools down.

`Gaze` is for sources in their own time, where a frame that is not looked at in time is lost; where every frame counts, each
look is whole (`EveryLook`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from guardian.device.follow import Follower, Passing
from guardian.device.source import Frame
from guardian.device.stage import Stages
from guardian.domain.read import Corners
from guardian.vision.engine import StageTimes
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import Frame as Image

NARROW_LOOKS = 3
"""While something is open, so many frames are looked at only narrowly after a whole one: with it, one more than a sure
decision needs."""
WINDOWS_MAX = 6
"""Plates followed narrowly in one frame; with more, those nearest to a decision come first."""
STILL_MS = 600
"""A picture that does not change is looked at wholly this often: below the tracker's gap, so that no track is lost."""
STILL_CELL_PX = 20
STILL_CHANGE_MAX = 5
"""Grey levels (of 255) by which no cell of a standing picture differs; noise of a cell's 400 pixels is below 1."""


class Looking(Protocol):
    """An engine, as far as looking goes."""

    def look(self, frame: Image, times: StageTimes | None = None, *, known: Sequence[Corners] = ()) -> list[PlateSeen]:
        """All plates of one picture, except at places that are known already."""
        ...

    def near(self, frame: Image, expected: Sequence[Corners], times: StageTimes | None = None) -> list[PlateSeen]:
        """The plates around some places."""
        ...


class Manner(Protocol):
    """How frames are looked at."""

    def see(self, frame: Frame, follower: Follower, stages: Stages) -> Iterator[list[Passing]]:
        """Look at a frame in one step or more; gives what each step decided, as soon as it is decided."""
        ...


class EveryLook:
    """Each frame wholly."""

    def __init__(self, engine: Looking) -> None:
        self._engine = engine

    def see(self, frame: Frame, follower: Follower, stages: Stages) -> Iterator[list[Passing]]:
        times = StageTimes()
        plates = self._engine.look(frame.image, times)
        told(stages, times)
        with stages["track"].timed():
            passings = follower.see(frame, plates)
        yield passings


class Gaze:
    """Expected places first, then the rest where it is due. `whole`, `narrow` and `still` count looks and looks saved."""

    def __init__(self, engine: Looking, *, narrow_looks: int = NARROW_LOOKS) -> None:
        self._engine = engine
        self._narrow_looks = narrow_looks
        self._left = 0
        self._scene: npt.NDArray[np.uint8] | None = None
        self._scene_ms = 0
        self.whole = 0
        self.narrow = 0
        self.still = 0

    def see(self, frame: Frame, follower: Follower, stages: Stages) -> Iterator[list[Passing]]:
        with stages["track"].timed():
            passings = follower.expire(frame)
            expected = follower.expected(frame, WINDOWS_MAX)
        yield passings
        known: list[Corners] = []
        if expected:
            self.narrow += 1
            times = StageTimes()
            plates = self._engine.near(frame.image, expected, times)
            told(stages, times)
            known = [plate.corners for plate in plates]
            with stages["track"].timed():
                passings = follower.see(frame, plates)
            yield passings
            if self._left > 0:
                self._left -= 1
                return
        if self._stands(frame):
            self.still += 1
            return
        self.whole += 1
        self._left = self._narrow_looks
        times = StageTimes()
        plates = self._engine.look(frame.image, times, known=known)
        told(stages, times)
        with stages["track"].timed():
            passings = follower.see(frame, plates)
        yield passings

    def _stands(self, frame: Frame) -> bool:
        """Whether the picture is the one of the last whole look; where it is not, it is taken for that."""
        scene = scene_of(frame.image)
        old, since_ms = self._scene, frame.mono_ms - self._scene_ms
        comparable = old is not None and old.shape == scene.shape and 0 <= since_ms < STILL_MS
        if old is not None and comparable and int(cv2.absdiff(old, scene).max()) <= STILL_CHANGE_MAX:
            return True
        self._scene, self._scene_ms = scene, frame.mono_ms
        return False


def scene_of(image: Image) -> npt.NDArray[np.uint8]:
    """The picture as means of its cells, grey: enough to tell whether something moved."""
    height, width = image.shape[:2]
    size = (max(1, width // STILL_CELL_PX), max(1, height // STILL_CELL_PX))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def told(stages: Stages, times: StageTimes) -> None:
    """Write down what one look cost."""
    stages["detect"].took(times.detect_ms)
    stages["rectify"].took(times.rectify_ms)
    stages["read"].took(times.read_ms)
    stages["judge"].took(times.judge_ms)
