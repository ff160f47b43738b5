"""The tables of access: the chain, the links and sessions of people, the keys of devices."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from guardian.stores.metadata import metadata

audit_rows = Table(
    "audit_rows",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("lookup_id", Text, nullable=False),
    Column("about", Text, nullable=False),  # digest of what was asked: `chain.Entry.about`
    Column("body", LargeBinary, nullable=False),  # canonical MessagePack of the entry; the columns above only index it
    Column("hash", LargeBinary, nullable=False),
    Index("ix_audit_rows_subject_id", "subject_id", "number"),
    Index("ix_audit_rows_kind", "kind", "number"),
    Index("ix_audit_rows_lookup_id", "lookup_id"),
)

access_links = Table(
    "access_links",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

access_sessions = Table(
    "access_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("subject_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
)

access_device_keys = Table(
    "access_device_keys",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("enrolled_ms", BigInteger, nullable=False),
    Column("counter_ceiling", BigInteger, nullable=False),  # no counter above it was ever believed
    Column("revoked_ms", BigInteger),
    Column("revoked_by", Text, nullable=False),
    Column("revoked_reason", Text, nullable=False),
)
