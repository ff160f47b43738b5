"""NATS stopped, killed and started under load: staging never fails, and every event arrives, in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from guardian.domain.event import Event
from guardian.stores import create_missing, metadata, open_records
from guardian.stores.jetstream import JetStreamEvents
from guardian.stores.records import SqlRecords

pytestmark = [pytest.mark.anyio, pytest.mark.real("nats")]

COUNT = 300
MakeBus = Callable[[str], JetStreamEvents]


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqlRecords]:
    opened = open_records(f"sqlite:///{tmp_path}/records.sqlite")
    await create_missing(opened, metadata)
    yield opened
    await opened.close()


@pytest.fixture
async def make_bus(records: SqlRecords) -> AsyncIterator[MakeBus]:
    async with contextlib.AsyncExitStack() as closing:

        def make(url: str) -> JetStreamEvents:
            bus = JetStreamEvents(url, records, lambda: 0, ack_wait_s=2)
            closing.push_async_callback(bus.close)
            return bus

        yield make


def stage(bus: JetStreamEvents, number: int) -> Any:
    return lambda connection: bus.stage(connection, Event(f"e{number}", "reads.stored", number, b""))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=["stopped", "killed"])
async def test_every_event_arrives_in_order_though_the_server_was_away(
    records: SqlRecords, make_bus: MakeBus, own_nats_server: Any, sign: int
) -> None:
    bus = make_bus(own_nats_server.url)
    taken: list[str] = []
    changed = asyncio.Condition()

    async def take(event: Event) -> None:
        async with changed:
            if event.id not in taken:  # at least once: a handler knows what it has
                taken.append(event.id)
            changed.notify_all()

    async def has(count: int) -> None:
        async with changed:
            await asyncio.wait_for(changed.wait_for(lambda: len(taken) >= count), 90)

    bus.subscribe("reads.stored", "one", take)
    await bus.start()
    for number in range(COUNT):
        await records.write(stage(bus, number))
        if number == 100:
            await has(50)
            await asyncio.to_thread(own_nats_server.stop, sign)
        if number == 200:
            await asyncio.to_thread(own_nats_server.start)
    await has(COUNT)
    assert taken == [f"e{number}" for number in range(COUNT)]
    assert await bus.set_aside_count() == 0


async def test_a_server_that_is_away_at_the_start_keeps_nobody_from_starting(
    records: SqlRecords, make_bus: MakeBus, own_nats_server: Any
) -> None:
    await asyncio.to_thread(own_nats_server.stop)
    bus = make_bus(own_nats_server.url)
    arrived = asyncio.Event()

    async def take(event: Event) -> None:
        arrived.set()

    bus.subscribe("reads.stored", "one", take)
    await asyncio.wait_for(bus.start(), 20)
    await records.write(stage(bus, 1))
    assert not bus.reachable
    await asyncio.to_thread(own_nats_server.start)
    await asyncio.wait_for(arrived.wait(), 90)
