"""The fleet end to end: a code, a key, heartbeats, a row, a revocation."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from guardian.access.seam import unguarded_routes
from guardian.domain.opinion import SecondOpinion
from guardian.domain.position import Position
from guardian.domain.subject import Role
from guardian.domain.wire import EnrolRequest, Heartbeat, ReadOpinion, SignedWatchlistUpdate
from guardian.fleet.bounds import OPINIONS_MAX
from guardian.fleet.tables import fleet_devices
from guardian.fleet.views import EnrolmentCodeRequest
from tests.unit.access_app import SignedDevice
from tests.unit.fleet_house import OPERATOR, fleet_house

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real("postgres"))])
def records_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


async def test_a_device_joins_by_a_code_beats_and_stands_on_the_page(tmp_path: Path, records_url: str) -> None:
    async with fleet_house(tmp_path, url=records_url) as it:
        browser = await it.sign_in(Role.OPERATOR)
        made = await it.client.post("/api/devices/codes", json={"unit": "大安分局", "kind": "car"}, headers=browser)
        assert made.status_code == 201 and len(made.json()["code"]) == 11
        device = await it.join()
        beaten = await it.beat(device)
        assert beaten.status_code == 200, beaten.text
        assert it.told(beaten).list_version == 7 and it.told(beaten).notice == ""
        (row,) = (await it.client.get("/api/devices", headers=browser)).json()["devices"]
        assert (row["id"], row["name"], row["unit"], row["state"]) == (device.id, "大安 2 號", "大安分局", "normal")
        assert row["reads_by_hour"][-1] == 400 and row["findings"] == []
        (unit,) = await it.fleet.units()
        assert (unit.lat_deg, unit.lon_deg, unit.state) == (25.0330, 121.5654, "fresh")
        assert await it.fleet.count_holders(7) == (1, 1)
        assert await it.fleet.count_holders(8) == (0, 1)
        assert unguarded_routes(it.app) == []


async def test_a_revoked_device_is_refused_and_its_reason_is_on_record(tmp_path: Path, records_url: str) -> None:
    async with fleet_house(tmp_path, url=records_url) as it:
        browser = await it.sign_in(Role.OPERATOR)
        device = await it.join()
        await it.beat(device)
        path = f"/api/devices/{device.id}/revoke"
        other = await it.client.post(path, json={"device_id": "car-x", "reason": "遺失"}, headers=browser)
        assert (other.status_code, other.json()["reference"]) == (400, "device-mismatch")
        bare = await it.client.post(path, json={"device_id": device.id, "reason": " "}, headers=browser)
        assert bare.json()["reference"] == "reason-missing"
        revoked = await it.client.post(path, json={"device_id": device.id, "reason": "車輛失竊"}, headers=browser)
        assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
        refused = await it.beat(device)
        assert refused.status_code == 401
        assert msgspec.msgpack.decode(refused.content)["reference"] == "device-revoked"
        assert await it.fleet.units() == ()
        rows = [row async for row in it.access.audit.rows()]
        assert any(row.action == "devices.revoke" and row.elements.get("reason") == "車輛失竊" for row in rows)


async def test_a_code_is_good_once_and_for_a_day(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        code = (await it.fleet.make_code(EnrolmentCodeRequest("大安分局"), OPERATOR)).code
        device = SignedDevice("x")
        key = base64.b64encode(device.public_key).decode()

        async def ask(code: str, key: str) -> tuple[int, dict[str, object]]:
            answer = await it.client.post(
                "/device/v1/enrol",
                content=msgspec.json.encode(EnrolRequest(code, key, "大安 1 號")),
                headers={"content-type": "application/json"},
            )
            return answer.status_code, answer.json()

        status, first = await ask(code.lower().replace("-", " "), key)
        assert status == 201
        assert await ask(code, key) == (201, first)  # the answer was lost; the device asks again
        stranger = base64.b64encode(SignedDevice("y").public_key).decode()
        assert (await ask(code, stranger))[1]["reference"] == "code-refused"
        second = (await it.fleet.make_code(EnrolmentCodeRequest("大安分局"), OPERATOR)).code
        assert (await ask(second, key))[1]["reference"] == "device-key-used"
        assert (await ask(second, "c2hvcnQ="))[1]["reference"] == "device-key"
        it.clock.ms += 24 * 3600 * 1000
        assert (await ask(second, stranger))[1]["reference"] == "code-refused"


async def test_the_list_is_given_to_whoever_holds_an_older_one(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        target = "/device/v1/watchlist?have=3&wait_s=900"
        given = await it.client.get(target, headers=device.headers("GET", target) | {"accept": "application/msgpack"})
        assert msgspec.msgpack.decode(given.content, type=SignedWatchlistUpdate).body == b"body"
        assert it.list.asked == [(3, 25.0)]
        target = "/device/v1/watchlist?have=7"
        assert (await it.client.get(target, headers=device.headers("GET", target))).status_code == 204


async def test_a_long_list_is_given_in_stretches_to_devices_only(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        target = "/device/v1/watchlist/parts?after=e01"
        given = await it.client.get(target, headers=device.headers("GET", target) | {"accept": "application/msgpack"})
        assert msgspec.msgpack.decode(given.content, type=SignedWatchlistUpdate).body == b"after e01"
        assert (await it.client.get(target)).status_code == 401


async def test_a_heartbeat_for_another_device_is_refused(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        refused = await it.send_beat(device, it.healthy("car-other"))
        assert msgspec.msgpack.decode(refused.content)["reference"] == "device-mismatch"


async def test_opinions_go_where_answers_go_are_bounded_and_do_not_stay_with_the_heartbeat(tmp_path: Path) -> None:
    class Desk:
        def __init__(self) -> None:
            self.told: list[tuple[str, tuple[ReadOpinion, ...]]] = []

        async def take_answers(self, device_id: str, answers: object) -> None: ...

        async def take_opinions(self, device_id: str, opinions: tuple[ReadOpinion, ...]) -> None:
            self.told.append((device_id, opinions))

    desk = Desk()
    async with fleet_house(tmp_path, answers=desk) as it:
        device = await it.join()
        opinion = ReadOpinion(f"{device.id}.1.1", SecondOpinion("agrees", "BKD8869"))
        assert (await it.beat(device, opinions=(opinion,))).status_code == 200
        assert desk.told == [(device.id, (opinion,))]
        stored = await it.fleet._records.read(lambda c: c.execute(select(fleet_devices.c.heartbeat)).scalar_one())
        assert msgspec.msgpack.decode(stored, type=Heartbeat).opinions == ()
        refused = await it.beat(device, opinions=(opinion,) * (OPINIONS_MAX + 1))
        assert (refused.status_code, len(desk.told)) == (400, 1)


async def test_a_list_that_the_cloud_does_not_know_is_a_fault_and_not_called_current(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        await it.beat(device)
        assert (await it.fleet.list_devices()).devices[0].list_current
        await it.beat(device, list_version=9)
        (row,) = (await it.fleet.list_devices()).devices
        assert [(one.code, one.level, one.facts) for one in row.findings] == [
            ("list-ahead", "fault", {"version": 9, "current": 7})
        ]
        assert row.state == "fault" and not row.list_current


async def test_health_is_a_sentence_and_a_cure_and_the_worst_stand_first(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        well, hot, blind = await it.join("一號"), await it.join("二號"), await it.join("三號")
        await it.beat(well)
        await it.beat(hot, temperature_c=68.0)
        await it.beat(blind, picture_since_ms=None, position=Position(0.0, 0.0, it.clock.ms))
        view = await it.fleet.list_devices()
        assert [(row.name, row.state) for row in view.devices] == [
            ("三號", "fault"), ("二號", "attention"), ("一號", "normal"),
        ]  # fmt: skip
        assert [finding.figure for finding in view.devices[0].findings] == ["picture", "position"]
        assert view.devices[1].findings[0].sentence == "主機過熱：68 °C"
        it.clock.ms += 5 * 60 * 1000 + 1
        assert {row.state for row in (await it.fleet.list_devices()).devices} == {"offline"}
