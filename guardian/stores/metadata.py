"""The one MetaData that every room's tables are declared on, and the column types that behave the same on both engines.

Rooms write `Table("hits", metadata, …)` in their `tables.py`. Text has no length in the schema (bounds belong to the
rules); structures are MessagePack in `LargeBinary`; moments are milliseconds in `BigInteger`; yes and no are `Boolean`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SerialNumber = BigInteger().with_variant(Integer, "sqlite")
"""A primary key that counts by itself: 64 bits on both (SQLite counts only in a column called INTEGER)."""
