"""The main job through a real cloud over HTTP: read → stored → hit → checked by a person → found by a detective."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from guardian.domain.position import Position
from guardian.domain.wire import Heartbeat
from tests.house import RunningCloud, running_cloud, wait_until
from tests.stories import a_read, hit_of, now_ms, searched, tell_main_job


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def operator(cloud: RunningCloud) -> httpx.Client:
    return cloud.sign_in("operator", "值勤員甲")


def test_a_read_becomes_a_hit_is_checked_and_is_found_again(cloud: RunningCloud, operator: httpx.Client) -> None:
    tell_main_job(cloud, operator)


def test_the_same_batch_again_changes_nothing(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("大安 5 號", operator=operator)
    reads = [a_read(car, n, f"CYA{n:04d}".replace("4", "5")) for n in range(1, 6)]
    assert car.send(reads).stored == 5
    again = car.send(reads)
    assert (again.stored, again.already) == (0, 5)


def test_a_replayed_request_is_refused(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("大安 6 號", operator=operator)
    body = msgspec.msgpack.encode(Heartbeat(car.device_id, now_ms()))
    headers = car.signed("POST", "/device/v1/heartbeat", body)
    assert car.client.post("/device/v1/heartbeat", content=body, headers=headers).is_success
    replay = car.client.post("/device/v1/heartbeat", content=body, headers=headers)
    assert replay.status_code in (401, 403, 409)
    assert "replay" in replay.text


def test_a_revoked_device_is_refused_and_says_so(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("大安 7 號", operator=operator)
    revoke = operator.post(
        f"/api/devices/{car.device_id}/revoke", json={"device_id": car.device_id, "reason": "遺失車輛裝置"}
    )
    assert revoke.is_success, revoke.text
    answer = car.request("POST", "/device/v1/heartbeat", msgspec.msgpack.encode(Heartbeat(car.device_id, now_ms())))
    assert answer.status_code in (401, 403)
    assert "revoked" in answer.text


def test_one_bad_item_of_a_thousand_spoils_none(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("大安 8 號", operator=operator)
    reads = [a_read(car, n, f"CXA{n:04d}") for n in range(1, 1001)]
    reads[499] = msgspec.structs.replace(reads[499], position=Position(200.0, 121.5, now_ms()))
    answer = car.send(reads)
    assert (answer.stored, answer.quarantined) == (999, 1)
    assert [e.index for e in answer.exceptions] == [499]
    groups = operator.get("/api/quarantine").raise_for_status().json()["groups"]
    assert sum(g["items"] for g in groups) >= 1


def test_a_change_of_the_list_reaches_a_waiting_device(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("大安 9 號", operator=operator)
    have = operator.get("/api/lists").json()["version"]
    version = cloud.watch(operator, "CZK-5108")
    update = car.fetch_list(have, wait_s=5)
    assert update is not None and update.version == version
    assert [e.text for e in update.put] == ["CZK5108"]


def test_a_new_entry_looks_back_at_reads_of_the_last_hours(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("信義 1 號", operator=operator)
    car.send([a_read(car, 1, "CZM3395")])
    cloud.watch(operator, "CZM-3395")
    wait_until(lambda: hit_of(operator, "CZM3395"), "a hit for a read that came before its entry")


def test_the_unit_stands_on_the_live_page(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("大安 機 2", operator=operator)
    car.beat(Heartbeat(car.device_id, now_ms(), position=Position(25.033, 121.543, now_ms(), 5.0, 90.0, 30.0)))
    live = operator.get("/api/live").raise_for_status().json()
    unit = next(u for u in live["units"] if u["unit"] == "大安 機 2")
    assert unit["state"] == "fresh" and unit["heading_deg"] == 90.0
    assert live["reads"], "reads of the other tests stand in the stream"


def test_a_killed_cloud_comes_back_with_everything_it_acknowledged(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_cloud(home) as first:
        car = first.enrol()
        sent = [a_read(car, n, f"CWA{n:04d}") for n in range(1, 301)]
        for start in range(0, 300, 100):
            assert car.send(sent[start : start + 100]).stored == 100
        first.kill()
    with running_cloud(home) as second:
        detective = second.sign_in("detective")
        found = searched(detective, "CWA*")
        assert found["count"] == 300
        car.client = httpx.Client(base_url=second.address, timeout=30)
        car.counter += 2048  # above what the cloud can no longer tell apart after a crash
        assert car.send(sent[:100]).already == 100
