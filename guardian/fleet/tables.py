"""The tables of fleet: devices with their latest heartbeat, one-time codes, and what each hour brought."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, Table, Text

from guardian.stores.metadata import metadata

fleet_devices = Table(
    "fleet_devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("enrolled_ms", BigInteger, nullable=False),
    Column("enrolled_by", Text, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("revoked_reason", Text, nullable=False),
    Column("forked_ms", BigInteger),
    Column("seen_ms", BigInteger),  # by our clock
    Column("heartbeat", LargeBinary),  # MessagePack of the latest
    Column("position", LargeBinary),  # MessagePack of the last that can be true
    Column("list_version", BigInteger, nullable=False),
)

fleet_codes = Table(
    "fleet_codes",
    metadata,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Column("device_id", Text, nullable=False),
    Column("key_sha256", LargeBinary),
)

fleet_hours = Table(
    "fleet_hours",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("hour", Integer, primary_key=True),  # hours since 1970
    Column("reads", Integer, nullable=False),
    Column("chars_per_read", Float),
)
