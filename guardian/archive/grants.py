"""Which pictures a look-up has shown, so that their bytes may be fetched by the one who asked, for a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, delete, select

from guardian.archive.tables import delivered_photos
from guardian.domain.subject import Subject
from guardian.stores.ports import Records
from guardian.stores.statements import insert

GRANTED_MS = 24 * 3600 * 1000
"""A page of results may stand open for a day; then its pictures need a new look-up."""


class LookupGrants:
    """Answers for references `lookup:ID`; those of hits belong to their room."""

    def __init__(self, records: Records, *, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms

    async def grant(self, subject: Subject, lookup_id: str, hashes: Iterable[str]) -> None:
        """Note what a look-up is about to show; called before its answer leaves."""
        packed = b"".join(bytes.fromhex(sha256) for sha256 in dict.fromkeys(hashes))
        if not packed:
            return
        now_ms = self._now_ms()

        def note(connection: Connection) -> None:
            connection.execute(delete(delivered_photos).where(delivered_photos.c.at_ms < now_ms - GRANTED_MS))
            connection.execute(
                insert(connection, delivered_photos)
                .values(lookup_id=lookup_id, owner=subject.id, at_ms=now_ms, hashes=packed)
                .on_conflict_do_nothing()
            )

        await self._records.write(note)

    async def allows(self, subject: Subject, ref: str, sha256: str) -> bool:
        """Whether this subject's own look-up showed this picture within the day."""
        kind, _, lookup_id = ref.partition(":")
        if kind != "lookup" or not lookup_id:
            return False
        table = delivered_photos
        packed = await self._records.read(
            lambda connection: connection.execute(
                select(table.c.hashes).where(
                    table.c.lookup_id == lookup_id,
                    table.c.owner == subject.id,
                    table.c.at_ms >= self._now_ms() - GRANTED_MS,
                )
            ).scalar()
        )
        if packed is None:
            return False
        wanted = bytes.fromhex(sha256)
        return any(packed[i : i + 32] == wanted for i in range(0, len(packed), 32))
