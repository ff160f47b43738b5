"""The reads of a stored batch for whoever works on `reads.stored`: from memory while fresh, from the journal after."""

from __future__ import annotations

from collections import OrderedDict

from guardian.archive import journal
from guardian.archive.model import StoredBatch
from guardian.domain.errors import NotFoundError
from guardian.domain.read import Read
from guardian.stores.ports import Records

BATCHES_HELD_MAX = 96
"""Decoded batches kept in memory, a fill and a few: 96 of 1,000 reads are about 150 MB at worst."""


class StoredReads:
    """Batches by id. The last few stay decoded, so that matching and filling decode nothing again."""

    def __init__(self, records: Records, *, batches_max: int = BATCHES_HELD_MAX) -> None:
        self._records = records
        self._batches_max = batches_max
        self._held: OrderedDict[str, StoredBatch] = OrderedDict()

    def remember(self, batch: StoredBatch) -> None:
        """Keep a batch that was just stored."""
        self._held[batch.batch_id] = batch
        self._held.move_to_end(batch.batch_id)
        while len(self._held) > self._batches_max:
            self._held.popitem(last=False)

    def find_held(self, batch_id: str) -> StoredBatch | None:
        """A batch that is still in memory."""
        return self._held.get(batch_id)

    async def get(self, batch_id: str) -> StoredBatch:
        """A batch with its arrival.

        Raises:
            NotFoundError: never stored, or archived longer ago than the journal keeps.
        """
        held = self._held.get(batch_id)
        if held is None:
            held = await self._records.read(lambda connection: journal.find_batch(connection, batch_id))
            if held is None:
                raise NotFoundError("The batch is not in the journal any more.", reference="batch-gone")
            self.remember(held)
        return held

    async def get_batch(self, batch_id: str) -> list[Read]:
        """The reads of a batch, in capture order.

        Raises:
            NotFoundError: never stored, or archived longer ago than the journal keeps.
        """
        return list((await self.get(batch_id)).reads)
