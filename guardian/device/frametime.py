"""The time of a frame within its film, mended where single stamps are wild (field case G12).

Recorders stamp single frames hours off; films from phones have no steady rate, and a header that says 90,000 or 0 frames
a second. So no rate is believed: time is the stamp, if it lies where a stamp can lie, else the last good one and a usual
step. If a whole row of frames agrees on another time, that is a cut in the film and not a wild stamp: time runs on.
"""

from __future__ import annotations

from collections import deque
from statistics import median

GAP_MAX_S = 5.0
AGREE_FRAMES = 5
USUAL_STEP_S = 1 / 30


class FrameTimes:
    """Stamps in, seconds from the first frame out, never going back. `wild` counts those that were replaced."""

    def __init__(self) -> None:
        self.wild = 0
        self._last_s: float | None = None  # in our time
        self._shift_s = 0.0  # our time = stamp + shift
        self._steps: deque[float] = deque(maxlen=31)
        self._strays: list[float] = []

    def _step_s(self) -> float:
        return median(self._steps) if self._steps else USUAL_STEP_S

    def time_s(self, stamp_s: float | None) -> float:
        """Seconds since the first frame; `stamp_s` is None where the film gives none."""
        if self._last_s is None:
            self._last_s = 0.0
            if stamp_s is None:
                self.wild += 1
            else:
                self._shift_s = -stamp_s
            return 0.0
        if stamp_s is not None:
            ours = stamp_s + self._shift_s
            if self._last_s < ours <= self._last_s + GAP_MAX_S:
                self._steps.append(ours - self._last_s)
                self._strays.clear()
                self._last_s = ours
                return ours
            self._stray(stamp_s)
        self.wild += 1
        self._last_s += self._step_s()
        if len(self._strays) >= AGREE_FRAMES:
            self._shift_s = self._last_s - self._strays[-1]
            self._strays.clear()
        return self._last_s

    def _stray(self, stamp_s: float) -> None:
        """Remember stamps that agree with one another but not with us."""
        if self._strays and not 0 < stamp_s - self._strays[-1] <= GAP_MAX_S:
            self._strays.clear()
        self._strays.append(stamp_s)
