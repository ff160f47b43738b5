"""Which of a device's request counters have been seen: a replay is refused, requests side by side are not.

A device numbers its requests upwards; several may be under way at once, so within the last WINDOW numbers any order is
taken, each once. Kept in memory, this costs nothing; to survive a crash without a durable write for each request, numbers
are leased in pieces: before a number above the ceiling is believed, a higher ceiling is made durable, and the process
that made it owns the numbers between the two.

Why this is safe: a number is believed only by the process that leased it, only once, and a lease is given once (the
ceiling is moved by comparing and setting in the records' single writer). After a crash the leases are gone and the
ceiling stands above every number that was ever believed; everything up to it is refused. The device is told the ceiling
and goes on above it: a crash costs each device one refusal, and never lets an old request in again. The next piece is
leased ahead of need, so that requests do not wait for it.
"""

from __future__ import annotations

from guardian.domain.wire import COUNTER_MAX

LEASE = 256
"""Numbers a lease. One durable write for so many requests; a crash makes a device skip at most so many numbers."""
AHEAD = LEASE // 2
"""With fewer leased numbers left above the newest, the next lease is asked for."""
WINDOW = 1024
"""How far behind the newest number a late one may come."""


class SeenCounters:
    """The numbers of one device that this process has leased, and which of them were seen."""

    def __init__(self) -> None:
        self._leases: list[tuple[int, int]] = []  # (above, up to and with), ascending
        self._seen: set[int] = set()
        self.newest = 0

    @property
    def ceiling(self) -> int:
        """Up to where numbers are leased here; 0 before the first lease."""
        return self._leases[-1][1] if self._leases else 0

    def lease_needed(self, counter: int) -> bool:
        """Whether `counter` lies above what is leased."""
        return counter > self.ceiling

    def lease_soon(self) -> bool:
        """Whether the next lease should be asked for now."""
        return self.ceiling - self.newest < AHEAD

    def add_lease(self, above: int, ceiling: int) -> None:
        """The numbers above `above` up to `ceiling` are ours."""
        self._leases.append((above, ceiling))
        self._forget()

    def take(self, counter: int) -> bool:
        """Whether `counter` is believed: leased here, inside the window, and not seen before. Then it is seen."""
        if counter in self._seen or counter <= self.newest - WINDOW:
            return False
        if not any(above < counter <= ceiling for above, ceiling in self._leases):
            return False
        self._seen.add(counter)
        if counter > self.newest:
            self.newest = counter
            if len(self._seen) > 2 * WINDOW:
                self._forget()
        return True

    def _forget(self) -> None:
        floor = self.newest - WINDOW
        self._seen = {counter for counter in self._seen if counter > floor}
        self._leases = [lease for lease in self._leases if lease[1] > floor] or self._leases[-1:]


def next_lease(ceiling: int, counter: int) -> tuple[int, int]:
    """The lease that makes `counter` believable, given the durable ceiling: (above, new ceiling).

    A counter that has jumped far takes the window behind it along, not all the numbers that were skipped.
    """
    return max(ceiling, counter - WINDOW), min(max(ceiling, counter) + LEASE, COUNTER_MAX + LEASE)
