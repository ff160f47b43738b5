"""The audit record (稽核紀錄): appended to by one writer, read by the auditor, verified line by line.

Writers in any number of processes append through the records' single writer, whose transactions never overlap: what is
read as the chain's end stays its end until the commit (field case G43). Lines that wait together share one commit. A
process that dies leaves whole lines or none; nothing of it looks like tampering.

Fails closed: whoever must be on record before acting awaits `append`, and an error of the store is the caller's refusal.
An append that was begun is finished even if the request that asked for it is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, func, select

from guardian.access.chain import GENESIS, ChainCheck, Entry, Line, decode, link
from guardian.access.standouts import WINDOW_MS, Asked, standouts
from guardian.access.tables import audit_rows
from guardian.access.views import AuditPage, AuditRow, ChainReport, StandOut
from guardian.domain.errors import InputRefusedError, NeighbourUnreachableError
from guardian.stores.ports import Records

WAITING_MAX = 10_000
COMMIT_LINES_MAX = 200
PAGE_ROWS = 100
VERIFY_ROWS = 2000
EXPORT_ROWS_MAX = 1_000_000
LOOKED_BACK_MS = 30 * 24 * 3600 * 1000
LOOKED_BACK_ROWS_MAX = 50_000
"""Of more look-ups than this in 30 days the newest count: the page stays quick, an old misuse stays in the record."""


class AuditRecord:
    """The one chain of a house.

    Args:
        records: where it is kept.
        now_ms: the clock that dates the lines.
    """

    def __init__(self, records: Records, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms
        self._waiting: list[tuple[Entry, asyncio.Future[int]]] = []
        self._writing: asyncio.Task[None] | None = None

    def now_ms(self) -> int:
        return self._now_ms()

    async def append(self, entry: Entry) -> int:
        """Put `entry` at the chain's end, durably, and give its number.

        The entry is in the writer's hands before this first yields: a cancelled caller does not lose the line.

        Raises:
            NeighbourUnreachableError: too many lines wait already, or the store is away; the line is not there.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise NeighbourUnreachableError(
                "Too many lines wait for the audit record.", hint="Try again.", reference="audit-busy"
            )
        written: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write_waiting())
        return await asyncio.shield(written)

    async def settle(self) -> None:
        """Wait for the lines that are still being written (at the end of a process)."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing])

    async def _write_waiting(self) -> None:
        """Write what waits, many lines a commit, until nothing does."""
        while self._waiting:
            taken, self._waiting = self._waiting[:COMMIT_LINES_MAX], self._waiting[COMMIT_LINES_MAX:]
            entries = [entry for entry, _ in taken]
            try:
                first = await self._records.write(partial(_append, entries=entries))
            except BaseException as error:
                for _, written in taken:
                    if not written.done():
                        written.set_exception(error)
                        written.exception()  # a cancelled caller will not ask
                if not isinstance(error, Exception):
                    raise
                continue
            for number, (_, written) in enumerate(taken, first):
                if not written.done():
                    written.set_result(number)

    async def page(
        self, *, cursor: str = "", kind: str = "", subject: str = "", rows_max: int = PAGE_ROWS
    ) -> AuditPage:
        """Newest first; the first page also says which subjects' look-ups stand out.

        Raises:
            InputRefusedError: the cursor is none of ours.
        """
        before = _parse_cursor(cursor)
        query = select(audit_rows).order_by(audit_rows.c.number.desc()).limit(rows_max + 1)
        if before is not None:
            query = query.where(audit_rows.c.number < before)
        if kind:
            query = query.where(audit_rows.c.kind == kind)
        if subject:
            query = query.where(audit_rows.c.subject_id == subject)
        lines = await self._records.read(lambda connection: _lines(connection, query))
        more = len(lines) > rows_max
        lines = lines[:rows_max]
        return AuditPage(
            rows=tuple(_row(line) for line in lines),
            next_cursor=str(lines[-1].number) if more else "",
            standouts=() if cursor else await self.standouts(),
        )

    async def rows(self, *, up_to: int | None = None) -> AsyncIterator[AuditRow]:
        """Every line, oldest first, at most EXPORT_ROWS_MAX, for an export."""
        after, given = 0, 0
        while given < EXPORT_ROWS_MAX:
            lines = await self._after(after)
            if not lines:
                return
            for line in lines:
                if up_to is not None and line.number > up_to:
                    return
                yield _row(line)
            after, given = lines[-1].number, given + len(lines)

    async def verify(self) -> ChainReport:
        """Walk the whole chain, a piece at a time beside the writer."""
        check = ChainCheck()
        while not check.problem:
            lines = await self._after(check.last)
            if not lines:
                break
            await asyncio.to_thread(check.take, lines)
        return ChainReport(check.rows, check.first, check.last, check.head.hex(), check.problem)

    async def standouts(self) -> tuple[StandOut, ...]:
        """Each subject whose look-ups of the last 30 days stand out (field case G44)."""
        since = self._now_ms() - LOOKED_BACK_MS - WINDOW_MS
        columns = (audit_rows.c.subject_id, audit_rows.c.case_number, audit_rows.c.at_ms, audit_rows.c.about)
        query = (
            select(*columns, audit_rows.c.body)
            .where(audit_rows.c.kind == "lookup", audit_rows.c.at_ms >= since)
            .order_by(audit_rows.c.number.desc())
            .limit(LOOKED_BACK_ROWS_MAX)
        )

        def read(connection: Connection) -> tuple[StandOut, ...]:
            asked = []
            for row in connection.execute(query):
                entry = decode(row.body)
                if entry.verdict == "allowed":
                    asked.append(
                        Asked(row.subject_id, entry.subject_name, row.case_number, row.at_ms, row.about, entry.purpose)
                    )
            return standouts(asked)

        return await self._records.read(read)

    async def find_lookup(self, lookup_id: str) -> Entry | None:
        """The allowed question that has this id."""
        query = select(audit_rows.c.body).where(audit_rows.c.lookup_id == lookup_id, audit_rows.c.kind == "lookup")
        body = await self._records.read(lambda connection: connection.execute(query).scalar())
        entry = None if body is None else decode(body)
        return entry if entry is not None and entry.verdict == "allowed" else None

    async def count(self) -> int:
        """How many lines there are."""
        query = select(func.count()).select_from(audit_rows)
        return await self._records.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def _after(self, number: int) -> list[Line]:
        query = select(audit_rows).where(audit_rows.c.number > number).order_by(audit_rows.c.number).limit(VERIFY_ROWS)
        return await self._records.read(lambda connection: _lines(connection, query))


def _append(connection: Connection, entries: list[Entry]) -> int:
    """Hang the entries on the chain's end; gives the first one's number."""
    newest = select(audit_rows.c.number, audit_rows.c.hash).order_by(audit_rows.c.number.desc()).limit(1)
    head = connection.execute(newest).first()
    first, previous = (int(head.number) + 1, bytes(head.hash)) if head is not None else (1, GENESIS)
    lines = []
    for number, entry in enumerate(entries, first):
        line = link(entry, number, previous)
        lines.append(line._asdict())
        previous = line.hash
    connection.execute(audit_rows.insert(), lines)
    return first


def _lines(connection: Connection, query: Select[Any]) -> list[Line]:
    rows = connection.execute(query).mappings()
    return [Line(**{**row, "body": bytes(row["body"]), "hash": bytes(row["hash"])}) for row in rows]


def _row(line: Line) -> AuditRow:
    entry = decode(line.body)
    return AuditRow(
        number=line.number,
        at_ms=entry.at_ms,
        kind=entry.kind,
        subject_id=entry.subject_id,
        subject_name=entry.subject_name,
        role=entry.role,
        agency=entry.agency,
        action=entry.action,
        verdict=entry.verdict,
        reasons=entry.reasons,
        purpose=entry.purpose,
        case_number=entry.case_number,
        elements=entry.elements,
        count=entry.count,
        lookup_id=entry.lookup_id,
        hash=line.hash.hex(),
    )


def _parse_cursor(cursor: str) -> int | None:
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InputRefusedError("That is not a cursor of the audit record.", reference="cursor")
    return int(cursor)
