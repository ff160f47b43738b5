"""Bring the records to this version's tables. Forward only; running it again changes nothing."""

from __future__ import annotations

from guardian.stores.metadata import metadata
from guardian.stores.records import SqlRecords, create_missing


async def migrate(records: SqlRecords) -> None:
    """Create what is missing."""
    await create_missing(records, metadata)
