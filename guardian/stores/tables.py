"""The tables of the event bus: what waits to leave, who has read how far, what was given up."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from guardian.stores.metadata import SerialNumber, metadata

outbox = Table(
    "event_outbox",
    metadata,
    Column("number", SerialNumber, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # numbers are never used twice, also when the newest rows were pruned
)

positions = Table(
    "event_position",
    metadata,
    Column("consumer_name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),  # the last outbox number that was taken
)

set_aside = Table(
    "event_set_aside",
    metadata,
    Column("consumer_name", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False),  # the kind of error; its text may hold what must not be kept
    Column("set_aside_ms", BigInteger, nullable=False),
    Index(None, "set_aside_ms"),
)
