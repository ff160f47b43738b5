"""Batches in any order, cut and repeated in any way, give one archive: each read once, the newest first."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import archive_house

Cut = st.lists(st.integers(0, 29), min_size=1, max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(Cut, min_size=1, max_size=6))
def test_any_order_and_duplication_gives_each_read_once(batches: list[list[int]]) -> None:
    reads = [make_read(n, f"ABC{n:04d}", boot=1 + n % 2, captured_ms=NOW_MS - 1000 * (n * 7 % 30)) for n in range(30)]

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with archive_house(Path(folder)) as house:
                stored = 0
                for batch in batches:
                    answer = await house.send([reads[n] for n in batch])
                    assert answer.stored + answer.already == len(batch)
                    assert answer.quarantined == 0
                    stored += answer.stored
                every = {n for batch in batches for n in batch}
                assert stored == len(every)
                held = await house.all_reads()
                right = sorted(
                    (reads[n] for n in every), key=lambda r: (r.captured_ms, r.boot, r.sequence), reverse=True
                )
                assert held == right
                assert sum(body["count"] for body in house.events.of("reads.stored")) == len(every)

    asyncio.run(run())
