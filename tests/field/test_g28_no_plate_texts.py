"""G28: what people write when there is no plate never becomes an entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.watch.drafts import EntryRefusedError
from guardian.watch.views import EntryDraft
from tests.watch.house import open_house

pytestmark = pytest.mark.anyio

TEXTS = ["無牌", "不明", "NULL", "N/A", "無", "-", "0", "000-0000", "XXX-XXXX", "TEST", ""]


async def test_none_becomes_an_entry_by_file_or_form(tmp_path: Path) -> None:
    body = "車號,類別,備註\n" + "\n".join(f"{text},失竊,x" for text in TEXTS)
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", body.encode(), house.lin)
        assert (plan.refused, plan.added) == (len(TEXTS), 0)
        assert all(row.sentence and row.hint and row.cell == "plate" for row in plan.report)
        for text in TEXTS:
            with pytest.raises(EntryRefusedError) as refused:
                await house.save(put=[EntryDraft(text, "失竊")])
            assert refused.value.zh
        assert await house.entries() == {}
