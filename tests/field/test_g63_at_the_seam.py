"""G63 (the seam's part): exports left without a record, or with the count that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.response import Stream

from guardian.access.lookups import RecordedLookups
from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.subject import LookupRecorder, Role, Subject
from tests.unit.access_app import ROUTES, Ask, House, house, streaming

pytestmark = pytest.mark.anyio

ASK = {"purpose": "證據保全", "case_number": "115-0832", "plate": "ABC-1235"}


@post("/api/forgetful", opt={"action": "reads.search", "lookup": True})
async def forgetful() -> dict[str, str]:
    return {"secret": "ABC1235"}


@post("/api/half", opt={"action": "reads.search", "lookup": True})
async def half(
    data: JSONBody[Ask], subject: NamedDependency[Subject], lookups: NamedDependency[LookupRecorder]
) -> dict[str, str]:
    await lookups.begin(subject, "reads.search", data.purpose, data.case_number, {"plate": data.plate})
    return {"secret": "ABC1235"}


@get("/api/unflagged", opt={"action": "reads.view"})
async def unflagged() -> dict[str, str]:
    return {"secret": "ABC1235"}


@pytest.mark.parametrize("path", ["/api/forgetful", "/api/half"])
async def test_an_answer_whose_record_is_missing_or_half_does_not_leave(tmp_path: Path, path: str) -> None:
    async with house(tmp_path, routes=(forgetful, half)) as it:
        browser = await it.sign_in(Role.DETECTIVE)
        answer = await it.client.post(path, json=ASK, headers=browser)
        assert (answer.status_code, answer.json()["reference"]) == (500, "lookup-unrecorded")
        assert "ABC1235" not in answer.text
        assert answer.headers["content-security-policy"]


async def test_a_route_that_forgets_its_flag_is_held_to_the_rule_by_the_policy(tmp_path: Path) -> None:
    async with house(tmp_path, routes=(unflagged,)) as it:
        answer = await it.client.get("/api/unflagged", headers=await it.sign_in(Role.DETECTIVE))
        assert answer.json()["reference"] == "lookup-unrecorded" and "ABC1235" not in answer.text


class Knock:
    """One raw ASGI request: reads so much of the answer, then hangs up."""

    def __init__(self, it: House, path: str, body: bytes, headers: dict[str, str], *, chunks_max: int) -> None:
        self.it, self.body, self.chunks_max = it, body, chunks_max
        self.scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 5), "asgi": {"version": "3.0"},
            "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), *((k.encode(), v.encode()) for k, v in headers.items())],
        }  # fmt: skip
        self.gone = asyncio.Event()
        self.chunks: list[bytes] = []
        self.whole = False
        self._asked = False

    async def receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            if message.get("body"):
                self.chunks.append(message["body"])
            self.whole = self.whole or not message.get("more_body", False)
            if len(self.chunks) >= self.chunks_max:
                self.gone.set()
                await asyncio.sleep(0)

    async def run(self) -> None:
        await self.it.app(self.scope, self.receive, self.send)  # type: ignore[arg-type]


async def _rows(it: House) -> list[tuple[str, int | None, str]]:
    await it.access.audit.settle()
    rows = [row async for row in it.access.audit.rows() if row.kind in ("lookup", "delivered")]
    return [(row.kind, row.count, row.elements.get("note", "")) for row in rows]


async def test_an_export_broken_off_after_page_7_is_recorded_with_what_left_not_with_what_was_asked(
    tmp_path: Path,
) -> None:
    @post("/api/export", opt={"action": "reads.export", "lookup": True})
    async def export(
        data: JSONBody[Ask], subject: NamedDependency[Subject], lookups: NamedDependency[LookupRecorder]
    ) -> Stream:
        lookup_id = await lookups.begin(subject, "reads.export", data.purpose, data.case_number, {"plate": data.plate})

        async def pages() -> AsyncIterator[str]:
            left = 0
            try:
                for _ in range(25):
                    left += 100  # a page that is handed over has left
                    yield "row\n" * 100
            finally:
                await lookups.deliver(lookup_id, left, note="" if left == 2500 else "cancelled")

        return Stream(pages(), media_type="text/csv")

    async with house(tmp_path, routes=(export,)) as it:
        browser = await it.sign_in(Role.DETECTIVE)
        knock = Knock(
            it,
            "/api/export",
            b'{"purpose": "\xe8\xad\x89\xe6\x93\x9a\xe4\xbf\x9d\xe5\x85\xa8", "case_number": "115-0832"}',
            browser,
            chunks_max=7,
        )
        await knock.run()
        assert not knock.whole
        rows = await _rows(it)
        assert [kind for kind, _, _ in rows] == ["lookup", "delivered"]
        count, note = rows[1][1:]
        assert note == "cancelled" and count is not None
        assert 700 <= count <= 800, "the page under way when the client hung up may count, no further one"

        whole = await asyncio.gather(*(it.client.post("/api/export", json=ASK, headers=browser) for _ in range(2)))
        assert [len(answer.text.splitlines()) for answer in whole] == [2500, 2500]
        assert sorted((await _rows(it))[2:], key=str) == sorted(
            [("lookup", None, ""), ("delivered", 2500, "")] * 2, key=str
        )


async def test_a_stream_that_never_says_what_left_is_broken_off_and_closed_on_record(tmp_path: Path) -> None:
    async with house(tmp_path, routes=(*ROUTES, streaming(3, deliver=False))) as it:
        browser = await it.sign_in(Role.DETECTIVE)
        knock = Knock(
            it,
            "/api/exports",
            b'{"purpose": "\xe8\xad\x89\xe6\x93\x9a\xe4\xbf\x9d\xe5\x85\xa8", "case_number": "115-0832"}',
            browser,
            chunks_max=99,
        )
        with pytest.raises(Exception):  # noqa: B017  # the server closes the connection without the last piece
            await knock.run()
        assert not knock.whole
        assert await _rows(it) == [("lookup", None, ""), ("delivered", None, "uncounted")]


async def test_a_search_cancelled_before_its_answer_is_on_record_and_stops_on_the_server(tmp_path: Path) -> None:
    asked, stopped = asyncio.Event(), asyncio.Event()

    @post("/api/slow", opt={"action": "reads.search", "lookup": True})
    async def slow(
        data: JSONBody[Ask], subject: NamedDependency[Subject], lookups: NamedDependency[LookupRecorder]
    ) -> dict[str, int]:
        await lookups.begin(subject, "reads.search", data.purpose, data.case_number, {"plate": data.plate})
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return {}

    async with house(tmp_path, routes=(slow,)) as it:
        browser = await it.sign_in(Role.DETECTIVE)
        knock = Knock(
            it,
            "/api/slow",
            b'{"purpose": "\xe8\xad\x89\xe6\x93\x9a\xe4\xbf\x9d\xe5\x85\xa8", "case_number": "115-0832"}',
            browser,
            chunks_max=1,
        )
        running = asyncio.ensure_future(knock.run())
        await asked.wait()
        knock.gone.set()
        await asyncio.wait_for(running, 60)
        assert stopped.is_set() and not knock.chunks
        assert await _rows(it) == [("lookup", None, ""), ("delivered", 0, "cancelled")]


async def test_a_file_made_for_one_person_and_fetched_by_another_is_the_fetchers_look_up(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        maker = await it.sign_in(Role.DETECTIVE, "王小明")
        await it.client.post("/api/searches", json=ASK, headers=maker)
        fetcher = await it.sign_in(Role.DETECTIVE, "林佳穎")
        await it.client.post("/api/searches", json=ASK, headers=fetcher)
        rows = [row async for row in it.access.audit.rows() if row.kind == "lookup"]
        assert [row.subject_name for row in rows] == ["王小明", "林佳穎"]
        assert await it.access.lookups.owner(rows[0].lookup_id) == rows[0].subject_id
        assert await RecordedLookups(it.access.audit).owner(rows[1].lookup_id) == rows[1].subject_id, (
            "after a restart too"
        )
        assert await it.access.lookups.owner("nothing") is None


async def test_no_record_no_answer(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        browser = await it.sign_in(Role.DETECTIVE)

        async def away(_: object) -> int:
            raise NeighbourUnreachableError("The database of the records does not answer.")

        it.access.audit.append = away  # type: ignore[method-assign, assignment]
        for path in ("/api/searches", "/api/hits/h1/claim"):
            answer = await it.client.post(path, json=ASK, headers=browser)
            assert answer.status_code in (403, 503), path
            assert "found" not in answer.text and "hit" not in answer.json()
        assert (await it.client.get("/api/health")).status_code == 200
        del it.access.audit.append  # type: ignore[attr-defined]
