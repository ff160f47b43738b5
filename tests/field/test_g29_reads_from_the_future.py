"""G29 (ingest): times that cannot be true are set apart and never the newest; a person may keep them, by receipt."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.archive.model import KEPT_MS
from guardian.archive.views import QuarantineDeed
from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import OPERATOR, ArchiveHouse, archive_house

pytestmark = pytest.mark.anyio
WEEK_MS = 7 * 86_400_000


async def send_g29(house: ArchiveHouse) -> None:
    reads = [make_read(n, captured_ms=NOW_MS - 100_000 + n * 1000) for n in range(100)]
    for place, captured_ms in [
        (50, 1_924_992_000_000),
        (51, 946_684_799_000),
        (52, NOW_MS + WEEK_MS),
        (53, NOW_MS + 120_000),
    ]:
        reads[place] = make_read(place, captured_ms=captured_ms)
    answer = await house.send(reads)
    assert (answer.stored, answer.quarantined) == (97, 3)
    assert [(v.index, v.verdict, v.reason) for v in answer.exceptions] == [
        (n, "quarantined", "time-doubtful") for n in (50, 51, 52)
    ]


@pytest.mark.parametrize("engine", ["memory", "chdb"])
async def test_times_that_cannot_be_true_are_set_apart(tmp_path: Path, engine: str) -> None:
    async with archive_house(tmp_path, engine=engine) as house:
        await send_g29(house)
        answer = await house.ask("ABC-1235", page_size=200)
        assert len(answer.rows) == 97
        assert answer.rows[0].captured_ms == NOW_MS + 120_000
        assert {50, 51, 52}.isdisjoint(int(row.id.rsplit(".", 1)[1]) for row in answer.rows)
        assert [(g.reason, g.items, g.newest_ms) for g in (await house.quarantine.view()).groups] == [
            ("time-doubtful", 3, NOW_MS)
        ]


@pytest.mark.parametrize("engine", ["memory", "chdb"])
async def test_a_person_may_keep_them_ordered_and_retained_by_receipt(tmp_path: Path, engine: str) -> None:
    async with archive_house(tmp_path, engine=engine) as house:
        await send_g29(house)
        house.clock[0] += 3_600_000
        await house.send([make_read(200, captured_ms=house.clock[0] - 1000)])
        items = (await house.quarantine.items("time-doubtful")).items
        done = await house.quarantine.replay(OPERATOR, QuarantineDeed(tuple(item.id for item in items)))
        assert (done.passed, done.held) == (3, 0)
        answer = await house.ask("ABC-1235", page_size=200)
        assert answer.rows[0].id == "car-1.1.200"
        assert [row.id for row in answer.rows if row.time_doubtful] == ["car-1.1.52", "car-1.1.51", "car-1.1.50"]
        assert all(row.received_ms == NOW_MS for row in answer.rows if row.time_doubtful)
        assert [body["count"] for body in house.events.of("reads.stored") if body.get("time_doubtful")] == [3]
        assert not any(held.time_doubtful for held in await house.archive.recent(200))
        house.clock[0] = NOW_MS + KEPT_MS
        assert sum(row.time_doubtful for row in (await house.ask("ABC-1235", page_size=200)).rows) == 3
        house.clock[0] = NOW_MS + KEPT_MS + 1
        assert not any(row.time_doubtful for row in (await house.ask("ABC-1235", page_size=200)).rows)
