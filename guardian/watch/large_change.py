"""A change of the list that is too large for one turn of the writer: laid down in pieces, in force all at once.

Making a version of fifty thousand rows took the single writer ten seconds, in which no read came in and no hit was raised.
Here each piece is a short write of its own into `watch_staged`, which nobody reads; between two pieces others have their
turn. The last write checks that the list is still the one that the change was made for, and moves everything by a few
statements of the database. To users it is all or nothing: cut before the last write nothing has changed, and what lies staged
is swept away by the next change or start (`sweep`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, literal, select, update

from guardian.domain.errors import ConflictError, GuardianError
from guardian.domain.event import Event, ListChanged
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import ListDigest, entry_share
from guardian.stores import Events, Records
from guardian.watch import journal
from guardian.watch.journal import Author, Version, decode_entry
from guardian.watch.tables import changes, entries, lists, staged, versions

LARGE_MIN = 2_000
"""From so many entries on a change is laid down in pieces: one turn of the writer would take half a second and more."""
PIECE = 500
STALE_MS = 10 * 60_000
"""A change that was staged so long ago was cut off: its process has died, or has given it up."""

_MODULUS = 1 << 256


def is_large(entries_touched: int) -> bool:
    """Whether a change of so many entries goes this way."""
    return entries_touched >= LARGE_MIN


class Change(msgspec.Struct, frozen=True):
    """One entry as it was and as it will be (MessagePack of `WatchEntry`; None: not on the list)."""

    entry_id: str
    list_id: str
    before: bytes | None
    after: bytes | None
    added_ms: int
    added_by: str


class LargeChange:
    """One change on its way into force.

    Args:
        job_id: names it; two with one name at the same time must not be (the caller's state sees to that).
    """

    def __init__(self, records: Records, now_ms: Callable[[], int], job_id: str) -> None:
        self._records = records
        self._now_ms = now_ms
        self._job_id = job_id

    async def lay_down(self, deeds: Sequence[Change], told: Callable[[int], None] = lambda count: None) -> int:
        """Lay the change down piece by piece; gives what it adds to the list's digest.

        Args:
            told: called with how many lie there, after each piece.
        """
        await self.sweep()
        share = await asyncio.to_thread(_share_of, deeds)
        for start in range(0, len(deeds), PIECE):
            piece = deeds[start : start + PIECE]
            rows = await asyncio.to_thread(self._rows, start, piece)
            await self._records.write(lambda connection, rows=rows: connection.execute(insert(staged), rows))  # type: ignore[misc]
            told(start + len(piece))
        return share

    def _rows(self, start: int, piece: Sequence[Change]) -> list[dict[str, object]]:
        now = self._now_ms()
        rows: list[dict[str, object]] = []
        for place, change in enumerate(piece, start):
            entry = _entry_of(change)
            rows.append(
                {
                    "job_id": self._job_id, "place": place, "entry_id": change.entry_id, "list_id": change.list_id,
                    "text": entry.text, "case_number": entry.case_number, "reason": entry.reason,
                    "expires_ms": entry.expires_ms, "before": change.before, "after": change.after,
                    "added_ms": change.added_ms, "added_by": change.added_by, "staged_ms": now,
                }
            )  # fmt: skip
        return rows

    def bring_into_force(
        self,
        connection: Connection,
        events: Events,
        deeds: Sequence[Change],
        share: int,
        *,
        now_ms: int,
        kind: str,
        list_id: str,
        author: Author,
        undoes: int = 0,
    ) -> Version:
        """Everything that was laid down becomes one version, in the caller's write; `sweep` after it.

        Raises:
            ConflictError: not all of it lies there any more (`change-cut`).
        """
        mine = staged.c.job_id == self._job_id
        there = connection.execute(select(func.count()).select_from(staged).where(mine)).scalar_one()
        if there != len(deeds):
            raise ConflictError(
                "This change was cut off half way; nothing was changed.", hint="Try again.", reference="change-cut"
            )
        former = journal.newest_version(connection)
        version = former.version + 1
        issued_ms = max(now_ms, former.issued_ms)
        digest = ListDigest(f"{(int(former.digest, 16) + share) % _MODULUS:x}").hex
        put = sum(change.after is not None for change in deeds)
        kept = ("entry_id", "list_id", "before", "after", "added_ms", "added_by")
        connection.execute(
            insert(changes).from_select(
                ["version", *kept],
                select(literal(version), *(staged.c[name] for name in kept)).where(mine).order_by(staged.c.place),
            )
        )
        gone = select(staged.c.entry_id).where(mine, staged.c.before.is_not(None))
        connection.execute(delete(entries).where(entries.c.entry_id.in_(gone)))
        told = ("entry_id", "list_id", "text", "case_number", "reason", "expires_ms", "added_ms", "added_by")
        connection.execute(
            insert(entries).from_select(
                [*told, "body", "version"],
                select(*(staged.c[name] for name in told), staged.c.after, literal(version)).where(
                    mine, staged.c.after.is_not(None)
                ),
            )
        )
        connection.execute(
            versions.insert().values(
                version=version, issued_ms=issued_ms, kind=kind, list_id=list_id, author=author.name,
                author_id=author.id, put=put, removed=len(deeds) - put, digest=digest, undoes=undoes,
            )
        )  # fmt: skip
        connection.execute(
            update(lists)
            .where(lists.c.list_id.in_({change.list_id for change in deeds}))
            .values(version=version, changed_ms=issued_ms, changed_by=author.name)
        )
        body = msgspec.msgpack.encode(ListChanged(version, put, len(deeds) - put))
        events.stage(connection, Event(f"list.{version}", "lists.changed", issued_ms, body))
        return Version(version, issued_ms, digest, put, len(deeds) - put)

    def count_moved(self, connection: Connection, version: int) -> int:
        """How many entries are no longer as `version` left them: changed again, removed, or back."""
        mine = staged.c.job_id == self._job_id
        still = (
            select(entries.c.entry_id)
            .where(entries.c.entry_id == staged.c.entry_id, entries.c.version == version)
            .exists()
        )
        back = select(entries.c.entry_id).where(entries.c.entry_id == staged.c.entry_id).exists()
        moved = (staged.c.before.is_not(None) & ~still) | (staged.c.before.is_(None) & back)
        return int(connection.execute(select(func.count()).select_from(staged).where(mine, moved)).scalar_one())

    async def tidy(self) -> None:
        """`sweep`, where nobody waits for it: with the store away the next large change does it."""
        with contextlib.suppress(GuardianError):
            await self.sweep()

    async def sweep(self) -> None:
        """Take away what lies staged under this name, and what others left behind long ago; in pieces too."""
        while await self._records.write(self._sweep_piece):
            pass

    def _sweep_piece(self, connection: Connection) -> int:
        stale = staged.c.staged_ms < self._now_ms() - STALE_MS
        found = connection.execute(
            select(staged.c.job_id, staged.c.place).where((staged.c.job_id == self._job_id) | stale).limit(2 * PIECE)
        ).all()
        for job_id in {row.job_id for row in found}:
            places = [row.place for row in found if row.job_id == job_id]
            connection.execute(delete(staged).where(staged.c.job_id == job_id, staged.c.place.in_(places)))
        return len(found)


def taken_back(connection: Connection, version: int) -> list[Change]:
    """The change that takes a version back: what was before becomes what is after."""
    lines = connection.execute(select(changes).where(changes.c.version == version).order_by(changes.c.number))
    return [
        Change(line.entry_id, line.list_id, line.after, line.before, line.added_ms, line.added_by) for line in lines
    ]


def _entry_of(change: Change) -> WatchEntry:
    body = change.after if change.after is not None else change.before
    if body is None:
        raise ValueError("a change has an entry before or after it")
    return decode_entry(body)


def _share_of(deeds: Sequence[Change]) -> int:
    share = 0
    for change in deeds:
        if change.after is not None:
            share += entry_share(decode_entry(change.after))
        if change.before is not None:
            share -= entry_share(decode_entry(change.before))
    return share % _MODULUS
