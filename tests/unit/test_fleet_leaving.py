"""A device that is made to leave leaves at once, also in the middle of a request, and screens hear of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from guardian.domain.event import DeviceChanged
from guardian.domain.subject import Role
from guardian.domain.wire import SignedWatchlistUpdate
from guardian.fleet.codes import CODE_MS
from guardian.fleet.views import EnrolmentCodeRequest
from guardian.stores.tables import outbox
from tests.unit.fleet_house import OPERATOR, fleet_house

pytestmark = pytest.mark.anyio


async def test_a_device_that_is_revoked_while_it_waits_for_the_list_gets_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fleet_house(tmp_path) as it:
        browser = await it.sign_in(Role.OPERATOR)
        device = await it.join()
        waiting, revoked = asyncio.Event(), asyncio.Event()
        update_since = it.list.update_since

        async def wait(have: int, wait_s: float = 0.0) -> SignedWatchlistUpdate | None:
            waiting.set()
            await revoked.wait()
            return await update_since(have, wait_s)

        monkeypatch.setattr(it.list, "update_since", wait)
        target = "/device/v1/watchlist?have=0&wait_s=25"
        headers = device.headers("GET", target)
        asked = asyncio.ensure_future(it.client.get(target, headers=headers))
        await waiting.wait()
        body = {"device_id": device.id, "reason": "車輛失竊"}
        answer = await it.client.post(f"/api/devices/{device.id}/revoke", json=body, headers=browser)
        assert answer.status_code == 200
        revoked.set()
        refused = await asked
        assert (refused.status_code, refused.json()["reference"]) == (403, "device-revoked"), refused.text
        assert ("decision", "device.list", "refused", ("device-revoked",)) in await it.trail()


async def test_screens_hear_that_a_device_joined_and_left(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        browser = await it.sign_in(Role.OPERATOR)
        device = await it.join()
        for _ in range(2):  # the second changes nothing
            body = {"device_id": device.id, "reason": "車輛失竊"}
            await it.client.post(f"/api/devices/{device.id}/revoke", json=body, headers=browser)
        rows = await it.records.read(
            lambda c: c.execute(
                select(outbox.c.body).where(outbox.c.topic == "devices.changed").order_by(outbox.c.number)
            ).all()
        )
        assert [msgspec.msgpack.decode(row.body, type=DeviceChanged).kind for row in rows] == ["enrolled", "revoked"]


async def test_a_code_says_until_when_it_holds(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        made = await it.fleet.make_code(EnrolmentCodeRequest("大安分局", "car"), OPERATOR)
        assert made.expires_ms == it.clock.ms + CODE_MS
