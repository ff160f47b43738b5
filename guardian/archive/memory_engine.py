"""The archive in memory: the plain meaning of every question, against which the real engines are tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from guardian.archive.model import ArchivedRead, is_alive
from guardian.archive.ports import Counted, Page
from guardian.archive.question import PLATES_LISTED_MAX, Cursor, Question, refuse_many_plates


class MemoryArchive:
    """For tests and tiny demonstrations; forgets everything at the end."""

    def __init__(self, *, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._rows: dict[str, ArchivedRead] = {}
        self._tokens: set[str] = set()

    async def insert(self, rows: Sequence[ArchivedRead], bodies: Sequence[bytes], *, token: str) -> None:
        if token in self._tokens:
            return
        self._tokens.add(token)
        for row in rows:
            self._rows[row.read.id] = row

    def _alive(self) -> Iterator[ArchivedRead]:
        now_ms = self._now_ms()
        return (row for row in self._rows.values() if is_alive(row.ts_ms, now_ms))

    def _answers(self, question: Question, as_of: int) -> list[ArchivedRead]:
        pattern = question.pattern
        if pattern is not None and question.texts is None and not question.is_short(self._now_ms()):
            plates = {row.read.text for row in self._rows.values() if question.fits(row.read.text)}
            if len(plates) > PLATES_LISTED_MAX:
                raise refuse_many_plates(pattern)
        found = [row for row in self._alive() if row.number <= as_of and question.is_answered_by(row)]
        return sorted(found, key=lambda row: row.key, reverse=True)

    async def page(self, question: Question, *, cursor: Cursor | None, limit: int, as_of: int) -> Page:
        rows = self._answers(question, as_of)
        if cursor is not None:
            rows = [row for row in rows if row.key < cursor.key]
        more = len(rows) > limit
        rows = rows[:limit]
        return Page(tuple(rows), Cursor(*rows[-1].key) if more else None)

    async def count(self, question: Question, *, as_of: int, count_max: int = 10_000) -> Counted:
        found = len(self._answers(question, as_of))
        return Counted(min(found, count_max), found <= count_max)

    async def newer(self, question: Question, *, as_of: int) -> int:
        return min(1000, sum(row.number > as_of and question.is_answered_by(row) for row in self._alive()))

    async def histogram(self, question: Question, *, as_of: int, from_ms: int, bin_ms: int) -> list[tuple[int, int]]:
        bins = Counter(
            from_ms + (row.ts_ms - from_ms) // bin_ms * bin_ms
            for row in self._answers(question, as_of)
            if row.ts_ms >= from_ms
        )
        return sorted(bins.items())

    async def plates(self, question: Question, *, as_of: int, limit: int = 20) -> list[tuple[str, int]]:
        counted = Counter(row.read.text for row in self._answers(question, as_of))
        return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:limit]

    async def find_many(self, ids: Iterable[str]) -> dict[str, ArchivedRead]:
        alive = {row.read.id: row for row in self._alive()}
        return {read_id: alive[read_id] for read_id in ids if read_id in alive}

    async def recent(self, limit: int) -> list[ArchivedRead]:
        rows = [row for row in self._alive() if not row.time_doubtful]
        return sorted(rows, key=lambda row: row.key, reverse=True)[:limit]

    async def find_by_texts(self, texts: Sequence[str], since_ms: int, *, limit: int = 1000) -> list[ArchivedRead]:
        wanted = set(texts)
        rows = [row for row in self._alive() if row.read.text in wanted and row.ts_ms >= since_ms]
        return sorted(rows, key=lambda row: row.key, reverse=True)[:limit]

    async def newest_ms(self) -> int | None:
        return max((row.ts_ms for row in self._rows.values() if not row.time_doubtful), default=None)

    async def list_due(self, before_ms: int, *, after: Cursor | None, limit: int) -> list[ArchivedRead]:
        rows = sorted((row for row in self._rows.values() if row.ts_ms < before_ms), key=lambda row: row.key)
        return [row for row in rows if after is None or row.key > after.key][:limit]

    async def destroy(self, before_ms: int) -> int:
        due = [read_id for read_id, row in self._rows.items() if row.ts_ms < before_ms]
        for read_id in due:
            del self._rows[read_id]
        return len(due)

    async def reach(self) -> tuple[int | None, int | None]:
        times = [row.ts_ms for row in self._alive()]
        return (min(times), max(times)) if times else (None, None)

    async def close(self) -> None:
        self._rows.clear()
