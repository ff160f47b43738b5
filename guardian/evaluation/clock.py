"""How long a piece of work took, by the wall's clock and on the processor (all threads, and programs that it started)."""

from __future__ import annotations

import os
import time
from types import TracebackType


def _cpu_s() -> float:
    told = os.times()
    # process_time is finer than os.times, which only adds what started programs took.
    return time.process_time() + told.children_user + told.children_system


class Clocked:
    """A context that measures; `wall_ms` and `cpu_ms` are there when it ends."""

    wall_ms = 0.0
    cpu_ms = 0.0

    def __enter__(self) -> Clocked:
        self._wall, self._cpu = time.perf_counter(), _cpu_s()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall_ms = (time.perf_counter() - self._wall) * 1000
        self.cpu_ms = (_cpu_s() - self._cpu) * 1000
