"""A read as the archive holds it, and the order in which answers come."""

from __future__ import annotations

import msgspec

from guardian.domain.read import Read

KEPT_MS = 365 * 24 * 3600 * 1000
"""Police Power Exercise Act, Art. 10: destroyed at the latest one year after it was made. 365 days, never a day more."""


def is_alive(ts_ms: int, now_ms: int) -> bool:
    """Whether a read of this time may still be answered (`sql.alive` says the same to the column store)."""
    return ts_ms >= now_ms - KEPT_MS


class ArchivedRead(msgspec.Struct, frozen=True, gc=False):
    """A read with what the cloud knows of its arrival.

    `number` is the journal number of the batch that brought it: order of arrival, whatever the clocks say.
    `time_doubtful` means that its capture time cannot be true; then the receipt rules (field case G29).
    """

    read: Read
    received_ms: int
    number: int
    time_doubtful: bool = False

    @property
    def ts_ms(self) -> int:
        """The time that orders it and from which its year is counted."""
        return self.received_ms if self.time_doubtful else self.read.captured_ms

    @property
    def key(self) -> tuple[int, str, int, int]:
        """Newest first is this, descending; no two reads share it (field case G36)."""
        return (self.ts_ms, self.read.device_id, self.read.boot, self.read.sequence)


class StoredBatch(msgspec.Struct, frozen=True):
    """A batch of the journal: the good, new items of one upload, in capture order."""

    batch_id: str
    number: int
    device_id: str
    received_ms: int
    reads: tuple[Read, ...]
    bodies: tuple[bytes, ...]  # each read in MessagePack, as the journal holds it
    time_doubtful: bool = False
