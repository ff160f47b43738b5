"""Second opinions in the database: one for each read and reader, kept as it came, and a fact on each hit of that read.

An opinion and its hit come on different ways and in any order: whichever is second joins them. Doing it again changes
nothing. What is asked here runs inside a transaction that `Records` has begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, select

from guardian.domain.opinion import OpinionVerdict, SecondOpinion
from guardian.stores import insert
from guardian.watch import journal
from guardian.watch.tables import opinions

encode_opinion = msgspec.msgpack.Encoder().encode
decode_opinion = msgspec.msgpack.Decoder(SecondOpinion).decode

_OF_READS = (
    select(opinions)
    .where(opinions.c.read_id.in_(bindparam("read_ids", expanding=True)))
    .order_by(opinions.c.at_ms, opinions.c.reader)
)


def keep(connection: Connection, read_id: str, opinion: SecondOpinion, at_ms: int) -> bool:
    """Keep one; gives whether it is new."""
    kept = connection.execute(
        insert(connection, opinions)
        .values(read_id=read_id, reader=opinion.reader, at_ms=at_ms, body=encode_opinion(opinion))
        .on_conflict_do_nothing()
    )
    return bool(kept.rowcount == 1)


def of_reads(connection: Connection, read_ids: Iterable[str]) -> dict[str, SecondOpinion]:
    """The opinion on each read that has one: the latest of those who looked, else that nobody was asked."""
    found: dict[str, SecondOpinion] = {}
    for part in journal.chunks(list(dict.fromkeys(read_ids))):
        for row in connection.execute(_OF_READS, {"read_ids": part}):
            opinion = decode_opinion(row.body)
            if row.read_id not in found or opinion.known is not OpinionVerdict.NOT_ASKED:
                found[row.read_id] = opinion
    return found


def all_of(connection: Connection, read_id: str) -> Sequence[tuple[SecondOpinion, int]]:
    """Every opinion on one read with the moment at which it came, oldest first."""
    rows = connection.execute(_OF_READS, {"read_ids": [read_id]})
    return [(decode_opinion(row.body), row.at_ms) for row in rows]
