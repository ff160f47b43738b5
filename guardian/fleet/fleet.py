"""The fleet: all devices as the cloud knows them. One object that routes, live view and other rooms ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, Row, select

from guardian.domain.errors import NotAllowedError, NotFoundError
from guardian.domain.event import DeviceChanged, Event
from guardian.domain.position import Position
from guardian.domain.subject import Subject
from guardian.domain.wire import EnrolAnswer, EnrolRequest, Heartbeat, HeartbeatAnswer
from guardian.fleet.enrolment import Enrolment
from guardian.fleet.health import OFFLINE_MS, WORST_FIRST, Hour, Usual, findings_of, state_of, usual_of
from guardian.fleet.heartbeats import HOUR_MS, Heartbeats
from guardian.fleet.places import unit_state
from guardian.fleet.ports import AnswerDesk, DeviceKeys, PhotosWanted, Places, WatchlistUpdates
from guardian.fleet.tables import fleet_devices, fleet_hours
from guardian.fleet.views import (
    DevicesView,
    DeviceView,
    EnrolmentCode,
    EnrolmentCodeRequest,
    RevokeRequest,
    UnitView,
)
from guardian.stores.ports import Events, Records

log = structlog.get_logger(__name__)

DEVICES_MAX = 5_000
"""Devices in one view. Twenty times the country's car kits; beyond, the page would need pages."""
SPARK_HOURS = 24
USUAL_MS = 10 * 60 * 1000
"""How long what is usual is kept before it is computed anew from a week of hours."""

_decode_beat = msgspec.msgpack.Decoder(Heartbeat).decode
_decode_position = msgspec.msgpack.Decoder(Position).decode


class Fleet:
    """All of fleet that a program needs.

    Args:
        device_keys: keeps keys and trust (`access`).
        watchlist: the list in force (`watch`).
        places: names a place for the map; without it none are named.
        answers: takes officers' answers to cards; without it they are dropped, and that is logged.
        photos: says which pictures are wanted; without it none are asked for.
    """

    def __init__(
        self,
        records: Records,
        events: Events,
        device_keys: DeviceKeys,
        watchlist: WatchlistUpdates,
        now_ms: Callable[[], int],
        *,
        places: Places | None = None,
        answers: AnswerDesk | None = None,
        photos: PhotosWanted | None = None,
    ) -> None:
        self._records = records
        self._events = events
        self._watchlist = watchlist
        self._now_ms = now_ms
        self._places = places
        self._answers = answers
        self._photos = photos
        self.enrolment = Enrolment(records, events, device_keys, watchlist, now_ms)
        self.heartbeats = Heartbeats(records, events, now_ms)
        self._usual: tuple[int, dict[str, Usual]] = (0, {})

    def subscribe(self) -> None:
        """Hear what other rooms say of devices; called once, before the events start."""
        self._events.subscribe("devices.changed", "fleet-devices", self._on_device_changed)

    async def make_code(self, request: EnrolmentCodeRequest, by: Subject) -> EnrolmentCode:
        """See `Enrolment.make_code`."""
        return await self.enrolment.make_code(request, by)

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """See `Enrolment.enrol`."""
        return await self.enrolment.enrol(request)

    async def revoke(self, device_id: str, request: RevokeRequest, by: Subject) -> DeviceView:
        """See `Enrolment.revoke`; gives the device as it is then."""
        await self.enrolment.revoke(device_id, request, by)
        return await self.get_device(device_id)

    async def refuse_revoked(self, device_id: str) -> None:
        """Pass a device that serves still; one that the fleet does not know is the seam's matter.

        Raises:
            NotAllowedError: it has been revoked since its request began.
        """
        ended = select(fleet_devices.c.id).where(
            fleet_devices.c.id == device_id, fleet_devices.c.revoked_ms.is_not(None)
        )
        if await self._records.read(lambda connection: connection.execute(ended).first()) is not None:
            raise NotAllowedError("This device has been revoked; nothing was given.", reference="device-revoked")

    async def take_heartbeat(self, device_id: str, beat: Heartbeat) -> HeartbeatAnswer:
        """Keep a heartbeat and say what the device should know at once."""
        forked = await self.heartbeats.take(device_id, beat)
        if beat.answers or beat.opinions:
            if self._answers is not None:
                await self._answers.take_answers(device_id, beat.answers)
                await self._answers.take_opinions(device_id, beat.opinions)
            else:
                told = len(beat.answers) + len(beat.opinions)
                log.warning("device.answers_dropped", device_id=device_id, answers=told)
        wanted = await self._photos.photos_wanted(device_id) if self._photos is not None else ()
        return HeartbeatAnswer(
            self._now_ms(), self._watchlist.newest.version, "identity-forked" if forked else "", wanted
        )

    async def list_devices(self) -> DevicesView:
        """All devices, worst first."""
        now = self._now_ms()
        usual = await self._usual_of_all(now)
        rows, hours = await self._records.read(lambda connection: _load(connection, now))
        views = [self._view(row, hours.get(row.id, []), usual.get(row.id, Usual()), now) for row in rows]
        return DevicesView(tuple(worst_first(views)), self._watchlist.newest.version)

    async def get_device(self, device_id: str) -> DeviceView:
        """One device.

        Raises:
            NotFoundError: no such device.
        """
        now = self._now_ms()
        usual = await self._usual_of_all(now)
        rows, hours = await self._records.read(lambda connection: _load(connection, now, device_id))
        if not rows:
            raise NotFoundError("There is no such device.", reference="device-unknown")
        return self._view(rows[0], hours.get(device_id, []), usual.get(device_id, Usual()), now)

    async def units(self) -> tuple[UnitView, ...]:
        """Every unit that was ever heard of and is not revoked, for the map."""
        return await self._units(None)

    async def find_unit(self, device_id: str) -> UnitView | None:
        """One unit, or None where nothing was heard of it yet."""
        found = await self._units(device_id)
        return found[0] if found else None

    async def count_holders(self, version: int) -> tuple[int, int]:
        """How many devices in contact hold `version` or a later one, and how many are in contact."""
        since = self._now_ms() - OFFLINE_MS
        query = select(fleet_devices.c.list_version).where(
            fleet_devices.c.revoked_ms.is_(None), fleet_devices.c.seen_ms >= since
        )
        held = await self._records.read(lambda connection: list(connection.execute(query).scalars()))
        return sum(one >= version for one in held), len(held)

    async def note_place(self, device_id: str, position: Position | None) -> None:
        """See `Heartbeats.note_place`."""
        await self.heartbeats.note_place(device_id, position)

    async def _on_device_changed(self, event: Event) -> None:
        change = msgspec.msgpack.decode(event.body, type=DeviceChanged)
        if change.kind == "forked":
            await self.heartbeats.note_forked(change.device_id)

    async def _units(self, device_id: str | None) -> tuple[UnitView, ...]:
        now = self._now_ms()
        query = (
            select(fleet_devices)
            .where(fleet_devices.c.revoked_ms.is_(None), fleet_devices.c.seen_ms.is_not(None))
            .order_by(fleet_devices.c.id)
            .limit(DEVICES_MAX)
        )
        if device_id is not None:
            query = query.where(fleet_devices.c.id == device_id)
        rows = await self._records.read(lambda connection: connection.execute(query).all())
        return tuple(self._unit(row, now) for row in rows)

    def _unit(self, row: Row[Any], now: int) -> UnitView:
        position = None if row.position is None else _decode_position(bytes(row.position))
        place = ""
        if position is not None and self._places is not None:
            place = self._places.name(position.lat_deg, position.lon_deg)
        return UnitView(
            device_id=row.id,
            unit=row.unit,
            kind=row.kind,
            lat_deg=position.lat_deg if position else None,
            lon_deg=position.lon_deg if position else None,
            heading_deg=position.heading_deg if position else None,
            speed_kmh=position.speed_kmh if position else None,
            accuracy_m=position.accuracy_m if position else None,
            fixed_ms=position.fixed_ms if position else None,
            seen_ms=row.seen_ms,
            state=unit_state(position, row.seen_ms, now_ms=now),
            place=place,
        )

    def _view(self, row: Row[Any], hours: list[Hour], usual: Usual, now: int) -> DeviceView:
        beat = None if row.heartbeat is None else _decode_beat(bytes(row.heartbeat))
        position = None if row.position is None else _decode_position(bytes(row.position))
        newest = self._watchlist.newest
        offline = row.seen_ms is None or now - row.seen_ms > OFFLINE_MS
        revoked, forked = row.revoked_ms is not None, row.forked_ms is not None
        findings = (
            ()
            if beat is None or revoked
            else findings_of(
                beat,
                seen_ms=row.seen_ms,
                now_ms=row.seen_ms if offline else now,  # of who is away we judge what it said last
                usual=usual,
                list_version=newest.version,
                list_issued_ms=newest.issued_ms,
                position=position,
                forked=forked,
            )
        )
        this_hour = now // HOUR_MS
        by_hour = {hour.hour: hour.reads for hour in hours}
        spark = range(this_hour - SPARK_HOURS + 1, this_hour + 1)
        return DeviceView(
            id=row.id,
            name=row.name,
            unit=row.unit,
            kind=row.kind,
            state=state_of(findings, seen_ms=row.seen_ms, now_ms=now, revoked=revoked, forked=forked),
            enrolled_ms=row.enrolled_ms,
            seen_ms=row.seen_ms,
            list_version=row.list_version,
            list_current=row.list_version == newest.version,
            list_issued_ms=(beat.list_issued_ms or None) if beat else None,
            backlog_items=beat.backlog_items if beat else 0,
            backlog_oldest_ms=beat.backlog_oldest_ms if beat else None,
            clock_offset_ms=beat.clock_offset_ms if beat else None,
            reads_by_hour=tuple(by_hour.get(hour, 0) for hour in spark),
            usual_by_hour=tuple(_whole(usual.reads_by_hour_of_day[hour % 24]) for hour in spark),
            findings=findings,
            heartbeat=beat,
        )

    async def _usual_of_all(self, now: int) -> dict[str, Usual]:
        made_ms, usual = self._usual
        if usual and 0 <= now - made_ms < USUAL_MS:
            return usual

        def load(connection: Connection) -> dict[str, Usual]:
            before_hour = now // HOUR_MS
            by_device: dict[str, list[Hour]] = {}
            for row in connection.execute(select(fleet_hours)):
                by_device.setdefault(row.device_id, []).append(Hour(row.hour, row.reads, row.chars_per_read))
            return {device_id: usual_of(hours, before_hour=before_hour) for device_id, hours in by_device.items()}

        usual = await self._records.read(load)
        self._usual = (now, usual)
        return usual


def _load(
    connection: Connection, now: int, device_id: str | None = None
) -> tuple[list[Row[Any]], dict[str, list[Hour]]]:
    devices = select(fleet_devices).order_by(fleet_devices.c.id).limit(DEVICES_MAX)
    hours = select(fleet_hours).where(fleet_hours.c.hour > now // HOUR_MS - SPARK_HOURS)
    if device_id is not None:
        devices = devices.where(fleet_devices.c.id == device_id)
        hours = hours.where(fleet_hours.c.device_id == device_id)
    by_device: dict[str, list[Hour]] = {}
    for row in connection.execute(hours):
        by_device.setdefault(row.device_id, []).append(Hour(row.hour, row.reads, row.chars_per_read))
    return list(connection.execute(devices)), by_device


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(figure)


def worst_first(views: Iterable[DeviceView]) -> list[DeviceView]:
    """Devices in the order in which they want a person."""
    return sorted(views, key=lambda view: (WORST_FIRST.index(view.state), -(view.seen_ms or 0), view.unit, view.id))
