"""The room over HTTP: shapes and refusals as the console sees them. Who may do what is the access seam's test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.testing import AsyncTestClient

from guardian.domain.errors import ConflictError, GuardianError, NotFoundError
from guardian.watch.routes import watch_router
from tests.watch.house import House, open_house

pytestmark = pytest.mark.anyio


def refuse(_: Request[Any, Any, Any], error: GuardianError) -> Response[dict[str, Any]]:
    status = 409 if isinstance(error, ConflictError) else 404 if isinstance(error, NotFoundError) else 400
    return Response({"reference": error.reference, "sentence": error.sentence, "hint": error.hint}, status_code=status)


class Console:
    """A browser in front of a house."""

    def __init__(self, house: House, client: AsyncTestClient[Litestar]) -> None:
        self.house = house
        self.client = client

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = await self.client.post(path, json=body) if body is not None else await self.client.post(path)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with open_house(tmp_path) as house:
        services = {
            "hit_desk": house.desk, "list_keeper": house.keeper, "list_importer": house.importer, "list_register": house.register, "subject": house.lin,
        }  # fmt: skip

        def provide(service: Any) -> Provide:
            return Provide(lambda: service, sync_to_thread=False)

        app = Litestar(
            [watch_router],
            dependencies={name: provide(service) for name, service in services.items()},
            exception_handlers={GuardianError: refuse},
        )
        async with AsyncTestClient(app) as client:
            yield Console(house, client)


async def test_a_hit_is_claimed_decided_undone_and_comes_to_an_outcome(console: Console) -> None:
    await console.house.enter("BKD-8869")
    await console.house.arrive(console.house.read("BKD8869"))
    page = await console.get("/api/hits?state=open")
    assert (page["open_count"], page["hits"][0]["strength"]) == (1, "exact")
    path = f"/api/hits/{page['hits'][0]['id']}"
    claimed = await console.post(f"{path}/claim")
    assert claimed["card"]["state"] == "checking" and claimed["card"]["checker"] == "林怡君"
    await console.post(f"{path}/claim", {"take_over": True})
    await console.post(f"{path}/keep")
    early = await console.post(f"{path}/outcome", {"outcome": "stopped", "seen_fact": 9}, status=409)
    assert early["reference"] == "outcome-before-check"
    decided = await console.post(f"{path}/verdict", {"verdict": "confirmed", "seen_fact": claimed["card"]["facts"]})
    undone = await console.post(f"{path}/undo", {"seen_fact": decided["card"]["facts"]})
    stale = await console.post(f"{path}/verdict", {"verdict": "confirmed", "seen_fact": 1}, status=409)
    assert stale["reference"] == "hit-moved-on"
    again = await console.post(f"{path}/verdict", {"verdict": "confirmed", "seen_fact": undone["card"]["facts"]})
    done = await console.post(f"{path}/outcome", {"outcome": "stopped", "seen_fact": again["card"]["facts"]})
    assert done["card"]["outcome"] == "stopped"
    assert (await console.get("/api/hits?state=checked"))["checked_today_count"] == 1
    assert (await console.get(path))["read"]["text"] == "BKD8869"


async def test_a_release_gives_the_hit_back_to_the_queue(console: Console) -> None:
    await console.house.enter("BKD-8869")
    await console.house.arrive(console.house.read("BKD8869"))
    path = f"/api/hits/{(await console.get('/api/hits'))['hits'][0]['id']}"
    await console.post(f"{path}/claim", {})
    assert (await console.post(f"{path}/release"))["card"]["state"] == "new"


async def test_lists_are_edited_found_undone_and_exported(console: Console) -> None:
    draft = {"plate": "abc1235", "category": "失竊", "case_number": "A1"}
    saved = await console.post("/api/lists/stolen/changes", {"base_version": 0, "put": [draft]})
    assert saved == {"version": 1, "put": 1, "removed": 0}
    assert (await console.get("/api/lists"))["lists"][0]["entries"] == 1
    page = await console.get("/api/lists/stolen/entries")
    assert page["entries"][0]["display"] == "ABC-1235"
    assert (await console.post("/api/lists/stolen/find", {"find": "ABD"}))["total"] == 0
    file = await console.client.get("/api/lists/stolen/export.csv")
    assert file.headers["content-disposition"] == 'attachment; filename="list-stolen.csv"'
    assert file.content.startswith(b"\xef\xbb\xbf") and b"ABC-1235" in file.content
    assert (await console.post("/api/lists/undo", {"version": 1}))["removed"] == 1
    inspected = await console.post("/api/plates/inspect", {"plate": "ABC-1245"})
    assert inspected["reference"] == "plate-impossible"
    refused = await console.post(
        "/api/lists/stolen/changes", {"base_version": 9, "put": [{"plate": "無牌", "category": "失竊"}]}, status=400
    )
    assert refused["reference"] == "plate-none"


async def test_a_file_is_planned_applied_undone_and_its_refused_rows_come_back(console: Console) -> None:
    body = "車號,類別\nABC-1235,失竊\n無牌,失竊\n".encode("cp950")
    answer = await console.client.post(
        "/api/lists/stolen/imports", files={"file": ("名單.csv", body, "text/csv")}, data={"mode": "replace"}
    )
    assert answer.status_code == 201, answer.text
    plan = answer.json()
    assert (plan["encoding"], plan["added"], plan["refused"], plan["file_name"]) == ("Big5", 1, 1, "名單.csv")
    path = f"/api/imports/{plan['id']}"
    assert (await console.get(path))["state"] == "planned"
    assert (await console.post(f"{path}/apply", {"confirm_removal": None}))["state"] == "applied"
    assert "無牌" in (await console.client.get(f"{path}/refused.csv")).text
    assert (await console.post(f"{path}/undo"))["state"] == "undone"


async def test_columns_and_encoding_that_a_person_chose_win(console: Console) -> None:
    body = "甲,乙\nABC-1235,失竊\n".encode()
    answer = await console.client.post(
        "/api/lists/stolen/imports",
        files={"file": ("x.csv", body)},
        data={"columns": '{"plate": "甲", "category": "乙"}', "encoding": "utf-8"},
    )
    assert answer.json()["added"] == 1
    broken = await console.client.post(
        "/api/lists/stolen/imports", files={"file": ("x.csv", body)}, data={"columns": "["}
    )
    assert broken.json()["reference"] == "import-columns"


async def test_hits_leave_as_a_file_and_unknown_things_are_not_found(console: Console) -> None:
    await console.house.enter("BKD-8869")
    await console.house.arrive(console.house.read("BKD8869"))
    file = await console.client.get("/api/hits.csv?state=open")
    assert file.headers["content-type"].startswith("text/csv") and "BKD-8869" in file.text
    for path in ("/api/hits/h-none", "/api/imports/i-none", "/api/lists/none/entries", "/api/lists/none/export.csv"):
        assert (await console.client.get(path)).status_code == 404
