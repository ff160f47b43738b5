"""G24: look-alike twins are the matcher's work and never list entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.errors import ConflictError
from guardian.watch.drafts import EntryRefusedError
from guardian.watch.views import EntryDraft
from tests.watch.house import open_house

pytestmark = pytest.mark.anyio

IMPOSSIBLE = {"ABO-1235": "ABQ-1235", "AB0-1235": "ABD-1235", "AIB-1235": "AJB-1235", "A1B-1235": "AJB-1235",
              "ABC-1245": "ABC-1295"}  # fmt: skip


async def test_by_form_each_is_refused_with_the_reason_and_the_nearest_right_form(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for typed, nearest in IMPOSSIBLE.items():
            with pytest.raises(EntryRefusedError) as refused:
                await house.save(put=[EntryDraft(typed, "失竊")])
            assert refused.value.reference == "plate-impossible"
            view = await house.keeper.inspect(typed)
            assert view.suggestions == (nearest,) and nearest in view.refusal
        assert await house.entries() == {}


async def test_by_file_as_well(tmp_path: Path) -> None:
    body = "車號,類別\n" + "\n".join(f"{typed},失竊" for typed in IMPOSSIBLE)
    async with open_house(tmp_path) as house:
        plan = await house.importer.plan("stolen", body.encode(), house.lin)
    assert plan.refused == len(IMPOSSIBLE) and plan.added == 0
    for row, nearest in zip(plan.report, IMPOSSIBLE.values(), strict=True):
        assert nearest in row.hint and row.sentence.startswith("第 ")


async def test_a_pair_under_one_case_is_questioned_and_taken_when_confirmed(tmp_path: Path) -> None:
    pair = [EntryDraft("ABD-1235", "失竊", case_number="A1"), EntryDraft("ABQ-1235", "失竊", case_number="A1")]
    async with open_house(tmp_path) as house:
        with pytest.raises(ConflictError) as questioned:
            await house.save(put=pair)
        assert questioned.value.reference == "twins-under-one-case"
        await house.save(put=pair[:1])
        with pytest.raises(ConflictError):
            await house.save(put=pair[1:], list_id="wanted")
        await house.save(put=[EntryDraft("ABQ-1235", "失竊", case_number="A2")])
        assert len(await house.entries()) == 2, "another case is another vehicle"
        await house.save(put=[EntryDraft("AB-1235", "失竊", case_number="A1")])
        await house.save(put=[EntryDraft("ABQ-1235", "失竊", case_number="A1")], list_id="wanted", confirmed_twins=True)


async def test_the_second_of_a_pair_in_a_file_is_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.enter("ABD-2235", case_number="A9")
        body = "車號,類別,案號\nABD-1235,失竊,A1\nABQ-1235,失竊,A1\nABQ-2235,失竊,A9\nABQ-2236,失竊,A9\n"
        plan = await house.importer.plan("stolen", body.encode(), house.lin)
    refused = [(row.line, row.reference) for row in plan.report if row.group == "refused"]
    assert refused == [(3, "twins-under-one-case"), (4, "twins-under-one-case")]


async def test_a_look_alike_is_found_without_any_twin_entry(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.enter("ABD-1235")
        await house.arrive(house.read("ABQ1235", char_probs=(0.99, 0.99, 0.7, 0.99, 0.99, 0.99, 0.99)))
        (card,) = await house.hits()
        assert (card.strength.value, card.differing) == ("lookalike", (2,))
