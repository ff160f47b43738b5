"""What each stage of the pipeline does and costs, and the bounded hand-over between two of them.

Every queue has a bound and says which way it fails: a camera's frame is dropped and counted when vision is still busy (the
newest wins), a read is never dropped (the giver waits).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from guardian.domain.wire import StageHealth

T = TypeVar("T")

STAGES = (
    "source", "detect", "rectify", "read", "judge", "track", "vehicle", "match", "alarm", "encode", "spool", "uplink", "second",
)  # fmt: skip
TIMES_KEPT = 512


class Stage:
    """Counts and times of one stage. Written by one thread, read by any."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.items = 0
        self.dropped = 0
        self.busy_ms = 0.0
        self._times: deque[float] = deque(maxlen=TIMES_KEPT)

    def took(self, ms: float, items: int = 1) -> None:
        """One piece of work is done."""
        self.items += items
        self.busy_ms += ms
        self._times.append(ms)

    @contextmanager
    def timed(self, items: int = 1) -> Iterator[None]:
        """Time a piece of work."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.took((time.perf_counter() - begun) * 1000, items)

    def quantile_ms(self, share: float) -> float:
        """Of the last pieces of work; 0 where there was none."""
        times = sorted(self._times)
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0

    def health(self) -> StageHealth:
        """For the heartbeat."""
        return StageHealth(
            self.name, self.items, self.dropped, round(self.quantile_ms(0.5), 2), round(self.quantile_ms(0.95), 2)
        )


class Stages:
    """All of a pipeline, in order of flow."""

    def __init__(self) -> None:
        self.all = {name: Stage(name) for name in STAGES}
        self.latency = Stage("latency")
        """Deciding frame, from the moment it was decoded, to the alarm on the desk."""

    def __getitem__(self, name: str) -> Stage:
        return self.all[name]

    def health(self) -> tuple[StageHealth, ...]:
        """For the heartbeat; stages that did nothing are left out."""
        return tuple(s.health() for s in (*self.all.values(), self.latency) if s.items or s.dropped)


class Handover(Generic[T]):
    """A bounded queue between two threads.

    Args:
        bound: at most so many wait.
        newest_wins: full means that the oldest is dropped and counted; otherwise the giver waits.
    """

    def __init__(self, bound: int, *, newest_wins: bool, stage: Stage) -> None:
        self._items: deque[T] = deque()
        self._bound = bound
        self._newest_wins = newest_wins
        self._stage = stage
        self._moved = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    def give(self, item: T) -> None:
        """Hand one over; after `close` it is dropped."""
        with self._moved:
            if self._newest_wins:
                while len(self._items) >= self._bound:
                    self._items.popleft()
                    self._stage.dropped += 1
            else:
                self._moved.wait_for(lambda: len(self._items) < self._bound or self._closed)
            if not self._closed:
                self._items.append(item)
            self._moved.notify_all()

    def take(self) -> T | None:
        """The next one; None when the giver has closed and nothing is left."""
        with self._moved:
            self._moved.wait_for(lambda: bool(self._items) or self._closed)
            if not self._items:
                return None
            item = self._items.popleft()
            self._moved.notify_all()
            return item

    def close(self) -> None:
        """Nothing more comes; what waits is still taken."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()
