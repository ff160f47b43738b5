"""A batch of new, repeated and forked items: only the new ones go on, and the fork is named once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archive.builders import make_read
from tests.archive.house import archive_house

pytestmark = pytest.mark.anyio


async def test_of_a_mixed_batch_only_the_new_items_are_matched_and_archived(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        await house.send([make_read(1, "AAA1111"), make_read(2, "AAA2222")])
        mixed = [make_read(1, "AAA1111"), make_read(2, "BBB2222"), make_read(3, "CCC3333"), make_read(4, "bad plate")]
        answer = await house.send(mixed)
        assert (answer.stored, answer.already, answer.quarantined) == (1, 1, 2)
        told = house.events.of("reads.stored")[-1]
        assert (told["batch_id"], told["count"]) == (answer.batch_id, 1)
        held = await house.stored_reads.get(answer.batch_id)
        assert [read.text for read in held.reads] == ["CCC3333"] and len(held.bodies) == 1
        house.stored_reads._held.clear()
        assert (await house.stored_reads.get(answer.batch_id)) == held, "from the journal the same"
        assert sorted(read.text for read in await house.all_reads()) == ["AAA1111", "AAA2222", "CCC3333"]


async def test_a_fork_is_told_when_it_is_seen_and_not_again_for_the_same_items(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        await house.send([make_read(1, "AAA1111"), make_read(2, "AAA2222")])
        assert house.events.of("devices.changed") == []
        for _ in range(2):
            answer = await house.send([make_read(1, "BBB1111")])
            assert answer.notice == "identity-forked"
            assert house.events.of("devices.changed") == [{"device_id": "car-1", "kind": "forked"}]
        house.clock[0] += 1
        await house.send([make_read(2, "BBB2222")])
        assert len(house.events.of("devices.changed")) == 2


async def test_a_batch_of_items_known_already_is_told_to_nobody(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        await house.send([make_read(1)])
        answer = await house.send([make_read(1)])
        assert (answer.stored, answer.already) == (0, 1)
        assert len(house.events.of("reads.stored")) == 1
