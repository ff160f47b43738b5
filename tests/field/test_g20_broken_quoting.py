"""G20: one quotation mark that is never closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.house import open_house

pytestmark = pytest.mark.anyio

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
BROKEN = '"車主稱 ”遭竊”'


def plate(n: int) -> str:
    digits = "012356789"
    a, b = divmod(n, 9**4)
    number = "".join(digits[b // 9**k % 9] for k in (3, 2, 1, 0))
    return f"{LETTERS[a // 24]}{LETTERS[a % 24]}K-{number}"


def file_of(rows: int, remark_of_line: dict[int, str]) -> bytes:
    lines = ["車號,類別,備註"] + [f"{plate(n)},失竊,{remark_of_line.get(n + 2, '好')}" for n in range(rows)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("rows", [20, 40_000])
async def test_an_open_quote_costs_its_own_line_and_says_so(rows: int, tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", file_of(rows, {2: BROKEN}), house.lin)
        assert (plan.rows, plan.added, plan.refused) == (rows, rows - 1, 1)
        row = plan.report[0]
        assert (row.line, row.reference) == (2, "row-open-quote")
        assert "第 2 列" in row.sentence and "引號" in row.sentence
        await house.importer.apply(plan.id, house.lin)
        assert (await house.keeper.lists_view()).lists[0].entries == rows - 1


async def test_a_quoted_line_break_stays_one_row_and_later_rows_keep_their_line(tmp_path: Path) -> None:
    body = file_of(5, {3: '"第一行\n第二行"', 5: BROKEN})
    # The line break moves what follows by one line.
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", body, house.lin)
        await house.importer.apply(plan.id, house.lin)
        remarks = [entry.remark for entry in (await house.entries()).values()]
    assert "第一行\n第二行" in remarks
    assert [(row.line, row.reference) for row in plan.report if row.group == "refused"] == [(6, "row-open-quote")]
