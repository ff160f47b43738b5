"""The search desk: what stands on record, whose search it is, what a newer question does to an older one, the file."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from guardian.archive.desk import CSV_HEADER, SEARCH_KEPT_MS, SearchReplacedError, elements_of
from guardian.archive.question import PAGE_MAX, understand
from guardian.archive.views import Area, SearchRequest
from guardian.domain.errors import GuardianError, InputRefusedError, NotFoundError
from guardian.domain.position import Position
from guardian.domain.read import PhotoRef, VehicleLook
from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import DETECTIVE, OTHER, ArchiveHouse, archive_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ArchiveHouse]:
    async with archive_house(tmp_path, export_page=2) as opened:
        yield opened


def elements(plate: str = "", **more: Any) -> dict[str, str]:
    request = SearchRequest(purpose="x", case_number="x", plate=plate, from_ms=NOW_MS - 1000, **more)
    found = elements_of(request, understand(request, now_ms=NOW_MS))
    assert found.pop("from") == "2026-11-25T17:46:39.000+08:00"
    return found


def test_everything_that_was_asked_stands_on_record_as_an_auditor_reads_it() -> None:
    assert elements() == {}
    assert elements("abc1235") == {"plate": "ABC-1235"} and elements("abc-12*") == {"plate": "ABC12*"}
    assert elements("ABC-1235", lookalike=True) == {"plate": "ABC-1235", "lookalike": "yes"}
    assert elements(until_ms=NOW_MS) == {"until": "2026-11-25T17:46:40.000+08:00"}
    many = {
        "device_ids": ("car-1", "car-2"),
        "units": ("大安 1", "大安 2"),
        "colours": ("red",),
        "kinds": ("car", "bus"),
    }
    assert elements(**many) == {
        "devices": "car-1, car-2", "units": "大安 1, 大安 2", "colours": "red", "kinds": "car, bus",
    }  # fmt: skip
    box = Area(24.7, 24.9, 120.9, 121.0)
    assert elements(area=box) == {"area": "24.70000,120.90000 – 24.90000,121.00000"}
    assert elements(area=replace(box, name="新" * 70)) == {"area": "新" * 64}
    drawn = Area(polygon=((120.9, 24.7), (121.0, 24.7), (121.0, 24.9), (120.9, 24.7)))
    assert elements(area=drawn)["area"].startswith("24.70000,120.90000 – 24.90000,121.00000 (")


async def test_a_page_has_one_to_two_hundred_reads_and_else_nothing_is_asked(house: ArchiveHouse) -> None:
    for size in (0, -1, PAGE_MAX + 1):
        with pytest.raises(InputRefusedError) as refused:
            await house.ask("ABC-1235", page_size=size)
        assert refused.value.reference == "page-size"
    assert house.lookups.said == [], "refused before it is a look-up"
    await house.send([make_read(n) for n in range(3)])
    assert [len((await house.ask("ABC-1235", page_size=size)).rows) for size in (1, PAGE_MAX)] == [1, 3]


async def test_pages_are_look_ups_of_their_own_that_walk_what_was_there_and_tell_what_came(house: ArchiveHouse) -> None:
    await house.send([make_read(n, captured_ms=NOW_MS - 1000 * n) for n in range(1, 6)])
    first = await house.ask("ABC-1235", page_size=2)
    assert (len(first.rows), first.count, first.newer, len(first.histogram) > 0) == (2, 5, 0, True)
    assert [(plate.text, plate.reads) for plate in first.plates] == [("ABC1235", 5)]
    await house.send([make_read(9)])
    await house.filler.settle(60)
    house.lookups.said.clear()
    second = await house.desk.page(DETECTIVE, first.search_id, first.next_cursor)
    assert (len(second.rows), second.count, second.newer, second.plates, second.histogram) == (2, 5, 1, (), ())
    again = await house.desk.page(DETECTIVE, first.search_id, "")
    assert [row.id for row in again.rows] == [row.id for row in first.rows] and again.histogram
    begun = [said[6]["page"] for said in house.lookups.said if said[0] == "begin"]
    assert begun == ["further", "first"] and house.lookups.delivered == [(2, ""), (2, "")]
    assert len({first.lookup_id, second.lookup_id, again.lookup_id}) == 3


async def test_a_wild_question_says_how_often_each_plate_answers_and_which_rows_only_look_alike(
    house: ArchiveHouse,
) -> None:
    await house.send([make_read(1, "ABC1235"), make_read(2, "ABC1236"), make_read(3, "ABC1236")])
    wild = await house.ask("ABC-12*")
    assert sorted((plate.text, plate.reads) for plate in wild.plates) == [("ABC1235", 1), ("ABC1236", 2)]
    assert not any(row.lookalike for row in wild.rows)
    alike = await house.ask("ABC-1235", lookalike=True)
    assert sorted((row.id, row.lookalike) for row in alike.rows) == [
        ("car-1.1.1", False), ("car-1.1.2", True), ("car-1.1.3", True),
    ]  # fmt: skip
    assert sorted((plate.text, plate.reads) for plate in alike.plates) == [("ABC1235", 1), ("ABC1236", 2)]


async def test_pictures_of_the_page_are_granted_to_the_asker_and_to_nobody_else(house: ArchiveHouse) -> None:
    sha = "ab" * 32
    await house.send([make_read(1, crop=PhotoRef(sha, NOW_MS))])
    for lookup_id in (
        (await house.ask("ABC-1235")).lookup_id,
        (await house.desk.detail(DETECTIVE, "car-1.1.1", "偵查", "A-1")).row.crop_url.partition("lookup:")[2],
    ):
        assert await house.grants.allows(DETECTIVE, f"lookup:{lookup_id}", sha)
        assert not await house.grants.allows(OTHER, f"lookup:{lookup_id}", sha)
        assert not await house.grants.allows(DETECTIVE, f"lookup:{lookup_id}", "cd" * 32)


async def test_a_search_is_forgotten_after_thirty_days_and_not_before(house: ArchiveHouse) -> None:
    await house.send([make_read(1)])
    first = await house.ask("ABC-1235")
    house.clock[0] += SEARCH_KEPT_MS
    await house.ask("ABC-1235")
    assert (await house.desk.page(DETECTIVE, first.search_id, "")).search_id == first.search_id
    house.clock[0] += 1
    await house.ask("ABC-1235")
    for attempt in (
        house.desk.page(DETECTIVE, first.search_id, ""),
        house.desk.export(DETECTIVE, first.search_id),
        house.desk.open(OTHER, first.search_id, "協查", "B-2"),
    ):
        with pytest.raises(NotFoundError) as gone:
            await attempt
        assert gone.value.reference == "search-not-found"


async def test_a_read_that_is_not_there_is_on_record_as_asked_for_and_not_given(house: ArchiveHouse) -> None:
    with pytest.raises(NotFoundError) as gone:
        await house.desk.detail(DETECTIVE, "car-1.1.99", "偵查", "A-1")
    assert gone.value.reference == "read-not-found"
    assert house.lookups.said[0][6] == {"read": "car-1.1.99"} and house.lookups.delivered == [(0, "read-not-found")]
    with pytest.raises(InputRefusedError):
        await house.desk.detail(DETECTIVE, "no id of a read", "偵查", "A-1")
    assert len(house.lookups.delivered) == 1, "what is no id is no look-up"


class Gate:
    """Holds the archive's pages until it is opened."""

    def __init__(self, house: ArchiveHouse, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        page = house.archive.page

        async def held(*args: Any, **more: Any) -> Any:
            if not self.reached.is_set():
                self.reached.set()
                await self.open.wait()
            return await page(*args, **more)

        monkeypatch.setattr(house.archive, "page", held)


async def test_a_newer_question_of_the_session_takes_the_place_of_the_older_one(
    house: ArchiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.send([make_read(1)])
    gate = Gate(house, monkeypatch)
    older = asyncio.ensure_future(house.ask("ABC-1235"))
    await gate.reached.wait()
    assert (await house.ask("ABC-1236")).normal == "ABC-1236"
    with pytest.raises(SearchReplacedError):
        await older
    assert sorted(house.lookups.delivered) == [(0, ""), (0, "cancelled")]
    assert house.desk._running == {} and house.desk._replaced == set()


async def test_a_question_of_another_session_of_the_same_person_disturbs_nobody(
    house: ArchiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.send([make_read(1)])
    gate = Gate(house, monkeypatch)
    older = asyncio.ensure_future(house.ask("ABC-1235"))
    await gate.reached.wait()
    await house.ask("ABC-1236", subject=replace(DETECTIVE, session_id="session-9"))
    gate.open.set()
    assert (await older).count == 1


async def test_a_question_whose_asker_has_gone_is_closed_as_cancelled(
    house: ArchiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.send([make_read(1)])
    gate = Gate(house, monkeypatch)
    asked = asyncio.ensure_future(house.ask("ABC-1235"))
    await gate.reached.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert house.lookups.delivered == [(0, "cancelled")] and house.desk._running == {}


async def test_what_goes_wrong_while_answering_is_on_record_by_its_reference(
    house: ArchiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.send([make_read(n) for n in range(5)])
    search_id = (await house.ask("ABC-1235")).search_id
    page, calls = house.archive.page, 0

    async def fails_at_the_second(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise GuardianError("The engine has gone.", reference="engine-gone")
        return await page(*args, **more)

    monkeypatch.setattr(house.archive, "page", fails_at_the_second)
    house.lookups.said.clear()
    stream = await house.desk.export(DETECTIVE, search_id)
    with pytest.raises(GuardianError):
        _ = [piece async for piece in stream]
    assert house.lookups.delivered == [(2, "engine-gone")], "two had left"
    calls = 1
    with pytest.raises(GuardianError):
        await house.ask("ABC-1235")
    calls = 1
    with pytest.raises(GuardianError):
        await house.desk.export(DETECTIVE, search_id)
    assert house.lookups.delivered[1:] == [(0, "engine-gone"), (0, "engine-gone")]


async def test_no_file_is_made_of_more_reads_than_one_may_hold(
    house: ArchiveHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.send([make_read(n) for n in range(3)])
    search_id = (await house.ask("ABC-1235")).search_id
    house.lookups.said.clear()
    monkeypatch.setattr("guardian.archive.desk.EXPORT_MAX", 2)
    with pytest.raises(InputRefusedError) as refused:
        await house.desk.export(DETECTIVE, search_id)
    assert refused.value.reference == "export-too-large"
    assert house.lookups.delivered == [(0, "export-too-large")]
    monkeypatch.setattr("guardian.archive.desk.EXPORT_MAX", 3)
    assert [piece async for piece in await house.desk.export(DETECTIVE, search_id)]


async def test_a_file_has_one_header_and_each_figure_under_its_own_word(house: ArchiveHouse) -> None:
    place = Position(24.80, 120.96, NOW_MS)
    await house.send(
        [make_read(1, "ABC1235", position=place, look=VehicleLook(kind="car", colour="white"), unit="大安 1")]
        + [make_read(n, "ABC1236", captured_ms=NOW_MS - n, position=None) for n in (2, 3, 4, 5)]
    )
    search_id = (await house.ask("ABC-1235", lookalike=True)).search_id
    body = b"".join([piece async for piece in await house.desk.export(DETECTIVE, search_id)]).decode()
    assert body.startswith("\ufeff") and body.count("\ufeff") == 1
    header, *rows = list(csv.reader(io.StringIO(body[1:], newline="")))
    assert header == list(CSV_HEADER) and len(rows) == 5
    by_id = {row[-1]: dict(zip(header, row, strict=True)) for row in rows}
    exact, alike = by_id["car-1.1.1"], by_id["car-1.1.2"]
    assert (exact["近似"], alike["近似"]) == ("", "近似")
    assert (float(exact["緯度"]), float(exact["經度"]), alike["緯度"]) == (24.8, 120.96, "")
    assert (exact["拍攝時間"], exact["收到時間"]) == ("2026-11-25T17:45:40.000+08:00", "2026-11-25T17:46:40.000+08:00")
    assert (exact["設備"], exact["勤務單位"], exact["車種"], exact["顏色"], exact["時間存疑"]) == (
        "car-1", "大安 1", "car", "white", "",
    )  # fmt: skip
