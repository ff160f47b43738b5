"""The room's routes behind the real seam: roles, look-ups on record, pictures only for whom they were shown."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import select

from guardian.access.seam import COOKIE, Access, unguarded_routes
from guardian.archive.check import BOOT_MAX, fault
from guardian.archive.desk import SearchDesk
from guardian.archive.ingest import set_apart
from guardian.archive.pictures import PhotoIntake
from guardian.archive.quarantine import APART_BOOT_MIN
from guardian.archive.routes import api_router, device_router
from guardian.archive.tables import quarantine
from guardian.domain.read import PhotoRef
from guardian.domain.subject import Role
from guardian.domain.wire import BatchAnswer
from guardian.stores import open_photos
from tests.archive.builders import MSGPACK, NOW_MS, batch_body, make_read
from tests.archive.house import CAR, ArchiveHouse, archive_house, give

pytestmark = pytest.mark.anyio
ORIGIN = "http://127.0.0.1"
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 20 + b"\xff\xd9"
SHA = hashlib.sha256(JPEG).hexdigest()
ASKED = {"purpose": "偵辦竊盜案", "case_number": "114-大安-0123", "plate": "ABC-1235"}


@dataclass
class Front:
    client: httpx.AsyncClient
    house: ArchiveHouse
    access: Access

    async def sign_in(self, role: Role, name: str) -> dict[str, str]:
        link = await self.access.sessions.make_link(name, role, "大安分局", made_by="test")
        cookie, _ = await self.access.sessions.open(link.token)
        return {"cookie": f"{COOKIE}={cookie}", "origin": ORIGIN}


@asynccontextmanager
async def front(folder: Path) -> AsyncIterator[Front]:
    async with archive_house(folder) as house:
        access = Access(house.records, house.now_ms)
        photos = open_photos(f"file://{folder / 'photos'}")
        desk = SearchDesk(house.records, house.archive, house.filler, access.lookups, house.grants, now_ms=house.now_ms)
        things = {
            "ingest": house.ingest,
            "search_desk": desk,
            "quarantine": house.quarantine,
            "photos": photos,
            "photo_intake": PhotoIntake(house.records, photos, now_ms=house.now_ms),
            "photo_grants": house.grants,
        }
        app = Litestar(
            [api_router, device_router],
            dependencies={name: give(thing) for name, thing in things.items()},
            plugins=[access.plugin()],
            openapi_config=None,
        )
        assert unguarded_routes(app) == []
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
            yield Front(client, house, access)
        await access.close()
        await photos.close()


async def test_a_search_is_recorded_answered_and_exported_with_its_pictures(tmp_path: Path) -> None:
    async with front(tmp_path) as desk:
        await desk.house.send([make_read(1, crop=PhotoRef(SHA, NOW_MS)), make_read(2)])
        chen, lin = await desk.sign_in(Role.DETECTIVE, "陳"), await desk.sign_in(Role.DETECTIVE, "林")
        got = await desk.client.post("/api/searches", json=ASKED, headers=chen)
        assert got.status_code == 200, got.text
        answer = got.json()
        assert [row["id"] for row in answer["rows"]] == ["car-1.1.2", "car-1.1.1"]
        url = answer["rows"][1]["crop_url"]
        assert url == f"/api/photos/{SHA}?ref=lookup:{answer['lookup_id']}"
        assert (await desk.client.get(url, headers=chen)).status_code == 404  # not sent yet by the device
        photos = open_photos(f"file://{tmp_path / 'photos'}")
        await photos.put(SHA, JPEG)
        seen = await desk.client.get(url, headers=chen)
        assert (seen.status_code, seen.content, seen.headers["content-type"]) == (200, JPEG, "image/jpeg")
        assert (await desk.client.get(url, headers=lin)).status_code == 404
        assert (await desk.client.get(f"/api/photos/{SHA}", headers=chen)).status_code == 404
        assert (await desk.client.get(f"/api/photos/{SHA}?ref=lookup:../x", headers=chen)).status_code == 404
        csv = await desk.client.get(f"/api/searches/{answer['search_id']}/export.csv", headers=chen)
        assert csv.status_code == 200
        assert csv.text.count("\r\n") == 3
        detail = await desk.client.post(
            "/api/reads/car-1.1.1", json={key: ASKED[key] for key in ("purpose", "case_number")}, headers=chen
        )
        assert detail.json()["row"]["crop_url"].startswith(f"/api/photos/{SHA}?ref=lookup:")
        trail = [
            (row.kind, row.action, row.count)
            async for row in desk.access.audit.rows()
            if row.kind in ("lookup", "delivered")
        ]
        assert trail == [
            ("lookup", "reads.search", None), ("delivered", "reads.search", 2), ("lookup", "reads.export", None),
            ("delivered", "reads.export", 2), ("lookup", "reads.view", None), ("delivered", "reads.view", 1),
        ]  # fmt: skip


async def test_without_a_purpose_nothing_is_answered(tmp_path: Path) -> None:
    async with front(tmp_path) as desk:
        await desk.house.send([make_read(1)])
        chen = await desk.sign_in(Role.DETECTIVE, "陳")
        for empty in ({"purpose": ""}, {"case_number": " "}):
            got = await desk.client.post("/api/searches", json=ASKED | empty, headers=chen)
            assert (got.status_code, "rows" in got.json()) == (403, False)


async def test_auditors_do_not_search_and_nobody_sees_quarantine_unasked(tmp_path: Path) -> None:
    async with front(tmp_path) as desk:
        auditor = await desk.sign_in(Role.AUDITOR, "稽核")
        assert (await desk.client.post("/api/searches", json=ASKED, headers=auditor)).status_code == 403
        assert (await desk.client.get("/api/quarantine", headers=auditor)).status_code == 403
        assert (await desk.client.get("/api/quarantine")).status_code == 401
        assert (
            await desk.client.post("/device/v1/batches", content=b"{}", headers={"content-type": MSGPACK})
        ).status_code in (401, 403)


async def test_quarantine_is_looked_at_rejected_and_replayed(tmp_path: Path) -> None:
    async with front(tmp_path) as desk:
        await desk.house.send([make_read(1, captured_ms=NOW_MS * 2), make_read(2, "bad plate"), make_read(3)])
        wang = await desk.sign_in(Role.OPERATOR, "王")
        view = (await desk.client.get("/api/quarantine", headers=wang)).json()
        assert sorted((g["reason"], g["items"]) for g in view["groups"]) == [("text-form", 1), ("time-doubtful", 1)]
        items = (await desk.client.get("/api/quarantine/items?reason=text-form", headers=wang)).json()["items"]
        refused = await desk.client.post("/api/quarantine/reject", json={"ids": [items[0]["id"]]}, headers=wang)
        assert (refused.status_code, refused.json()["reference"]) == (400, "reason-missing")
        done = await desk.client.post("/api/quarantine/replay", json={"ids": [items[0]["id"]]}, headers=wang)
        assert done.json() == {"passed": 0, "held": 1}
        await desk.client.post(
            "/api/quarantine/reject", json={"ids": [items[0]["id"]], "note": "測試資料"}, headers=wang
        )
        view = (await desk.client.get("/api/quarantine", headers=wang)).json()
        assert [g["reason"] for g in view["groups"]] == ["time-doubtful"]


async def test_batches_are_answered_in_their_own_kind_and_pictures_are_checked(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        house.who[0] = CAR
        async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url=ORIGIN) as client:
            read = make_read(1, crop=PhotoRef(SHA, NOW_MS))
            got = await client.post("/device/v1/batches", content=batch_body([read]), headers={"content-type": MSGPACK})
            assert got.headers["content-type"] == MSGPACK
            answer = msgspec.msgpack.decode(got.content, type=BatchAnswer)
            assert (answer.stored, answer.photos_wanted) == (1, (SHA,))
            body = msgspec.json.encode({"device_id": "car-1", "items": [read]})
            got = await client.post("/device/v1/batches", content=body, headers={"content-type": "application/json"})
            assert got.headers["content-type"].startswith("application/json")
            assert msgspec.json.decode(got.content, type=BatchAnswer).already == 1
            got = await client.post("/device/v1/batches", content=body, headers={"content-type": "text/plain"})
            assert (got.status_code, got.json()["reference"]) == (400, "content-type")
            got = await client.post(
                "/device/v1/batches", content=batch_body([read] * 1001), headers={"content-type": MSGPACK}
            )
            assert (
                msgspec.msgpack.decode(got.content)["reference"] == "batch-size"
                if got.headers["content-type"] == MSGPACK
                else got.json()["reference"] == "batch-size"
            )
            for name, content, reference in [
                (SHA, JPEG + b"x", "photo-hash"),
                (hashlib.sha256(b"GIF89a").hexdigest(), b"GIF89a", "photo-form"),
                (hashlib.sha256(JPEG[:-2]).hexdigest(), JPEG[:-2], "photo-form"),
                ("..%2f..%2fetc", JPEG, "photo-name"),
            ]:
                got = await client.put(f"/device/v1/photos/{name}", content=content)
                assert got.status_code in (400, 404)
                if got.status_code == 400:
                    assert got.json()["reference"] == reference
            assert (await client.put(f"/device/v1/photos/{SHA}", content=JPEG)).status_code == 201
            assert (await client.put(f"/device/v1/photos/{SHA}", content=JPEG)).status_code == 200


async def test_items_of_a_forked_identity_are_released_with_a_reason_and_kept_apart(tmp_path: Path) -> None:
    async with front(tmp_path) as desk:
        await desk.house.send([make_read(1, "AAA1111"), make_read(2, "AAA2222")])
        twin = await desk.house.send([make_read(1, "BBB1111"), make_read(2, "BBB2222"), make_read(3, "BBB3333")])
        assert (twin.stored, twin.quarantined) == (1, 2)
        wang = await desk.sign_in(Role.OPERATOR, "王")
        url = "/api/quarantine/items?reason=identity-forked"
        items = (await desk.client.get(url, headers=wang)).json()["items"]
        ids = [item["id"] for item in items]
        silent = await desk.client.post("/api/quarantine/replay", json={"ids": ids, "note": " "}, headers=wang)
        assert (silent.status_code, silent.json()["reference"]) == (400, "reason-missing")
        assert len((await desk.client.get(url, headers=wang)).json()["items"]) == 2, "nothing was changed"
        said = {"ids": ids, "note": "複製硬碟的備用機，序號 C-17"}
        assert (await desk.client.post("/api/quarantine/replay", json=said, headers=wang)).json() == {
            "passed": 2,
            "held": 0,
        }
        reads = {read.text: read for read in await desk.house.all_reads()}
        assert sorted(reads) == ["AAA1111", "AAA2222", "BBB1111", "BBB2222", "BBB3333"]
        assert {reads[text].boot for text in ("AAA1111", "AAA2222", "BBB3333")} == {1}
        apart = [reads[text] for text in ("BBB1111", "BBB2222")]
        assert all(APART_BOOT_MIN <= read.boot <= BOOT_MAX for read in apart) and apart[0].boot != apart[1].boot
        rows = await desk.house.records.read(
            lambda c: c.execute(
                select(quarantine.c.state, quarantine.c.decided_by, quarantine.c.note).where(quarantine.c.id.in_(ids))
            ).all()
        )
        assert [tuple(row) for row in rows] == [("replayed", "王", "複製硬碟的備用機，序號 C-17")] * 2
        again = await desk.house.send([make_read(1, "BBB1111")])
        assert again.quarantined == 1, "the device's own number stays the first one's"


async def test_pages_of_held_items_hold_each_once_newest_first_and_say_when_something_last_came(tmp_path: Path) -> None:
    async with front(tmp_path) as desk:
        wang = await desk.sign_in(Role.OPERATOR, "王")
        assert (await desk.client.get("/api/quarantine", headers=wang)).json() == {"groups": [], "last_ms": None}
        for minute in range(4):
            desk.house.clock[0] = NOW_MS + minute * 60_000
            await desk.house.send([make_read(minute * 40 + n, f"bad {minute} {n}") for n in range(40)])
        view = (await desk.client.get("/api/quarantine", headers=wang)).json()
        assert (view["groups"][0]["items"], view["last_ms"]) == (160, NOW_MS + 180_000)
        seen: list[tuple[int, str]] = []
        cursor = ""
        while True:
            url = f"/api/quarantine/items?reason=text-form&cursor={cursor}"
            page = (await desk.client.get(url, headers=wang)).json()
            seen += [(item["received_ms"], item["id"]) for item in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert len(set(seen)) == len(seen) == 160 and seen == sorted(seen, reverse=True)


async def test_a_whole_body_that_can_be_read_by_now_goes_in_but_for_its_bad_item_and_stays_for_it(
    tmp_path: Path,
) -> None:
    async with front(tmp_path) as desk:
        wang = await desk.sign_in(Role.OPERATOR, "王")
        body = batch_body([make_read(1), make_read(2, "bad plate"), make_read(3)])
        held = (fault("batch-form"), MSGPACK, body)
        await desk.house.records.write(lambda c: set_apart(c, "car-1", NOW_MS, [held]))
        (item,) = (await desk.client.get("/api/quarantine/items?reason=batch-form", headers=wang)).json()["items"]
        done = await desk.client.post("/api/quarantine/replay", json={"ids": [item["id"]]}, headers=wang)
        assert done.json() == {"passed": 1, "held": 1}
        assert sorted(read.sequence for read in await desk.house.all_reads()) == [1, 3]
        view = (await desk.client.get("/api/quarantine", headers=wang)).json()
        assert [(g["reason"], g["items"]) for g in view["groups"]] == [("text-form", 1)]
        (bad,) = (await desk.client.get("/api/quarantine/items?reason=text-form", headers=wang)).json()["items"]
        assert "bad plate" in bad["record"] and bad["received_ms"] == NOW_MS
        again = await desk.client.post("/api/quarantine/replay", json={"ids": [bad["id"]]}, headers=wang)
        assert again.json() == {"passed": 0, "held": 1}
        view = (await desk.client.get("/api/quarantine", headers=wang)).json()
        assert [(g["reason"], g["items"]) for g in view["groups"]] == [("text-form", 1)]
