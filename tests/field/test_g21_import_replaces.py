"""G21: an import that replaces removes nothing that nobody agreed to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guardian.domain.errors import ConflictError
from tests.field.test_g20_broken_quoting import file_of, plate
from tests.watch.house import House, apply_update, open_house

pytestmark = pytest.mark.anyio

COUNT = 5_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        plan = await opened.importer.plan("stolen", file_of(COUNT, {}), opened.lin)
        await opened.importer.apply(plan.id, opened.lin)
        yield opened


async def test_an_empty_file_removes_nothing_until_the_number_is_confirmed(house: House) -> None:
    plan = await house.importer.plan("stolen", "車號,類別\n".encode(), house.lin, mode="replace")
    assert (plan.removed, plan.entries_before) == (COUNT, COUNT)
    assert plan.needs_confirmation == "移除 5,000 筆中的 5,000 筆"
    for confirmed in (None, 0, COUNT - 1):
        with pytest.raises(ConflictError) as refused:
            await house.importer.apply(plan.id, house.lin, confirm_removal=confirmed)
        assert refused.value.reference == "import-removal"
    assert len(await house.entries()) == COUNT
    await house.importer.apply(plan.id, house.lin, confirm_removal=COUNT)
    assert await house.entries() == {}


async def test_three_rows_of_five_thousand_and_back_again_also_on_devices(house: House) -> None:
    before = await house.entries()
    device = apply_update({}, await house.update(0))
    plan = await house.importer.plan("stolen", file_of(3, {}), house.lin, mode="replace")
    assert (plan.same, plan.removed) == (3, COUNT - 3)
    plan = await house.importer.apply(plan.id, house.lin, confirm_removal=COUNT - 3)
    device = apply_update(device, await house.update(1))
    assert len(device) == 3
    undone = await house.importer.undo(plan.id, house.lin)
    assert undone.state == "undone"
    assert await house.entries() == before
    assert apply_update(device, await house.update(2)) == before
    with pytest.raises(ConflictError):
        await house.importer.undo(plan.id, house.lin)


async def test_columns_of_another_list_change_nothing(house: House) -> None:
    body = "設備編號,名稱\n1,大安\n".encode()
    for mode in ("add", "replace"):
        plan = await house.importer.plan("stolen", body, house.lin, mode=mode)
        assert "車號" in plan.problem and plan.removed == 0
        with pytest.raises(ConflictError) as refused:
            await house.importer.apply(plan.id, house.lin, confirm_removal=0)
        assert refused.value.reference == "import-problem"
    assert len(await house.entries()) == COUNT


async def test_a_refused_row_does_not_remove_the_entry_that_it_names(house: House) -> None:
    body = file_of(COUNT, {}).decode().replace(f"{plate(7)},失竊", f"{plate(7)},沒有這種類別").encode()
    plan = await house.importer.plan("stolen", body, house.lin, mode="replace")
    assert (plan.refused, plan.removed) == (1, 0)


async def test_a_plan_for_a_list_that_has_changed_since_is_made_anew(house: House) -> None:
    plan = await house.importer.plan("stolen", file_of(3, {2: "改"}), house.lin)
    await house.enter("ZZZ-9999")
    with pytest.raises(ConflictError) as refused:
        await house.importer.apply(plan.id, house.lin)
    assert refused.value.reference == "import-stale"


async def test_an_import_is_applied_once_and_one_that_changes_nothing_has_nothing_to_undo(house: House) -> None:
    plan = await house.importer.plan("stolen", file_of(COUNT, {}), house.lin)
    assert (plan.same, plan.added) == (COUNT, 0)
    await house.importer.apply(plan.id, house.lin)
    with pytest.raises(ConflictError) as again:
        await house.importer.apply(plan.id, house.lin)
    assert again.value.reference == "import-applied"
    with pytest.raises(ConflictError):
        await house.importer.undo(plan.id, house.lin)
    assert house.keeper.newest.version == 1
