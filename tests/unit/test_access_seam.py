"""The seam: who asks, whether they may, and what is on record before anything happens."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from litestar import get

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


async def test_a_session_ends_when_idle_at_its_absolute_end_and_when_closed(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        browser = await it.sign_in(Role.OPERATOR)

        async def works() -> bool:
            return (await it.client.get("/api/hits/h1", headers=browser)).status_code == 200

        assert await works()
        for _ in range(30):  # used every 20 minutes it lives, to its absolute end
            it.clock.ms += 20 * 60 * 1000
            assert await works()
        it.clock.ms += 31 * 60 * 1000
        assert not await works(), "idle"
        browser = await it.sign_in(Role.OPERATOR)
        for _ in range(12 * 3):
            assert await works()
            it.clock.ms += 20 * 60 * 1000
        assert not await works(), "twelve hours are the end"


async def test_a_link_is_good_for_ten_minutes(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        link = await it.access.sessions.make_link("林佳穎", Role.DETECTIVE, "中山分局", made_by="test")
        it.clock.ms = link.expires_ms
        late = await it.client.post("/api/session", json={"token": link.token}, headers={"origin": ORIGIN})
        assert late.json()["reference"] == "link-spent"
        assert (await it.trail())[-1] == ("decision", "session.open", "refused", ("link-spent",))


async def test_two_who_redeem_one_link_at_once_get_one_session(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        link = await it.access.sessions.make_link("林佳穎", Role.DETECTIVE, made_by="test")
        ask = {"json": {"token": link.token}, "headers": {"origin": ORIGIN}}
        answers = await asyncio.gather(*(it.client.post("/api/session", **ask) for _ in range(8)))  # type: ignore[arg-type]
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_an_operator_makes_links_and_nobody_else(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        operator, detective = await it.sign_in(Role.OPERATOR), await it.sign_in(Role.DETECTIVE)
        wish = {"name": "陳稽核", "role": "auditor", "agency": "督察室"}
        made = await it.client.post("/api/links", json=wish, headers=operator)
        assert made.status_code == 201 and made.json()["path"].startswith("/enter#token=")
        token = made.json()["path"].removeprefix("/enter#token=")
        opened = await it.client.post("/api/session", json={"token": token}, headers={"origin": ORIGIN})
        assert (opened.json()["name"], opened.json()["role"], opened.json()["agency"]) == (
            "陳稽核",
            "auditor",
            "督察室",
        )
        refused = await it.client.post("/api/links", json=wish, headers=detective)
        assert (refused.status_code, refused.json()["reference"]) == (403, "not-allowed")
        for bad in ({"name": "", "role": "auditor"}, {"name": "x", "role": "device"}, {"name": "x", "role": "root"}):
            assert (await it.client.post("/api/links", json=bad, headers=operator)).status_code == 400
        assert not re.search(token, (tmp_path / "records.db").read_bytes().decode("latin-1")), "kept as a digest only"


async def test_a_request_from_another_site_changes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        browser = await it.sign_in(Role.OPERATOR)
        for origin in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": ""}):
            refused = await it.client.post("/api/hits/h1/claim", headers=browser | origin)
            assert (refused.status_code, refused.json()["reference"]) == (403, "cross-site")
        assert (await it.client.post("/api/hits/h1/claim", headers=browser)).status_code == 201
        assert [row for row in await it.trail() if row[1] == "hits.check"] == [
            *[("decision", "hits.check", "refused", ("cross-site",))] * 3,
            ("deed", "hits.check", "allowed", ("role-operator-ok",)),
        ]


async def test_nobody_is_signed_in_from_another_site(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        link = await it.access.sessions.make_link("林佳穎", Role.DETECTIVE, made_by="test")
        for origin in ({"origin": "https://evil.example"}, {"sec-fetch-site": "same-site"}, {}):
            refused = await it.client.post("/api/session", json={"token": link.token}, headers=origin)
            assert (refused.status_code, refused.json()["reference"]) == (403, "cross-site")
        assert (
            await it.client.post("/api/session", json={"token": link.token}, headers={"sec-fetch-site": "same-origin"})
        ).status_code == 200


async def test_an_action_without_a_rule_is_named_at_start_and_refused(tmp_path: Path) -> None:
    @get("/api/new", opt={"action": "things.view"})
    async def new() -> str:
        return "secret"

    async with house(tmp_path, routes=(*ROUTES, new)) as it:
        answer = await it.client.get("/api/new", headers=await it.sign_in(Role.OPERATOR))
        assert (answer.status_code, answer.json()["reference"]) == (500, "unguarded-route")
        assert unguarded_routes(it.app) == ["GET /api/new: no rule for the action things.view"]


async def test_a_deed_that_a_room_refused_is_on_record_as_not_done(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        browser = await it.sign_in(Role.OPERATOR)
        refused = await it.client.post("/api/hits/taken/claim", headers=browser)
        assert (refused.status_code, refused.json()["reference"]) == (409, "hit-claimed")
        assert (await it.trail())[-2:] == [
            ("deed", "hits.check", "allowed", ("role-operator-ok",)),
            ("deed", "hits.check", "refused", ("hit-claimed",)),
        ]


async def test_every_answer_carries_the_security_headers_also_404_and_errors(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        for path in ("/api/health", "/nothing/here", "/api/hits/h1"):
            answer = await it.client.get(path)
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert "default-src 'self'" in answer.headers["content-security-policy"], path
        gone = (await it.client.get("/nothing/here")).json()
        assert gone == {"reference": "not-found", "sentence": "There is nothing here.", "hint": "", "status": 404}
        wrong = await it.client.put("/api/health")
        assert (wrong.status_code, wrong.json()["reference"]) == (405, "method-not-allowed")
        assert (await it.client.options("/api/hits/h1")).status_code == 405


async def test_a_bug_of_ours_says_nothing_of_what_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    @get("/api/broken", opt={"action": "health.view"})
    async def broken() -> str:
        plate = "ABC1235"
        raise RuntimeError(f"secret {plate} /srv/path")

    async with house(tmp_path, routes=(broken,)) as it:
        answer = await it.client.get("/api/broken")
        assert (answer.status_code, answer.json()["reference"]) == (500, "internal-error")
        assert "ABC1235" not in answer.text and "RuntimeError" not in answer.text
        said = capsys.readouterr()
        assert "request.failed" in said.out + said.err and "ABC1235" not in said.out + said.err


async def test_what_machines_ask_for_by_themselves_is_counted_not_written_line_by_line(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        for _ in range(20):
            await device.send(it.client)
            await it.client.get("/api/health")
        assert [row[1] for row in await it.trail()] == ["device.enrol"]
        await it.access.flush()
        rows = [row async for row in it.access.audit.rows()][1:]
        assert [(row.kind, row.subject_id, row.action, row.count) for row in rows] == [
            ("counted", "", "health.view", 20), ("counted", "car-1", "device.send", 20),
        ]  # fmt: skip


async def test_the_auditor_reads_verifies_and_exports_and_that_is_recorded_too(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        detective, auditor = await it.sign_in(Role.DETECTIVE), await it.sign_in(Role.AUDITOR, "陳稽核")
        for _ in range(130):
            await it.client.post("/api/searches", json=ASK | {"plate": "=1+1"}, headers=detective)
        seen: list[int] = []
        cursor = ""
        while True:
            page = (await it.client.get(f"/api/audit?kind=lookup&cursor={cursor}", headers=auditor)).json()
            seen += [row["number"] for row in page["rows"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert len(seen) == 130 and seen == sorted(seen, reverse=True)
        report = (await it.client.post("/api/audit/verify", headers=auditor)).json()
        assert report["problem"] == "" and report["rows"] == report["last"] > 260
        exported = await it.client.get("/api/audit/export.csv", headers=auditor)
        assert exported.content.startswith("\ufeff編號,時間".encode())
        assert "plate==1+1" in exported.text and len(exported.text.splitlines()) > 260
        actions = [row[1] for row in await it.trail()]
        assert actions.count("audit.view") == 3 and actions.count("audit.export") == 1
        assert (await it.client.get("/api/audit?cursor=x", headers=auditor)).status_code == 400
        assert (await it.client.get("/api/audit", headers=detective)).status_code == 403
