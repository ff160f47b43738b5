"""G63 (archive's side): one record for the question before anything leaves, one for what really left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest

from guardian.domain.errors import NotAllowedError, NotFoundError
from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import DETECTIVE, OTHER, ArchiveHouse, archive_house

pytestmark = pytest.mark.anyio


async def fill(house: ArchiveHouse, count: int) -> str:
    for first in range(0, count, 1000):
        await house.send(
            [make_read(n, captured_ms=NOW_MS - 60_000 - n) for n in range(first, min(count, first + 1000))]
        )
    return (await house.ask("ABC-1235")).search_id


async def take(house: ArchiveHouse, search_id: str, pages: int) -> int:
    """Read an export and hang up while page `pages` + 1 is asked for; gives the rows that came."""
    stream = cast(AsyncGenerator[bytes, None], await house.desk.export(DETECTIVE, search_id))
    rows = 0
    for _ in range(pages + 1):
        piece = await anext(stream)
        rows += piece.count(b"\r\n")
    await stream.aclose()
    return rows - 1 - 100  # without the header, and without the page that was never asked past


@pytest.mark.parametrize("engine", ["memory", "chdb"])
async def test_a_broken_off_export_counts_what_really_left(tmp_path: Path, engine: str) -> None:
    async with archive_house(tmp_path, engine=engine, export_page=100) as house:
        search_id = await fill(house, 2500)
        house.lookups.said.clear()
        assert await take(house, search_id, 7) == 700
        assert [said[0] for said in house.lookups.said] == ["begin", "deliver"]
        assert house.lookups.delivered == [(700, "cancelled")]
        house.lookups.said.clear()
        assert await asyncio.gather(take(house, search_id, 7), take(house, search_id, 7)) == [700, 700]
        assert house.lookups.delivered == [(700, "cancelled")] * 2
        house.lookups.said.clear()
        whole = b"".join([piece async for piece in await house.desk.export(DETECTIVE, search_id)])
        assert whole.count(b"\r\n") == 2501
        assert house.lookups.delivered == [(2500, "")]


async def test_the_question_is_on_record_before_anything_is_fetched(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        search_id = await fill(house, 10)
        house.lookups.said.clear()
        await house.desk.export(DETECTIVE, search_id)
        assert [said[0] for said in house.lookups.said] == ["begin"]
        with pytest.raises(NotAllowedError):
            await house.desk.open(OTHER, search_id, "", "")
        assert len(house.lookups.said) == 1


async def test_a_fetch_by_another_person_is_a_look_up_of_their_own(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        search_id = await fill(house, 10)
        with pytest.raises(NotFoundError):
            await house.desk.export(OTHER, search_id)
        with pytest.raises(NotFoundError):
            await house.desk.page(OTHER, search_id, "")
        opened = await house.desk.open(OTHER, search_id, "協查", "B-2")
        assert opened.search_id != search_id
        assert (opened.question.purpose, opened.question.case_number) == ("協查", "B-2")
        assert [said[2:6] for said in house.lookups.said if said[0] == "begin"][-1] == (
            "p-lin",
            "reads.search",
            "協查",
            "B-2",
        )
        assert [piece async for piece in await house.desk.export(OTHER, opened.search_id)]
