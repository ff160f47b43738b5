"""What the live page shows, made from what the rooms say: a snapshot to open with, messages that follow.

The feed listens to the bus from now on; it keeps nothing that cannot be rebuilt from the rooms.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable

import msgspec
import structlog
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Stream

from guardian.access.sessions import Sessions
from guardian.archive.model import ArchivedRead
from guardian.archive.ports import Archive
from guardian.archive.quarantine import Quarantine
from guardian.archive.rows import photos_of, row_of
from guardian.archive.stored_reads import StoredReads
from guardian.archive.views import ReadRow
from guardian.domain.errors import GuardianError, NotFoundError
from guardian.domain.event import Event, HitChanged, ReadsStored, UnitMoved
from guardian.domain.position import Position
from guardian.domain.subject import Subject
from guardian.fleet.fleet import Fleet
from guardian.serve.live import TICK_S, LiveHub
from guardian.serve.ports import RoadPlaces, SeenPhotos
from guardian.serve.views import LiveSnapshot, LiveTick
from guardian.stores.ports import Events
from guardian.watch.desk import HitDesk
from guardian.watch.keeper import ListKeeper
from guardian.watch.views import HitCard

log = structlog.get_logger(__name__)
SHOWN_READS = 200
SHOWN_PER_S = 100
"""Nobody reads a thousand rows that come at once; the newest of them are shown, all are found by search."""
SHOWN_OF_BATCH = 40
PLACES_EVERY_S = 0.5
"""Reads of one device bring a position each; the map moves with the newest of half a second."""
MINUTE_MS = 60_000
ATTENTION = ("attention", "fault", "forked")


class LiveFeed:
    """Turns events into messages of the hub; one task a topic."""

    def __init__(
        self,
        hub: LiveHub,
        events: Events,
        archive: Archive,
        stored_reads: StoredReads,
        hit_desk: HitDesk,
        list_keeper: ListKeeper,
        fleet: Fleet,
        quarantine: Quarantine,
        photos: SeenPhotos,
        places: RoadPlaces,
        now_ms: Callable[[], int],
    ) -> None:
        self.hub = hub
        self._events, self._archive, self._stored_reads, self._hit_desk = events, archive, stored_reads, hit_desk
        self._list_keeper, self._fleet, self._quarantine = list_keeper, fleet, quarantine
        self._photos, self._places, self._now_ms = photos, places, now_ms
        self._rows: deque[ReadRow] = deque(maxlen=SHOWN_READS)
        self._arrivals: deque[tuple[int, int]] = deque(maxlen=10_000)  # (received_ms, reads)
        self._moved: dict[str, Position] = {}  # newest fix by device, not yet told to the fleet
        self._rows_left, self._rows_second = SHOWN_PER_S, 0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Fill the stream from the archive, then follow the bus."""
        for held in reversed(await self._archive.recent(SHOWN_READS)):
            self._remember(held)
        follow = {
            "reads.stored": self._on_reads,
            "hits.changed": self._on_hit,
            "units.moved": self._on_unit,
            "lists.changed": self._on_list,
            "devices.changed": self._on_list,
        }
        for topic, act in follow.items():
            self._tasks.append(asyncio.create_task(self._follow(topic, act), name=f"live-{topic}"))
        self._tasks.append(asyncio.create_task(self._tick(), name="live-tick"))
        self._tasks.append(asyncio.create_task(self._move(), name="live-places"))

    async def close(self) -> None:
        """End the stream and the tasks."""
        self.hub.close()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _follow(self, topic: str, act: Callable[[Event], object]) -> None:
        tail = self._events.tail(topic, waiting_max=1024)
        dropped = 0
        async for event in tail:
            if tail.dropped != dropped:
                dropped = tail.dropped
                self.hub.publish("gap", {})
            try:
                await act(event)  # type: ignore[misc]
            except GuardianError as error:
                # Of a database that is away for a moment, say: the page must look again, or it lacks this for ever.
                log.warning("live.event_passed_over", topic=topic, event_id=event.id, reference=error.reference)
                self.hub.publish("gap", {})
            except Exception:
                # One event that cannot be drawn must not end the view for the night; the page's next snapshot has it.
                log.exception("live.event_failed", topic=topic, event_id=event.id)
                self.hub.publish("gap", {})

    def _remember(self, held: ArchivedRead) -> ReadRow:
        row = row_of(held, places=self._places, photo_ref="live")
        self._photos.show_live(photos_of(held.read))
        self._rows.append(row)
        return row

    async def _on_reads(self, event: Event) -> None:
        stored = msgspec.msgpack.decode(event.body, type=ReadsStored)
        try:
            batch = await self._stored_reads.get(stored.batch_id)
        except NotFoundError:
            return
        self._arrivals.append((batch.received_ms, len(batch.reads)))
        if batch.reads and not batch.time_doubtful:
            # The last that had a fix: a batch that ends in a tunnel still moves the map to the tunnel's mouth.
            fix = next((read.position for read in reversed(batch.reads) if read.position is not None), None)
            former = self._moved.get(batch.device_id)
            if fix is not None and (former is None or former.fixed_ms <= fix.fixed_ms):
                self._moved[batch.device_id] = fix
        # A device that comes back sends its night at once: the page gets the newest, the rest is found by search.
        for read in batch.reads[-self._rows_for(len(batch.reads)) :]:
            held = ArchivedRead(read, batch.received_ms, batch.number, batch.time_doubtful)
            self.hub.publish("read", self._remember(held))

    def _rows_for(self, reads: int) -> int:
        """How many of a batch's reads are shown: each batch has one at least, all of a second SHOWN_PER_S or a few more."""
        second = self._now_ms() // 1000
        if second != self._rows_second:
            self._rows_left, self._rows_second = SHOWN_PER_S, second
        shown = max(1, min(reads, SHOWN_OF_BATCH, self._rows_left))
        self._rows_left -= shown
        return shown

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(PLACES_EVERY_S)
            moved, self._moved = self._moved, {}
            for device_id, position in moved.items():
                try:
                    await self._fleet.note_place(device_id, position)
                except GuardianError as error:
                    log.warning("live.place_not_kept", device_id=device_id, reference=error.reference)

    async def _on_hit(self, event: Event) -> None:
        changed = msgspec.msgpack.decode(event.body, type=HitChanged)
        card: HitCard = await self._hit_desk.card(changed.hit_id)
        self.hub.publish("hit", card)

    async def _on_unit(self, event: Event) -> None:
        moved = msgspec.msgpack.decode(event.body, type=UnitMoved)
        unit = await self._fleet.find_unit(moved.device_id)
        if unit is not None:
            self.hub.publish("unit", unit)

    async def _on_list(self, _: Event) -> None:
        self.hub.publish("list", await self.tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.hub.publish("tick", await self.tick())
            except GuardianError as error:
                log.warning("live.no_tick", reference=error.reference)

    async def tick(self) -> LiveTick:
        """The figures of the bar."""
        now = self._now_ms()
        devices = await self._fleet.list_devices()
        quarantine = await self._quarantine.view()
        hits = await self._hit_desk.count_open()
        newest = self._list_keeper.newest
        return LiveTick(
            server_ms=now,
            reads_per_min=sum(n for at, n in self._arrivals if at > now - MINUTE_MS),
            open_hits=hits,
            quarantined=sum(g.items for g in quarantine.groups),
            devices_attention=sum(d.state in ATTENTION for d in devices.devices),
            list_version=newest.version,
            list_issued_ms=newest.issued_ms,
        )

    async def snapshot(self, subject: Subject) -> LiveSnapshot:
        """Everything the page opens with. The cursor is taken first: what happens meanwhile comes again, harmlessly."""
        cursor = self.hub.cursor
        tick = await self.tick()
        hits = await self._hit_desk.list_hits(subject, state="open", cursor="")
        return LiveSnapshot(
            server_ms=tick.server_ms,
            cursor=cursor,
            units=await self._fleet.units(),
            hits=hits.hits,
            reads=tuple(reversed(self._rows)),
            reads_per_min=tick.reads_per_min,
            list_version=tick.list_version,
            list_issued_ms=tick.list_issued_ms,
            open_hits=tick.open_hits,
            quarantined=tick.quarantined,
            devices_attention=tick.devices_attention,
        )


@get("/api/live", opt={"action": "live.watch"})
async def get_live(live_feed: NamedDependency[LiveFeed], subject: NamedDependency[Subject]) -> LiveSnapshot:
    """What the live page opens with."""
    return await live_feed.snapshot(subject)


@get("/api/live/events", opt={"action": "live.watch"}, media_type="text/event-stream")
async def follow_live(
    live_feed: NamedDependency[LiveFeed],
    subject: NamedDependency[Subject],
    sessions: NamedDependency[Sessions],
    after: FromQuery[str] = "",
) -> Stream:
    """What happens from the cursor on, as server-sent events; not beyond the end of the session."""

    async def still_allowed() -> bool:
        try:
            return await sessions.keep_open(subject.session_id)
        except GuardianError:  # the records are away for a moment: that is no sign-out
            return True

    async def messages() -> AsyncIterator[bytes]:
        async for message in live_feed.hub.follow(after, still_allowed, first_tick=live_feed.tick):
            yield message

    return Stream(
        messages(), media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )


LIVE_ROUTES = [get_live, follow_live]
