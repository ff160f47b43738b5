"""What this room needs from outside, and the archive's own port: it speaks in questions, not in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from guardian.archive.model import ArchivedRead
from guardian.archive.question import Cursor, Question
from guardian.domain.subject import Subject


class Filled(msgspec.Struct, frozen=True):
    """Up to which journal number answers are whole, and whether that is everything that was stored."""

    number: int
    whole: bool


class Page(msgspec.Struct, frozen=True):
    """Reads, newest first, and where the next page begins (None: there is none)."""

    reads: tuple[ArchivedRead, ...]
    next: Cursor | None


class Counted(msgspec.Struct, frozen=True):
    """How many; not exact where the bound was reached (then it is the bound)."""

    count: int
    exact: bool


@runtime_checkable
class Archive(Protocol):
    """The national archive. Every answer leaves out what is older than the law allows, in one place of each engine.

    `as_of` bounds an answer to what had arrived up to a journal number; later arrivals never shift a walk (G36).
    Every question is cut off after the engine's time limit (QuestionCutOffError) and never half answered.
    """

    async def insert(self, rows: Sequence[ArchivedRead], bodies: Sequence[bytes], *, token: str) -> None:
        """Keep `rows` durably; `bodies` are the same reads in MessagePack. The same token again changes nothing."""
        ...

    async def page(self, question: Question, *, cursor: Cursor | None, limit: int, as_of: int) -> Page:
        """The newest `limit` reads that answer, after `cursor`.

        Raises:
            QuestionTooWideError: it matches too much to be answered in bounded time; the hint says what narrows it.
        """
        ...

    async def count(self, question: Question, *, as_of: int, count_max: int = 10_000) -> Counted:
        """How many reads answer, exact up to `count_max`."""
        ...

    async def newer(self, question: Question, *, as_of: int) -> int:
        """How many answering reads arrived after `as_of` (at most 1,000)."""
        ...

    async def histogram(self, question: Question, *, as_of: int, from_ms: int, bin_ms: int) -> list[tuple[int, int]]:
        """Reads per bin of `bin_ms` from `from_ms` on: (start of bin, reads), empty bins left out, oldest first."""
        ...

    async def plates(self, question: Question, *, as_of: int, limit: int = 20) -> list[tuple[str, int]]:
        """Which plates answer, the most frequent first, ties by text."""
        ...

    async def find_many(self, ids: Iterable[str]) -> dict[str, ArchivedRead]:
        """Reads by id; missing ones are left out. Also what is due is left out."""
        ...

    async def recent(self, limit: int) -> list[ArchivedRead]:
        """The newest reads, newest first; never one whose time is doubtful (G29)."""
        ...

    async def find_by_texts(self, texts: Sequence[str], since_ms: int, *, limit: int = 1000) -> list[ArchivedRead]:
        """Reads of exactly these plates captured since, newest first: for a new entry that looks back."""
        ...

    async def newest_ms(self) -> int | None:
        """Time of the newest read whose time is not doubtful, due or not; None where there is none."""
        ...

    async def list_due(self, before_ms: int, *, after: Cursor | None, limit: int) -> list[ArchivedRead]:
        """Reads whose time lies before `before_ms`, oldest first, after `after`; also those that no answer shows."""
        ...

    async def destroy(self, before_ms: int) -> int:
        """Destroy every read whose time lies before `before_ms`, in every copy, and the plates that only they had; gives
        how many reads. Again changes nothing."""
        ...

    async def reach(self) -> tuple[int | None, int | None]:
        """Times of the oldest and newest read that may be answered; None where there is none."""
        ...

    async def close(self) -> None:
        """Let go of the engine."""
        ...


@runtime_checkable
class Places(Protocol):
    """What people call a place."""

    def name(self, lat_deg: float, lon_deg: float) -> str:
        """Road and district, or an empty text."""
        ...


@runtime_checkable
class Areas(Protocol):
    """What people call an area."""

    def find(self, typed: str) -> Sequence[Sequence[tuple[float, float]]]:
        """Its rings, longitude first.

        Raises:
            InputRefusedError: none is called so, or several are.
        """
        ...


@runtime_checkable
class PhotoGrants(Protocol):
    """Who may see which picture by which reference."""

    async def allows(self, subject: Subject, ref: str, sha256: str) -> bool:
        """Whether `ref` (`hit:ID`, `lookup:ID`, `live`) gives this subject this picture."""
        ...


@runtime_checkable
class Evidence(Protocol):
    """What may outlive its year because a named case needs it; `watch` keeps it with its hits."""

    async def held_reads(self, read_ids: Sequence[str]) -> set[str]:
        """Those whose pictures are evidence of a hit that is kept."""
        ...

    async def held_photos(self, before_ms: int) -> set[str]:
        """Pictures of hits of before then that are kept."""
        ...

    async def count_due(self, before_ms: int) -> int:
        """Hits of before then that nothing holds."""
        ...

    async def destroy(self, before_ms: int) -> tuple[int, list[str]]:
        """Destroy those hits; gives how many, and the pictures that nothing holds any more."""
        ...


@runtime_checkable
class DestructionRecord(Protocol):
    """The append-only record in which it stands that something was destroyed."""

    async def begin(self, by: Subject, what: dict[str, str]) -> None:
        """Before anything is destroyed; fails closed."""
        ...

    async def finish(self, by: Subject, what: dict[str, str], *, failed: str = "") -> None:
        """What was destroyed; `failed` is the reference of what stopped it, and what was done until then."""
        ...
