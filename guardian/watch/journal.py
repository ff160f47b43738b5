"""Versions of the national list, in the database: one counter over all lists, one version for each deed.

Every function takes a connection inside a transaction that `Records` has begun. `append` is the only way in which an
entry comes, changes or goes; it writes the history, the digest and the event in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Row, delete, func, select, update

from guardian.domain.errors import ConflictError, NotFoundError
from guardian.domain.event import Event, ListChanged
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import ListDigest
from guardian.stores import Events, insert
from guardian.watch.tables import changes, entries, lists, versions

T = TypeVar("T")

encode_entry = msgspec.msgpack.Encoder().encode
decode_entry = msgspec.msgpack.Decoder(WatchEntry).decode

_CHUNK = 500


class Author(msgspec.Struct, frozen=True):
    """Who made a version."""

    id: str
    name: str


SYSTEM = Author("system", "系統")


class Version(msgspec.Struct, frozen=True):
    """One version of the national list. Version 0 is the empty list before the first."""

    version: int = 0
    issued_ms: int = 0
    digest: str = "0" * 64
    put: int = 0
    removed: int = 0


class Placed(msgspec.Struct, frozen=True):
    """An entry in force with what is kept about it."""

    entry: WatchEntry
    list_id: str
    version: int
    added_ms: int
    added_by: str


class RawUpdate(msgspec.Struct, frozen=True, omit_defaults=True):
    """`WatchlistUpdate` with entries as the bytes that lie in the database: the same on the wire, made faster."""

    version: int
    base_version: int
    issued_ms: int
    digest: str
    put: tuple[msgspec.Raw, ...] = ()
    removed: tuple[str, ...] = ()
    v: int = 1


class RawPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """`WatchlistPart` with entries as the bytes that lie in the database."""

    version: int
    issued_ms: int
    digest: str
    after: str
    total: int
    put: tuple[msgspec.Raw, ...] = ()
    last: bool = False
    v: int = 1


def chunks(items: Sequence[T], size: int = _CHUNK) -> Iterator[Sequence[T]]:
    """Pieces that fit into one statement on both engines."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def newest_version(connection: Connection) -> Version:
    """The version in force."""
    row = connection.execute(select(versions).order_by(versions.c.version.desc()).limit(1)).first()
    return Version() if row is None else Version(row.version, row.issued_ms, row.digest, row.put, row.removed)


def find_version(connection: Connection, version: int) -> Row[tuple[object, ...]] | None:
    """A line of the list's history of versions, or None."""
    return connection.execute(select(versions).where(versions.c.version == version)).first()


def find_placed(connection: Connection, entry_ids: Sequence[str]) -> dict[str, Placed]:
    """The entries in force among `entry_ids`."""
    found: dict[str, Placed] = {}
    for part in chunks(entry_ids):
        for row in connection.execute(select(entries).where(entries.c.entry_id.in_(part))):
            found[row.entry_id] = Placed(decode_entry(row.body), row.list_id, row.version, row.added_ms, row.added_by)
    return found


def find_by_texts(connection: Connection, texts: Iterable[str], list_id: str | None = None) -> list[Placed]:
    """Entries in force with one of these texts, in one list or in all."""
    found: list[Placed] = []
    for part in chunks(list(texts)):
        query = select(entries).where(entries.c.text.in_(part)).order_by(entries.c.text, entries.c.entry_id)
        for row in connection.execute(query):
            # NOTE: not in the WHERE: SQLite would then walk the whole list for each part instead of the index of texts.
            if list_id is None or row.list_id == list_id:
                found.append(Placed(decode_entry(row.body), row.list_id, row.version, row.added_ms, row.added_by))
    return found


def find_last_known(connection: Connection, entry_ids: Sequence[str]) -> dict[str, tuple[WatchEntry, str, int | None]]:
    """Entries as they are, or as they were before they were removed: entry, list, and when it was removed or None."""
    found: dict[str, tuple[WatchEntry, str, int | None]] = {
        entry_id: (placed.entry, placed.list_id, None)
        for entry_id, placed in find_placed(connection, entry_ids).items()
    }
    missing = [entry_id for entry_id in entry_ids if entry_id not in found]
    for part in chunks(missing):
        query = (
            select(changes.c.entry_id, changes.c.list_id, changes.c.before, versions.c.issued_ms)
            .join(versions, versions.c.version == changes.c.version)
            .where(changes.c.entry_id.in_(part), changes.c.after.is_(None))
            .order_by(changes.c.number)
        )
        for row in connection.execute(query):
            found[row.entry_id] = (decode_entry(row.before), row.list_id, row.issued_ms)
    return found


def append(
    connection: Connection,
    events: Events,
    *,
    now_ms: int,
    kind: str,
    list_id: str,
    author: Author,
    put: Sequence[WatchEntry] = (),
    remove: Sequence[str] = (),
    undoes: int = 0,
    added: dict[str, tuple[int, str]] | None = None,
) -> Version:
    """Make a new version of these changes; the one in force if nothing changes.

    Args:
        put: entries that come or change; ids are unique within, and none stands in `remove`: the digest that every device
            compares with would say something else than the list for ever after.
        remove: ids; those that are not in force are passed over.
        added: for entries that come back, when and by whom they were first added.
    """
    if len({*(entry.id for entry in put), *remove}) < len(put) + len(set(remove)):
        raise ValueError("an entry stands twice in one version")
    former = newest_version(connection)
    held = find_placed(connection, [*(entry.id for entry in put), *remove])
    put = [entry for entry in put if entry.id not in held or held[entry.id].entry != entry]
    remove = [entry_id for entry_id in dict.fromkeys(remove) if entry_id in held]
    if not put and not remove:
        return former
    version = former.version + 1
    issued_ms = max(now_ms, former.issued_ms)
    digest = ListDigest(former.digest)
    history: list[dict[str, object]] = []
    fresh: list[dict[str, object]] = []
    for entry in put:
        placed = held.get(entry.id)
        if placed is not None:
            digest.remove(placed.entry)
            added_ms, added_by, home = placed.added_ms, placed.added_by, placed.list_id
        else:
            added_ms, added_by = (added or {}).get(entry.id, (now_ms, author.name))
            home = list_id
        digest.add(entry)
        body = encode_entry(entry)
        before = None if placed is None else encode_entry(placed.entry)
        history.append(_history(version, entry.id, home, before, body, added_ms, added_by))
        fresh.append(
            {"entry_id": entry.id, "list_id": home, "text": entry.text, "case_number": entry.case_number,
             "reason": entry.reason, "expires_ms": entry.expires_ms, "version": version, "added_ms": added_ms,
             "added_by": added_by, "body": body}
        )  # fmt: skip
    for entry_id in remove:
        gone = held[entry_id]
        digest.remove(gone.entry)
        history.append(
            _history(version, entry_id, gone.list_id, encode_entry(gone.entry), None, gone.added_ms, gone.added_by)
        )
    for part in chunks([*(entry.id for entry in put if entry.id in held), *remove]):
        connection.execute(delete(entries).where(entries.c.entry_id.in_(part)))
    if fresh:
        connection.execute(entries.insert(), fresh)
    connection.execute(changes.insert(), history)
    connection.execute(
        versions.insert().values(
            version=version, issued_ms=issued_ms, kind=kind, list_id=list_id, author=author.name,
            author_id=author.id, put=len(put), removed=len(remove), digest=digest.hex, undoes=undoes,
        )
    )  # fmt: skip
    touched = {str(line["list_id"]) for line in history}
    connection.execute(
        update(lists)
        .where(lists.c.list_id.in_(touched))
        .values(version=version, changed_ms=issued_ms, changed_by=author.name)
    )
    body = msgspec.msgpack.encode(ListChanged(version, len(put), len(remove)))
    events.stage(connection, Event(f"list.{version}", "lists.changed", issued_ms, body))
    return Version(version, issued_ms, digest.hex, len(put), len(remove))


def _history(
    version: int,
    entry_id: str,
    list_id: str,
    before: bytes | None,
    after: bytes | None,
    added_ms: int,
    added_by: str,
) -> dict[str, object]:
    return {
        "version": version,
        "entry_id": entry_id,
        "list_id": list_id,
        "before": before,
        "after": after,
        "added_ms": added_ms,
        "added_by": added_by,
    }


def take_back(connection: Connection, events: Events, *, now_ms: int, version: int, author: Author) -> Version:
    """Undo one version as a new one: what came goes, what went comes back under its id, what changed is as before.

    Raises:
        NotFoundError: no such version.
        ConflictError: entries of it were changed again since (`list-changed-since`), or its list is closed
            (`list-closed`).
    """
    known = connection.execute(select(versions).where(versions.c.version == version)).first()
    if known is None:
        raise NotFoundError(f"There is no version {version} of the list.", reference="list-version")
    if known.list_id:
        require_open(connection, known.list_id)
    lines = connection.execute(select(changes).where(changes.c.version == version).order_by(changes.c.number)).all()
    held = find_placed(connection, [line.entry_id for line in lines])
    later = 0
    put: list[WatchEntry] = []
    remove: list[str] = []
    added: dict[str, tuple[int, str]] = {}
    for line in lines:
        placed = held.get(line.entry_id)
        now_body = None if placed is None else encode_entry(placed.entry)
        if now_body != line.after:
            later += 1
        elif line.before is None:
            remove.append(line.entry_id)
        else:
            put.append(decode_entry(line.before))
            added[line.entry_id] = (line.added_ms, line.added_by)
    if later:
        raise ConflictError(
            f"{later} of the {len(lines)} entries of version {version} were changed again since. Nothing was changed.",
            hint="Change these entries one by one.",
            reference="list-changed-since",
        )
    return append(
        connection, events, now_ms=now_ms, kind="undo", list_id=known.list_id, author=author, put=put, remove=remove,
        undoes=version, added=added,
    )  # fmt: skip


def part_after(connection: Connection, after: str, limit: int) -> RawPart:
    """The stretch of the whole list that follows the id `after`, at most `limit` entries.

    The version is read first: entries may be newer than it, never older, which is what `WatchlistPart` promises.
    """
    newest = newest_version(connection)
    total = connection.execute(select(func.count()).select_from(entries)).scalar_one()
    stretch = select(entries.c.body).where(entries.c.entry_id > after).order_by(entries.c.entry_id).limit(limit + 1)
    bodies = list(connection.execute(stretch).scalars())
    put = tuple(msgspec.Raw(body) for body in bodies[:limit])
    return RawPart(newest.version, newest.issued_ms, newest.digest, after, total, put, len(bodies) <= limit)


def update_between(
    connection: Connection,
    base: int,
    to: int | None = None,
    *,
    versions_max: int,
    changes_max: int,
    whole_max: int | None = None,
) -> RawUpdate | None:
    """What leads from version `base` to `to` (the one in force where not given); None where nothing does.

    Where `base` lies further back than deltas reach, the whole list in force.

    Raises:
        ConflictError: the whole list would have more than `whole_max` entries (`list-in-parts`).
    """
    newest = newest_version(connection)
    target = newest
    if to is not None and to != newest.version:
        row = connection.execute(select(versions).where(versions.c.version == to)).first()
        if row is None:
            return None
        target = Version(row.version, row.issued_ms, row.digest)
    if base >= target.version:
        return None
    within = (changes.c.version > base) & (changes.c.version <= target.version)
    is_delta = base > 0 and target.version - base <= versions_max
    if is_delta:
        count = connection.execute(select(func.count()).select_from(changes).where(within)).scalar_one()
        is_delta = count <= changes_max
    if not is_delta:
        if whole_max is not None:
            total = connection.execute(select(func.count()).select_from(entries)).scalar_one()
            if total > whole_max:
                raise ConflictError(
                    f"The whole list has {total:,} entries and comes in parts.",
                    hint="Fetch it from /device/v1/watchlist/parts, from the beginning.",
                    reference="list-in-parts",
                )
        bodies = connection.execute(select(entries.c.body)).scalars()
        put = tuple(msgspec.Raw(body) for body in bodies)
        return RawUpdate(newest.version, 0, newest.issued_ms, newest.digest, put)
    net: dict[str, bytes | None] = {}
    for line in connection.execute(
        select(changes.c.entry_id, changes.c.after).where(within).order_by(changes.c.number)
    ):
        net[line.entry_id] = line.after
    return RawUpdate(
        target.version,
        base,
        target.issued_ms,
        target.digest,
        tuple(msgspec.Raw(body) for body in net.values() if body is not None),
        tuple(entry_id for entry_id, body in net.items() if body is None),
    )


def ensure_list(connection: Connection, list_id: str, name: str, source: str, place: int) -> None:
    """Make a list if it is not there yet."""
    connection.execute(
        insert(connection, lists)
        .values(list_id=list_id, name=name, source=source, place=place, version=0, changed_ms=0, changed_by="")
        .on_conflict_do_nothing()
    )


def require_list(connection: Connection, list_id: str) -> str:
    """The list's name.

    Raises:
        NotFoundError: there is no such list.
    """
    name: str | None = connection.execute(select(lists.c.name).where(lists.c.list_id == list_id)).scalar()
    if name is None:
        raise NotFoundError("There is no such list.", reference="no-such-list")
    return name


def require_open(connection: Connection, list_id: str) -> str:
    """The name of a list that entries may be put on.

    Raises:
        NotFoundError: there is no such list.
        ConflictError: it is closed (`list-closed`).
    """
    name = require_list(connection, list_id)
    if connection.execute(select(lists.c.closed_ms).where(lists.c.list_id == list_id)).scalar() is not None:
        raise ConflictError("This list is closed.", hint="Open it again first.", reference="list-closed")
    return name
