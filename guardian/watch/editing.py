"""What people change in a list: a save from the editor, and taking a version back.

A save is one version or none. It is refused where it was made for an older version, where it names an entry that is not on
this list, where a number would stand twice, and asked about where two numbers of one case are look-alikes (G24).
"""

from __future__ import annotations

import asyncio
import secrets as random_source
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import Connection, select

from guardian.domain.errors import ConflictError, InputRefusedError
from guardian.domain.plate import display_of
from guardian.domain.watch import WatchEntry
from guardian.stores import Events, Records
from guardian.watch import journal
from guardian.watch.drafts import draft_entry, is_twin, twin_texts
from guardian.watch.journal import Author, Version
from guardian.watch.large_change import LargeChange, is_large, taken_back
from guardian.watch.tables import imports, lists
from guardian.watch.views import ListChangeRequest

CHANGE_MAX = 1_000

Commit = Callable[[Callable[[Connection, Events], tuple[Version, Version]]], Awaitable[Version]]
"""`ListKeeper.commit`, for a deed whose result is its version."""


def new_entry_id() -> str:
    """An id that no other entry has."""
    return "e" + random_source.token_hex(8)


def draft_save(request: ListChangeRequest, now_ms: int) -> list[WatchEntry]:
    """The entries of a save, as they will stand.

    Raises:
        EntryRefusedError: a draft cannot become an entry.
        InputRefusedError: nothing to save, too much, or one entry that is to change twice, or to change and go.
    """
    if not request.put and not request.remove:
        raise InputRefusedError("There is nothing to save.", reference="nothing-to-save")
    if len(request.put) + len(request.remove) > CHANGE_MAX:
        raise InputRefusedError(
            f"A save takes at most {CHANGE_MAX:,} entries.",
            hint="Import a file instead.",
            reference="save-too-large",
        )
    named = [*(draft.id for draft in request.put if draft.id), *set(request.remove)]
    if len(set(named)) < len(named):
        raise InputRefusedError(
            "An entry stands twice in this save, with two fates. Nothing was changed.",
            hint="Say once what becomes of it.",
            reference="entry-twice",
        )
    return [draft_entry(draft, entry_id=draft.id or new_entry_id(), now_ms=now_ms).entry for draft in request.put]


def save(
    connection: Connection,
    events: Events,
    list_id: str,
    request: ListChangeRequest,
    drafted: Sequence[WatchEntry],
    *,
    now_ms: int,
    author: Author,
) -> Version:
    """Put a save into the list as one version.

    Args:
        drafted: the entries of `request.put`, by `draft_save`.

    Raises:
        ConflictError: see `ListKeeper.change`.
    """
    journal.require_open(connection, list_id)
    moved = connection.execute(select(lists.c.version).where(lists.c.list_id == list_id)).scalar_one()
    if moved > request.base_version:
        raise ConflictError(
            f"The list was changed to version {moved} while you edited version {request.base_version}.",
            hint="Look at the new version, then save again.",
            reference="list-moved-on",
        )
    removed = set(request.remove)
    _refuse_strange(connection, list_id, {draft.id for draft in request.put if draft.id}, removed)
    _refuse_repeated(connection, list_id, drafted, removed)
    if not request.confirmed_twins:
        _question_twins(connection, drafted, removed)
    return journal.append(
        connection, events, now_ms=now_ms, kind="save", list_id=list_id, put=drafted, remove=request.remove,
        author=author,
    )  # fmt: skip


async def take_version_back(
    records: Records, commit: Commit, now_ms: Callable[[], int], version: int, author: Author
) -> Version:
    """Undo a version as a new one; a large one is laid down in pieces first.

    Raises:
        NotFoundError, ConflictError: see `journal.take_back`.
    """
    now = now_ms()
    known = await records.read(lambda connection: journal.find_version(connection, version))
    if known is not None and is_large(known.put + known.removed):
        return await _take_large_back(records, commit, now_ms, version, known.list_id, author)

    def undo(connection: Connection, events: Events) -> tuple[Version, Version]:
        made = journal.take_back(connection, events, now_ms=now, version=version, author=author)
        _mark_undone(connection, version)
        return made, made

    return await commit(undo)


async def _take_large_back(
    records: Records, commit: Commit, now_ms: Callable[[], int], version: int, list_id: str, author: Author
) -> Version:
    large = LargeChange(records, now_ms, f"undo-{version}-{random_source.token_hex(4)}")
    back = await records.read(lambda connection: taken_back(connection, version), limit_s=60.0)
    now = now_ms()

    def bring(connection: Connection, events: Events) -> tuple[Version, Version]:
        later = large.count_moved(connection, version)
        if later:
            raise ConflictError(
                f"{later} of the {len(back)} entries of version {version} were changed again since. "
                "Nothing was changed.",
                hint="Change these entries one by one.",
                reference="list-changed-since",
            )
        _mark_undone(connection, version)
        made = large.bring_into_force(
            connection, events, back, share, now_ms=now, kind="undo", list_id=list_id, author=author, undoes=version
        )
        return made, made

    try:
        share = await large.lay_down(back)
        return await commit(bring)
    finally:
        await asyncio.shield(asyncio.ensure_future(large.tidy()))


def _mark_undone(connection: Connection, version: int) -> None:
    connection.execute(
        imports.update().where(imports.c.version == version, imports.c.state == "applied").values(state="undone")
    )


def _refuse_strange(connection: Connection, list_id: str, changed: set[str], removed: set[str]) -> None:
    """A save of one list changes no other, and names no entry that is not there: ids are made here, by nobody else."""
    placed = journal.find_placed(connection, sorted(changed | removed))
    elsewhere = [entry_id for entry_id, one in placed.items() if one.list_id != list_id]
    if elsewhere or not changed <= placed.keys():
        raise ConflictError(
            "An entry of this save is not on this list (any more). Nothing was changed.",
            hint="Look at the list as it is now, then save again.",
            reference="entry-gone",
        )


def _refuse_repeated(connection: Connection, list_id: str, drafted: Sequence[WatchEntry], removed: set[str]) -> None:
    """One number stands once in a list."""
    seen: dict[str, str] = {}
    for entry in drafted:
        if seen.setdefault(entry.text, entry.id) != entry.id:
            raise ConflictError(f"{display_of(entry.text)} stands twice in this save.", reference="entry-twice")
    for placed in journal.find_by_texts(connection, seen, list_id):
        if placed.entry.id not in removed and placed.entry.id != seen[placed.entry.text]:
            if placed.entry.id in {entry.id for entry in drafted}:
                continue  # that entry changes its number in the same save
            raise ConflictError(
                f"{display_of(placed.entry.text)} stands in this list already (case {placed.entry.case_number or '-'}).",
                hint="Change that entry instead.",
                reference="entry-twice",
            )


def _question_twins(connection: Connection, drafted: Sequence[WatchEntry], removed: set[str]) -> None:
    """Two numbers of one case that differ only in what readers mix up: was the second added for misreads (G24)?"""
    for entry in drafted:
        if not entry.case_number:
            continue
        others = [other for other in drafted if other.id != entry.id]
        others += [
            placed.entry
            for placed in journal.find_by_texts(connection, twin_texts(entry.text))
            if placed.entry.id not in removed and placed.entry.id not in {e.id for e in drafted}
        ]
        for other in others:
            if other.case_number == entry.case_number and is_twin(entry.text, other.text):
                raise ConflictError(
                    f"{display_of(entry.text)} and {display_of(other.text)} differ in one character that readers mix up "
                    f"and stand under the same case {entry.case_number}.",
                    hint="Look-alikes are found by the matcher. Keep one, or confirm that both vehicles are meant.",
                    reference="twins-under-one-case",
                )
