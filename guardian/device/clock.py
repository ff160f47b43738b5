"""What time it is on a device that may wake up in 1970 (field case G14).

Three clocks are kept apart: the *wall* clock of the machine, which may be wrong by years and may jump; the *monotonic*
clock, which only counts; and *true* time, which somebody tells us: a satellite fix, a synchronised system clock, or
the cloud's answer. All moments are taken on the monotonic clock and dated from it, so that a read made before the time
was known can be dated afterwards by its distance, and a wall clock that jumps moves nothing.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from guardian.device.clockruns import ClockRuns
from guardian.domain.moment import CLOCK_FLOOR_MS, Clock
from guardian.domain.read import Read

_RANK = {"simulated": 4, "gps": 3, "ntp": 2, "cloud": 1}
_STALE_MS = 30 * 60_000
"""After so long a worse source may correct a better one's last word: crystals drift by seconds a day."""


class Stamp(msgspec.Struct, frozen=True):
    """A moment on the monotonic clock of one run of the machine; `kernel` names the run."""

    mono_ms: int
    kernel: str


class DeviceClock:
    """True time as well as it is known. Thread-safe: readers see one tuple.

    Args:
        wall_ms: the machine's UTC clock.
        mono_ms: counts through suspend, never jumps.
        kernel: names this run of the machine, so that a monotonic moment of another run is never mixed in.
    """

    def __init__(
        self,
        *,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        mono_ms: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
        kernel: str | None = None,
    ) -> None:
        self._wall_ms = wall_ms
        self.mono_ms = mono_ms
        self.kernel = kernel if kernel is not None else _kernel_run()
        # (true - monotonic, source, monotonic moment at which it was learnt)
        self._known: tuple[int, str, int] | None = None
        self._runs: ClockRuns | None = None

    def remember(self, runs: ClockRuns) -> None:
        """Keep what is known over restarts; what was told earlier in this run of the machine is known again."""
        self._runs = runs
        earlier = runs.find(self.kernel)
        if self._known is None and earlier is not None and earlier.true_minus_mono_ms is not None:
            self._known = (earlier.true_minus_mono_ms, earlier.source, earlier.told_mono_ms)
        runs.note(self)

    def note(self) -> None:
        """Write down where the clocks stand, where somebody keeps it; cheap, call it often."""
        if self._runs is not None:
            self._runs.note(self)

    def both_ms(self) -> tuple[int, int]:
        """Wall and monotonic clock at one moment."""
        return self._wall_ms(), self.mono_ms()

    @property
    def known(self) -> tuple[int, str, int] | None:
        """True minus monotonic, who said so, and when on the monotonic clock."""
        return self._known

    @property
    def source(self) -> str:
        """Who told the time: gps, ntp, cloud, simulated or unset."""
        return self._known[1] if self._known is not None else "unset"

    @property
    def verified(self) -> bool:
        """Whether anybody has told the time since the start."""
        return self._known is not None

    @property
    def plausible(self) -> bool:
        """False while nobody has told the time and the machine's own clock was never set."""
        return self.verified or self._wall_ms() >= CLOCK_FLOOR_MS

    def stamp(self) -> Stamp:
        """This moment, to be dated now or later."""
        return Stamp(self.mono_ms(), self.kernel)

    def now_ms(self) -> int:
        """True time if known, else what the machine believes."""
        return self.at(self.mono_ms())[0]

    def at(self, mono_ms: int) -> tuple[int, Clock]:
        """UTC of a monotonic moment of this run, and how it is known."""
        now = self.mono_ms()
        wall = self._wall_ms() + mono_ms - now
        known = self._known
        if known is None:
            return wall, Clock()
        true = mono_ms + known[0]
        return true, Clock(offset_ms=true - wall, source=known[1], age_ms=max(0, now - known[2]), corrected=True)

    def offset_ms(self) -> int | None:
        """True minus wall, or None while nobody has told the time."""
        known = self._known
        return None if known is None else self.mono_ms() + known[0] - self._wall_ms()

    def learn(self, true_ms: int, source: str, *, at_mono_ms: int | None = None) -> bool:
        """Somebody told the time; gives whether it was believed.

        A time before the floor is never believed (receivers say 1980 or 2005 before they know; field case G13). A
        worse source does not overrule a better one that spoke in the last half hour.
        """
        if true_ms < CLOCK_FLOOR_MS:
            return False
        now = self.mono_ms()
        at = now if at_mono_ms is None else at_mono_ms
        known = self._known
        if known is not None and _RANK[source] < _RANK[known[1]] and now - known[2] < _STALE_MS:
            return False
        self._known = (true_ms - at, source, now)
        self.note()
        return True

    def ask_system(self) -> bool:
        """Believe the machine's clock if the kernel says that a time service keeps it; gives whether it does."""
        return system_clock_synchronised() and self.learn(self._wall_ms(), "ntp")

    def redate(self, read: Read, stamp: Stamp) -> Read:
        """Date a read that was made while nobody had told the time.

        By the monotonic distance, in the run of the machine in which it was made, where the time was told in that run; marked
        by its clock's `corrected` and source. Where the machine was restarted before that and its wall clock ran on, by what
        that clock turned out to be wrong (`carried`). Else the distance is gone: a date that was never set becomes the start
        of this run (it was before that), and one that may be right stays; the source stays `unset`, so that everybody sees
        that nobody vouches for it.
        """
        if read.clock.corrected:
            return read
        if stamp.kernel == self.kernel:
            if not self.verified:
                return read
            true, clock = self.at(stamp.mono_ms)
            shift = true - read.captured_ms
            return _shifted(read, shift, msgspec.structs.replace(clock, offset_ms=shift))
        former = self._runs.find(stamp.kernel) if self._runs is not None else None
        if former is not None and former.true_minus_mono_ms is not None:
            shift = stamp.mono_ms + former.true_minus_mono_ms - read.captured_ms
            age = max(0, former.told_mono_ms - stamp.mono_ms)
            return _shifted(read, shift, Clock(offset_ms=shift, source=former.source, age_ms=age, corrected=True))
        if not self.verified:
            return read
        carried = self._runs.carried_error_ms(stamp.kernel) if self._runs is not None else None
        if carried is not None:
            return _shifted(read, carried, Clock(offset_ms=carried, source="carried", corrected=True))
        if read.captured_ms >= CLOCK_FLOOR_MS:
            return read
        started = self.at(0)[0]
        shift = started - read.captured_ms
        return _shifted(read, shift, Clock(offset_ms=shift, source="unset", corrected=True))


def _shifted(read: Read, shift: int, clock: Clock) -> Read:
    """A read with all its moments moved; the list's date is the cloud's and stays."""
    replace = msgspec.structs.replace
    position = read.position and replace(read.position, fixed_ms=read.position.fixed_ms + shift)
    return replace(
        read,
        captured_ms=read.captured_ms + shift,
        clock=clock,
        position=position,
        crop=read.crop and replace(read.crop, frame_ms=read.crop.frame_ms + shift),
        overview=read.overview and replace(read.overview, frame_ms=read.overview.frame_ms + shift),
        votes=tuple(replace(v, frame_ms=v.frame_ms + shift) for v in read.votes),
        hits=tuple(replace(h, alarmed_ms=h.alarmed_ms + shift) for h in read.hits),
    )


def _kernel_run() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"unknown-{time.time_ns()}"


def system_clock_synchronised() -> bool:
    """Whether the kernel says that its clock is kept by a time service (adjtimex(2): TIME_ERROR is 5)."""
    try:
        libc = ctypes.CDLL(None)
        buffer = ctypes.create_string_buffer(512)  # struct timex is 208 bytes; modes = 0 only asks
        return 0 <= int(libc.adjtimex(buffer)) < 5
    except (OSError, AttributeError):
        return False
