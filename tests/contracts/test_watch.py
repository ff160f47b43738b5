"""Lists and hits say the same on every engine of records (field cases G22, G25, G30)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guardian.domain.errors import ConflictError
from guardian.domain.watch import HitState, Outcome
from guardian.watch import large_change
from guardian.watch.views import EntryDraft
from tests.watch.house import House, apply_update, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(records_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, records_url) as opened:
        yield opened


async def test_save_undo_and_deltas(house: House) -> None:
    a = await house.enter("ABC-1235", case_number="A1", remark="裏面有人 𠮷")
    device = apply_update({}, await house.update(0))
    answer = await house.save(put=[EntryDraft("ABC-2235", "通緝")], remove=[a])
    device = apply_update(device, await house.update(1))
    assert device == await house.entries() and len(device) == 1
    await house.keeper.undo(answer.version, house.lin)
    assert apply_update(device, await house.update(2)) == await house.entries()
    assert set(await house.entries()) == {a}


async def test_import_apply_undo(house: House) -> None:
    body = "車號,類別,案號\nABC-1235,失竊,A1\nABC-2235,失竊,A2\n無牌,失竊,\n".encode("cp950")
    plan = await house.importer.plan("stolen", body, house.lin, mode="replace")
    plan = await house.importer.apply(plan.id, house.lin)
    assert (plan.state, plan.added, plan.refused) == ("applied", 2, 1)
    assert (await house.importer.undo(plan.id, house.lin)).state == "undone"
    assert (await house.importer.get(plan.id)).state == "undone"
    assert await house.entries() == {}


async def test_finding_entries_knows_two_wildcards_and_no_other_sign(house: House) -> None:
    for plate, case in (("ABC-1235", "a_b"), ("ABD-1235", "a%b"), ("ABX-6123", "acb")):
        await house.enter(plate, case_number=case)

    async def found(text: str) -> set[str]:
        return {view.display for view in (await house.keeper.entries_page("stolen", find=text)).entries}

    assert await found("ab?-1235") == {"ABC-1235", "ABD-1235"}
    assert await found("AB*") == {"ABC-1235", "ABD-1235", "ABX-6123"}
    assert await found("a%b") == {"ABD-1235"}
    assert await found("A%B") == {"ABD-1235"}, "letters of either case"
    assert await found("AB[CD]1235") == set()


async def test_a_hit_from_arrival_to_outcome(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    read = house.read("BKD8869")
    await house.arrive(read)
    await house.tell("b1")
    (card,) = await house.hits()
    seen = (await house.desk.claim(card.id, house.lin)).card.facts
    with pytest.raises(ConflictError):
        await house.desk.claim(card.id, house.chen)
    done = await house.desk.decide(card.id, house.lin, HitState.CONFIRMED, seen_fact=seen)
    done = await house.desk.come_out(card.id, house.lin, Outcome.RECOVERED, seen_fact=done.card.facts)
    assert done.card.outcome is Outcome.RECOVERED
    await house.save(remove=[entry_id])
    assert (await house.desk.card(card.id)).entry_removed_ms is None, "what is decided stays as it was"
    rows = b"".join([piece async for piece in house.desk.export_csv("checked")]).decode()
    assert rows.count("\r\n") == 2 and "尋獲車輛" in rows


async def test_two_people_at_once_one_claims_and_one_is_told(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    (card,) = await house.hits()
    outcomes = await asyncio.gather(
        house.desk.claim(card.id, house.lin), house.desk.claim(card.id, house.chen), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ConflictError", "HitDetail"]


async def test_saves_at_once_each_get_their_own_version(house: House) -> None:
    lists = [view.id for view in (await house.keeper.lists_view()).lists]
    saves = (house.save(put=[EntryDraft("ABC-1235", "失竊")], list_id=list_id) for list_id in lists)
    answers = await asyncio.gather(*saves)
    assert sorted(answer.version for answer in answers) == list(range(1, len(lists) + 1))


async def test_a_look_back_finds_what_came_before(house: House) -> None:
    await house.arrive(house.read("BKD8869"))
    await house.enter("BKD-8869")
    assert len(await house.hits()) == 1


async def test_a_large_import_comes_into_force_all_at_once_and_is_undone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_change, "LARGE_MIN", 10)
    monkeypatch.setattr(large_change, "PIECE", 7)
    kept = await house.enter("KAA-1123", case_number="A1")
    rows = [f"K{a}{b}-1123,失竊,A{a}{b}" for a in "ABCDE" for b in "ABCDE"]
    plan = await house.importer.plan("stolen", "\n".join(["車號,類別,案號", *rows]).encode(), house.lin)
    plan = await house.importer.apply(plan.id, house.lin)
    assert (plan.state, plan.added, plan.updated) == ("applied", 24, 1)
    device = apply_update({}, await house.update(0))
    assert device == await house.entries() and len(device) == 25 and device[kept].case_number == "AAA"
    await house.importer.undo(plan.id, house.lin)
    device = apply_update(device, await house.update(2))
    assert device == await house.entries() and [entry.case_number for entry in device.values()] == ["A1"]
