"""Fills the column store from the journal: many small batches become few large inserts.

A group is written down before it is inserted and marked after; killed anywhere between, the same group goes in again
under the same token, which the column store takes once. Questions wait for the filler (`settle`) up to a second, so
what was answered "stored" is found by the next search; beyond that second the answer says how far behind it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from guardian.archive import journal
from guardian.archive.model import ArchivedRead, StoredBatch
from guardian.archive.ports import Archive, Filled
from guardian.archive.stored_reads import StoredReads
from guardian.domain.errors import GuardianError
from guardian.stores.ports import Records

log = structlog.get_logger(__name__)

FILL_READS_MAX = 80_000
GATHER_S = 5.0
"""How long reads may wait for more while nobody asks: an insert costs by its parts first and by its reads second. Measured:
30 microseconds of CPU a read in groups of a few thousand, 18 in groups of 40,000. A question does not wait for this."""
PAUSE_S_MAX = 10.0
KEPT_MS = 24 * 3600 * 1000
"""How long the journal keeps what the column store holds: consumers of `reads.stored` read from here."""
TRIM_EVERY_S = 60.0


class Filler:
    """One task; `start` it with the cloud, `close` it before the stores."""

    def __init__(
        self,
        records: Records,
        archive: Archive,
        stored_reads: StoredReads,
        *,
        now_ms: Callable[[], int],
        gather_s: float = GATHER_S,
    ) -> None:
        """Wire the filler.

        Args:
            stored_reads: where the last batches are still decoded.
            gather_s: how long a group may wait for more.
        """
        self._records = records
        self._archive = archive
        self._find_held = stored_reads.find_held
        self._now_ms = now_ms
        self._gather_s = gather_s
        self._wake = asyncio.Event()
        self._now = asyncio.Event()
        self._moved = asyncio.Condition()
        self._newest = 0
        self._filled = 0
        self._hurry = 0
        self._task: asyncio.Task[None] | None = None
        self.lag_reads = 0

    @property
    def filled(self) -> int:
        """The journal number up to which the column store holds everything."""
        return self._filled

    async def start(self) -> None:
        """Learn where things stand, then go on filling."""
        newest, waiting, _ = await self._records.read(journal.backlog)
        self._newest = max(self._newest, newest)
        self.lag_reads = waiting
        if waiting == 0:
            self._filled = self._newest
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name="archive-filler")

    async def close(self) -> None:
        """Stop between two inserts; what waits is filled at the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def wake(self, number: int, reads: int = 0) -> None:
        """A batch of `reads` was stored under `number`."""
        self._newest = max(self._newest, number)
        self.lag_reads += reads
        if self.lag_reads >= FILL_READS_MAX:
            self._now.set()
        self._wake.set()

    async def settle(self, timeout_s: float = 1.0) -> Filled:
        """Wait until what is in the journal now can be found, at most `timeout_s`.

        Returns:
            The number up to which answers are whole, and whether that is everything.
        """
        target = self._newest
        if self._filled >= target:
            return Filled(self._filled, True)
        self._hurry += 1
        self._now.set()
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s), self._moved:
                await self._moved.wait_for(lambda: self._filled >= target)
        except TimeoutError:
            return Filled(self._filled, False)
        finally:
            self._hurry -= 1
        return Filled(self._filled, True)

    async def _run(self) -> None:
        pause_s = 0.1
        trimmed_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._gather()
            try:
                await self.drain()
                if loop.time() - trimmed_s > TRIM_EVERY_S:
                    trimmed_s = loop.time()
                    await self._trim()
                pause_s = 0.1
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the journal holds everything: whatever it is, it is tried again
                log.warning(
                    "archive.fill_failed",
                    error=error.reference if isinstance(error, GuardianError) else type(error).__name__,
                    again_in_s=pause_s,
                )
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_S_MAX)
                self._wake.set()

    async def _gather(self) -> None:
        """Let a group grow: until somebody asks, enough wait, or the time is up."""
        self._now.clear()
        if self._hurry or self._gather_s <= 0 or self.lag_reads >= FILL_READS_MAX:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._gather_s):
                await self._now.wait()

    async def drain(self) -> int:
        """Bring every waiting group into the column store; gives how many reads went."""
        newest, moved = self._newest, 0
        group = await self._records.write(lambda connection: self._next_fill(connection))
        while group is not None:
            fill, batches = group
            rows = [row for batch in batches for row in archived(batch)]
            bodies = [body for batch in batches for body in batch.bodies]
            await self._archive.insert(rows, bodies, token=f"fill-{fill}")
            moved += len(rows)
            newest = self._newest
            group = await self._records.write(lambda connection, done=fill: self._next_fill(connection, done))  # type: ignore[misc]
            self.lag_reads = max(0, self.lag_reads - len(rows))
            await self._advance(batches[-1].number)
        await self._advance(newest)  # numbers up to here were committed before the last look found nothing
        return moved

    def _next_fill(self, connection: Connection, done: int | None = None) -> tuple[int, list[StoredBatch]] | None:
        if done is not None:
            journal.mark_archived(connection, done)
        return journal.next_fill(connection, FILL_READS_MAX, self._find_held)

    async def _advance(self, number: int) -> None:
        async with self._moved:
            self._filled = max(self._filled, number)
            self._moved.notify_all()

    async def _trim(self) -> None:
        before_ms = self._now_ms() - KEPT_MS
        while await self._records.write(lambda connection: journal.drop_archived(connection, before_ms)):
            pass


def archived(batch: StoredBatch) -> list[ArchivedRead]:
    """The reads of a batch with what is known of their arrival."""
    return [ArchivedRead(read, batch.received_ms, batch.number, batch.time_doubtful) for read in batch.reads]
