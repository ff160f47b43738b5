"""What is known of the clock in each run of the machine, kept over restarts (field case G14).

Reads are dated from the monotonic clock, which begins anew with every start of the machine. So that a read of a former run
can still be dated, each run leaves behind where its two clocks stood and, if somebody told the time, how far true time was
from the monotonic clock. Of a run in which nobody did, only this can be said: if the wall clock ran on from it to a later
one in which the time was told, it was wrong by as much then as at the later one's beginning ("carried").
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from guardian.device.disk import RealDisk, write_whole
from guardian.domain.errors import DiskFullError
from guardian.domain.moment import CLOCK_FLOOR_MS

log = structlog.get_logger("device.clock")

FILE = "clock.json"
RUNS_MAX = 100
NOTE_EVERY_MS = 60_000
SET_BY_HAND_MS = 2_000
"""A wall clock that gained or lost so much on the monotonic one was set by somebody."""


class Run(msgspec.Struct):
    """One run of the machine: both clocks at its beginning and when it was last seen; true minus monotonic, if told."""

    kernel: str
    began_wall_ms: int
    began_mono_ms: int
    last_wall_ms: int
    last_mono_ms: int
    true_minus_mono_ms: int | None = None
    source: str = "unset"
    told_mono_ms: int = 0

    @property
    def undisturbed(self) -> bool:
        """Nobody set the wall clock while it ran."""
        drift = (self.last_wall_ms - self.last_mono_ms) - (self.began_wall_ms - self.began_mono_ms)
        return abs(drift) < SET_BY_HAND_MS

    @property
    def wall_error_ms(self) -> int | None:
        """What had to be added to the wall clock at the beginning; None where nobody told the time."""
        if self.true_minus_mono_ms is None:
            return None
        return self.true_minus_mono_ms + self.began_mono_ms - self.began_wall_ms


class Clocks(Protocol):
    """The device's clock, as far as its runs are concerned."""

    kernel: str

    def both_ms(self) -> tuple[int, int]:
        """Wall and monotonic clock at one moment."""
        ...

    @property
    def known(self) -> tuple[int, str, int] | None:
        """True minus monotonic, who said so, and when on the monotonic clock."""
        ...


class ClockRuns:
    """The runs of a device in its home folder, newest last. A file that cannot be read or written costs only this."""

    def __init__(self, home: Path) -> None:
        self._disk = RealDisk(home)
        self._lock = threading.Lock()
        self._runs: list[Run] = []
        self._noted: tuple[int, tuple[int, str, int] | None] = (-NOTE_EVERY_MS, None)
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._runs = msgspec.json.decode(self._disk.read(FILE), type=list[Run])[-RUNS_MAX:]

    def find(self, kernel: str) -> Run | None:
        """What is known of a run."""
        return next((run for run in self._runs if run.kernel == kernel), None)

    def note(self, clock: Clocks) -> None:
        """Write down where the clocks stand; durable at the beginning, each minute, and when the time is told."""
        with self._lock:
            wall, mono = clock.both_ms()
            run = self.find(clock.kernel)
            if run is None:
                run = Run(clock.kernel, wall, mono, wall, mono)
                self._runs = [*self._runs[-RUNS_MAX + 1 :], run]
            elif mono - self._noted[0] < NOTE_EVERY_MS and clock.known == self._noted[1]:
                return
            run.last_wall_ms, run.last_mono_ms = wall, mono
            if clock.known is not None:
                run.true_minus_mono_ms, run.source, run.told_mono_ms = clock.known
            self._noted = (mono, clock.known)
            try:
                write_whole(self._disk, FILE, msgspec.json.encode(self._runs))
            except (DiskFullError, OSError) as error:
                log.warning("clock-not-noted", error=type(error).__name__)

    def carried_error_ms(self, kernel: str) -> int | None:
        """By how much the wall clock of a run was wrong, judged from the next run in which the time was told.

        None where the wall clock did not run on: it went back, it was set meanwhile, or it had never been set.
        """
        places = [place for place, run in enumerate(self._runs) if run.kernel == kernel]
        if not places:
            return None
        for former, run in zip(self._runs[places[0] :], self._runs[places[0] + 1 :], strict=False):
            ran_on = CLOCK_FLOOR_MS <= former.last_wall_ms <= run.began_wall_ms
            if not (ran_on and former.undisturbed):
                return None
            if run.wall_error_ms is not None:
                return run.wall_error_ms
        return None
