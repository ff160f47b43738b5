"""The few statements that SQLAlchemy spells by engine."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> postgresql.Insert:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update` on the engine of `connection`.

    Both dialects' Insert have the same methods with the same meaning; the type says PostgreSQL's.
    """
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value]
    return postgresql.insert(table)


def insert_if_new(connection: Connection, table: Table) -> postgresql.Insert:
    """INSERT … ON CONFLICT DO NOTHING, made once for each table: give the values beside it, as `execute`'s parameters."""
    return _insert_if_new(connection.dialect.name, table)


@cache
def _insert_if_new(dialect_name: str, table: Table) -> postgresql.Insert:
    if dialect_name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()  # type: ignore[return-value]
    return postgresql.insert(table).on_conflict_do_nothing()
