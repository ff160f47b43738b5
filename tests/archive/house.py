"""The archive's room wired up for a test: real records, an engine of choice, a clock that the test holds.

`async with archive_house(tmp_path, engine="chdb") as house:` gives everything that `serve` wires; the look-up recorder
and the event stage are plain lists, because their rooms have their own tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from litestar.di import Provide
from sqlalchemy import Connection

from guardian.access.answers import to_response
from guardian.archive.chdb_engine import ChdbArchive
from guardian.archive.desk import SearchDesk
from guardian.archive.filler import Filler
from guardian.archive.grants import LookupGrants
from guardian.archive.ingest import Ingest
from guardian.archive.memory_engine import MemoryArchive
from guardian.archive.pictures import PhotoIntake
from guardian.archive.ports import Archive
from guardian.archive.quarantine import Quarantine
from guardian.archive.routes import api_router, device_router
from guardian.archive.stored_reads import StoredReads
from guardian.archive.views import SearchAnswer, SearchRequest
from guardian.domain.errors import NotAllowedError
from guardian.domain.event import Event
from guardian.domain.read import Read
from guardian.domain.subject import Role, Subject
from guardian.domain.wire import BatchAnswer
from guardian.stores import create_missing, metadata, open_photos, open_records
from guardian.stores.records import SqlRecords
from tests.archive.builders import MSGPACK, NOW_MS, batch_body

DETECTIVE = Subject("p-chen", Role.DETECTIVE, "陳偵查佐", "大安分局", "session-1")
OTHER = Subject("p-lin", Role.DETECTIVE, "林偵查佐", "信義分局", "session-2")
OPERATOR = Subject("p-wang", Role.OPERATOR, "王警員", "大安分局", "session-3")
CAR = Subject("car-1", Role.DEVICE, "car-1")


@dataclass
class Lookups:
    """Remembers what was put on record, in order; refuses an empty purpose or case as the real one does."""

    said: list[tuple[Any, ...]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)

    async def begin(
        self, subject: Subject, action: str, purpose: str, case_number: str, elements: dict[str, str]
    ) -> str:
        if not purpose.strip() or not case_number.strip():
            raise NotAllowedError("The purpose or the case says nothing.", reference="reason-missing")
        lookup_id = f"L{len(self.owners) + 1}"
        self.owners[lookup_id] = subject.id
        self.said.append(("begin", lookup_id, subject.id, action, purpose, case_number, elements))
        return lookup_id

    async def deliver(self, lookup_id: str, count: int, *, note: str = "") -> None:
        self.said.append(("deliver", lookup_id, count, note))

    async def owner(self, lookup_id: str) -> str | None:
        return self.owners.get(lookup_id)

    @property
    def delivered(self) -> list[tuple[int, str]]:
        return [(said[2], said[3]) for said in self.said if said[0] == "deliver"]


@dataclass
class StagedEvents:
    """What was staged, as the bus would carry it."""

    staged: list[Event] = field(default_factory=list)

    def stage(self, connection: Connection, event: Event) -> None:
        self.staged.append(event)

    def of(self, topic: str) -> list[Any]:
        return [msgspec.msgpack.decode(event.body) for event in self.staged if event.topic == topic]


@dataclass
class ArchiveHouse:
    """Everything of the room."""

    records: SqlRecords
    archive: Archive
    stored_reads: StoredReads
    filler: Filler
    ingest: Ingest
    grants: LookupGrants
    desk: SearchDesk
    quarantine: Quarantine
    events: StagedEvents
    lookups: Lookups
    app: Litestar
    clock: list[int]
    who: list[Subject]

    def now_ms(self) -> int:
        return self.clock[0]

    async def send(self, items: list[Any], device_id: str = "car-1", content_type: str = MSGPACK) -> BatchAnswer:
        """A batch of this device, as the routes hand it over."""
        body = (
            batch_body(items, device_id)
            if content_type == MSGPACK
            else msgspec.json.encode({"device_id": device_id, "items": items})
        )
        return await self.ingest.accept(device_id, body, content_type)

    async def ask(self, plate: str = "", subject: Subject = DETECTIVE, **more: Any) -> SearchAnswer:
        """A question with a purpose and a case."""
        return await self.desk.ask(subject, SearchRequest(purpose="偵查", case_number="A-1", plate=plate, **more))

    async def all_reads(self) -> list[Read]:
        """Everything that the column store holds, newest first."""
        await self.filler.settle(60)
        return [held.read for held in await self.archive.recent(100_000)]


def give(thing: Any) -> Provide:
    """Inject this very thing."""
    return Provide(lambda: thing, sync_to_thread=False)


def open_engine(engine: str, folder: Path, now_ms: Any) -> Archive:
    """`memory` or `chdb`."""
    return MemoryArchive(now_ms=now_ms) if engine == "memory" else ChdbArchive(folder / "archive", now_ms=now_ms)


@asynccontextmanager
async def archive_house(
    folder: Path,
    *,
    engine: str = "memory",
    records_url: str = "",
    now_ms: int = NOW_MS,
    export_page: int = 500,
    filling: bool = True,
) -> AsyncIterator[ArchiveHouse]:
    """Wire the room; everything is closed at the end.

    Args:
        filling: False leaves the filler standing; the test calls `filler.drain()` itself.
    """
    clock = [now_ms]

    def now() -> int:
        return clock[0]

    records = open_records(records_url or f"sqlite:///{folder / 'records.sqlite'}")
    await create_missing(records, metadata)
    archive = open_engine(engine, folder, now)
    events, lookups = StagedEvents(), Lookups()
    stored_reads = StoredReads(records)
    filler = Filler(records, archive, stored_reads, now_ms=now, gather_s=0)
    ingest = Ingest(
        records, events, archive, stored_reads, now_ms=now, wake=filler.wake, backlog=lambda: filler.lag_reads
    )  # type: ignore[arg-type]
    grants = LookupGrants(records, now_ms=now)
    desk = SearchDesk(records, archive, filler, lookups, grants, now_ms=now, export_page=export_page, settle_s=60)
    quarantine = Quarantine(records, ingest, now_ms=now)
    photos = open_photos(f"file://{folder / 'photos'}")
    intake = PhotoIntake(records, photos, now_ms=now)
    who = [DETECTIVE]

    app = Litestar(
        route_handlers=[api_router, device_router],
        dependencies={
            "ingest": give(ingest), "search_desk": give(desk), "quarantine": give(quarantine), "photos": give(photos),
            "photo_intake": give(intake),
            "photo_grants": give(grants), "subject": Provide(lambda: who[0], sync_to_thread=False),
        },
        exception_handlers={Exception: to_response},
    )  # fmt: skip
    if filling:
        await filler.start()
    try:
        yield ArchiveHouse(
            records, archive, stored_reads, filler, ingest, grants, desk, quarantine, events, lookups, app, clock, who
        )
    finally:
        await filler.close()
        await archive.close()
        await photos.close()
        await records.close()
