"""G32 (ingest): one item with a zero character spoils none of the thousand, and both record engines say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardian.archive.ingest import JSON
from tests.archive.builders import MSGPACK, make_read
from tests.archive.house import archive_house

pytestmark = pytest.mark.anyio


def batch_of_g32() -> list[Any]:
    items = [msgspec.to_builtins(make_read(n, f"ABC{n:04d}")) for n in range(1000)]
    items[137]["raw_text"] = "ABC\u00001235"
    items[138]["note"] = "x" * 1_000_000
    items[139]["unit"] = "３-07\u0085"
    return items


@pytest.mark.parametrize("kind", [MSGPACK, JSON])
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.real("postgres"))])
async def test_both_record_engines_give_the_same_verdicts(
    tmp_path: Path, engine: str, kind: str, request: pytest.FixtureRequest
) -> None:
    url = "" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with archive_house(tmp_path, records_url=url) as house:
        answer = await house.send(batch_of_g32(), content_type=kind)
        assert (answer.stored, answer.quarantined) == (999, 1)
        # 138: a field that reads do not have is left out (a newer device may send more); 139: cleaned by rule.
        assert [(v.index, v.reason) for v in answer.exceptions] == [(137, "text-control")]
        stored = {read.sequence: read for read in await house.all_reads()}
        assert len(stored) == 999
        assert stored[139].unit == "３-07"
        held = (await house.quarantine.items("text-control")).items
        assert [(item.field, item.device_id) for item in held] == [("raw_text", "car-1")]
        assert "\\u0000" in held[0].record
        again = await house.send(batch_of_g32(), content_type=kind)
        assert (again.stored, again.already, again.quarantined) == (0, 999, 1)
        assert sum(group.items for group in (await house.quarantine.view()).groups) == 1


async def test_a_body_that_is_no_batch_is_held_whole_and_can_be_replayed_after_a_cure(tmp_path: Path) -> None:
    async with archive_house(tmp_path) as house:
        answer = await house.ingest.accept("car-1", b"\xff\xfe not a batch", MSGPACK)
        assert (answer.stored, answer.quarantined, answer.exceptions[0].reason) == (0, 1, "batch-form")
        assert (await house.quarantine.items("batch-form")).items[0].record == b"\xff\xfe not a batch".hex()
