"""G30 and G35, the part of hits: whatever comes twice is one hit, one alarm, one check."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from guardian.domain.read import DeviceHit
from guardian.domain.watch import HitState
from guardian.stores.tables import outbox
from tests.watch.house import open_house

pytestmark = pytest.mark.anyio


async def test_the_same_reads_in_other_batches_with_new_ones_between(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        entry_id = await house.enter("BKD-8869")
        device = DeviceHit(entry_id, "exact", 1, house.now, house.now)
        first = [house.read("BKD8869", device_id=f"car-{n}", hits=(device,)) for n in range(10)]
        await house.arrive(*first)
        raised = {card.id for card in await house.hits()}
        await house.tell("b1")
        await house.arrive(*first[5:], house.read("ABC1235"))
        await house.arrive(house.read("ABC1235"), *first[:5])
        assert {card.id for card in await house.hits()} == raised and len(raised) == 10

        def count(connection) -> int:
            return connection.execute(
                select(func.count()).select_from(outbox).where(outbox.c.topic == "hits.changed")
            ).scalar_one()

        assert await house.records.read(count) == 10, "one alarm each in the console"


async def test_a_check_is_not_lost_when_the_read_comes_again(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.enter("BKD-8869")
        await house.arrive(house.read("BKD8869"))
        (card,) = await house.hits()
        await house.desk.decide(card.id, house.lin, HitState.CONFIRMED, seen_fact=1)
        await house.tell("b1")
        assert await house.hits() == ()
        assert (await house.desk.card(card.id)).state is HitState.CONFIRMED
