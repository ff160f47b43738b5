"""Destroying what is due, wired: once a night in the running cloud, or by a person from the command line."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from guardian.access.audit import AuditRecord
from guardian.access.chain import entry_of
from guardian.archive.ports import Archive
from guardian.archive.retention import Retention
from guardian.domain.errors import GuardianError
from guardian.domain.moment import TAIPEI
from guardian.domain.subject import Subject
from guardian.serve.settings import Settings
from guardian.stores import close_stores, open_stores
from guardian.stores.migrate import migrate
from guardian.watch.retention import HitRetention

log = structlog.get_logger(__name__)

AFTER_START_S = 60.0
"""A laptop that is asleep at night destroys in the morning."""
AT_HOUR = 3
ACTION = "archive.destroy"


class RecordedDestruction:
    """`DestructionRecord` of the archive, in the audit chain."""

    def __init__(self, audit: AuditRecord) -> None:
        self._audit = audit

    async def begin(self, by: Subject, what: dict[str, str]) -> None:
        await self._append(by, what, "allowed", ("due-by-law",))

    async def finish(self, by: Subject, what: dict[str, str], *, failed: str = "") -> None:
        await self._append(by, what, "refused" if failed else "allowed", (failed or "destroyed",))

    async def _append(self, by: Subject, what: dict[str, str], verdict: str, reasons: tuple[str, ...]) -> None:
        entry = entry_of(by, ACTION, at_ms=self._audit.now_ms(), verdict=verdict, reasons=reasons, elements=what)
        await self._audit.append(entry)


class NightlyRetention:
    """The task of the running cloud: a minute after the start, then every night."""

    def __init__(
        self, retention: Retention, now_ms: Callable[[], int], *, after_start_s: float = AFTER_START_S
    ) -> None:
        self._retention = retention
        self._now_ms = now_ms
        self._after_start_s = after_start_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the event loop must run."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def close(self) -> None:
        """Stop; what is half done is on record and done by the next run."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        await asyncio.sleep(self._after_start_s)
        while True:
            try:
                await self._retention.destroy_daily()
            except GuardianError as error:
                log.warning("archive.destruction_failed", reference=error.reference)
            except Exception:
                log.exception("archive.destruction_failed")
            await asyncio.sleep(seconds_to_night(self._now_ms()))


def seconds_to_night(now_ms: int) -> float:
    """Until the next AT_HOUR o'clock in Taipei."""
    now = datetime.fromtimestamp(now_ms / 1000, tz=TAIPEI)
    night = now.replace(hour=AT_HOUR, minute=0, second=0, microsecond=0)
    if night <= now:
        night += timedelta(days=1)
    return (night - now).total_seconds()


@asynccontextmanager
async def open_retention(
    settings: Settings, now_ms: Callable[[], int], open_archive: Callable[[str, Path, Callable[[], int]], Archive]
) -> AsyncIterator[Retention]:
    """Retention alone, beside no running cloud: for the command line."""
    stores = open_stores(settings.stores, now_ms)
    archive: Archive | None = None
    try:
        if settings.stores.embedded:
            await migrate(stores.records)
        archive = open_archive(settings.archive, Path(settings.stores.with_defaults().data), now_ms)
        audit = AuditRecord(stores.records, now_ms)
        yield Retention(
            stores.records,
            archive,
            stores.photos,
            HitRetention(stores.records),
            RecordedDestruction(audit),
            now_ms=now_ms,
        )
        await audit.settle()
    finally:
        if archive is not None:
            await archive.close()
        await close_stores(stores)
