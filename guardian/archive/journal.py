"""The batch journal: what was accepted, durable before the answer, until the column store holds it.

Every function here runs inside a transaction of the records store. The journal's number is the order of arrival; a
*fill* is the group of batches that one insert into the column store takes. The group is written down before the insert
is begun, so that after a crash the same rows go in again under the same token and are kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from guardian.archive.intervals import IntervalSet
from guardian.archive.model import StoredBatch
from guardian.archive.tables import batch_bodies, batch_journal, read_spans
from guardian.domain.read import Read

_decode_raw = msgspec.msgpack.Decoder(tuple[msgspec.Raw, ...]).decode
_decode_reads = msgspec.msgpack.Decoder(tuple[Read, ...]).decode

_WHOLE = select(batch_journal, batch_bodies.c.body).join(batch_bodies, batch_bodies.c.number == batch_journal.c.number)

_PUT_BATCH, _PUT_BODY, _PUT_SPAN = insert(batch_journal), insert(batch_bodies), insert(read_spans)
_SPANS = select(read_spans.c.first, read_spans.c.last).where(
    read_spans.c.device_id == bindparam("of_device"),
    read_spans.c.boot == bindparam("of_boot"),
    read_spans.c.last >= bindparam("low"),
    read_spans.c.first <= bindparam("high"),
)

COMPARED_BATCHES_MAX = 200
"""How many journal rows are opened to compare repeated items before the archive is asked instead."""


def pack_bodies(bodies: Sequence[bytes]) -> bytes:
    """A MessagePack array of values that are MessagePack already."""
    count = len(bodies)
    if count < 16:
        head = bytes((0x90 | count,))
    elif count < 65536:
        head = b"\xdc" + count.to_bytes(2, "big")
    else:
        head = b"\xdd" + count.to_bytes(4, "big")
    return head + b"".join(bodies)


def unpack_batch(row: object) -> StoredBatch:
    """A journal row as a batch with its reads decoded."""
    body: bytes = row.body  # type: ignore[attr-defined]
    return StoredBatch(
        batch_id=row.batch_id,  # type: ignore[attr-defined]
        number=row.number,  # type: ignore[attr-defined]
        device_id=row.device_id,  # type: ignore[attr-defined]
        received_ms=row.received_ms,  # type: ignore[attr-defined]
        reads=_decode_reads(body),
        bodies=tuple(bytes(raw) for raw in _decode_raw(body)),
        time_doubtful=bool(row.time_doubtful),  # type: ignore[attr-defined]
    )


def take_numbers(connection: Connection, device_id: str, wanted: dict[int, list[int]]) -> dict[int, set[int]]:
    """Put sequence numbers (by boot) into the spans of a device; gives those that were not there before."""
    fresh: dict[int, set[int]] = {}
    for boot, numbers in wanted.items():
        low, high = min(numbers), max(numbers)
        here = (read_spans.c.device_id == device_id) & (read_spans.c.boot == boot)
        about = {"of_device": device_id, "of_boot": boot, "low": low - 1, "high": high + 1}
        rows = connection.execute(_SPANS, about).all()
        before = [(int(first), int(last)) for first, last in rows]
        spans = IntervalSet(before)
        fresh[boot] = spans.add(numbers)
        after = set(spans.spans)
        gone = [first for first, last in before if (first, last) not in after]
        if gone:
            connection.execute(delete(read_spans).where(here, read_spans.c.first.in_(gone)))
        kept = set(before)
        come = [
            {"device_id": device_id, "boot": boot, "first": first, "last": last}
            for first, last in sorted(after)
            if (first, last) not in kept
        ]
        if come:
            connection.execute(_PUT_SPAN, come)
    return fresh


def append(
    connection: Connection,
    batch_id: str,
    received_ms: int,
    reads: Sequence[Read],
    bodies: Sequence[bytes],
    *,
    time_doubtful: bool = False,
) -> int:
    """Write one batch (of one device, not empty) into the journal; gives its number."""
    boots = [read.boot for read in reads]
    sequences = [read.sequence for read in reads]
    row = {
        "batch_id": batch_id,
        "device_id": reads[0].device_id,
        "received_ms": received_ms,
        "count": len(reads),
        "boot_min": min(boots),
        "boot_max": max(boots),
        "sequence_min": min(sequences),
        "sequence_max": max(sequences),
        "time_doubtful": time_doubtful,
        "archived": False,
    }
    result = connection.execute(_PUT_BATCH, row)  # values beside the statement: it is compiled once, not at each batch
    number = int(result.inserted_primary_key[0])  # type: ignore[index]
    connection.execute(_PUT_BODY, {"number": number, "body": pack_bodies(bodies)})
    return number


def find_bodies(
    connection: Connection, device_id: str, wanted: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """What the journal holds under these (boot, sequence), as MessagePack; missing ones are left out."""
    missing = set(wanted)
    found: dict[tuple[int, int], bytes] = {}
    if not missing:
        return found
    boots = [boot for boot, _ in missing]
    sequences = [sequence for _, sequence in missing]
    rows = connection.execute(
        select(batch_bodies.c.body)
        .join(batch_journal, batch_journal.c.number == batch_bodies.c.number)
        .where(
            batch_journal.c.device_id == device_id,
            batch_journal.c.sequence_max >= min(sequences),
            batch_journal.c.sequence_min <= max(sequences),
            batch_journal.c.boot_max >= min(boots),
            batch_journal.c.boot_min <= max(boots),
        )
        .order_by(batch_journal.c.number.desc())
        .limit(COMPARED_BATCHES_MAX)
    )
    for (body,) in rows:
        for read, raw in zip(_decode_reads(body), _decode_raw(body), strict=True):
            key = (read.boot, read.sequence)
            if key in missing:
                found[key] = bytes(raw)
                missing.discard(key)
        if not missing:
            break
    return found


def find_batch(connection: Connection, batch_id: str) -> StoredBatch | None:
    """A batch by its id, while the journal keeps it."""
    row = connection.execute(_WHOLE.where(batch_journal.c.batch_id == batch_id)).first()
    return None if row is None else unpack_batch(row)


def next_fill(
    connection: Connection, reads_max: int, find_held: Callable[[str], StoredBatch | None] = lambda batch_id: None
) -> tuple[int, list[StoredBatch]] | None:
    """The group that the column store takes next: one that was begun before a crash, or a new one, oldest first.

    Args:
        find_held: batches that are still decoded in memory, so that their bodies need not be read again.
    """
    begun = connection.execute(
        select(func.min(batch_journal.c.fill)).where(
            batch_journal.c.archived.is_(False), batch_journal.c.fill.is_not(None)
        )
    ).scalar()
    if begun is None:
        rows = connection.execute(
            select(batch_journal.c.number, batch_journal.c.count)
            .where(batch_journal.c.archived.is_(False))
            .order_by(batch_journal.c.number)
            .limit(1000)
        ).all()
        if not rows:
            return None
        taken: list[int] = []
        reads = 0
        for number, count in rows:
            if taken and reads + count > reads_max:
                break
            taken.append(int(number))
            reads += int(count)
        begun = taken[0]
        connection.execute(
            update(batch_journal)
            .where(batch_journal.c.number.between(taken[0], taken[-1]), batch_journal.c.archived.is_(False))
            .values(fill=begun)
        )
    group = connection.execute(
        select(batch_journal.c.number, batch_journal.c.batch_id)
        .where(batch_journal.c.fill == begun, batch_journal.c.number >= begun)
        .order_by(batch_journal.c.number)
    ).all()
    return int(begun), [
        find_held(batch_id) or _get(connection, batch_journal.c.number == number) for number, batch_id in group
    ]


def _get(connection: Connection, condition: ColumnElement[bool]) -> StoredBatch:
    return unpack_batch(connection.execute(_WHOLE.where(condition)).one())


def mark_archived(connection: Connection, fill: int) -> None:
    """The column store holds the whole group durably."""
    connection.execute(
        update(batch_journal).where(batch_journal.c.fill == fill, batch_journal.c.number >= fill).values(archived=True)
    )


def drop_archived(connection: Connection, before_ms: int, *, rows_max: int = 200) -> int:
    """Forget batches that the column store has held for a while; gives how many rows went."""
    old = (
        select(batch_journal.c.number)
        .where(batch_journal.c.archived.is_(True), batch_journal.c.received_ms < before_ms)
        .order_by(batch_journal.c.number)
        .limit(rows_max)
    )
    numbers = [number for (number,) in connection.execute(old)]
    if numbers:
        connection.execute(delete(batch_bodies).where(batch_bodies.c.number.in_(numbers)))
        connection.execute(delete(batch_journal).where(batch_journal.c.number.in_(numbers)))
    return len(numbers)


def backlog(connection: Connection) -> tuple[int, int, int | None]:
    """Newest number, reads that the column store does not hold yet, and when the oldest of them came."""
    newest = connection.execute(select(func.max(batch_journal.c.number))).scalar()
    waiting, oldest = connection.execute(
        select(func.coalesce(func.sum(batch_journal.c.count), 0), func.min(batch_journal.c.received_ms)).where(
            batch_journal.c.archived.is_(False)
        )
    ).one()
    return int(newest or 0), int(waiting), None if oldest is None else int(oldest)
