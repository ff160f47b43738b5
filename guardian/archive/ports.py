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
