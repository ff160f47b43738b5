"""How long a hit lives, and what its evidence holds (law page; Police Power Exercise Act, Art. 10 and 18).

A hit is data of its read: after a year it goes, with its facts, unless a person has confirmed it and it belongs to a named
case; then it stays, with the pictures of every read that was folded into it, and five years after the read it goes too. It
is the `Evidence` that the archive asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, or_, select

from guardian.domain.watch import HitState
from guardian.stores import Records
from guardian.watch import journal
from guardian.watch.hits import HitBody, decode_body
from guardian.watch.tables import answers, facts, hits, imports, opinions, sightings

HELD_MS = 4 * 365 * 24 * 3600 * 1000
"""Beyond the first year: with it five, the outer limit of Art. 18."""
PIECE = 200


class Hold(msgspec.Struct, frozen=True):
    """A hit that is past its year: whether its case still holds it."""

    hit_id: str
    held: bool
    photos: tuple[str, ...]


def is_held(state: str, case_number: str, captured_ms: int, *, before_ms: int) -> bool:
    """Whether a hit past its year is kept: confirmed, of a named case, and within five years. Pure."""
    return state == HitState.CONFIRMED and bool(case_number.strip()) and captured_ms >= before_ms - HELD_MS


class HitRetention:
    """Hits past their year."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def held_reads(self, read_ids: Sequence[str]) -> set[str]:
        """Reads that a hit is made of, the folded ones too. Asked after `destroy`: what is left there is held."""

        def find(connection: Connection) -> set[str]:
            found: set[str] = set()
            for part in journal.chunks(read_ids):
                query = select(sightings.c.read_id).where(sightings.c.read_id.in_(part))
                found.update(connection.execute(query).scalars())
            return found

        return await self._records.read(find)

    async def held_photos(self, before_ms: int) -> set[str]:
        """Pictures of hits of before then that are kept."""
        holds = await self._records.read(lambda connection: _holds(connection, before_ms), limit_s=60.0)
        return {sha256 for hold in holds if hold.held for sha256 in hold.photos}

    async def count_due(self, before_ms: int) -> int:
        """Hits of before then that nothing holds."""
        return sum(not hold.held for hold in await self._records.read(lambda c: _holds(c, before_ms), limit_s=60.0))

    async def destroy(self, before_ms: int) -> tuple[int, list[str]]:
        """Destroy them with facts, sightings and answers; gives how many, and their pictures that no other hit has."""
        holds = await self._records.read(lambda connection: _holds(connection, before_ms), limit_s=60.0)
        due = [hold for hold in holds if not hold.held]
        kept = {sha256 for hold in holds if hold.held for sha256 in hold.photos}
        for part in journal.chunks([hold.hit_id for hold in due], PIECE):
            await self._records.write(lambda connection, part=part: _drop(connection, part))  # type: ignore[misc]
        await self._records.write(lambda connection: _drop_old(connection, before_ms))
        return len(due), sorted({sha256 for hold in due for sha256 in hold.photos} - kept)


def _holds(connection: Connection, before_ms: int) -> list[Hold]:
    found: list[Hold] = []
    query = select(hits.c.hit_id, hits.c.state, hits.c.captured_ms, hits.c.body).where(hits.c.captured_ms < before_ms)
    for row in connection.execute(query):
        body = decode_body(row.body)
        held = is_held(row.state, body.entry.case_number, row.captured_ms, before_ms=before_ms)
        found.append(Hold(row.hit_id, held, photos_of(body)))
    return found


def photos_of(body: HitBody) -> tuple[str, ...]:
    """The pictures that a hit shows."""
    read = body.read
    shown = [photo.sha256 for photo in (read.crop, read.overview) if photo is not None]
    return tuple(shown + [vote.crop_sha256 for vote in read.votes if vote.crop_sha256])


def _drop(connection: Connection, hit_ids: Sequence[str]) -> None:
    pairs = connection.execute(
        select(sightings.c.read_id, sightings.c.entry_id).where(sightings.c.hit_id.in_(hit_ids))
    ).all()
    for part in journal.chunks(pairs, 100):
        both = [(answers.c.read_id == pair.read_id) & (answers.c.entry_id == pair.entry_id) for pair in part]
        connection.execute(delete(answers).where(or_(*both)))
    for part in journal.chunks(sorted({pair.read_id for pair in pairs})):
        # A read may mean two entries, and one of the hits may be held: its opinion stays with that one.
        held = (
            select(sightings.c.read_id)
            .where(sightings.c.read_id == opinions.c.read_id, sightings.c.hit_id.notin_(hit_ids))
            .exists()
        )
        connection.execute(delete(opinions).where(opinions.c.read_id.in_(part), ~held))
    for table in (sightings, facts, hits):
        connection.execute(delete(table).where(table.c.hit_id.in_(hit_ids)))


def _drop_old(connection: Connection, before_ms: int) -> None:
    """Imports hold whole rows of files that were refused; answers may have come for hits that never were."""
    connection.execute(delete(imports).where(imports.c.created_ms < before_ms))
    orphans = select(sightings.c.read_id).where(sightings.c.read_id == answers.c.read_id).exists()
    connection.execute(delete(answers).where(answers.c.at_ms < before_ms, ~orphans))
    unheld = select(sightings.c.read_id).where(sightings.c.read_id == opinions.c.read_id).exists()
    connection.execute(delete(opinions).where(opinions.c.at_ms < before_ms, ~unheld))
