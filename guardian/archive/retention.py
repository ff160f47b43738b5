"""Destroying what is due, with a record of it.

Police Power Exercise Act, Art. 10: at the latest one year after it was made, unless a named case needs it. What is due has
left every answer at once already (`model.is_alive`); here it goes for good: reads in every copy with their plates and
pictures, items set apart with theirs, and hits that no case holds. What a case holds (a confirmed hit with a case number, at
most five years: Art. 18) keeps its own copy of the read and its pictures. Pictures that no read has named go after two days
(`loose_photos`).

The record says first what is about to be destroyed and by whom, then what was. Killed anywhere between, the next run finds
the rest: pictures go before the reads that name them. Looking is free; `destroy` changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, delete, func, select

from guardian.archive import loose_photos
from guardian.archive.loose_photos import names_within
from guardian.archive.model import KEPT_MS
from guardian.archive.ports import Archive, DestructionRecord, Evidence
from guardian.archive.question import Cursor
from guardian.archive.rows import photos_of
from guardian.archive.tables import quarantine, searches
from guardian.domain.errors import GuardianError
from guardian.domain.moment import TAIPEI, format_instant
from guardian.domain.subject import Role, Subject
from guardian.stores.ports import Photos, Records

log = structlog.get_logger(__name__)

PIECE = 1_000
SET_APART_PIECE = 50
"""Items set apart in hand at once, each of up to 8 MB."""
COUNTED_MAX = 1_000_000
CLOCK_TRUSTED_MS = 35 * 24 * 3600 * 1000
SEARCHES_KEPT_MS = 30 * 24 * 3600 * 1000
CLOCKWORK = Subject("clockwork", Role.NOBODY, "系統（每日到期銷毀）")
"""Who destroys where no person has asked for it."""


class Due(msgspec.Struct, frozen=True):
    """What is due at a moment: everything of before `before_ms` that nothing holds. `reads` is counted to a million.

    `photos_unnamed` are pictures that no read has named for `loose_photos.LOOSE_KEPT_MS`.
    """

    before_ms: int
    reads: int
    hits: int
    set_apart: int
    photos_unnamed: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.reads or self.hits or self.set_apart or self.photos_unnamed)


class Destroyed(msgspec.Struct, frozen=True):
    """What was destroyed."""

    before_ms: int
    reads: int = 0
    photos: int = 0
    photos_held: int = 0  # of due reads, kept as evidence of a hit
    hits: int = 0
    set_apart: int = 0
    photos_unnamed: int = 0


class _SetApart(NamedTuple):
    id: str
    state: str
    body: bytes


class Retention:
    """Looks for what is due, and destroys it."""

    def __init__(
        self,
        records: Records,
        archive: Archive,
        photos: Photos,
        evidence: Evidence,
        record: DestructionRecord,
        *,
        now_ms: Callable[[], int],
        piece: int = PIECE,
    ) -> None:
        self._records = records
        self._archive = archive
        self._photos = photos
        self._evidence = evidence
        self._record = record
        self._now_ms = now_ms
        self._piece = piece

    async def look(self) -> Due:
        """What is due now; changes nothing."""
        now = self._now_ms()
        before_ms = now - KEPT_MS
        after: Cursor | None = None
        reads = 0
        while reads < COUNTED_MAX:
            rows = await self._archive.list_due(before_ms, after=after, limit=self._piece)
            reads += len(rows)
            if len(rows) < self._piece:
                break
            after = Cursor(*rows[-1].key)
        set_apart, unnamed = await self._records.read(
            lambda connection: (
                int(
                    connection.execute(
                        select(func.count()).select_from(quarantine).where(quarantine.c.received_ms < before_ms)
                    ).scalar_one()
                ),
                loose_photos.count_overdue(connection, now),
            )
        )
        return Due(before_ms, reads, await self._evidence.count_due(before_ms), set_apart, unnamed)

    async def destroy_daily(self) -> Destroyed | None:
        """What clockwork does without a person: `destroy`, unless our clock may be the one that is wrong.

        Devices have clocks of their own. Where the newest read that they sent is older than CLOCK_TRUSTED_MS, either
        nothing has been read for weeks or our clock has leapt ahead, and what is destroyed does not come back: then a
        person decides (`guardian archive destroy-expired --execute`).
        """
        newest_ms = await self._archive.newest_ms()
        if newest_ms is None or self._now_ms() - newest_ms > CLOCK_TRUSTED_MS:
            due = await self.look()
            if not due.nothing:
                log.warning("archive.destruction_put_off", reads=due.reads, hits=due.hits, set_apart=due.set_apart)
            return None
        return await self.destroy()

    async def destroy(self, by: Subject = CLOCKWORK) -> Destroyed:
        """Destroy what is due now; nothing is written where nothing is due.

        Raises:
            GuardianError: a store is away; what was destroyed until then is on record, the next run does the rest.
        """
        await self._tidy()
        due = await self.look()
        done = Destroyed(due.before_ms)
        if due.nothing:
            return done
        await self._record.begin(by, _told(due))
        failed = "interrupted"
        try:
            done = await self._destroy_hits(done)
            done = await self._destroy_reads(done)
            done = await self._destroy_set_apart(done)
            done = await self._destroy_unnamed(done)
            failed = ""
        except GuardianError as error:
            failed = error.reference
            raise
        finally:
            await self._record.finish(by, _told(done), failed=failed)
        log.info("archive.destroyed", reads=done.reads, photos=done.photos, hits=done.hits, set_apart=done.set_apart)
        return done

    async def _destroy_hits(self, done: Destroyed) -> Destroyed:
        hits, loose = await self._evidence.destroy(done.before_ms)
        return msgspec.structs.replace(done, hits=hits, photos=done.photos + await self._delete(loose))

    async def _destroy_reads(self, done: Destroyed) -> Destroyed:
        after: Cursor | None = None
        photos = held = 0
        while True:
            rows = await self._archive.list_due(done.before_ms, after=after, limit=self._piece)
            kept = await self._evidence.held_reads([row.read.id for row in rows])
            held += sum(len(photos_of(row.read)) for row in rows if row.read.id in kept)
            evidence = {sha256 for row in rows if row.read.id in kept for sha256 in photos_of(row.read)}
            loose = {sha256 for row in rows for sha256 in photos_of(row.read)} - evidence
            photos += await self._delete(loose)
            if len(rows) < self._piece:
                break
            after = Cursor(*rows[-1].key)
        reads = await self._archive.destroy(done.before_ms)
        return msgspec.structs.replace(done, reads=reads, photos=done.photos + photos, photos_held=held)

    async def _destroy_set_apart(self, done: Destroyed) -> Destroyed:
        """Items set apart, after their pictures. What was replayed became a read, whose pictures go with it."""
        held = await self._evidence.held_photos(done.before_ms)
        gone = photos = 0
        while True:
            items = await self._records.read(lambda connection: _list_set_apart(connection, done.before_ms))
            names = {name for item in items if item.state != "replayed" for name in names_within(item.body)}
            photos += await self._delete(names - held)
            await self._records.write(lambda connection, items=items: _drop_set_apart(connection, items))  # type: ignore[misc]
            gone += len(items)
            if len(items) < SET_APART_PIECE:
                break
        return msgspec.structs.replace(done, set_apart=gone, photos=done.photos + photos)

    async def _tidy(self) -> None:
        """What is kept only to know something by, and is known for long enough; nothing that anybody was shown."""
        now = self._now_ms()

        def tidy(connection: Connection) -> None:
            connection.execute(delete(searches).where(searches.c.created_ms < now - SEARCHES_KEPT_MS))
            loose_photos.forget_names(connection, now)

        await self._records.write(tidy)

    async def _destroy_unnamed(self, done: Destroyed) -> Destroyed:
        """Guests that no read has named: each picture first, then what is known of it, so that a cut-off run leaves none."""
        gone, now = 0, self._now_ms()
        while True:
            names = await self._records.read(lambda connection: loose_photos.list_overdue(connection, now, self._piece))
            gone += await self._delete(names)
            await self._records.write(lambda connection, names=names: loose_photos.release(connection, names))  # type: ignore[misc]
            if len(names) < self._piece:
                break
        return msgspec.structs.replace(done, photos_unnamed=gone)

    async def _delete(self, hashes: Iterable[str]) -> int:
        """Delete pictures; gives how many were there."""
        there = 0
        for sha256 in hashes:
            if await self._photos.has(sha256):
                await self._photos.delete(sha256)
                there += 1
        return there


def _list_set_apart(connection: Connection, before_ms: int) -> list[_SetApart]:
    query = select(quarantine.c.id, quarantine.c.state, quarantine.c.body)
    rows = connection.execute(query.where(quarantine.c.received_ms < before_ms).limit(SET_APART_PIECE))
    return [_SetApart(row.id, row.state, bytes(row.body)) for row in rows]


def _drop_set_apart(connection: Connection, items: Sequence[_SetApart]) -> None:
    connection.execute(delete(quarantine).where(quarantine.c.id.in_([item.id for item in items])))


def _told(what: Due | Destroyed) -> dict[str, str]:
    """For the record: counts and the moment, never what it was."""
    told = {name: str(value) for name, value in msgspec.structs.asdict(what).items() if name != "before_ms"}
    return {"before": format_instant(what.before_ms, zone=TAIPEI)} | told
