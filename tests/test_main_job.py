"""The main job through a real cloud over HTTP: read → stored → hit → checked by a person → found by a detective."""

from __future__ import annotations

import hashlib
import io
import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from PIL import Image

from bench.traffic import make_read
from guardian.domain.position import Position
from guardian.domain.read import PhotoRef
from guardian.domain.wire import Heartbeat
from tests.house import RunningCloud, running_cloud, wait_until

WHY = {"purpose": "偵辦刑案", "case_number": "大安分局 115-0832"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def operator(cloud: RunningCloud) -> httpx.Client:
    return cloud.sign_in("operator", "值勤員甲")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def a_read(car, sequence: int, text: str, **more):  # type: ignore[no-untyped-def]
    read = make_read(car.device_id, 1, sequence, text, now_ms(), random.Random(sequence))
    return msgspec.structs.replace(read, crop=None, overview=None, **more)


def hit_of(client: httpx.Client, text: str, state: str = "open") -> dict | None:  # type: ignore[type-arg]
    hits = client.get("/api/hits", params={"state": state}).raise_for_status().json()["hits"]
    return next((h for h in hits if h["entry_text"] == text), None)


def test_a_read_becomes_a_hit_is_checked_and_is_found_again(cloud: RunningCloud, operator: httpx.Client) -> None:
    cloud.watch(operator, "BKD-8869")
    car = cloud.enrol(operator=operator)
    picture = io.BytesIO()
    Image.new("RGB", (240, 80), "white").save(picture, "JPEG")
    sha = hashlib.sha256(picture.getvalue()).hexdigest()
    read = a_read(car, 1, "BKD8869")
    read = msgspec.structs.replace(read, crop=PhotoRef(sha, read.captured_ms, 240, 80))
    answer = car.send([read])
    assert (answer.stored, answer.already, answer.quarantined) == (1, 0, 0)
    assert answer.photos_wanted == (sha,)
    assert car.put_photo(sha, picture.getvalue()) in (200, 201)

    hit = wait_until(lambda: hit_of(operator, "BKD8869"), "a hit for BKD-8869")
    assert hit["strength"] == "exact"
    assert operator.get(hit["crop_url"]).content == picture.getvalue()

    # No outcome before a person has confirmed.
    early = operator.post(f"/api/hits/{hit['id']}/outcome", json={"outcome": "stopped", "seen_fact": hit["facts"]})
    assert early.status_code in (400, 409, 422)
    claimed = operator.post(f"/api/hits/{hit['id']}/claim", json={}).raise_for_status().json()
    confirmed = (
        operator.post(
            f"/api/hits/{hit['id']}/verdict", json={"verdict": "confirmed", "seen_fact": claimed["card"]["facts"]}
        )
        .raise_for_status()
        .json()
    )
    assert confirmed["card"]["state"] == "confirmed"
    stopped = (
        operator.post(
            f"/api/hits/{hit['id']}/outcome", json={"outcome": "stopped", "seen_fact": confirmed["card"]["facts"]}
        )
        .raise_for_status()
        .json()
    )
    assert stopped["card"]["outcome"] == "stopped"
    assert {f["author"] for f in stopped["facts"] if f["kind"] in ("claimed", "verdict", "outcome")} == {"值勤員甲"}

    detective = cloud.sign_in("detective", "偵查佐乙")
    refused = detective.post("/api/searches", json={"plate": "BKD-8869", "purpose": "查詢", "case_number": ""})
    assert refused.status_code == 403
    found = detective.post("/api/searches", json={"plate": "bk?-88*", **WHY}).raise_for_status().json()
    assert [row["text"] for row in found["rows"]] == ["BKD8869"]
    assert detective.get(found["rows"][0]["crop_url"]).content == picture.getvalue()

    auditor = cloud.sign_in("auditor", "稽核員丙")
    rows = auditor.get("/api/audit").raise_for_status().json()["rows"]
    asked = [r for r in rows if r["action"] == "reads.search" and r["subject_name"] == "偵查佐乙"]
    assert {r["verdict"] for r in asked} >= {"allowed", "refused"}
    assert any(r["kind"] == "delivered" and r["count"] == 1 for r in rows)
    assert auditor.post("/api/audit/verify").raise_for_status().json()["problem"] == ""


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
        found = detective.post("/api/searches", json={"plate": "CWA*", **WHY}).raise_for_status().json()
        assert found["count"] == 300
        car.client = httpx.Client(base_url=second.address, timeout=30)
        car.counter += 2048  # above what the cloud can no longer tell apart after a crash
        assert car.send(sent[:100]).already == 100
