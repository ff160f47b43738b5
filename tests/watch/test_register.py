"""Lists are made, named, closed and opened again; what a closed list held leaves every device at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guardian.domain.errors import ConflictError, GuardianError, InputRefusedError, NotFoundError
from guardian.watch.views import ListCloseRequest, ListNameRequest
from tests.watch.house import House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def names(house: House) -> list[str]:
    return [one.name for one in (await house.keeper.lists_view()).lists if one.closed_ms is None]


async def refusal(deed) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(GuardianError) as refused:
        await deed
    return refused.value.reference


async def test_a_new_list_stands_last_is_empty_and_takes_entries(house: House) -> None:
    made = await house.register.create(ListNameRequest("  大安分局　專案  ", "大安分局"), house.lin)
    assert (await names(house))[-1] == "大安分局 專案"
    assert made.version == 0, "no device is concerned by an empty list"
    await house.enter("ABC-1235", list_id=made.list_id)
    view = next(one for one in (await house.keeper.lists_view()).lists if one.id == made.list_id)
    assert (view.entries, view.source) == (1, "大安分局")


async def test_two_open_lists_never_have_one_name(house: House) -> None:
    made = await house.register.create(ListNameRequest("Project X"), house.lin)
    assert await refusal(house.register.create(ListNameRequest("project x"), house.lin)) == "list-name-taken"
    other = await house.register.create(ListNameRequest("Project Y"), house.lin)
    assert (
        await refusal(house.register.rename(other.list_id, ListNameRequest("PROJECT X"), house.lin))
        == "list-name-taken"
    )
    await house.register.rename(made.list_id, ListNameRequest("project X"), house.lin)
    assert (await names(house))[-2:] == ["project X", "Project Y"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\x00b", "\ud800", "a\u202eb"])
async def test_a_name_that_no_screen_can_show_is_refused(house: House, name: str) -> None:
    with pytest.raises(InputRefusedError):
        await house.register.create(ListNameRequest(name), house.lin)


async def test_closing_takes_the_entries_off_every_device_and_needs_their_number(house: House) -> None:
    first = await house.enter("ABC-1235")
    second = await house.enter("ABC-1236")
    other = await house.enter("ABC-1237", list_id="cases")
    assert await refusal(house.register.close("stolen", ListCloseRequest(1), house.lin)) == "list-removal"
    assert set(await house.entries()) == {first, second, other}
    closed = await house.register.close("stolen", ListCloseRequest(2), house.lin)
    assert set((await house.update(closed.version - 1)).removed) == {first, second}
    assert set(await house.entries()) == {other}
    assert "失竊車輛" not in await names(house)


async def test_nothing_is_put_on_a_closed_list_by_any_way(house: House) -> None:
    await house.enter("ABC-1235")
    plan = await house.importer.plan("stolen", "車號,類別\nABC-1236,失竊\n".encode(), house.lin)
    closed = await house.register.close("stolen", ListCloseRequest(1), house.lin)
    assert await refusal(house.enter("ABC-1238")) == "list-closed"
    assert await refusal(house.importer.apply(plan.id, house.lin)) == "list-closed"
    assert await refusal(house.importer.plan("stolen", b"", house.lin)) == "list-closed"
    assert await refusal(house.keeper.undo(closed.version, house.lin)) == "list-closed"
    assert await refusal(house.register.close("stolen", ListCloseRequest(0), house.lin)) == "list-closed"
    assert await house.entries() == {}


async def test_a_list_opened_again_gets_its_entries_back_by_undoing_its_closing(house: House) -> None:
    entry = await house.enter("ABC-1235")
    closed = await house.register.close("stolen", ListCloseRequest(1), house.lin)
    await house.register.reopen("stolen", house.lin)
    await house.keeper.undo(closed.version, house.lin)
    assert set(await house.entries()) == {entry}
    assert "失竊車輛" in await names(house)


async def test_a_name_may_be_taken_while_its_list_is_closed_and_then_bars_the_way_back(house: House) -> None:
    made = await house.register.create(ListNameRequest("專案"), house.lin)
    await house.register.close(made.list_id, ListCloseRequest(0), house.lin)
    await house.register.create(ListNameRequest("專案"), house.lin)
    with pytest.raises(ConflictError):
        await house.register.reopen(made.list_id, house.lin)


async def test_a_list_that_is_not_there_cannot_be_named_or_closed(house: House) -> None:
    with pytest.raises(NotFoundError):
        await house.register.rename("nobody", ListNameRequest("x"), house.lin)
    with pytest.raises(NotFoundError):
        await house.register.close("nobody", ListCloseRequest(0), house.lin)
