"""What an intruder, or a broken program, sends to the whole cloud: each is refused in words, none is a fault of ours.

A fault of ours (500) is a line in a log at three in the morning, and for a device that tries again it is one for ever.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import ASGITransport, AsyncClient, Response

from guardian.access.seam import COOKIE
from guardian.archive.ingest import HELD_LARGE_MAX
from guardian.domain.subject import Role
from guardian.fleet.enrolment import TRIES_PER_MINUTE
from guardian.serve.app import build_app
from guardian.serve.livefeed import follow_live
from guardian.serve.wiring import Cloud, open_cloud
from guardian.stores import StoreSettings
from tests.unit.access_app import ORIGIN, SignedDevice

pytestmark = pytest.mark.anyio

REASON = {"purpose": "查尋失竊車輛", "case_number": "中山分局 115-0832 案"}
JSON = {"content-type": "application/json"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Intruder:
    """Knocks at a real cloud as anybody: people by role, and one enrolled device."""

    def __init__(self, cloud: Cloud, client: AsyncClient, people: dict[str, dict[str, str]]) -> None:
        self.cloud, self.client, self.people = cloud, client, people
        self.device: SignedDevice

    async def knock(self, who: str, method: str, path: str, body: bytes | None = None, **more: Any) -> Response:
        headers = {"origin": ORIGIN} | self.people.get(who, {}) | more.pop("headers", {})
        self.client.cookies.clear()  # each is who they say, not who asked before
        if body is not None:
            headers = JSON | headers
            more["content"] = body
        return await self.client.request(method, path, headers=headers, **more)

    async def signed(self, method: str, path: str, body: bytes, **headers: str) -> Response:
        signed = self.device.headers(method, path, body, **headers)
        return await self.client.request(method, path, content=body, headers=signed)

    async def enrol(self) -> SignedDevice:
        code = await self.knock("operator", "POST", "/api/devices/codes", json={"unit": "大安", "kind": "car"})
        key = Ed25519PrivateKey.generate()
        public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        asked = {"code": code.json()["code"], "public_key": public, "name": "車"}
        answer = await self.knock("", "POST", "/device/v1/enrol", json=asked)
        return SignedDevice(answer.json()["device_id"], key)

    def read(self, sequence: int, **changes: Any) -> dict[str, Any]:
        return {
            "device_id": self.device.id, "boot": 1, "sequence": sequence, "captured_ms": now_ms(), "text": "ABC1235",
            "raw_text": "ABC-1235", "char_probs": [0.99] * 7, "confidence_prob": 0.99,
        } | changes  # fmt: skip

    def batch(self, *items: Any) -> bytes:
        return json.dumps({"device_id": self.device.id, "items": items}).encode()


@pytest.fixture(scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Intruder]:
    tmp_path = tmp_path_factory.mktemp("cloud")
    cloud = await open_cloud(StoreSettings(data=str(tmp_path / "data")), now_ms, archive_url="memory:")
    console = tmp_path / "console"
    console.mkdir()
    (console / "index.html").write_text("the console")
    (tmp_path / "secret.txt").write_text("not for browsers")
    (tmp_path / "map.pmtiles").write_bytes(b"m" * 1000)
    app = build_app(cloud, console=console, basemap=tmp_path / "map.pmtiles")
    people = {}
    for role in (Role.OPERATOR, Role.DETECTIVE, Role.AUDITOR):
        link = await cloud.access.sessions.make_link(f"人員 {role}", role, made_by="test")
        people[str(role)] = {"cookie": f"{COOKIE}={(await cloud.access.sessions.open(link.token))[0]}"}
    try:
        async with AsyncClient(
            transport=ASGITransport(app, raise_app_exceptions=False), base_url=ORIGIN, timeout=30
        ) as client:
            intruder = Intruder(cloud, client, people)
            intruder.device = await intruder.enrol()
            yield intruder
    finally:
        await cloud.close()


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(parts)).decode().rstrip("=")


async def test_no_address_leaves_the_folder_or_breaks_the_pages(it: Intruder) -> None:
    for path in (
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "//secret.txt",
    ):
        answer = await it.knock("", "GET", path)
        assert answer.status_code in (200, 404) and "not for browsers" not in answer.text, path
    assert (await it.knock("", "GET", "/%00")).status_code == 403
    assert (await it.knock("", "GET", "/" + "a" * 5000 + ".js")).status_code == 404
    assert (await it.knock("operator", "GET", "/api/hits/%00")).json()["reference"] == "address-form"
    digits = {"range": "bytes=" + "9" * 5000 + "-"}
    assert (await it.knock("operator", "GET", "/basemap/guardian.pmtiles", headers=digits)).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {"from_ms": 10**18}, {"from_ms": 10**30}, {"from_ms": -1}, {"until_ms": 10**19, "from_ms": 5},
        {"device_ids": ["a\nb"]}, {"units": ["大安\x00"]}, {"page_size": 10**20}, {"page_size": 0},
        {"area": {"lat_min": 1e308, "lat_max": 2, "lon_min": 1, "lon_max": 3}}, {"plate": "A" * 5000},
    ],
)  # fmt: skip
async def test_a_question_out_of_all_measure_is_refused_in_words(it: Intruder, more: dict[str, Any]) -> None:
    asked = REASON | {"plate": "ABC1235"} | more
    answer = await it.knock("detective", "POST", "/api/searches", json=asked)
    assert answer.status_code == 400, answer.text
    assert answer.json()["sentence"]


async def test_numbers_beyond_64_bits_and_places_that_are_none_are_refused_everywhere(it: Intruder) -> None:
    for who, method, path, body in (
        ("operator", "POST", "/api/lists/undo", {"version": 10**20}),
        ("operator", "GET", f"/api/quarantine/items?reason=x&cursor={cursor(2**63, 'x')}", None),
        ("operator", "GET", f"/api/hits?cursor={'9' * 5000}.2.3.x", None),
        ("auditor", "GET", f"/api/audit?cursor={'9' * 30}", None),
        ("detective", "POST", f"/api/reads/{'a' * 300}.1.1", REASON),
    ):
        answer = await it.knock(who, method, path, **({} if body is None else {"json": body}))
        assert answer.status_code in (400, 404), f"{path[:60]}: {answer.text}"


async def test_a_body_of_a_hundred_thousand_brackets_is_refused(it: Intruder) -> None:
    for who, path in (("detective", "/api/searches"), ("", "/api/session"), ("", "/device/v1/enrol")):
        answer = await it.knock(who, "POST", path, b"[" * 100_000 if path != "/api/session" else b"[" * 4_000)
        assert answer.status_code in (400, 413), f"{path}: {answer.text}"
    assert (await it.signed("POST", "/device/v1/heartbeat", b"[" * 100_000)).status_code == 400


async def test_who_has_proved_nothing_makes_us_read_no_more_than_a_few_kilobytes(it: Intruder) -> None:
    large = json.dumps({"token": "x" * 100_000, "code": "x", "public_key": "", "name": ""}).encode()
    for path in ("/api/session", "/device/v1/enrol"):
        answer = await it.knock("", "POST", path, large)
        assert (answer.status_code, answer.json()["reference"]) == (413, "body-too-large"), path


async def test_a_header_that_a_decision_rests_on_comes_once(it: Intruder) -> None:
    twice = [("host", "evil.example"), ("host", "127.0.0.1"), *it.people["operator"].items()]
    answer = await it.client.get("/api/session", headers=twice)
    assert (answer.status_code, answer.json()["reference"]) == (403, "header-repeated")
    signed = it.device.headers("GET", "/device/v1/watchlist")
    answer = await it.client.get("/device/v1/watchlist", headers=[*signed.items(), ("guardian-device", "car-other")])
    assert answer.json()["reference"] == "header-repeated"


async def test_one_item_with_an_endless_number_costs_its_own_place_in_the_batch_only(it: Intruder) -> None:
    items = [it.read(101), it.read(102, boot=10**30), it.read(103, captured_ms=10**25), it.read(104)]
    answer = await it.signed("POST", "/device/v1/batches", it.batch(*items))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["stored"], answer.json()["quarantined"]) == (2, 2)


async def test_a_bomb_is_not_unpacked(it: Intruder) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    answer = await it.signed("POST", "/device/v1/batches", bomb, content_encoding="gzip")
    assert (answer.status_code, answer.json()["reference"]) == (413, "body-too-large")


async def test_bodies_that_nobody_can_read_fill_no_disk(it: Intruder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(it, "device", await it.enrol())
    for number in range(HELD_LARGE_MAX + 1):
        answer = await it.signed("POST", "/device/v1/batches", b"x" * 40_000 + str(number).encode())
    assert (answer.status_code, answer.json()["reference"]) == (507, "quarantine-full")
    good = await it.signed("POST", "/device/v1/batches", it.batch(it.read(1)))
    assert good.json()["stored"] == 1, "its good reads still come in"


@pytest.mark.parametrize(
    "more",
    [
        {"list_version": 2**63}, {"list_version": 2**64}, {"sent_ms": 10**25}, {"reads_last_hour": 2**40},
        {"unit": "x" * 201}, {"software": "a\x00b"}, {"stages": [{"name": "s"}] * 65},
        {"answers": [{"read_id": "r", "entry_id": "e", "answer": "received", "at_ms": 10**30}]},
        {"answers": [{"read_id": "r", "entry_id": "e\x00", "answer": "received", "at_ms": 1}]},
        {"answers": [{"read_id": "r", "entry_id": "e", "answer": "received", "at_ms": 1}] * 501},
    ],
)  # fmt: skip
async def test_a_heartbeat_out_of_all_measure_is_refused_and_the_devices_page_stands(
    it: Intruder, more: dict[str, Any]
) -> None:
    beat = {"device_id": it.device.id, "sent_ms": now_ms()} | more
    answer = await it.signed("POST", "/device/v1/heartbeat", json.dumps(beat).encode())
    assert (answer.status_code, answer.json()["reference"]) == (400, "heartbeat-form"), answer.text
    assert (await it.knock("operator", "GET", "/api/devices")).status_code == 200


async def test_a_heartbeat_with_figures_that_are_no_numbers_is_refused(it: Intruder) -> None:
    body = msgspec.msgpack.encode({"device_id": it.device.id, "sent_ms": now_ms(), "temperature_c": float("nan")})
    answer = await it.signed("POST", "/device/v1/heartbeat", body, content_type="application/msgpack")
    assert (answer.status_code, msgspec.msgpack.decode(answer.content)["reference"]) == (400, "heartbeat-form")
    honest = {"device_id": it.device.id, "sent_ms": now_ms(), "temperature_c": 41.5, "unit": "大安 3 號"}
    assert (await it.signed("POST", "/device/v1/heartbeat", json.dumps(honest).encode())).status_code == 200


async def test_a_page_that_calls_itself_a_picture_is_none(it: Intruder) -> None:
    for body in (
        b"<script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"GIF89a;",
    ):
        path = f"/device/v1/photos/{hashlib.sha256(body).hexdigest()}"
        answer = await it.signed("PUT", path, body, content_type="text/html")
        assert (answer.status_code, answer.json()["reference"]) == (400, "photo-form")


async def test_many_guesses_at_once_are_no_more_tries_than_one_after_the_other(
    it: Intruder, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = base64.b64encode(b"k" * 32).decode()

    async def guess(number: int) -> str:
        asked = {"code": f"AAAAA-{number:05d}", "public_key": public, "name": "x"}
        return str((await it.knock("", "POST", "/device/v1/enrol", json=asked)).json()["reference"])

    minute_ms = now_ms()
    monkeypatch.setattr(it.cloud.fleet.enrolment, "_now_ms", lambda: minute_ms)  # the bound is by the minute
    monkeypatch.setattr(it.cloud.fleet.enrolment, "_tries", (0, 0))
    said = await asyncio.gather(*(guess(number) for number in range(3 * TRIES_PER_MINUTE)))
    assert said.count("code-refused") == TRIES_PER_MINUTE
    assert said.count("too-many-tries") == 2 * TRIES_PER_MINUTE


async def test_in_whose_name_a_link_was_made_is_on_record_and_by_whom_it_was_opened(it: Intruder) -> None:
    wish = {"name": "林偵查佐", "role": "detective", "agency": "中山分局"}
    made = await it.knock("operator", "POST", "/api/links", json=wish)
    token = made.json()["path"].removeprefix("/enter#token=")
    await it.knock("", "POST", "/api/session", json={"token": token})
    rows = [row async for row in it.cloud.access.audit.rows()]
    (said,) = [row for row in rows if row.action == "links.make" and row.elements.get("name")]
    assert (said.subject_name, said.elements["name"], said.elements["role"]) == (
        "人員 operator",
        "林偵查佐",
        "detective",
    )
    opened = [row for row in rows if row.action == "session.open"][-1]
    assert (opened.subject_name, opened.elements["link_by"]) == ("林偵查佐", said.subject_id)
    assert opened.subject_id == said.elements["for"]


async def test_every_answer_of_the_api_is_kept_by_no_browser(it: Intruder) -> None:
    for who, path in (("operator", "/api/hits"), ("operator", "/api/hits.csv"), ("auditor", "/api/audit/export.csv")):
        answer = await it.knock(who, "GET", path)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store", path


async def test_following_live_keeps_a_session_in_use_and_ends_when_it_is_closed(
    it: Intruder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = it.cloud.access.sessions
    link = await sessions.make_link("值勤員", Role.OPERATOR, made_by="test")
    _, session = await sessions.open(link.token)
    clock = [now_ms()]
    monkeypatch.setattr(sessions, "_now_ms", lambda: clock[0])
    session_id = session.subject.session_id
    for _ in range(20):  # five hours of watching, nothing pressed
        clock[0] += 15 * 60_000
        assert await sessions.keep_open(session_id)
    clock[0] += 8 * 3_600_000
    assert not await sessions.keep_open(session_id), "twelve hours are the end"
    clock[0] -= 8 * 3_600_000
    assert await sessions.keep_open(session_id)
    await sessions.close(session_id)
    assert not await sessions.keep_open(session_id)


@pytest.mark.parametrize("plate", ["*", "**", "?*", "???????", "*A*", "%", "_______", ".*"])
async def test_a_wildcard_that_matches_everything_is_refused_in_words_or_bounded_by_a_time(
    it: Intruder, plate: str
) -> None:
    asked = REASON | {"plate": plate}
    answer = await it.knock("detective", "POST", "/api/searches", json=asked)
    assert answer.status_code == 400, answer.text
    told = answer.json()
    if plate in ("%", "_______", ".*"):
        assert told["reference"].startswith("plate-"), "signs that no plate has"
        return
    assert told["reference"] == "question-too-wide" and "at least 2 characters" in told["hint"]
    short = asked | {"from_ms": now_ms() - 86_400_000, "page_size": 200}
    answer = await it.knock("detective", "POST", "/api/searches", json=short)
    assert answer.status_code == 200 and len(answer.json()["rows"]) <= 200, answer.text


async def test_batches_of_a_revoked_device_are_not_taken_and_nobody_else_is_held_up(it: Intruder) -> None:
    lost, good = await it.enrol(), it.device
    it.device = lost
    try:
        assert (await it.signed("POST", "/device/v1/batches", it.batch(it.read(201)))).json()["stored"] == 1
        body = {"device_id": lost.id, "reason": "車輛失竊"}
        await it.knock("operator", "POST", f"/api/devices/{lost.id}/revoke", json=body)
        for bytes_sent in (
            it.batch(it.read(202)),
            b"no batch at all",
            it.batch(*[it.read(300 + n) for n in range(50)]),
        ):
            answer = await it.signed("POST", "/device/v1/batches", bytes_sent)
            assert (answer.status_code, answer.json()["reference"]) == (401, "device-revoked")
            assert "nothing was taken" in answer.json()["sentence"]
    finally:
        it.device = good
    asked = REASON | {"plate": "ABC1235", "device_ids": [lost.id]}
    found = (await it.knock("detective", "POST", "/api/searches", json=asked)).json()
    assert [row["id"] for row in found["rows"]] == [f"{lost.id}.1.201"], "what it sent before stays"
    held = (await it.knock("operator", "GET", "/api/quarantine")).json()
    assert all(lost.id not in group["devices"] for group in held["groups"])
    rows = [row async for row in it.cloud.access.audit.rows() if row.subject_id == lost.id]
    assert [row.reasons for row in rows if row.verdict == "refused"] == [("device-revoked",)] * 3
    assert (await it.signed("POST", "/device/v1/batches", it.batch(it.read(203)))).json()["stored"] == 1


async def test_the_live_stream_asks_whether_its_own_session_holds(it: Intruder) -> None:
    sessions = it.cloud.access.sessions
    link = await sessions.make_link("值勤員二", Role.OPERATOR, made_by="test")
    _, session = await sessions.open(link.token)
    asked: list[Callable[[], Awaitable[bool]]] = []

    class Hub:
        async def follow(
            self, after: str, still_allowed: Callable[[], Awaitable[bool]], *, first_tick: object
        ) -> AsyncIterator[bytes]:
            asked.append(still_allowed)
            yield b"retry: 1000\n\n"

    stream = await follow_live.fn(SimpleNamespace(hub=Hub(), tick=None), session.subject, sessions, after="")
    assert [piece async for piece in stream.iterator] == [b"retry: 1000\n\n"]
    assert await asked[0]()
    await sessions.close(session.subject.session_id)
    assert not await asked[0]()
