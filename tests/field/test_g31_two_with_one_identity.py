"""G31 (access's and the fleet's part): a cloned device and its twin overwrote each other, and nobody was told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from guardian.domain.event import DeviceChanged, Event
from guardian.domain.position import Position
from guardian.domain.subject import Role
from guardian.domain.wire import HEADER_COUNTER_FLOOR
from tests.unit.access_app import SignedDevice
from tests.unit.fleet_house import FleetHouse, fleet_house

pytestmark = pytest.mark.anyio


async def _beat_until_taken(it: FleetHouse, device: SignedDevice, place: Position) -> str:
    """As a device does: a refused counter goes on above the floor. Gives the notice."""
    for _ in range(3):
        answer = await it.beat(device, position=place)
        if answer.status_code == 200:
            return it.told(answer).notice
        assert msgspec.msgpack.decode(answer.content)["reference"] == "request-replayed"
        device.counter = int(answer.headers[HEADER_COUNTER_FLOOR])
    raise AssertionError("not taken in three tries")


async def test_a_clone_in_another_town_is_named_within_minutes_and_both_are_told(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        clone = SignedDevice(device.id, device.key)
        notices: list[tuple[str, str]] = []
        minutes = 0.0
        while not notices or notices[-1] != ("identity-forked", "identity-forked"):
            taipei, kaohsiung = (Position(lat, lon, it.clock.ms) for lat, lon in ((25.03, 121.56), (22.62, 120.31)))
            notices.append((await _beat_until_taken(it, device, taipei), await _beat_until_taken(it, clone, kaohsiung)))
            it.clock.ms += 10_000
            minutes += 10 / 60
            assert minutes < 5, notices
        row = await it.fleet.get_device(device.id)
        assert row.state == "forked"
        assert row.findings[0].sentence == "兩台設備使用同一身分，紀錄分開保存" and "重新註冊" in row.findings[0].cure
        assert any("request-replayed" in reasons for _, _, _, reasons in await it.trail()), "the counters fork too"
        browser = await it.sign_in(Role.OPERATOR)
        listed = (await it.client.get("/api/devices", headers=browser)).json()["devices"]
        assert [one["state"] for one in listed] == ["forked"]


async def test_what_ingest_saw_marks_the_device_until_a_person_decides(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        await it.beat(device)
        seen = asyncio.Event()

        async def note(event: Event) -> None:
            if msgspec.msgpack.decode(event.body, type=DeviceChanged).kind == "forked":
                seen.set()

        it.events.subscribe("devices.changed", "test-watcher", note)
        body = msgspec.msgpack.encode(DeviceChanged(device.id, "forked"))
        fork = Event("fork-1", "devices.changed", it.clock.ms, body)
        for _ in range(2):  # at least once
            await it.records.write(lambda connection: it.events.stage(connection, fork))
        await asyncio.wait_for(seen.wait(), 60)
        for _ in range(100):
            if (await it.fleet.get_device(device.id)).state == "forked":
                break
            await asyncio.sleep(0.05)
        assert (await it.fleet.get_device(device.id)).state == "forked"
        assert it.told(await it.beat(device)).notice == "identity-forked"


async def test_a_device_that_drives_is_no_clone(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        for step in range(40):
            place = Position(25.03 - step * 0.003, 121.56, it.clock.ms)
            assert await _beat_until_taken(it, device, place) == ""
            it.clock.ms += 10_000
        await _beat_until_taken(it, device, Position(22.6, 120.3, it.clock.ms))  # one bad fix
        it.clock.ms += 10_000
        assert await _beat_until_taken(it, device, Position(24.9, 121.56, it.clock.ms)) == ""
