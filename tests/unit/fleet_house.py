"""A fleet behind the real seam, on real records and events, with a list keeper that says what a test wants."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from httpx import ASGITransport, AsyncClient, Response
from litestar import Litestar
from litestar.di import Provide

from guardian.access.routes import router as access_router
from guardian.access.seam import Access
from guardian.domain.position import Position
from guardian.domain.subject import Role, Subject
from guardian.domain.wire import EnrolAnswer, EnrolRequest, Heartbeat, HeartbeatAnswer, SignedWatchlistUpdate
from guardian.fleet.fleet import Fleet
from guardian.fleet.routes import router as fleet_router
from guardian.fleet.views import EnrolmentCodeRequest
from guardian.stores import create_missing, metadata, open_events, open_records
from tests.unit.access_app import ORIGIN, Clock, House, SignedDevice

OPERATOR = Subject("p-1", Role.OPERATOR, "林佳穎")


class FakeList:
    """The list in force, without entries: version and key, and an update where the device holds less."""

    def __init__(self) -> None:
        self.newest = SimpleNamespace(version=7, issued_ms=0)
        self.public_key = bytes(32)
        self.asked: list[tuple[int, float]] = []

    async def update_since(self, have: int, wait_s: float = 0.0) -> SignedWatchlistUpdate | None:
        self.asked.append((have, wait_s))
        return SignedWatchlistUpdate(b"body", b"s" * 64) if have < self.newest.version else None

    async def part_after(self, after: str) -> SignedWatchlistUpdate:
        return SignedWatchlistUpdate(f"after {after}".encode(), b"s" * 64)


class FleetHouse(House):
    """A house with a fleet."""

    fleet: Fleet
    list: FakeList
    events: Any
    changes: list[tuple[str, bytes]]

    async def join(self, name: str = "大安 2 號", unit: str = "大安分局", kind: str = "car") -> SignedDevice:
        """A device that has enrolled by a code."""
        code = await self.fleet.make_code(EnrolmentCodeRequest(unit, kind), OPERATOR)
        device = SignedDevice("not-yet")
        key = base64.b64encode(device.public_key).decode()
        request = EnrolRequest(code.code, key, name, kind)
        answer = await self.client.post(
            "/device/v1/enrol",
            content=msgspec.msgpack.encode(request),
            headers={"content-type": "application/msgpack"},
        )
        assert answer.status_code == 201, answer.text
        device.id = msgspec.msgpack.decode(answer.content, type=EnrolAnswer).device_id
        return device

    async def beat(self, device: SignedDevice, **said: Any) -> Response:
        """Send a heartbeat of a healthy device, except for what is said."""
        return await self.send_beat(device, self.healthy(device.id, **said))

    async def send_beat(self, device: SignedDevice, beat: Heartbeat) -> Response:
        body = msgspec.msgpack.encode(beat)
        headers = device.headers("POST", "/device/v1/heartbeat", body, content_type="application/msgpack")
        return await self.client.post("/device/v1/heartbeat", content=body, headers=headers)

    def healthy(self, device_id: str, **said: Any) -> Heartbeat:
        now = self.clock.ms
        known: dict[str, Any] = {
            "device_id": device_id,
            "sent_ms": now,
            "position": Position(25.0330, 121.5654, now, accuracy_m=4.0),
            "list_version": 7,
            "list_issued_ms": now - 60_000,
            "clock_source": "gps",
            "clock_offset_ms": 3,
            "picture_since_ms": now - 40,
            "temperature_c": 48.0,
            "reads_last_hour": 400,
            "chars_per_read": 6.8,
            "spool_bytes": 10,
            "spool_bytes_max": 1000,
        }
        return Heartbeat(**(known | said))

    def told(self, response: Response) -> HeartbeatAnswer:
        return msgspec.msgpack.decode(response.content, type=HeartbeatAnswer)


@asynccontextmanager
async def fleet_house(
    folder: Path, *, url: str = "", clock: Clock | None = None, **parts: Any
) -> AsyncIterator[FleetHouse]:
    clock = clock or Clock()
    records = open_records(url or f"sqlite:///{folder / 'records.db'}")
    await create_missing(records, metadata)
    events = open_events("memory:", records, clock)
    access = Access(records, clock)
    keeper = FakeList()
    fleet = Fleet(records, events, access.device_keys, keeper, clock, **parts)
    fleet.subscribe()
    app = Litestar(
        [fleet_router, access_router],
        plugins=[access.plugin()],
        dependencies={
            "fleet": Provide(lambda: fleet, sync_to_thread=False),
            "watchlist_updates": Provide(lambda: keeper, sync_to_thread=False),
        },
        openapi_config=None,
    )
    await events.start()
    try:
        async with AsyncClient(transport=ASGITransport(app), base_url=ORIGIN) as client:
            it = FleetHouse(access, app, client, clock, records)
            it.fleet, it.list, it.events = fleet, keeper, events
            yield it
    finally:
        await events.close()
        await access.close()
        await records.close()
