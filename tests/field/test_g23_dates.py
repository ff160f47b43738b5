"""G23: days of the Republic's calendar, and a day that counts to its end in Taipei."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.moment import parse_instant
from guardian.watch.drafts import format_expiry
from tests.watch.house import open_house

pytestmark = pytest.mark.anyio

CELLS = ["113/02/29", "1130229", "民國113年2月29日", "115/02/29", "99/12/31", "2026-12-31", "12/31/2026", ""]


async def test_days_are_understood_or_refused_never_guessed(tmp_path: Path) -> None:
    rows = "\n".join(f"ABC-{n}235,失竊,{cell}" for n, cell in zip("01235678", CELLS, strict=True))
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", f"車號,類別,有效期限\n{rows}".encode(), house.lin)
        await house.importer.apply(plan.id, house.lin)
        days = {entry.text: format_expiry(entry.expires_ms) for entry in (await house.entries()).values()}
    assert days == {
        "ABC0235": "2024-02-29", "ABC1235": "2024-02-29", "ABC2235": "2024-02-29", "ABC5235": "2010-12-31",
        "ABC6235": "2026-12-31", "ABC8235": "",
    }  # fmt: skip
    refused = {row.raw: row for row in plan.report if row.group == "refused"}
    assert refused["115/02/29"].reference == "no-such-day"
    assert refused["12/31/2026"].reference == "unclear-date"
    assert all(row.cell == "expires" for row in refused.values())
    ended = [row for row in plan.report if row.group == "added" and row.sentence]
    assert {row.text for row in ended} == {"ABC0235", "ABC1235", "ABC2235", "ABC5235"}
    assert "2010-12-31 已過" in next(row.sentence for row in ended if row.text == "ABC5235")


async def test_a_hit_on_the_last_evening_counts_and_one_after_midnight_does_not(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.enter("ABC-1235", expires="2026-12-31")
        house.now = parse_instant("2027-01-01T08:00:00+08:00")
        evening = house.read("ABC1235", captured_ms=parse_instant("2026-12-31T23:30:00+08:00"))
        morning = house.read("ABC1235", captured_ms=parse_instant("2027-01-01T00:10:00+08:00"), device_id="car-2")
        await house.arrive(evening, morning)
        assert [card.read_id for card in await house.hits()] == [evening.id], "the time of capture decides, not arrival"
