"""Stories that several clouds must live through alike: told once here, run on embedded engines and on real servers."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import time
from typing import Any

import httpx
import msgspec
from PIL import Image

from bench.traffic import make_read
from guardian.domain.read import PhotoRef, Read, pack_places
from tests.house import RunningCloud, TestCar, wait_until

WHY = {"purpose": "偵辦刑案", "case_number": "大安分局 115-0832"}


def now_ms() -> int:
    """This machine's clock, as the cloud's."""
    return time.time_ns() // 1_000_000


def a_read(car: TestCar, sequence: int, text: str, **more: Any) -> Read:
    """A read of now without pictures."""
    read = make_read(car.device_id, 1, sequence, text, now_ms(), random.Random(sequence))
    return msgspec.structs.replace(read, **{"crop": None, "overview": None, **more})


def hit_of(client: httpx.Client, text: str, state: str = "open") -> dict[str, Any] | None:
    """The newest hit for a listed plate, or None."""
    hits = client.get("/api/hits", params={"state": state}).raise_for_status().json()["hits"]
    return next((h for h in hits if h["entry_text"] == text), None)


def hits_of(client: httpx.Client, text: str) -> list[dict[str, Any]]:
    """Every open hit for a listed plate: more than one for one vehicle is a fault."""
    hits = client.get("/api/hits", params={"state": "open"}).raise_for_status().json()["hits"]
    return [h for h in hits if h["entry_text"] == text]


def searched(client: httpx.Client, plate: str, **more: Any) -> dict[str, Any]:
    """The first page of a search; after an outage, or on a slow machine, the archive says that it is behind and is asked again."""

    def ask() -> dict[str, Any] | None:
        asked = {"plate": plate, "page_size": 200, **WHY, **more}
        page: dict[str, Any] = client.post("/api/searches", json=asked).raise_for_status().json()
        return None if page["behind"] else page

    return wait_until(ask, "an answer that is not behind", limit_s=60)


def found_ids(client: httpx.Client, plate: str, **more: Any) -> list[str]:
    """The ids of all reads that a search finds, newest first, over all pages."""
    page = searched(client, plate, **more)
    ids = [row["id"] for row in page["rows"]]
    while page.get("next_cursor"):
        turn = f"/api/searches/{page['search_id']}/pages"
        page = client.post(turn, json={"cursor": page["next_cursor"]}).raise_for_status().json()
        ids += [row["id"] for row in page["rows"]]
    return ids


def tell_main_job(cloud: RunningCloud, operator: httpx.Client) -> None:
    """A read is stored, becomes a hit, is checked by a person, is found by a detective, and an auditor sees it all."""
    cloud.watch(operator, "BKD-8869")
    car = cloud.enrol(operator=operator)
    picture = io.BytesIO()
    Image.new("RGB", (240, 80), "white").save(picture, "JPEG")
    sha = hashlib.sha256(picture.getvalue()).hexdigest()
    read = a_read(car, 1, "BKD8869")
    places = pack_places([(n / 7, (n + 1) / 7) for n in range(7)])
    read = msgspec.structs.replace(read, crop=PhotoRef(sha, read.captured_ms, 240, 80), places=places)
    answer = car.send([read])
    assert (answer.stored, answer.already, answer.quarantined) == (1, 0, 0)
    assert answer.photos_wanted == (sha,)
    assert car.put_photo(sha, picture.getvalue()) in (200, 201)

    hit = wait_until(lambda: hit_of(operator, "BKD8869"), "a hit for BKD-8869")
    assert hit["strength"] == "exact"
    assert operator.get(hit["crop_url"]).content == picture.getvalue()
    evidence = operator.get(f"/api/hits/{hit['id']}").raise_for_status().json()["read"]
    assert base64.b64decode(evidence["places"]) == places, "the check shows each character in its place of the crop"

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
    found = searched(detective, "bk?-88*")
    assert [row["text"] for row in found["rows"]] == ["BKD8869"]
    assert detective.get(found["rows"][0]["crop_url"]).content == picture.getvalue()

    auditor = cloud.sign_in("auditor", "稽核員丙")
    rows = auditor.get("/api/audit").raise_for_status().json()["rows"]
    asked = [r for r in rows if r["action"] == "reads.search" and r["subject_name"] == "偵查佐乙"]
    assert {r["verdict"] for r in asked} >= {"allowed", "refused"}
    assert any(r["kind"] == "delivered" and r["count"] == 1 for r in rows)
    assert auditor.post("/api/audit/verify").raise_for_status().json()["problem"] == ""
