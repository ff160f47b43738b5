"""G27: a hit whose entry was taken off the list meanwhile is no new work, and says since when."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.errors import ConflictError
from guardian.domain.read import DeviceHit
from guardian.domain.watch import HitState
from tests.watch.house import open_house

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000


async def test_a_hit_from_an_old_list_arrives_as_removed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        nine = house.now
        entry_id = await house.enter("BKD-8869")
        house.now = nine + HOUR_MS
        await house.save(remove=[entry_id])
        eleven = nine + 2 * HOUR_MS
        device = DeviceHit(entry_id, "exact", 1, nine, eleven)
        house.now = nine + 3 * HOUR_MS
        await house.arrive(house.read("BKD8869", captured_ms=eleven, hits=(device,)))
        page = await house.desk.list_hits(house.lin)
        assert (page.hits, page.open_count) == ((), 0)
        (card,) = await house.hits("checked")
        assert card.entry_removed_ms == nine + HOUR_MS
        assert (card.state, card.device_list_version, card.entry_display) == (HitState.NEW, 1, "BKD-8869")


async def test_an_open_hit_leaves_the_queue_when_its_entry_goes_and_returns_with_it(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        entry_id = await house.enter("BKD-8869")
        await house.arrive(house.read("BKD8869"))
        (card,) = await house.hits()
        seen = (await house.desk.claim(card.id, house.lin)).card.facts
        answer = await house.save(remove=[entry_id])
        assert await house.hits() == ()
        with pytest.raises(ConflictError) as refused:
            await house.desk.decide(card.id, house.lin, HitState.CONFIRMED, seen_fact=seen)
        assert refused.value.reference == "hit-moved-on", "whoever checks it is told"
        await house.digest_events()
        await house.keeper.undo(answer.version, house.lin)
        await house.digest_events()
        (back,) = await house.hits()
        assert back.id == card.id and back.entry_removed_ms is None
        kinds = [fact.kind for fact in (await house.desk.detail(card.id)).facts]
        assert kinds == ["raised", "claimed", "entry_removed", "undone"]


async def test_a_device_that_waits_is_told_of_the_removal_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        entry_id = await house.enter("BKD-8869")
        await house.save(remove=[entry_id])
        assert (await house.update(1)).removed == (entry_id,)
