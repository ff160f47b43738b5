"""The filler: what is stored is found at once, a broken column store loses nothing, and the backlog has a bound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from guardian.archive import ingest
from guardian.archive.model import ArchivedRead
from guardian.domain.errors import NeighbourUnreachableError, NotFoundError
from tests.archive.builders import make_read
from tests.archive.house import ArchiveHouse, archive_house

pytestmark = pytest.mark.anyio


def break_inserts(house: ArchiveHouse, times: int) -> list[str]:
    """The next inserts fail; gives the tokens that came, failed ones too."""
    insert, tokens = house.archive.insert, []

    async def failing(rows: Sequence[ArchivedRead], bodies: Sequence[bytes], *, token: str) -> Any:
        tokens.append(token)
        if len(tokens) <= times:
            raise NeighbourUnreachableError("The archive did not answer.")
        return await insert(rows, bodies, token=token)

    house.archive.insert = failing  # type: ignore[method-assign]
    return tokens


async def test_what_was_answered_stored_is_found_by_the_next_question(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        for n in range(20):
            await house.send([make_read(n, captured_ms=house.now_ms() - 1000 + n)])
            answer = await house.ask("ABC-1235")
            assert (answer.rows[0].id, answer.count, answer.behind) == (f"car-1.1.{n}", n + 1, False)


async def test_a_column_store_that_comes_back_gets_everything_under_the_same_token(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        tokens = break_inserts(house, 2)
        await house.send([make_read(n) for n in range(10)])
        assert len(await house.all_reads()) == 10
        assert tokens == ["fill-1"] * 3
        assert house.filler.lag_reads == 0


async def test_an_answer_that_is_behind_says_so(tmp_path: Path) -> None:
    async with archive_house(tmp_path, filling=False) as house:
        await house.send([make_read(1)])
        house.desk._settle_s = 0.01
        answer = await house.ask("ABC-1235")
        assert (answer.behind, answer.rows) == (True, ())
        await house.filler.drain()
        assert len((await house.ask("ABC-1235")).rows) == 1


async def test_a_batch_past_the_backlogs_bound_stays_with_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BACKLOG_READS_MAX", 10)
    async with archive_house(tmp_path, filling=False) as house:
        await house.send([make_read(n) for n in range(10)])
        with pytest.raises(NeighbourUnreachableError) as refusal:
            await house.send([make_read(11)])
        assert refusal.value.reference == "archive-behind"
        await house.filler.drain()
        assert (await house.send([make_read(11)])).stored == 1


async def test_batches_are_given_to_consumers_from_memory_and_from_the_journal(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        reads = [make_read(n) for n in range(3)]
        answer = await house.send(reads)
        assert await house.stored_reads.get_batch(answer.batch_id) == reads
        house.stored_reads._held.clear()
        assert await house.stored_reads.get_batch(answer.batch_id) == reads
        with pytest.raises(NotFoundError):
            await house.stored_reads.get_batch("no-such-batch")
