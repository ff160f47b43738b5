"""Which sequence numbers of one device and boot are here already: a set of whole numbers kept as few closed intervals.

A device numbers its reads without gaps, so a year of reads is a handful of intervals, whatever the borders of the
batches that brought them (field case G30). Adding in any order, any number of times, gives the same set.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class IntervalSet:
    """Closed intervals, sorted, apart from one another by at least one missing number."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in sorted(spans):
            self._append(first, last)

    def _append(self, first: int, last: int) -> None:
        if self._last and first <= self._last[-1] + 1:
            self._last[-1] = max(self._last[-1], last)
        else:
            self._first.append(first)
            self._last.append(last)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The intervals, both ends included."""
        return list(zip(self._first, self._last, strict=True))

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._first, number) - 1
        return place >= 0 and number <= self._last[place]

    def _touches(self, first: int, last: int) -> bool:
        place = bisect_right(self._first, last) - 1
        return place >= 0 and self._last[place] >= first

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.spans)

    def add(self, numbers: Iterable[int]) -> set[int]:
        """Put `numbers` in; gives those that were not in before."""
        fresh = set(numbers)
        if fresh and self._touches(min(fresh), max(fresh)):
            fresh = {number for number in fresh if number not in self}
        if not fresh:
            return fresh
        runs = _runs(fresh)
        merged = sorted([*self.spans, *runs])
        self._first, self._last = [], []
        for first, last in merged:
            self._append(first, last)
        return fresh


def _runs(numbers: set[int]) -> list[tuple[int, int]]:
    low, high = min(numbers), max(numbers)
    if high - low + 1 == len(numbers):  # a batch of a device that lost nothing
        return [(low, high)]
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
