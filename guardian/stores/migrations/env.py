"""What alembic asks for: it works in the connection and transaction that `guardian.stores.migrate` hands over."""

from __future__ import annotations

from alembic import context

from guardian.stores.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="schema_version",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
