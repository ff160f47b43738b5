"""The seam: who asks, whether they may, and what is on record before anything happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.access.seam import unguarded_routes
from guardian.domain.subject import Role
from tests.unit.access_app import ORIGIN, ROUTES, SignedDevice, house, streaming, unguarded

pytestmark = pytest.mark.anyio

ASK = {"purpose": "查尋失竊車輛", "case_number": "中山分局 115-0832 案", "plate": "ABC-1235"}


async def test_anybody_may_ask_for_health_and_nobody_for_a_hit(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        assert (await it.client.get("/api/health")).status_code == 200
        refused = await it.client.get("/api/hits/h1")
        assert refused.status_code == 401
        assert refused.json() == {
            "reference": "not-signed-in", "sentence": "Nobody is signed in.", "hint": "Open a one-time link.", "status": 401,
        }  # fmt: skip
        assert await it.trail() == [("decision", "hits.view", "refused", ("not-signed-in",))]


async def test_a_link_opens_one_session_and_the_cookie_opens_routes(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        link = await it.access.sessions.make_first_link()
        assert link is not None and link.path == f"/enter#token={link.token}"
        opened = await it.client.post("/api/session", json={"token": link.token}, headers={"origin": ORIGIN})
        assert opened.status_code == 200, opened.text
        assert opened.json()["role"] == "operator" and "hits.check" in opened.json()["actions"]
        set_cookie = opened.headers["set-cookie"]
        assert set_cookie.startswith("guardian_session=") and "HttpOnly" in set_cookie
        assert "samesite=strict" in set_cookie.lower() and "Path=/" in set_cookie
        again = await it.client.post("/api/session", json={"token": link.token}, headers={"origin": ORIGIN})
        assert (again.status_code, again.json()["reference"]) == (401, "link-spent")
        assert await it.access.sessions.make_first_link() is None
        assert (await it.client.get("/api/session")).json()["name"] == "值勤員"
        assert (await it.client.delete("/api/session", headers={"origin": ORIGIN})).status_code == 204
        assert (await it.client.get("/api/session")).status_code == 401


async def test_a_device_is_known_by_its_signature(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        sent = await device.send(it.client, b'{"a": 1}')
        assert sent.status_code == 201, sent.text
        assert sent.json() == {"device": "car-1", "bytes": 8}
        listed = await it.client.get(
            "/device/v1/watchlist?have=7", headers=device.headers("GET", "/device/v1/watchlist?have=7")
        )
        assert listed.json() == {"have": 7}


async def test_a_look_up_answers_when_it_is_on_record(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        browser = await it.sign_in(Role.DETECTIVE)
        found = await it.client.post("/api/searches", json=ASK, headers=browser)
        assert (found.status_code, found.json()) == (201, {"found": 3})
        assert [(kind, action) for kind, action, _, _ in await it.trail()] == [
            ("deed", "session.open"), ("lookup", "reads.search"), ("delivered", "reads.search"),
        ]  # fmt: skip


async def test_a_route_without_an_action_is_refused_and_named(tmp_path: Path) -> None:
    async with house(tmp_path, routes=(*ROUTES, unguarded)) as it:
        answer = await it.client.get("/api/unguarded", headers=await it.sign_in(Role.OPERATOR))
        assert (answer.status_code, answer.json()["reference"]) == (500, "unguarded-route")
        assert unguarded_routes(it.app) == ["GET /api/unguarded: names no action"]
    async with house(tmp_path, routes=(*ROUTES, streaming(3))) as it:
        assert unguarded_routes(it.app) == []
