"""What lists and hits need from other rooms; wired in `serve`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from guardian.domain.read import Read


class StoredReads(Protocol):
    """The reads of a batch that is durable."""

    async def get_batch(self, batch_id: str) -> list[Read]:
        """In capture order.

        Raises:
            NotFoundError: the batch was never stored, or has left the journal.
        """
        ...


class RecentReads(Protocol):
    """Reads that came before the list changed."""

    async def find_by_texts(self, texts: Sequence[str], since_ms: int) -> list[Read]:
        """Reads with one of these normal forms (at most 1,000), captured at or after `since_ms`; at most 1,000 reads."""
        ...


class Places(Protocol):
    """What people call a place."""

    def name(self, lat_deg: float, lon_deg: float) -> str:
        """Road and district, or an empty text. Quick: called for each hit raised."""
        ...


class ListHolders(Protocol):
    """The devices, for telling how far a version has got."""

    async def count_holders(self, version: int) -> tuple[int, int]:
        """How many devices on duty hold `version` or a later one, and how many there are."""
        ...
