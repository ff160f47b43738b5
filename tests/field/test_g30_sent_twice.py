"""G30 (uplink): identity is the read's, not the batch's; batches cut anew bring each read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.archive import journal
from tests.archive.builders import make_read
from tests.archive.house import archive_house

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("engine", ["memory", "chdb"])
async def test_batches_cut_anew_store_each_read_once(tmp_path: Path, engine: str) -> None:
    async with archive_house(tmp_path, engine=engine) as house:
        reads = [make_read(n, f"ABC{n:04d}") for n in range(110)]
        first = await house.send(reads[:60])
        second = await house.send(reads[60:100])
        assert (first.stored, second.stored) == (60, 40)
        # The answers never reached the device: it cuts anew, with other borders and ten new reads.
        verdicts = []
        for low, high in [(0, 35), (35, 80), (80, 110)]:
            answer = await house.send(reads[low:high])
            verdicts += [v.verdict for v in answer.exceptions]
            assert answer.stored + answer.already == high - low
        assert verdicts == ["already"] * 100
        assert len(await house.all_reads()) == 110
        assert len({read.id for read in await house.all_reads()}) == 110
        assert sum(body["count"] for body in house.events.of("reads.stored")) == 110


async def test_repeats_are_known_after_the_journal_has_let_go(tmp_path: Path) -> None:
    async with archive_house(tmp_path, engine="chdb") as house:
        reads = [make_read(n) for n in range(20)]
        await house.send(reads)
        await house.filler.settle(60)
        assert await house.records.write(lambda connection: journal.drop_archived(connection, house.now_ms() + 1)) == 1
        again = await house.send(reads)
        assert (again.stored, again.already, again.quarantined) == (0, 20, 0)
        other = await house.send([make_read(3, "XYZ9999")])
        assert (other.already, other.quarantined, other.notice) == (0, 1, "identity-forked")


async def test_one_read_twice_in_one_batch_is_stored_once(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        answer = await house.send([make_read(1), make_read(2), make_read(1)])
        assert (answer.stored, answer.already) == (2, 1)
        assert [(v.index, v.verdict) for v in answer.exceptions] == [(2, "already")]
