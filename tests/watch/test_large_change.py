"""A large import comes into force all at once, while others write; cut off anywhere, it has changed nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from guardian.domain.errors import ConflictError, DiskFullError
from guardian.stores.records import SqlRecords
from guardian.watch import large_change, tables
from guardian.watch.csv_import import ListImporter
from guardian.watch.large_change import STALE_MS
from guardian.watch.views import EntryDraft, ImportPlan
from tests.watch.house import House, apply_update, open_house

pytestmark = pytest.mark.anyio

ROWS = 60


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten entries are large here, and a piece has seven."""
    monkeypatch.setattr(large_change, "LARGE_MIN", 10)
    monkeypatch.setattr(large_change, "PIECE", 7)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


def plates() -> Iterator[str]:
    for letters in itertools.product("ABCDEFGH", repeat=2):
        yield f"K{''.join(letters)}-1123"


def file_of(count: int, *, reason: str = "失竊") -> bytes:
    rows = [f"{plate},失竊,A{number:07d},{reason}" for number, plate in enumerate(itertools.islice(plates(), count))]
    return "\n".join(["車號,類別,案號,事由", *rows]).encode()


async def plan_of(house: House, body: bytes, mode: str = "add") -> ImportPlan:
    plan = await house.importer.plan("stolen", body, house.lin, mode=mode)
    assert plan.refused == 0 and not plan.problem
    return plan


async def lying(house: House) -> int:
    """How many rows lie staged."""
    query = select(func.count()).select_from(tables.staged)
    return int(await house.records.read(lambda connection: connection.execute(query).scalar_one()))


async def test_it_says_the_same_as_a_small_one_to_devices_people_and_the_history(house: House) -> None:
    kept = await house.enter("MMM-7777", case_number="B1", list_id="wanted")
    first = await plan_of(house, file_of(ROWS))
    done = await house.importer.apply(first.id, house.lin)
    assert (done.state, done.version, done.added) == ("applied", 2, ROWS)
    device = apply_update({}, await house.update(0))  # checks the digest
    assert device == await house.entries() and len(device) == ROWS + 1
    view = next(one for one in (await house.keeper.lists_view()).lists if one.id == "stolen")
    assert (view.entries, view.version, view.changed_by) == (ROWS, 2, "林怡君")
    house.now += 1000
    changed = await plan_of(house, file_of(40, reason="遭竊"), mode="replace")
    assert (changed.updated, changed.removed) == (40, 20)
    done = await house.importer.apply(changed.id, house.lin, confirm_removal=20)
    device = apply_update(device, await house.update(2))
    assert device == await house.entries() and len(device) == 41
    assert {entry.reason for entry in device.values() if entry.id != kept} == {"遭竊"}
    page = await house.keeper.entries_page("stolen")
    assert {row.added_ms for row in page.entries} == {house.now - 1000}, "a change keeps the day of its coming"
    undone = await house.importer.undo(changed.id, house.lin)
    assert undone.state == "undone"
    device = apply_update(device, await house.update(3))
    assert device == await house.entries() and len(device) == ROWS + 1
    assert {entry.reason for entry in device.values() if entry.id != kept} == {"失竊"}
    assert await lying(house) == 0


async def test_others_write_between_two_pieces_and_see_how_far_it_is(house: House) -> None:
    plan = await plan_of(house, file_of(ROWS))
    seen: list[tuple[str, int]] = []
    applying = asyncio.ensure_future(house.importer.apply(plan.id, house.lin))
    while not applying.done():
        await house.records.write(lambda connection: None)
        in_force = await house.entries()
        stands = await house.importer.get(plan.id)
        seen.append((stands.state, stands.laid))
        if stands.state == "applying":
            assert in_force == {}, "nothing of it is in force before all is"
            with pytest.raises(ConflictError, match=r"import-running|import-applied"):
                await house.importer.apply(plan.id, house.chen)
    await applying
    laid = [count for state, count in seen if state == "applying"]
    assert len(set(laid)) >= 3 and laid == sorted(laid)
    assert len(await house.entries()) == ROWS


async def test_cut_off_at_every_write_it_has_changed_nothing_and_can_be_applied_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await plan_of(house, file_of(ROWS))
    write = SqlRecords.write
    writes, fails_at = 0, 0

    async def failing(self: SqlRecords, fn: object) -> object:
        nonlocal writes
        writes += 1
        if writes == fails_at:
            raise DiskFullError("No room.")
        return await write(self, fn)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlRecords, "write", failing)
    while True:
        writes, fails_at = 0, fails_at + 1
        try:
            done = await house.importer.apply(plan.id, house.lin)
        except DiskFullError:
            assert await house.entries() == {}
            assert (await house.importer.get(plan.id)).state == "planned"
            continue
        break
    assert fails_at > ROWS // 7, "each piece was a write of its own"
    assert (done.state, len(await house.entries())) == ("applied", ROWS)


async def test_a_process_that_died_half_way_leaves_a_plan_that_another_applies(house: House, tmp_path: Path) -> None:
    plan = await plan_of(house, file_of(ROWS))
    applying = asyncio.ensure_future(house.importer.apply(plan.id, house.lin))
    while house.importer._laid.get(plan.id, 0) < 20:  # noqa: ASYNC110 - the importer tells nobody but who asks
        await asyncio.sleep(0)
    house.importer._give_up = lambda *_: asyncio.sleep(0)  # type: ignore[method-assign] - the dead tidy nothing up
    applying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await applying
    other = ListImporter(house.records, house.keeper, lambda: house.now)
    assert (await other.get(plan.id)).state == "applying", "perhaps the first is only slow"
    with pytest.raises(ConflictError, match="import-running"):
        await other.apply(plan.id, house.chen)
    house.now += STALE_MS + 1
    assert (await other.get(plan.id)).state == "planned"
    done = await other.apply(plan.id, house.chen)
    assert done.state == "applied" and len(await house.entries()) == ROWS
    assert await lying(house) == 0


async def test_a_list_that_moved_while_it_was_laid_down_is_left_as_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await plan_of(house, file_of(ROWS))
    lay_down = large_change.LargeChange.lay_down

    async def slowly(self: large_change.LargeChange, *args: object) -> int:
        share = await lay_down(self, *args)  # type: ignore[arg-type]
        await house.save(put=[EntryDraft("MMM-7777", "失竊")])
        return share

    monkeypatch.setattr(large_change.LargeChange, "lay_down", slowly)
    with pytest.raises(ConflictError, match="import-stale"):
        await house.importer.apply(plan.id, house.lin)
    assert [entry.text for entry in (await house.entries()).values()] == ["MMM7777"]
    assert (await house.importer.get(plan.id)).state == "planned" and await lying(house) == 0


async def test_what_was_changed_since_is_not_undone_over(house: House) -> None:
    plan = await plan_of(house, file_of(ROWS))
    await house.importer.apply(plan.id, house.lin)
    one = next(iter(await house.entries()))
    await house.save(remove=[one])
    with pytest.raises(ConflictError, match="list-changed-since"):
        await house.importer.undo(plan.id, house.lin)
    assert len(await house.entries()) == ROWS - 1 and await lying(house) == 0


async def test_what_was_swept_away_meanwhile_does_not_come_into_force_in_part(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await plan_of(house, file_of(ROWS))
    lay_down = large_change.LargeChange.lay_down

    async def and_lose_one(self: large_change.LargeChange, *args: object) -> int:
        share = await lay_down(self, *args)  # type: ignore[arg-type]
        lost = tables.staged.delete().where(tables.staged.c.place == 17)
        await house.records.write(lambda connection: connection.execute(lost).rowcount)
        return share

    monkeypatch.setattr(large_change.LargeChange, "lay_down", and_lose_one)
    with pytest.raises(ConflictError, match="change-cut"):
        await house.importer.apply(plan.id, house.lin)
    assert await house.entries() == {} and house.keeper.newest.version == 0
    monkeypatch.undo()
    monkeypatch.setattr(large_change, "LARGE_MIN", 10)
    assert (await house.importer.apply(plan.id, house.lin)).state == "applied"
