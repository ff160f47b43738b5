"""What every engine of the archive keeps to: the same answers to the same questions.

The memory engine is the plain meaning; the column store must agree with it (field cases G25, G36, G60, G61).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from guardian.archive.area import named_region
from guardian.archive.chdb_engine import ChdbArchive
from guardian.archive.model import KEPT_MS, ArchivedRead
from guardian.archive.ports import Archive
from guardian.archive.question import Cursor, Question, QuestionTooWideError, understand
from guardian.archive.views import Area, SearchRequest
from guardian.domain.errors import InputRefusedError
from guardian.domain.plate import PlateTextError
from guardian.domain.position import Position
from guardian.domain.read import VehicleLook
from guardian.roads.areas import default_areas
from tests.archive.builders import NOW_MS, held, make_read, pack
from tests.archive.house import open_engine

pytestmark = pytest.mark.anyio
ALL = 2**60
DAY_MS = 86_400_000
EVEN = {"from_ms": NOW_MS - DAY_MS, "until_ms": NOW_MS + 1}


@pytest.fixture(params=["memory", "chdb"])
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Archive]:
    opened = open_engine(request.param, tmp_path, lambda: NOW_MS)
    yield opened
    await opened.close()


async def put(archive: Archive, *rows: ArchivedRead, fill: str = "t1") -> None:
    await archive.insert(rows, [pack(row.read) for row in rows], token=fill)


def question(plate: str = "", **more: Any) -> Question:
    return understand(SearchRequest(purpose="p", case_number="c", plate=plate, **more), now_ms=NOW_MS)


async def texts(archive: Archive, asked: Question, **more: Any) -> list[str]:
    page = await archive.page(asked, cursor=None, limit=200, as_of=more.get("as_of", ALL))
    assert (await archive.count(asked, as_of=more.get("as_of", ALL))).count == len(page.reads)
    return sorted(row.read.text for row in page.reads)


async def test_what_goes_in_comes_out_whole(archive: Archive) -> None:
    row = held(make_read(7, position=None, unit="信義 'x' \\ 3"), number=5, received_ms=NOW_MS - 1)
    await put(archive, row)
    assert await archive.find_many([row.read.id, "car-1.1.8"]) == {row.read.id: row}
    page = await archive.page(question("ABC-1235"), cursor=None, limit=50, as_of=ALL)
    assert page.reads == (row,)
    assert page.next is None


async def test_the_same_token_again_changes_nothing(archive: Archive) -> None:
    rows = [held(make_read(n, f"ABC{n:04d}")) for n in range(100)]
    for _ in range(3):
        await put(archive, *rows, fill="fill-1")
    assert (await archive.count(question(**EVEN), as_of=ALL)).count == 100
    assert len(await archive.recent(200)) == 100
    assert sum(reads for _, reads in await archive.plates(question(**EVEN), as_of=ALL, limit=200)) == 100


async def test_wildcards_mean_the_same_everywhere(archive: Archive) -> None:  # G25
    stored = ["ABC1235", "ABD1235", "XBC1235", "ABC123", "AB1235", "ABCD1235", "ABC1236", "1235ABC"]
    await put(archive, *(held(make_read(n, text)) for n, text in enumerate(stored)))
    for pattern, right in {
        "ABC-1235": ["ABC1235"],
        "ab?-1235": ["ABC1235", "ABD1235"],
        "AB?1235": ["ABC1235", "ABD1235"],
        "AB*1235": ["AB1235", "ABC1235", "ABCD1235", "ABD1235"],
        "*1235": ["AB1235", "ABC1235", "ABCD1235", "ABD1235", "XBC1235"],
        "?BC1235": ["ABC1235", "XBC1235"],
        "*BC12*": ["ABC123", "ABC1235", "ABC1236", "XBC1235"],
        "ABC123？": ["ABC1235", "ABC1236"],
        "*35AB*": ["1235ABC"],
        "ABC": [],
    }.items():
        assert await texts(archive, question(pattern)) == sorted(right), pattern


@pytest.mark.parametrize("typed", ["AB_-1235'", "AB%", "AB[CD]1235", "AB\\_", "ABC1235'--", "ABC;1235", "ＡＢ％"])
async def test_signs_that_no_plate_has_are_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(PlateTextError) as refusal:
        question(typed)
    assert refusal.value.sentence


async def test_names_with_quotes_and_backslashes_are_values_and_nothing_else(archive: Archive) -> None:
    nasty = ["信義 3", "x' OR '1'='1", "\\", "\\'", "'); DROP TABLE reads --", "%", "_"]
    await put(archive, *(held(make_read(n, unit=unit)) for n, unit in enumerate(nasty)))
    for unit in nasty:
        page = await archive.page(question("ABC-1235", units=(unit,)), cursor=None, limit=50, as_of=ALL)
        assert [row.read.unit for row in page.reads] == [unit]


async def test_lookalikes_come_with_one_edit_or_confusable_pairs(archive: Archive) -> None:
    stored = ["ABC1235", "ABC1236", "A8C1235", "A8C123S", "BAC1235", "ABC123", "ABCD1235", "XYZ9999", "QQC1299"]
    await put(archive, *(held(make_read(n, text)) for n, text in enumerate(stored)))
    near = question("ABC1235", lookalike=True)
    assert await texts(archive, near) == sorted(stored[:7])
    assert [near.is_lookalike(text) for text in stored[:2]] == [False, True]
    assert await texts(archive, question("ABC123?", lookalike=True)) == sorted(
        ["ABC1235", "ABC1236", "A8C1235", "A8C123S"]
    )


async def test_newest_first_with_ties_each_once_and_late_arrivals_announced(archive: Archive) -> None:  # G36
    at_ms = NOW_MS - 3_600_000
    first = [held(make_read(n, captured_ms=at_ms), number=1) for n in range(1000)]
    shuffled = first.copy()
    random.Random(36).shuffle(shuffled)
    await put(archive, *shuffled)
    asked = question("ABC-1235")
    seen: list[str] = []
    pages = []
    cursor = None
    while True:
        page = await archive.page(asked, cursor=cursor, limit=50, as_of=1)
        pages.append((cursor, page))
        seen += [row.read.id for row in page.reads]
        if len(pages) == 3:
            newer = [held(make_read(2000 + n, captured_ms=at_ms + 5), number=2) for n in range(20)]
            older = [held(make_read(3000 + n, captured_ms=at_ms - 5), number=2) for n in range(20)]
            await put(archive, *newer, *older, fill="t2")
        if page.next is None:
            break
        cursor = page.next
    assert len(seen) == len(set(seen)) == 1000
    assert seen == [row.read.id for row in sorted(first, key=lambda row: row.key, reverse=True)]
    assert await archive.newer(asked, as_of=1) == 40
    cursor, page = pages[3]
    assert await archive.page(asked, cursor=cursor, limit=50, as_of=1) == page
    anew = await archive.page(asked, cursor=None, limit=50, as_of=2)
    assert [row.read.sequence for row in anew.reads[:20]] == list(range(2019, 1999, -1))


async def test_order_follows_milliseconds_and_device(archive: Archive) -> None:
    rows = [
        held(make_read(n, captured_ms=NOW_MS - 5000 + ms, device_id=device))
        for n, (ms, device) in enumerate([(1, "car-2"), (999, "car-1"), (1, "car-10"), (1000, "car-1"), (0, "zz")])
    ]
    await put(archive, *rows)
    page = await archive.page(question("ABC-1235"), cursor=None, limit=2, as_of=ALL)
    rest = await archive.page(question("ABC-1235"), cursor=page.next, limit=50, as_of=ALL)
    assert [*page.reads, *rest.reads] == sorted(rows, key=lambda row: row.key, reverse=True)


async def test_times_are_exact_to_the_millisecond(archive: Archive) -> None:
    base = NOW_MS - 3_600_000
    rows = [held(make_read(n, captured_ms=base + n)) for n in (0, 1, 499, 500, 999, 1000, 1001)]
    await put(archive, *rows)
    for from_ms, until_ms in [
        (base, base + 1),
        (base + 1, base + 500),
        (base + 500, base + 1001),
        (base + 999, base + 1000),
    ]:
        for plate in ("ABC-1235", ""):
            asked = question(plate, from_ms=from_ms, until_ms=until_ms)
            page = await archive.page(asked, cursor=None, limit=50, as_of=ALL)
            right = sorted((r for r in rows if from_ms <= r.ts_ms < until_ms), key=lambda r: r.key, reverse=True)
            assert list(page.reads) == right


@pytest.mark.parametrize(
    "area",
    [
        Area(24.79, 24.81, 120.95, 120.97),
        Area(24.81, 24.79, 120.97, 120.95),
        Area(24.81, 24.79, 120.95, 120.97),
        Area(polygon=((120.95, 24.79), (120.97, 24.79), (120.97, 24.81), (120.95, 24.81))),
        Area(polygon=((120.95, 24.79), (120.95, 24.81), (120.97, 24.81), (120.97, 24.79), (120.95, 24.79))),
        Area(21.5, 25.5, 119.0, 122.4),
    ],
)
async def test_a_read_is_found_by_each_sensible_area(archive: Archive, area: Area) -> None:  # G60
    await put(
        archive,
        held(make_read(1)),
        held(make_read(2, position=None)),
        held(make_read(3, position=Position(25.6, 121.0, NOW_MS))),
    )
    page = await archive.page(question(area=area, **EVEN), cursor=None, limit=50, as_of=ALL)
    assert [row.read.sequence for row in page.reads] == [1]


async def test_polygons_and_boxes_agree_with_the_plain_meaning(archive: Archive) -> None:
    rng = random.Random(60)
    rows = [
        held(
            make_read(n, position=Position(24.80 + rng.uniform(-0.02, 0.02), 120.96 + rng.uniform(-0.02, 0.02), NOW_MS))
        )
        for n in range(400)
    ]
    await put(archive, *rows)
    for _ in range(6):
        ring = tuple(
            (120.96 + rng.uniform(-0.02, 0.02), 24.80 + rng.uniform(-0.02, 0.02)) for _ in range(rng.randint(3, 9))
        )
        asked = question(area=Area(polygon=ring), **EVEN)
        page = await archive.page(asked, cursor=None, limit=200, as_of=ALL)
        right = {row.read.id for row in rows if asked.is_answered_by(row)}
        found = {row.read.id for row in page.reads}
        assert found <= right and len(found) == min(200, len(right))
        assert (await archive.count(asked, as_of=ALL)).count == len(right)


async def test_devices_and_units_narrow(archive: Archive) -> None:
    await put(
        archive,
        held(make_read(1, device_id="car-1", unit="信義 3")),
        held(make_read(1, device_id="car-2", unit="信義 3")),
        held(make_read(1, device_id="car-3", unit="大安 1")),
    )
    for more, right in [
        ({"device_ids": ("car-1", "car-3")}, ["car-3", "car-1"]),
        ({"units": ("信義 3",)}, ["car-2", "car-1"]),
        ({"units": ("大安 1",), "device_ids": ("car-1",)}, []),
    ]:
        page = await archive.page(question("ABC-1235", **more), cursor=None, limit=50, as_of=ALL)
        assert [row.read.device_id for row in page.reads] == right


async def test_counts_are_exact_to_their_bound_and_say_so(archive: Archive) -> None:
    await put(archive, *(held(make_read(n)) for n in range(30)))
    asked = question("ABC-1235")
    for bound, right in [(29, (29, False)), (30, (30, True)), (31, (30, True))]:
        counted = await archive.count(asked, as_of=ALL, count_max=bound)
        assert (counted.count, counted.exact) == right


async def test_histogram_and_plates_group_the_same(archive: Archive) -> None:
    base = NOW_MS - 10 * 60_000
    rows = [held(make_read(n, "ABC1235" if n % 3 else "XYZ9876", captured_ms=base + n * 37_000)) for n in range(12)]
    await put(archive, *rows)
    asked = question(from_ms=base, until_ms=NOW_MS)
    bins = await archive.histogram(asked, as_of=ALL, from_ms=base, bin_ms=60_000)
    assert bins == [
        (base, 2),
        (base + 60_000, 2),
        (base + 120_000, 1),
        (base + 180_000, 2),
        (base + 240_000, 2),
        (base + 300_000, 1),
        (base + 360_000, 2),
    ]
    assert await archive.plates(asked, as_of=ALL) == [("ABC1235", 8), ("XYZ9876", 4)]
    assert await archive.plates(asked, as_of=ALL, limit=1) == [("ABC1235", 8)]


async def test_what_is_due_leaves_every_answer_at_once(archive: Archive) -> None:  # L05
    due = held(make_read(1, captured_ms=NOW_MS - KEPT_MS - 1), received_ms=NOW_MS - KEPT_MS + 10_000)
    last = held(make_read(2, captured_ms=NOW_MS - KEPT_MS))
    kept_by_receipt = held(make_read(3, captured_ms=946_684_799_000), received_ms=NOW_MS - 5000, time_doubtful=True)
    await put(archive, due, last, kept_by_receipt)
    page = await archive.page(question("ABC-1235"), cursor=None, limit=50, as_of=ALL)
    assert page.reads == (kept_by_receipt, last)
    assert set(await archive.find_many([due.read.id, last.read.id])) == {last.read.id}
    assert (await archive.count(question("ABC-1235"), as_of=ALL)).count == 2
    assert len(await archive.find_by_texts(["ABC1235"], 0)) == 2
    assert await archive.plates(question("AB*"), as_of=ALL) == [("ABC1235", 2)]
    assert sum(n for _, n in await archive.histogram(question("ABC-1235"), as_of=ALL, from_ms=0, bin_ms=DAY_MS)) == 2
    assert (await archive.reach())[0] == (NOW_MS - KEPT_MS) // 1000 * 1000
    assert [row.read.sequence for row in await archive.recent(10)] == [2]


async def test_a_new_entry_finds_its_reads_since(archive: Archive) -> None:
    rows = [
        held(make_read(n, text, captured_ms=NOW_MS - n * 1000))
        for n, text in enumerate(["AAA1111", "BBB2222", "AAA1111", "CCC3333"])
    ]
    await put(archive, *rows)
    found = await archive.find_by_texts(["AAA1111", "CCC3333", "ZZZ9999"], NOW_MS - 2500)
    assert [row.read.sequence for row in found] == [0, 2]
    assert await archive.find_by_texts([], 0) == []


async def test_plates_that_look_like_numbers_stay_texts(archive: Archive) -> None:  # G61
    stored = ["0480580", "1E0012", "3E0012", "9E9999", "0012", "NAN", "1E5", "INF", "TRUE"]
    await put(archive, *(held(make_read(n, text)) for n, text in enumerate(stored)))
    page = await archive.page(question(**EVEN), cursor=None, limit=50, as_of=ALL)
    assert sorted(row.read.text for row in page.reads) == sorted(stored)
    assert {text for text, _ in await archive.plates(question(**EVEN), as_of=ALL)} == set(stored)
    assert await texts(archive, question("?E0012")) == ["1E0012", "3E0012"]
    assert await texts(archive, question("0480580")) == ["0480580"]


async def test_a_pattern_of_too_many_plates_needs_a_time(archive: Archive) -> None:
    rows = [held(make_read(n, f"AB{chr(65 + n // 1000)}{n % 1000:04d}")) for n in range(5001)]
    await put(archive, *rows)
    with pytest.raises(QuestionTooWideError) as refusal:
        await archive.page(question("AB*"), cursor=None, limit=50, as_of=ALL)
    assert "time" in refusal.value.hint
    page = await archive.page(question("AB*", **EVEN), cursor=None, limit=50, as_of=ALL)
    assert [row.read.sequence for row in page.reads] == list(range(5000, 4950, -1))
    assert (await archive.count(question("AB*", **EVEN), as_of=ALL)).count == 5001


@pytest.mark.parametrize("typed", ["*", "?", "A*", "*A*", "???", ""])
def test_a_question_that_matches_everything_is_refused_with_what_narrows_it(typed: str) -> None:
    with pytest.raises(QuestionTooWideError) as refusal:
        question(typed)
    assert "characters of the plate" in refusal.value.hint
    assert question(typed, **EVEN)


@pytest.mark.parametrize(
    ("area", "reference"),
    [
        (Area(120.95, 120.97, 24.79, 24.81), "area-swapped"),
        (Area(polygon=((24.79, 120.95), (24.81, 120.95), (24.81, 120.97))), "area-swapped"),
        (Area(51.4, 51.6, -0.2, 0.1), "area-outside"),
        (Area(24.79, 24.81, 120.95, None), "area-form"),
        (Area(), "area-form"),
        (Area(24.79, 24.81, 120.95, 320.97), "area-form"),
        (Area(polygon=((120.95, 24.79), (120.97, 24.79))), "area-form"),
        (Area(polygon=((120.95, 24.79), (120.96, 24.79), (120.97, 24.79))), "area-form"),
        (Area(float("nan"), 24.81, 120.95, 120.97), "area-form"),
    ],
)
def test_areas_that_make_no_sense_are_refused_in_words(area: Area, reference: str) -> None:
    with pytest.raises(InputRefusedError) as refusal:
        question(area=area, **EVEN)
    assert refusal.value.reference == reference


async def test_looks_of_any_kind_go_through(archive: Archive) -> None:
    row = held(make_read(1, look=VehicleLook("機車", "銀", "", "光陽"), position=Position(-33.0, -70.0, NOW_MS)))
    await put(archive, row)
    assert (await archive.recent(1)) == [row]


async def test_colours_and_kinds_narrow_and_the_unseen_answers_none(archive: Archive) -> None:
    looks = [
        VehicleLook("car", "white"),
        VehicleLook("car", "black"),
        VehicleLook("motorcycle", "white"),
        VehicleLook(),
    ]
    await put(archive, *(held(make_read(n, f"ABC000{n}", look=look)) for n, look in enumerate(looks)))
    assert await texts(archive, question(**EVEN, colours=("white",))) == ["ABC0000", "ABC0002"]
    assert await texts(archive, question(**EVEN, colours=("white", "black"), kinds=("car",))) == ["ABC0000", "ABC0001"]
    assert await texts(archive, question(**EVEN, colours=("x' OR '1'='1",))) == []


async def test_a_named_area_means_its_border_with_islands_and_holes(archive: Archive) -> None:
    places = {"ABC0001": (25.0265, 121.5434), "ABC0002": (25.0480, 121.5170), "ABC0003": (24.8015, 120.9716)}
    rows = [
        held(make_read(n, text, position=Position(lat, lon, NOW_MS)))
        for n, (text, (lat, lon)) in enumerate(places.items())
    ]
    await put(archive, *rows, held(make_read(9, "ABC0009", position=None)))

    def inside(name: str) -> Question:
        request = SearchRequest(purpose="p", case_number="c", area=Area(name=name), **EVEN)
        return understand(request, now_ms=NOW_MS, areas=default_areas())

    assert await texts(archive, inside("大安區")) == ["ABC0001"]
    assert await texts(archive, inside("臺北市")) == ["ABC0001", "ABC0002"]
    assert await texts(archive, inside("新竹市東區")) == ["ABC0003"]
    assert await texts(archive, inside("澎湖縣")) == []
    with pytest.raises(InputRefusedError):
        inside("大安")
    square = [[(121.0, 25.0), (121.9, 25.0), (121.9, 25.5), (121.0, 25.5)], [(121.53, 25.0), (121.56, 25.0), (121.56, 25.1), (121.53, 25.1)]]  # fmt: skip
    holed = Question(region=named_region(square), **EVEN)
    assert await texts(archive, holed) == ["ABC0002"], "a ring within a ring is a hole"


async def test_what_is_destroyed_is_gone_from_every_copy_and_the_rest_stays(archive: Archive) -> None:
    edge_ms = NOW_MS - KEPT_MS
    rows = [
        held(make_read(1, "AAA1111", captured_ms=edge_ms - 1)),
        held(make_read(2, "BBB2222", captured_ms=edge_ms - 40 * DAY_MS)),
        held(make_read(3, "AAA1111", captured_ms=edge_ms)),
        held(make_read(4, "CCC3333", captured_ms=NOW_MS * 2), received_ms=edge_ms - 5, time_doubtful=True),
        held(make_read(5, "DDD5555")),
    ]
    await put(archive, *rows)
    due = [row.read.sequence for row in await archive.list_due(edge_ms, after=None, limit=10)]
    assert due == [2, 4, 1], "oldest first; a doubtful time counts from receipt"
    first = await archive.list_due(edge_ms, after=None, limit=1)
    rest = await archive.list_due(edge_ms, after=Cursor(*first[0].key), limit=10)
    assert [row.read.sequence for row in rest] == [4, 1]
    assert await archive.destroy(edge_ms) == 3
    assert await archive.destroy(edge_ms) == 0
    assert await archive.list_due(edge_ms, after=None, limit=10) == []
    assert set(await archive.find_many([row.read.id for row in rows])) == {"car-1.1.3", "car-1.1.5"}
    assert await texts(archive, question("AAA*")) == ["AAA1111"]
    assert await archive.newest_ms() in (NOW_MS - 60_000, (NOW_MS - 60_000) // 1000 * 1000)
    if isinstance(archive, ChdbArchive):
        for table, kept in (("reads", 2), ("sight", 2), ("whole", 2), ("plates FINAL", 2), ("plates_rev FINAL", 2)):
            (count,) = await archive._ask(f"SELECT count() FROM {table}")
            assert count == [kept], table


async def test_a_cancelled_question_ends_in_the_engine_too(tmp_path: Path) -> None:
    archive = ChdbArchive(tmp_path / "archive", now_ms=lambda: NOW_MS, limit_s=60)
    try:
        endless = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"
        running = asyncio.ensure_future(archive._ask(endless, heavy=True))

        async with asyncio.timeout(20):
            while await archive._ask("SELECT count() FROM system.processes") != [[2]]:  # noqa: ASYNC110 - no event there
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        async with asyncio.timeout(
            10
        ):  # the one thread of heavy questions is free again, long before the limit of 60 s
            assert await archive._ask("SELECT 1", heavy=True) == [[1]]
    finally:
        await archive.close()
