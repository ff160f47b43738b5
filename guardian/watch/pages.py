"""What people see of the lists: the lists themselves, their entries page by page, and a list as rows for a file.

Every function takes a connection inside a transaction that `Records` has begun.
"""

from __future__ import annotations

import contextlib

from sqlalchemy import Connection, func, or_, select

from guardian.domain.errors import InputRefusedError
from guardian.domain.plate import PlateTextError, display_of, parse_pattern
from guardian.domain.series import series_of
from guardian.domain.watch import WatchEntry
from guardian.watch import journal
from guardian.watch.tables import entries, lists
from guardian.watch.views import EntryPage, EntryView, WatchListView

PAGE = 100
EXPORT_STRETCH = 1_000


def lists_in_order(connection: Connection, now_ms: int) -> tuple[WatchListView, ...]:
    """All lists with the number of entries in force."""
    counted: dict[str, int] = {
        row.list_id: row.entries
        for row in connection.execute(
            select(entries.c.list_id, func.count().label("entries"))
            .where(or_(entries.c.expires_ms.is_(None), entries.c.expires_ms >= now_ms))
            .group_by(entries.c.list_id)
        )
    }
    rows = connection.execute(select(lists).order_by(lists.c.place, lists.c.list_id)).all()
    return tuple(
        WatchListView(
            row.list_id, row.name, row.source, counted.get(row.list_id, 0), row.version, row.changed_ms,
            row.changed_by, row.closed_ms,
        )
        for row in rows
    )  # fmt: skip


def page_of_entries(connection: Connection, list_id: str, *, cursor: str, find: str, now_ms: int) -> EntryPage:
    """Entries of a list, the newest change first; see `ListKeeper.entries_page`."""
    where = [entries.c.list_id == list_id]
    if find.strip():
        needle = _escape_like(find.strip().lower())  # SQLite folds case by itself, PostgreSQL does not
        options = [
            func.lower(entries.c.case_number).like(f"%{needle}%", escape="\\"),
            func.lower(entries.c.reason).like(f"%{needle}%", escape="\\"),
        ]
        with contextlib.suppress(PlateTextError):
            pattern = parse_pattern(find).text
            like = pattern.replace("?", "_").replace("*", "%") + ("" if "*" in pattern else "%")
            options.append(entries.c.text.like(like))
        where.append(or_(*options))
    after = list(where)
    if cursor:
        version, entry_id = _parse_cursor(cursor)
        after.append(
            or_(
                entries.c.version < version,
                (entries.c.version == version) & (entries.c.entry_id > entry_id),
            )
        )
    journal.require_list(connection, list_id)
    total = connection.execute(select(func.count()).select_from(entries).where(*where)).scalar_one()
    rows = connection.execute(
        select(entries).where(*after).order_by(entries.c.version.desc(), entries.c.entry_id).limit(PAGE + 1)
    ).all()
    views = tuple(_view(journal.decode_entry(row.body), row.added_ms, row.added_by, now_ms) for row in rows[:PAGE])
    following = f"{rows[PAGE - 1].version}.{rows[PAGE - 1].entry_id}" if len(rows) > PAGE else ""
    return EntryPage(views, following, total)


def stretch_by_number(connection: Connection, list_id: str, after: tuple[str, str]) -> list[WatchEntry]:
    """The next EXPORT_STRETCH entries of a list in order of number and id, after the one named by these two."""
    rows = connection.execute(
        select(entries.c.body)
        .where(
            entries.c.list_id == list_id,
            or_(
                entries.c.text > after[0],
                (entries.c.text == after[0]) & (entries.c.entry_id > after[1]),
            ),
        )
        .order_by(entries.c.text, entries.c.entry_id)
        .limit(EXPORT_STRETCH)
    )
    return [journal.decode_entry(row.body) for row in rows]


def _view(entry: WatchEntry, added_ms: int, added_by: str, now_ms: int) -> EntryView:
    """An entry with its derived words."""
    fitting = series_of(entry.text)
    return EntryView(
        entry=entry,
        display=display_of(entry.text),
        series=fitting[0].id if fitting else "",
        added_ms=added_ms,
        added_by=added_by,
        expired=entry.expires_ms is not None and entry.expires_ms < now_ms,
        warning_words="" if fitting else "不符合任何已知的號牌編碼",
    )


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _parse_cursor(cursor: str) -> tuple[int, str]:
    version, _, entry_id = cursor.partition(".")
    if not version.isdecimal() or len(version) > 18:
        raise InputRefusedError("That is no page of this list.", reference="cursor")
    return int(version), entry_id
