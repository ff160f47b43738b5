"""Which lists there are: made, named, closed and opened again by people.

A closed list is empty: closing takes its entries off as one version, so that devices drop them as fast as any other
removal. It stays in the history; nothing is put on it until it is opened again. What closing took off comes back by
undoing that version (`journal.take_back`), which asks for an open list.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, func, select, update

from guardian.domain.errors import ConflictError, InputRefusedError
from guardian.domain.subject import Subject
from guardian.stores import Events, Records, text_problem
from guardian.watch import journal
from guardian.watch.journal import Author, Version
from guardian.watch.keeper import ListKeeper
from guardian.watch.tables import entries, lists
from guardian.watch.views import ListCloseRequest, ListDeedAnswer, ListNameRequest

log = structlog.get_logger("watch.register")

NAME_CHARS_MAX = 40
LISTS_MAX = 200
"""Open lists of one house; a list a day would fill the screen before it fills the table."""


class ListRegister:
    """The register of one house."""

    def __init__(self, records: Records, keeper: ListKeeper, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._keeper = keeper
        self._now_ms = now_ms

    async def create(self, request: ListNameRequest, subject: Subject) -> ListDeedAnswer:
        """A new, empty list at the end of the others.

        Raises:
            InputRefusedError: no name that can stand on a screen (`list-name`).
            ConflictError: an open list has that name (`list-name-taken`), or there are LISTS_MAX already (`lists-many`).
        """
        name, source, now = _name_of(request.name), _source_of(request.source), self._now_ms()
        list_id = "l" + random_source.token_hex(6)

        def create(connection: Connection) -> None:
            _refuse_taken(connection, name, "")
            count = connection.execute(
                select(func.count()).select_from(lists).where(lists.c.closed_ms.is_(None))
            ).scalar_one()
            if count >= LISTS_MAX:
                raise ConflictError(
                    f"There are {count} lists already.", hint="Close one that is not needed.", reference="lists-many"
                )
            last = connection.execute(select(func.max(lists.c.place))).scalar() or 0
            connection.execute(
                lists.insert().values(
                    list_id=list_id, name=name, source=source, place=last + 1, version=0, changed_ms=now,
                    changed_by=subject.name, closed_ms=None,
                )
            )  # fmt: skip

        await self._records.write(create)
        log.info("lists.created", list_id=list_id)
        return ListDeedAnswer(list_id, 0, 0)

    async def rename(self, list_id: str, request: ListNameRequest, subject: Subject) -> ListDeedAnswer:
        """Another name, or another source. Entries and devices are not touched."""
        name, source = _name_of(request.name), _source_of(request.source)

        def rename(connection: Connection) -> None:
            journal.require_open(connection, list_id)
            _refuse_taken(connection, name, list_id)
            connection.execute(update(lists).where(lists.c.list_id == list_id).values(name=name, source=source))

        await self._records.write(rename)
        log.info("lists.renamed", list_id=list_id, by=subject.id)
        return ListDeedAnswer(list_id, 0, 0)

    async def close(self, list_id: str, request: ListCloseRequest, subject: Subject) -> ListDeedAnswer:
        """Take all its entries off, as one version, and close it.

        Raises:
            ConflictError: it has another number of entries than the person has seen (`list-removal`).
        """
        now = self._now_ms()

        def close(connection: Connection, events: Events) -> tuple[ListDeedAnswer, Version]:
            journal.require_open(connection, list_id)
            ids = list(connection.execute(select(entries.c.entry_id).where(entries.c.list_id == list_id)).scalars())
            if len(ids) != request.confirm_entries:
                raise ConflictError(
                    f"Closing this list removes {len(ids):,} entries; {request.confirm_entries:,} were confirmed.",
                    hint="Confirm the number of entries that go.",
                    reference="list-removal",
                )
            before = journal.newest_version(connection).version
            version = journal.append(
                connection, events, now_ms=now, kind="close", list_id=list_id, remove=ids,
                author=Author(subject.id, subject.name),
            )  # fmt: skip
            connection.execute(
                update(lists)
                .where(lists.c.list_id == list_id)
                .values(closed_ms=now, changed_ms=now, changed_by=subject.name)
            )
            made = version.version if version.version > before else 0
            return ListDeedAnswer(list_id, made, len(ids)), version

        answer = await self._keeper.commit(close)
        log.info("lists.closed", list_id=list_id, version=answer.version, removed=answer.removed)
        return answer

    async def reopen(self, list_id: str, subject: Subject) -> ListDeedAnswer:
        """Open a closed list again; it is empty until something is put on it, or its closing version is undone."""

        def reopen(connection: Connection) -> None:
            name = journal.require_list(connection, list_id)
            _refuse_taken(connection, name, list_id)
            connection.execute(update(lists).where(lists.c.list_id == list_id).values(closed_ms=None))

        await self._records.write(reopen)
        log.info("lists.reopened", list_id=list_id, by=subject.id)
        return ListDeedAnswer(list_id, 0, 0)


def _name_of(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > NAME_CHARS_MAX or text_problem(name) is not None or not name.isprintable():
        raise InputRefusedError(
            f"A list's name has 1 to {NAME_CHARS_MAX} characters that can be printed.", reference="list-name"
        )
    return name


def _source_of(typed: str) -> str:
    return _name_of(typed) if typed.strip() else ""


def _refuse_taken(connection: Connection, name: str, own_id: str) -> None:
    taken = connection.execute(
        select(lists.c.list_id).where(
            func.lower(lists.c.name) == name.lower(), lists.c.closed_ms.is_(None), lists.c.list_id != own_id
        )
    ).first()
    if taken is not None:
        raise ConflictError("Another list has this name.", hint="Choose another name.", reference="list-name-taken")
