"""G40 (server): a newer question of the same session cancels the older one here too; its look-up stays on record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from guardian.archive.desk import SearchReplacedError
from tests.archive.builders import make_read
from tests.archive.house import DETECTIVE, OTHER, ArchiveHouse, archive_house

pytestmark = pytest.mark.anyio


class Slow:
    """Holds the archive's answer to one pattern until it is cancelled or let go."""

    def __init__(self, house: ArchiveHouse, normal: str) -> None:
        self.begun, self.cancelled, self.go = asyncio.Event(), False, asyncio.Event()
        self._page = house.archive.page
        self._normal = normal
        house.archive.page = self.page  # type: ignore[method-assign]

    async def page(self, question: Any, **more: Any) -> Any:
        if question.normal == self._normal:
            self.begun.set()
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        return await self._page(question, **more)


async def test_the_older_question_is_cancelled_and_stays_on_record(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        await house.send([make_read(1, "BKD8869"), make_read(2, "ABC1235")])
        slow = Slow(house, "AB*")
        older = asyncio.create_task(house.ask("AB*"))
        await slow.begun.wait()
        newer = await house.ask("BKD-8869")
        assert [row.text for row in newer.rows] == ["BKD8869"]
        with pytest.raises(SearchReplacedError) as refusal:
            await older
        assert refusal.value.reference == "search-replaced"
        assert slow.cancelled
        begun = [(said[1], said[6]["plate"]) for said in house.lookups.said if said[0] == "begin"]
        assert begun == [("L1", "AB*"), ("L2", "BKD-8869")]
        assert sorted(said[1:] for said in house.lookups.said if said[0] == "deliver") == [
            ("L1", 0, "cancelled"),
            ("L2", 1, ""),
        ]


async def test_another_persons_question_goes_on(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        await house.send([make_read(1, "BKD8869"), make_read(2, "ABC1235")])
        slow = Slow(house, "AB*")
        mine = asyncio.create_task(house.ask("AB*", DETECTIVE))
        await slow.begun.wait()
        assert len((await house.ask("BKD-8869", OTHER)).rows) == 1
        slow.go.set()
        assert [row.text for row in (await mine).rows] == ["ABC1235"]


async def test_a_client_that_hangs_up_cancels_its_question(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        await house.send([make_read(1)])
        slow = Slow(house, "ABC1235")
        body = b'{"purpose":"p","case_number":"c","plate":"ABC-1235"}'
        sent: list[Any] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if given:
                return given.pop()
            await slow.begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/api/searches", "raw_path": b"/api/searches", "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())], "http_version": "1.1",
            "scheme": "http", "server": ("test", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}, "extensions": {},
        }  # fmt: skip
        running = asyncio.create_task(house.app(scope, receive, send))  # type: ignore[arg-type]
        await asyncio.wait({running}, timeout=30)
        assert running.done()
        assert slow.cancelled
        assert house.lookups.delivered == [(0, "cancelled")]
        assert not any(message.get("status") == 200 for message in sent)
