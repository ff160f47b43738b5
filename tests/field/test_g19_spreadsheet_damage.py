"""G19: plates that a spreadsheet turned into numbers (also G61, the typed text of what comes in)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.house import open_house

pytestmark = pytest.mark.anyio

FILE = """車號,類別,案號
3.00E-12,失竊,A1130001
480580,失竊,A1130002
6E-8080,失竊,A1130003
="0480580",失竊,A1130004
'0480581,失竊,A1130005
"""


async def test_damaged_numbers_are_refused_with_what_they_may_have_been_and_nothing_is_guessed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", b"\xef\xbb\xbf" + FILE.encode(), house.lin)
        await house.importer.apply(plan.id, house.lin)
        held = {entry.text for entry in (await house.entries()).values()}
    refused = {row.line: row for row in plan.report if row.group == "refused"}
    assert set(refused) == {2, 3}
    assert "3E-0012" in refused[2].sentence and "試算表" in refused[2].sentence
    assert "was it 3E-0012?" in refused[2].sentence_en
    assert "048-0580" in refused[3].sentence
    assert held == {"6E8080", "0480580", "0480581"}


async def test_the_same_plate_in_two_kinds_of_armour_is_one_plate(tmp_path: Path) -> None:
    body = FILE.replace("'0480581", "'0480580").encode()
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", body, house.lin)
    repeated = [row for row in plan.report if row.reference == "row-repeated"]
    assert [(row.line, row.raw) for row in repeated] == [(6, "0480580")]
    assert "第 5 列" in repeated[0].sentence
