"""What every bus keeps to: at least once, in order, from the transaction to everyone, over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import sqlalchemy as sa

from guardian.domain.errors import InputRefusedError, NeighbourUnreachableError
from guardian.domain.event import Event
from guardian.stores import create_missing, metadata, open_events, open_records
from guardian.stores.events import OutboxEvents
from guardian.stores.records import SqlRecords

pytestmark = pytest.mark.anyio

Open = Callable[[], Awaitable[OutboxEvents]]


@pytest.fixture
async def records(bus_urls: tuple[str, str]) -> AsyncIterator[SqlRecords]:
    opened = open_records(bus_urls[1])
    await create_missing(opened, metadata)
    yield opened
    await opened.close()


@pytest.fixture
async def open_bus(bus_urls: tuple[str, str], records: SqlRecords) -> AsyncIterator[Open]:
    buses: list[OutboxEvents] = []

    async def make() -> OutboxEvents:
        bus = open_events(bus_urls[0], records, lambda: 1_800_000_000_000)
        assert isinstance(bus, OutboxEvents)
        bus._pause_first_s, bus._tries_max = 0.01, 3
        buses.append(bus)
        return bus

    yield make
    for bus in buses:
        await bus.close()


class Listener:
    """Remembers what it was given, and when it had `count` of it."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._changed = asyncio.Condition()

    async def __call__(self, event: Event) -> None:
        async with self._changed:
            self.ids.append(event.id)
            self._changed.notify_all()

    async def has(self, count: int) -> list[str]:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: len(self.ids) >= count), 60)
        return self.ids


def event(number: int, topic: str = "reads.stored") -> Event:
    return Event(f"e{number}", topic, 1_800_000_000_000 + number, b"body %d" % number)


async def stage(records: SqlRecords, bus: OutboxEvents, *events: Event) -> None:
    def put(connection: sa.Connection) -> None:
        for each in events:
            bus.stage(connection, each)

    await records.write(put)


async def test_each_consumer_gets_every_event_in_order(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    one, two = Listener(), Listener()
    bus.subscribe("reads.stored", "one", one)
    bus.subscribe("reads.>", "two", two)
    await bus.start()
    for start in range(0, 60, 20):
        await stage(records, bus, *(event(number) for number in range(start, start + 20)))
    expected = [f"e{number}" for number in range(60)]
    assert await one.has(60) == expected
    assert await two.has(60) == expected


async def test_an_event_is_carried_whole(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    got: list[Event] = []
    done = asyncio.Event()

    async def take(given: Event) -> None:
        got.append(given)
        done.set()

    bus.subscribe("reads.stored", "one", take)
    await bus.start()
    sent = Event("id", "reads.stored", 1, b"\x00\xff" * 1000)
    await stage(records, bus, sent)
    await asyncio.wait_for(done.wait(), 60)
    assert got == [sent]


async def test_only_its_topics_reach_a_consumer(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    exact, star, everything = Listener(), Listener(), Listener()
    bus.subscribe("hits.changed", "exact", exact)
    bus.subscribe("hits.*", "star", star)
    bus.subscribe(">", "everything", everything)
    await bus.start()
    topics = ["hits.changed", "hits.changed.more", "hitsXchanged", "hits.raised", "lists.changed", "hits.changed"]
    await stage(records, bus, *(event(number, topic) for number, topic in enumerate(topics)))
    assert await everything.has(6) == [f"e{number}" for number in range(6)]
    assert await star.has(3) == ["e0", "e3", "e5"]
    assert await exact.has(2) == ["e0", "e5"]


async def test_what_is_rolled_back_never_leaves(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    listener = Listener()
    bus.subscribe("reads.stored", "one", listener)
    await bus.start()

    def fail(connection: sa.Connection) -> None:
        bus.stage(connection, event(1))
        raise ValueError("on purpose")

    with pytest.raises(ValueError):
        await records.write(fail)
    await stage(records, bus, event(2))
    assert await listener.has(1) == ["e2"]


async def test_staging_the_same_id_again_is_once(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    listener = Listener()
    bus.subscribe("reads.stored", "one", listener)
    await bus.start()
    await stage(records, bus, event(1), event(1))
    await stage(records, bus, event(1), event(2))
    assert await listener.has(2) == ["e1", "e2"]


async def test_events_staged_before_the_start_and_between_runs_arrive(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    first = Listener()
    bus.subscribe("reads.stored", "one", first)
    await stage(records, bus, event(1))
    await bus.start()
    assert await first.has(1) == ["e1"]
    await bus.close()
    again = await open_bus()
    await stage(records, again, event(2))
    second = Listener()
    again.subscribe("reads.stored", "one", second)
    await again.start()
    await stage(records, again, event(3))
    assert await second.has(2) == ["e2", "e3"]


async def test_what_was_not_taken_before_the_end_is_given_again(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    begun = asyncio.Event()

    async def hang(given: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    bus.subscribe("reads.stored", "one", hang)
    await bus.start()
    await stage(records, bus, event(1))
    await asyncio.wait_for(begun.wait(), 60)
    await bus.close()
    again = await open_bus()
    listener = Listener()
    again.subscribe("reads.stored", "one", listener)
    await again.start()
    assert await listener.has(1) == ["e1"]


async def test_a_failing_handler_is_asked_again_and_holds_up_nobody(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    other, calm = Listener(), Listener()
    tries = 0

    async def twice_wrong(given: Event) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            await other.has(2)  # the other one has everything while we still fail
            raise ValueError("on purpose")
        await calm(given)

    bus.subscribe("reads.stored", "one", twice_wrong)
    bus.subscribe("reads.stored", "two", other)
    await bus.start()
    await stage(records, bus, event(1), event(2))
    assert await calm.has(2) == ["e1", "e2"]
    assert tries == 4
    assert await bus.set_aside_count() == 0


async def test_a_poisonous_event_is_set_aside_counted_and_can_be_given_again(
    records: SqlRecords, open_bus: Open
) -> None:
    bus = await open_bus()
    listener = Listener()
    well = False

    async def choke(given: Event) -> None:
        if given.id == "e1" and not well:
            raise ValueError("on purpose")
        await listener(given)

    bus.subscribe("reads.stored", "one", choke)
    await bus.start()
    await stage(records, bus, event(1), event(2))
    assert await listener.has(1) == ["e2"]
    assert await bus.set_aside_count("one") == 1
    assert await bus.set_aside_count("two") == 0
    assert await bus.retry_set_aside("one") == 0
    well = True
    assert await bus.retry_set_aside("one") == 1
    assert listener.ids == ["e2", "e1"]
    assert await bus.set_aside_count() == 0


async def test_bad_weather_at_the_handler_sets_nothing_aside(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    listener = Listener()
    tries = 0

    async def stormy(given: Event) -> None:
        nonlocal tries
        tries += 1
        if tries < 6:  # twice as often as poison would be given up
            raise NeighbourUnreachableError("The archive does not answer.")
        await listener(given)

    bus.subscribe("reads.stored", "one", stormy)
    await bus.start()
    await stage(records, bus, event(1))
    assert await listener.has(1) == ["e1"]
    assert await bus.set_aside_count() == 0


async def test_a_new_consumer_may_begin_with_what_comes(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    old = Listener()
    bus.subscribe("reads.stored", "old", old)
    await bus.start()
    await stage(records, bus, event(1))
    await old.has(1)
    kept, new = Listener(), Listener()
    bus.subscribe("reads.stored", "kept", kept)
    assert await kept.has(1) == ["e1"]
    bus.subscribe("reads.stored", "new", new, start="new")
    await bus.entered("new")
    await stage(records, bus, event(2))
    assert await new.has(1) == ["e2"]


async def test_a_tail_shows_what_happens_from_now_on(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    seen = Listener()
    bus.subscribe(">", "seen", seen)
    await bus.start()
    await stage(records, bus, event(1))
    await seen.has(1)
    tail = bus.tail("reads.*")
    await tail.ready.wait()
    await stage(records, bus, event(2), event(3, "hits.changed"), event(4))
    async with asyncio.timeout(60):
        got = [await anext(tail), await anext(tail)]
    assert [each.id for each in got] == ["e2", "e4"]
    assert tail.dropped == 0
    tail.close()
    assert [each async for each in tail] == []


async def test_a_slow_tail_loses_its_oldest_and_counts_them(records: SqlRecords, open_bus: Open) -> None:
    bus = await open_bus()
    await bus.start()
    slow, quick = bus.tail("reads.stored", waiting_max=10), bus.tail("reads.stored", waiting_max=100)
    await slow.ready.wait()
    await quick.ready.wait()
    await stage(records, bus, *(event(number) for number in range(50)))
    async with asyncio.timeout(60):
        assert [(await anext(quick)).id for _ in range(50)] == [f"e{number}" for number in range(50)]
        assert [(await anext(slow)).id for _ in range(10)] == [f"e{number}" for number in range(40, 50)]
    assert slow.dropped == 40


async def test_names_and_topics_are_checked(open_bus: Open) -> None:
    bus = await open_bus()
    bus.subscribe("a.b", "one", Listener())
    for topic, name in (("a.b", "one"), ("a.b", "two.three"), ("a.b", ""), ("a.>.b", "two"), ("", "two"), ("A b", "x")):
        with pytest.raises(InputRefusedError):
            bus.subscribe(topic, name, Listener())
