"""Every room of the cloud, opened in order, wired, and closed in the other order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from guardian.access.seam import Access
from guardian.archive.chdb_engine import ChdbArchive
from guardian.archive.desk import SearchDesk
from guardian.archive.filler import Filler
from guardian.archive.grants import LookupGrants
from guardian.archive.ingest import Ingest
from guardian.archive.memory_engine import MemoryArchive
from guardian.archive.pictures import PhotoIntake
from guardian.archive.ports import Archive
from guardian.archive.quarantine import Quarantine
from guardian.archive.retention import Retention
from guardian.archive.stored_reads import StoredReads
from guardian.domain.errors import InputRefusedError
from guardian.fleet.fleet import Fleet
from guardian.roads.areas import default_areas
from guardian.roads.place import default_place_names
from guardian.serve.live import LiveHub
from guardian.serve.livefeed import LiveFeed
from guardian.serve.ports import ArchivedRecentReads, RoadPlaces, SeenPhotos
from guardian.serve.retention import NightlyRetention, RecordedDestruction
from guardian.stores import Stores, StoreSettings, close_stores, open_stores
from guardian.stores.migrate import migrate
from guardian.watch.csv_import import ListImporter
from guardian.watch.desk import HitDesk
from guardian.watch.keeper import ListKeeper
from guardian.watch.register import ListRegister
from guardian.watch.retention import HitRetention


def open_archive(url: str, data: Path, now_ms: Callable[[], int]) -> Archive:
    """The archive's engine by URL: `chdb:` under the data folder, `chdb:///path`, or `memory:` for tests.

    Raises:
        InputRefusedError: no such engine.
    """
    if url == "memory:":
        return MemoryArchive(now_ms=now_ms)
    kind, _, rest = url.partition(":")
    if kind == "chdb":
        return ChdbArchive(Path(rest.removeprefix("//")) if rest else data / "archive", now_ms=now_ms)
    raise InputRefusedError(f"There is no archive engine '{kind}'.", hint="Known are chdb: and memory:.")


class Cloud:
    """All rooms, ready to serve. Make one with `open_cloud`."""

    stores: Stores
    access: Access
    archive: Archive
    filler: Filler
    ingest: Ingest
    stored_reads: StoredReads
    search_desk: SearchDesk
    quarantine: Quarantine
    list_keeper: ListKeeper
    list_importer: ListImporter
    list_register: ListRegister
    hit_desk: HitDesk
    fleet: Fleet
    live_feed: LiveFeed
    photo_grants: SeenPhotos
    photo_intake: PhotoIntake
    retention: Retention
    now_ms: Callable[[], int]

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    def leave(self) -> None:
        """A stop is coming: end what waits for news, devices' long polls and browsers' streams."""
        self.list_keeper.end_waits()
        self.live_feed.hub.close()

    async def close(self) -> None:
        """Close every room, last opened first."""
        await self._stack.aclose()


async def open_cloud(
    settings: StoreSettings,
    now_ms: Callable[[], int],
    *,
    archive_url: str = "chdb:",
    hosts: tuple[str, ...] | None = None,
) -> Cloud:
    """Open and wire every room; events flow when this returns."""
    cloud = Cloud()
    stack = cloud._stack
    try:
        stores = cloud.stores = open_stores(settings, now_ms)
        stack.push_async_callback(close_stores, stores)
        if settings.embedded:
            await migrate(stores.records)
        places = RoadPlaces(default_place_names())
        cloud.now_ms = now_ms
        access = cloud.access = Access(stores.records, now_ms, **({"hosts": hosts} if hosts else {}))
        stack.push_async_callback(access.close)
        archive = cloud.archive = open_archive(archive_url, Path(settings.with_defaults().data), now_ms)
        stack.push_async_callback(archive.close)
        stored_reads = cloud.stored_reads = StoredReads(stores.records)
        filler = cloud.filler = Filler(stores.records, archive, stored_reads, now_ms=now_ms)
        await filler.start()
        stack.push_async_callback(filler.close)
        ingest = cloud.ingest = Ingest(
            stores.records,
            stores.events,
            archive,
            stored_reads,
            now_ms=now_ms,
            wake=filler.wake,
            backlog=lambda: filler.lag_reads,
        )
        lookup_grants = LookupGrants(stores.records, now_ms=now_ms)
        cloud.search_desk = SearchDesk(
            stores.records,
            archive,
            filler,
            access.lookups,
            lookup_grants,
            now_ms=now_ms,
            places=places,
            areas=default_areas(),
        )
        cloud.photo_intake = PhotoIntake(stores.records, stores.photos, now_ms=now_ms)
        quarantine = cloud.quarantine = Quarantine(stores.records, ingest, now_ms=now_ms)
        keeper = cloud.list_keeper = ListKeeper(stores.records, stores.events, stores.secrets, now_ms)
        await keeper.open()
        stack.push_async_callback(keeper.close)
        cloud.list_importer = ListImporter(stores.records, keeper, now_ms)
        cloud.list_register = ListRegister(stores.records, keeper, now_ms)
        hit_desk = cloud.hit_desk = HitDesk(
            stores.records,
            stores.events,
            keeper,
            stored_reads,
            now_ms,
            recent=ArchivedRecentReads(archive, filler),
            places=places,
        )
        hit_desk.subscribe()
        fleet = cloud.fleet = Fleet(
            stores.records, stores.events, access.device_keys, keeper, now_ms, places=places, answers=hit_desk
        )
        fleet.subscribe()
        keeper.holders = fleet
        cloud.photo_grants = SeenPhotos(lookup_grants, hit_desk)
        live = cloud.live_feed = LiveFeed(
            LiveHub(),
            stores.events,
            archive,
            stored_reads,
            hit_desk,
            keeper,
            fleet,
            quarantine,
            cloud.photo_grants,
            places,
            now_ms,
        )
        await stores.events.start()
        stack.push_async_callback(stores.events.close)
        await live.start()
        stack.push_async_callback(live.close)
        retention = cloud.retention = Retention(
            stores.records,
            archive,
            stores.photos,
            HitRetention(stores.records),
            RecordedDestruction(access.audit),
            now_ms=now_ms,
        )
        nightly = NightlyRetention(retention, now_ms)
        nightly.start()
        stack.push_async_callback(nightly.close)
    except BaseException:
        await cloud.close()
        raise
    return cloud
