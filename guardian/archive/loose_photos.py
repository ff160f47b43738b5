"""Pictures that no read names yet: how many bytes of them a device may leave here, and for how long.

Devices send reads first and their pictures after them, so a picture that comes is nearly always named already. What is not
(another maker's device sends pictures first; its read was refused) is taken too, but as a guest: at most LOOSE_BYTES_MAX of
one device at a time, and for LOOSE_KEPT_MS. A read that names it makes it stay; else `retention` destroys it, on record. So
an enrolled device cannot fill the store with what belongs to no read. A picture beyond the bound is refused as "no room"
(HTTP 507): the device keeps it and asks again later.

Which pictures a device's reads name is kept for NAMED_KEPT_MS, a row for each batch with the first PREFIX bytes of each
name: a million reads are 16 MB. A chance hit among 2**64 only lets a picture in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, delete, func, select

from guardian.archive.tables import loose_photos, named_photos
from guardian.domain.errors import DiskFullError
from guardian.stores.statements import insert

LOOSE_KEPT_MS = 48 * 3600 * 1000
LOOSE_BYTES_MAX = 200_000_000
"""The pictures of a batch of a thousand reads, some 150 kB each, and a third more."""
NAMED_KEPT_MS = 35 * 24 * 3600 * 1000
"""A picture that comes later than this after its read counts as loose. The longest way home so far: nine days."""
PREFIX = 8
NAMES_MAX = 100_000
"""Names taken from the bytes of one batch that could not be read: 800 kB."""

_NAME = re.compile(rb"[0-9a-f]{64}")
_CHUNK = 500


def names_within(body: bytes) -> Iterator[str]:
    """What looks like a picture's name in the bytes of an item that was set apart: replayed, it may be a read yet."""
    return (found.group().decode() for found in _NAME.finditer(body))


def note_named(connection: Connection, batch_id: str, device_id: str, received_ms: int, hashes: Iterable[str]) -> None:
    """In the transaction that stores reads: their pictures are awaited, and those that came before them stay."""
    names = list(hashes)[:NAMES_MAX]
    if not names:
        return
    prefixes = bytes.fromhex("".join([name[: 2 * PREFIX] for name in names]))
    connection.execute(
        named_photos.insert().values(batch_id=batch_id, device_id=device_id, received_ms=received_ms, prefixes=prefixes)
    )
    if connection.execute(select(loose_photos.c.sha256).limit(1)).first() is not None:  # nearly always there is none
        release(connection, names)


def release(connection: Connection, hashes: Sequence[str]) -> None:
    """These are named by a read: they stay as long as it does."""
    for start in range(0, len(hashes), _CHUNK):
        connection.execute(delete(loose_photos).where(loose_photos.c.sha256.in_(hashes[start : start + _CHUNK])))


def is_named(connection: Connection, device_id: str, sha256: str) -> bool:
    """Whether a read (or an item set apart) of this device names this picture; the newest batches are asked first."""
    wanted = bytes.fromhex(sha256[: 2 * PREFIX])
    rows = connection.execute(
        select(named_photos.c.prefixes)
        .where(named_photos.c.device_id == device_id)
        .order_by(named_photos.c.received_ms.desc())
    ).scalars()
    return any(_stands_in(wanted, bytes(prefixes)) for prefixes in rows)


def _stands_in(wanted: bytes, prefixes: bytes) -> bool:
    place = prefixes.find(wanted)
    while place >= 0:
        if place % PREFIX == 0:
            return True
        place = prefixes.find(wanted, place + 1)
    return False


def is_loose(connection: Connection, sha256: str) -> bool:
    """Whether this picture is here as a guest."""
    return connection.execute(select(loose_photos.c.sha256).where(loose_photos.c.sha256 == sha256)).first() is not None


def admit(
    connection: Connection, device_id: str, sha256: str, size: int, *, now_ms: int, bytes_max: int = LOOSE_BYTES_MAX
) -> None:
    """Take a picture in as a guest, unless a read names it by now; writes never overlap, so none is missed between.

    Raises:
        DiskFullError: the device's guests have no room for it (`photos-unnamed-full`); nothing was taken.
    """
    if is_named(connection, device_id, sha256):
        return
    held = connection.execute(
        select(func.coalesce(func.sum(loose_photos.c.bytes), 0)).where(
            loose_photos.c.device_id == device_id, loose_photos.c.sha256 != sha256
        )
    ).scalar_one()
    if int(held) + size > bytes_max:
        raise DiskFullError(
            f"{int(held):,} bytes of pictures of this device belong to no read yet; this one was not taken.",
            hint="Send the read that names it, or keep it and try again later.",
            reference="photos-unnamed-full",
        )
    connection.execute(
        insert(connection, loose_photos)
        .values(sha256=sha256, device_id=device_id, bytes=size, at_ms=now_ms)
        .on_conflict_do_nothing()
    )


def count_overdue(connection: Connection, now_ms: int) -> int:
    """Guests that have been here for longer than LOOSE_KEPT_MS."""
    query = select(func.count()).select_from(loose_photos).where(loose_photos.c.at_ms < now_ms - LOOSE_KEPT_MS)
    return int(connection.execute(query).scalar_one())


def list_overdue(connection: Connection, now_ms: int, limit: int) -> list[str]:
    """The first of them."""
    query = select(loose_photos.c.sha256).where(loose_photos.c.at_ms < now_ms - LOOSE_KEPT_MS)
    return list(connection.execute(query.order_by(loose_photos.c.at_ms).limit(limit)).scalars())


def forget_names(connection: Connection, now_ms: int) -> int:
    """Names of batches that came longer ago than NAMED_KEPT_MS."""
    return connection.execute(delete(named_photos).where(named_photos.c.received_ms < now_ms - NAMED_KEPT_MS)).rowcount
