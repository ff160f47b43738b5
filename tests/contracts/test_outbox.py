"""The outbox forgets what everyone has, keeps what someone lacks, and has a bound whose loss is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.event import Event
from guardian.stores import create_missing, metadata, open_records
from guardian.stores.outbox import Outbox, topic_fits

pytestmark = pytest.mark.anyio


@pytest.fixture
async def outbox(records_url: str) -> AsyncIterator[Outbox]:
    records = open_records(records_url)
    await create_missing(records, metadata)
    yield Outbox(records)
    await records.close()


async def stage(outbox: Outbox, *at_ms: int) -> None:
    def put(connection: sa.Connection) -> None:
        for at in at_ms:
            outbox.stage(connection, Event(f"e{at}", "reads.stored", at, b""))

    await outbox._records.write(put)


async def kept(outbox: Outbox) -> list[str]:
    return [event.id for _, event in (await outbox.page_after(0, ">", 100)).events]


async def test_only_what_is_old_and_taken_by_all_goes(outbox: Outbox) -> None:
    await stage(outbox, 1, 2, 3, 1000)
    for name in ("quick", "slow", "gone"):
        await outbox.position(name, "kept")
    await outbox.remember({"quick": 4, "slow": 2})
    assert await outbox.prune(1000, ["quick", "slow"], kept_ms=500) == 0
    assert await kept(outbox) == ["e3", "e1000"]
    await outbox.remember({"slow": 4})
    assert await outbox.prune(1000, ["quick", "slow"], kept_ms=500) == 0
    assert await kept(outbox) == ["e1000"]
    assert await outbox.prune(9000, [], kept_ms=500) == 0
    assert await kept(outbox) == ["e1000"]


async def test_beyond_the_bound_the_oldest_go_and_those_that_someone_lacked_are_counted(outbox: Outbox) -> None:
    await stage(outbox, *range(10))
    await outbox.position("slow", "kept")
    await outbox.remember({"slow": 4})
    assert await outbox.prune(0, ["slow"], rows_max=3) == 3
    assert await kept(outbox) == ["e7", "e8", "e9"]


async def test_numbers_are_never_used_twice(outbox: Outbox) -> None:
    await stage(outbox, 1, 2, 3)
    await outbox.position("one", "kept")
    await outbox.remember({"one": 3})
    await outbox.prune(1000, ["one"], kept_ms=0)
    assert await kept(outbox) == []
    await stage(outbox, 4)
    assert (await outbox.page_after(3, ">", 10)).events[0][1].id == "e4"


async def test_positions_never_go_back(outbox: Outbox) -> None:
    await outbox.remember({"one": 5})
    await outbox.remember({"one": 3})
    assert await outbox.position("one", "kept") == 5


PART = st.text(alphabet="ab-_1", min_size=1, max_size=3)


@given(st.lists(PART, min_size=1, max_size=4), st.integers(0, 3))
def test_topics_fit_themselves_and_the_wildcards_that_reach_them(parts: list[str], cut: int) -> None:
    topic = ".".join(parts)
    assert topic_fits(topic, topic)
    assert topic_fits(".".join([*parts[:-1], "*"]), topic)
    assert not topic_fits(f"{topic}.*", topic) and not topic_fits(f"{topic}.>", topic)
    if cut < len(parts):
        assert topic_fits(".".join([*parts[:cut], ">"]), topic)
