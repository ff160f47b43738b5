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
from guardian.stores.tables import set_aside

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


async def test_a_page_says_up_to_which_number_nothing_more_of_its_topic_is_there(outbox: Outbox) -> None:
    await stage(outbox, 1, 2, 3)
    await outbox._records.write(lambda connection: outbox.stage(connection, Event("other", "lists.changed", 4, b"")))
    full = await outbox.page_after(0, "reads.stored", 2)
    assert ([number for number, _ in full.events], full.upto) == ([1, 2], 2), "there may be more behind it"
    rest = await outbox.page_after(2, "reads.stored", 2)
    assert ([number for number, _ in rest.events], rest.upto) == ([3], 4), "what is not of the topic is passed over"
    assert await outbox.page_after(9, "reads.stored", 2) == ([], 9), "never back"


async def test_a_page_holds_what_fits_the_wildcard_and_no_more(outbox: Outbox) -> None:
    topics = ("a.b", "a.b.c", "a_b.c", "axb.c", "a")

    def put(connection: sa.Connection) -> None:
        for topic in topics:
            outbox.stage(connection, Event(topic, topic, 0, b""))

    await outbox._records.write(put)
    for pattern, fitting in (
        ("a.*", ["a.b"]),
        ("a.>", ["a.b", "a.b.c"]),
        ("a_b.*", ["a_b.c"]),
        (">", [*topics]),
        ("a", ["a"]),
    ):
        assert [event.id for _, event in (await outbox.page_after(0, pattern, 9)).events] == fitting, pattern


async def test_a_new_consumer_stands_where_it_said_and_holds_what_comes(outbox: Outbox) -> None:
    await stage(outbox, 1, 2)
    assert (await outbox.position("all", "kept"), await outbox.position("next", "new")) == (0, 2)
    await stage(outbox, 3)
    assert await outbox.position("next", "new") == 2, "entered, so that its place is the same after a restart"
    await outbox.remember({"all": 3})
    await outbox.prune(9000, ["all", "next"], kept_ms=0)
    assert await kept(outbox) == ["e3"], "the slower of the two holds it"


async def test_what_was_set_aside_is_each_consumer_s_own_with_all_its_tries(outbox: Outbox) -> None:
    event, later = Event("e1", "reads.stored", 1, b"x"), Event("e0", "reads.stored", 2, b"y")
    await outbox.put_aside("one", later, 5, "KeyError", 20)
    await outbox.put_aside("one", event, 5, "KeyError", 10)
    await outbox.put_aside("two", event, 5, "KeyError", 10)
    await outbox.put_aside("one", event, 2, "ValueError", 30)
    query = sa.select(set_aside.c.tries, set_aside.c.error).where(
        set_aside.c.consumer_name == "one", set_aside.c.id == "e1"
    )
    assert await outbox._records.read(lambda connection: tuple(connection.execute(query).one())) == (7, "ValueError")
    assert await outbox.list_set_aside("one") == [event, later], "in the order in which they were set aside"
    await outbox.take_back("one", "e1")
    assert await outbox.list_set_aside("one") == [later]
    assert await outbox.list_set_aside("two") == [event]


async def test_beyond_the_bound_the_oldest_of_what_was_set_aside_goes(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardian.stores.outbox.SET_ASIDE_ROWS_MAX", 2)
    for n in (3, 1, 2):
        await outbox.put_aside("one", Event(f"e{n}", "reads.stored", n, b""), 5, "KeyError", n)
    assert [event.id for event in await outbox.list_set_aside("one")] == ["e2", "e3"]


PART = st.text(alphabet="ab-_1", min_size=1, max_size=3)


@given(st.lists(PART, min_size=1, max_size=4), st.integers(0, 3))
def test_topics_fit_themselves_and_the_wildcards_that_reach_them(parts: list[str], cut: int) -> None:
    topic = ".".join(parts)
    assert topic_fits(topic, topic)
    assert topic_fits(".".join([*parts[:-1], "*"]), topic)
    assert not topic_fits(f"{topic}.*", topic) and not topic_fits(f"{topic}.>", topic)
    if cut < len(parts):
        assert topic_fits(".".join([*parts[:cut], ">"]), topic)
