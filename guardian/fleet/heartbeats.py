"""Heartbeats: the latest of each device, its last true place, and what each hour brought.

Bounded: one row a device, HOURS_KEPT rows of history. Every heartbeat is one write (shared with what else waits) and
stages `units.moved` in the same transaction.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

import msgspec
import structlog
from sqlalchemy import Connection, bindparam, delete, select, update

from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.event import Event, UnitMoved
from guardian.domain.position import Position
from guardian.domain.wire import Heartbeat
from guardian.fleet.enrolment import stage_change
from guardian.fleet.places import is_jump, newer_place
from guardian.fleet.tables import fleet_devices, fleet_hours
from guardian.stores.ports import Events, Records
from guardian.stores.statements import insert
from guardian.stores.text import clean_text

log = structlog.get_logger(__name__)

HOUR_MS = 3_600_000
HOUR_STEP_MS = 60_000
HOURS_KEPT = 8 * 24
JUMPS_MAX = 3
JUMPS_MS = 10 * 60 * 1000
"""So many impossible jumps in so long a time are two machines under one identity (G31); one or two are a bad fix."""
DEVICES_WATCHED_MAX = 20_000


class Heartbeats:
    """Takes heartbeats in."""

    def __init__(self, records: Records, events: Events, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._events = events
        self._now_ms = now_ms
        self._jumps: OrderedDict[str, deque[int]] = OrderedDict()
        self._raw_places: OrderedDict[str, Position] = OrderedDict()
        self._hours_written: dict[str, int] = {}  # as many as there are devices

    async def take(self, device_id: str, beat: Heartbeat) -> bool:
        """Keep a heartbeat; gives whether the device's identity is known to be forked.

        Args:
            device_id: as proved by the signature.

        Raises:
            InputRefusedError: it speaks for another device.
            NotFoundError: no such device here.
        """
        if beat.device_id != device_id:
            raise InputRefusedError("The heartbeat speaks for another device.", reference="device-mismatch")
        now = self._now_ms()
        torn = self._is_torn(device_id, beat.position, now)
        forked = await self._records.write(lambda connection: self._keep(connection, device_id, beat, now, torn))
        if forked is None:
            raise NotFoundError("There is no such device.", reference="device-unknown")
        return forked

    async def note_place(self, device_id: str, position: Position | None) -> None:
        """A read brought a position: the map moves if it is newer than what is known and can be true (G29)."""
        if position is None:
            return
        now = self._now_ms()

        def keep(connection: Connection) -> None:
            row = _row(connection, device_id)
            if row is None:
                return
            kept = _position(row)
            newer = newer_place(kept, position, now_ms=now)
            if newer is not None and newer != kept:
                place = msgspec.msgpack.encode(newer)
                connection.execute(update(fleet_devices).where(fleet_devices.c.id == device_id).values(position=place))
                self._stage_moved(connection, device_id, now)

        await self._records.write(keep)

    async def note_forked(self, device_id: str) -> None:
        """Somebody has seen two machines under this identity; it stays so until a person decides (G31)."""
        now = self._now_ms()
        await self._records.write(lambda connection: self._fork(connection, device_id, now, stage=False))

    def _keep(self, connection: Connection, device_id: str, beat: Heartbeat, now: int, torn: bool) -> bool | None:
        row = _row(connection, device_id)
        if row is None:
            return None
        place = newer_place(_position(row), beat.position, now_ms=now)
        values = {
            "device": device_id,
            "seen_ms": now,
            "heartbeat": msgspec.msgpack.encode(msgspec.structs.replace(beat, answers=(), opinions=())),
            "position": None if place is None else msgspec.msgpack.encode(place),
            "list_version": beat.list_version,
            "software": clean_text(beat.software, chars_max=100),
        }
        connection.execute(_KEEP, values)
        self._keep_hour(connection, device_id, beat, now)
        self._stage_moved(connection, device_id, now)
        if torn and row.forked_ms is None:
            log.warning("device.forked", device_id=device_id, seen_by="places")
            self._fork(connection, device_id, now, stage=True)
        return torn or row.forked_ms is not None

    def _keep_hour(self, connection: Connection, device_id: str, beat: Heartbeat, now: int) -> None:
        """The last figure of an hour stands for the hour: it counts the 60 minutes before it. Written once a minute."""
        hour, written = now // HOUR_MS, self._hours_written.get(device_id)
        if written is not None and written // HOUR_MS == hour and 0 <= now - written < HOUR_STEP_MS:
            return
        self._hours_written[device_id] = now
        values = {"reads": max(0, beat.reads_last_hour), "chars_per_read": beat.chars_per_read}
        statement = insert(connection, fleet_hours).values(device_id=device_id, hour=hour, **values)
        connection.execute(
            statement.on_conflict_do_update(index_elements=[fleet_hours.c.device_id, fleet_hours.c.hour], set_=values)
        )
        if written is not None and written // HOUR_MS == hour:
            return
        old = (fleet_hours.c.device_id == device_id) & (fleet_hours.c.hour < hour - HOURS_KEPT)
        connection.execute(delete(fleet_hours).where(old))

    def _fork(self, connection: Connection, device_id: str, now: int, *, stage: bool) -> None:
        mine = (fleet_devices.c.id == device_id) & fleet_devices.c.forked_ms.is_(None)
        if connection.execute(update(fleet_devices).where(mine).values(forked_ms=now)).rowcount and stage:
            stage_change(self._events, connection, device_id, "forked", now)

    def _stage_moved(self, connection: Connection, device_id: str, now: int) -> None:
        body = msgspec.msgpack.encode(UnitMoved(device_id, now))
        self._events.stage(connection, Event(f"moved-{device_id}-{now:x}", "units.moved", now, body))

    def _is_torn(self, device_id: str, come: Position | None, now: int) -> bool:
        """Whether the places of the last minutes cannot be those of one machine."""
        if come is None or come.problem() is not None:
            return False
        before = self._raw_places.pop(device_id, None)
        self._raw_places[device_id] = come
        if len(self._raw_places) > DEVICES_WATCHED_MAX:
            self._jumps.pop(self._raw_places.popitem(last=False)[0], None)
        if before is None or not is_jump(before, come):
            return False
        jumps = self._jumps.setdefault(device_id, deque(maxlen=JUMPS_MAX))
        jumps.append(now)
        return len(jumps) == JUMPS_MAX and now - jumps[0] <= JUMPS_MS


class DeviceRow(msgspec.Struct, frozen=True):
    """A row of `fleet_devices` as the rules need it."""

    id: str
    forked_ms: int | None
    position: bytes | None


# Built once: heartbeats are the most frequent write of the house but batches.
_FIND = select(fleet_devices.c.id, fleet_devices.c.forked_ms, fleet_devices.c.position).where(
    fleet_devices.c.id == bindparam("device")
)
_KEPT = ("seen_ms", "heartbeat", "position", "list_version", "software")
_KEEP = (
    update(fleet_devices)
    .where(fleet_devices.c.id == bindparam("device"))
    .values({name: bindparam(name) for name in _KEPT})
)


def _row(connection: Connection, device_id: str) -> DeviceRow | None:
    found = connection.execute(_FIND, {"device": device_id}).first()
    return None if found is None else DeviceRow(found.id, found.forked_ms, found.position)


def _position(row: DeviceRow) -> Position | None:
    return None if row.position is None else msgspec.msgpack.decode(bytes(row.position), type=Position)
