"""The room's tables in records: the batch journal, which numbers are here, what was set apart, which pictures reads name,
who searched for what and was shown which pictures."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

from guardian.stores.metadata import SerialNumber, metadata

batch_journal = Table(
    "batch_journal",
    metadata,
    Column("number", SerialNumber, primary_key=True, autoincrement=True),
    Column("batch_id", Text, nullable=False, unique=True),
    Column("device_id", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("boot_min", BigInteger, nullable=False),
    Column("boot_max", BigInteger, nullable=False),
    Column("sequence_min", BigInteger, nullable=False),
    Column("sequence_max", BigInteger, nullable=False),
    Column("time_doubtful", Boolean, nullable=False),
    Column("fill", BigInteger),  # the insert into the column store that it goes with; null: none yet
    Column("archived", Boolean, nullable=False),
    Index(None, "archived", "number"),
    Index(None, "device_id", "sequence_min"),
    sqlite_autoincrement=True,  # a number is never used twice: it is the order of arrival
)

batch_bodies = Table(
    "batch_bodies",  # beside the journal: marking a batch as filled must not write its 800 kB anew
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # MessagePack array of Read
)

read_spans = Table(
    "read_spans",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("boot", BigInteger, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Text, primary_key=True),  # from the device and the item's bytes: sent twice is kept once
    Column("reason", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),  # held | replayed | rejected
    Column("decided_by", Text, nullable=False),
    Column("decided_ms", BigInteger),
    Column("note", Text, nullable=False),
    Index(None, "state", "reason", "received_ms"),
    Index(None, "device_id", "state"),
)

named_photos = Table(
    "named_photos",
    metadata,
    Column("batch_id", Text, primary_key=True),
    Column("device_id", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("prefixes", LargeBinary, nullable=False),  # `loose_photos.PREFIX` bytes of each name, one after the other
    Index(None, "device_id", "received_ms"),
    Index(None, "received_ms"),
)

loose_photos = Table(
    "loose_photos",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("device_id", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index(None, "device_id"),
    Index(None, "at_ms"),
)

searches = Table(
    "searches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),  # journal number: what arrived later is announced, not mixed in
    Column("question", LargeBinary, nullable=False),  # MessagePack of SearchRequest
    Index(None, "owner", "created_ms"),
)

delivered_photos = Table(
    "delivered_photos",
    metadata,
    Column("lookup_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),  # 32 bytes each, one after the other
    Index(None, "at_ms"),
)
