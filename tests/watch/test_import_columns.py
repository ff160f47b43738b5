"""Columns that no rule of ours knows are matched by the person; a file of plates alone gets its category said once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guardian.watch.import_plan import read_table
from tests.watch.house import House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def test_unknown_headers_are_told_with_a_sample_and_matched_by_place(house: House) -> None:
    body = "牌,何種,牌\nABC-1235,失竊,x\n".encode()
    plan = await house.importer.plan("stolen", body, house.lin)
    assert plan.problem_reference == "import-columns-missing"
    assert (plan.header, plan.first) == (("牌", "何種", "牌"), ("ABC-1235", "失竊", "x"))
    plan = await house.importer.plan("stolen", body, house.lin, columns={"plate": "#1", "category": "何種"})
    assert (plan.problem, plan.added, plan.refused) == ("", 1, 0)
    assert plan.columns == {"plate": "牌", "category": "何種"}


async def test_a_file_without_headers_loses_no_row(house: House) -> None:
    body = b"ABC-1235\nABC-1236\n"
    assert (await house.importer.plan("stolen", body, house.lin)).problem
    columns = {"plate": "#1", "category": "=失竊"}
    plan = await house.importer.plan("stolen", body, house.lin, columns=columns, headed=False)
    assert (plan.rows, plan.added, plan.header, plan.fixed) == (2, 2, ("第 1 欄",), {"category": "失竊"})
    await house.importer.apply(plan.id, house.lin)
    assert {entry.text for entry in (await house.entries()).values()} == {"ABC1235", "ABC1236"}


async def test_what_is_given_for_every_row_is_checked_like_a_cell(house: House) -> None:
    columns = {"plate": "#1", "category": "=不知道"}
    plan = await house.importer.plan("stolen", b"ABC-1235\n", house.lin, columns=columns, headed=False)
    assert (plan.added, plan.refused, plan.report[0].cell) == (0, 1, "category")


def test_no_column_is_used_where_the_person_says_so() -> None:
    body = "車號,類別,備註\nABC-1235,失竊,x\n".encode()
    assert read_table(body).columns == {"plate": 0, "category": 1, "remark": 2}
    assert read_table(body, chosen={"remark": ""}).columns == {"plate": 0, "category": 1}
    assert read_table(body, chosen={"plate": "#9"}).reference == "import-columns-missing"
    assert read_table(body, chosen={"plate": "=ABC-1235"}).reference == "import-columns-missing", (
        "a plate is never given"
    )


async def test_a_chosen_encoding_is_kept_and_said_to_be_chosen(house: House) -> None:
    body = "車號,類別\nABC-1235,失竊\n".encode("big5")
    found = await house.importer.plan("stolen", body, house.lin)
    assert (found.encoding, found.encoding_chosen, found.added) == ("Big5", False, 1)
    forced = await house.importer.plan("stolen", body, house.lin, encoding="utf-8")
    assert (forced.encoding, forced.encoding_chosen) == ("UTF-8", True)
    assert forced.problem_reference == "import-columns-missing"
