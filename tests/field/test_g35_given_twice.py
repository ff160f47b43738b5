"""G35: a slow consumer is given the event twice, or a publisher's retry is swallowed and given up as lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import nats
import pytest

from guardian.domain.event import Event
from guardian.stores import create_missing, metadata, open_records
from guardian.stores.jetstream import JetStreamEvents

pytestmark = [pytest.mark.anyio, pytest.mark.real("nats")]

ACK_WAIT_S = 1.0
HANDLER_S = 4.0  # as 40 s are to the usual 30 s, and more


@pytest.fixture
async def closing() -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as stack:
        yield stack


async def test_a_slow_read_is_one_hit_though_another_instance_is_there_and_the_publisher_retries(
    tmp_path: Path, nats_url: str, closing: contextlib.AsyncExitStack
) -> None:
    records = open_records(f"sqlite:///{tmp_path}/records.sqlite")
    closing.push_async_callback(records.close)
    await create_missing(records, metadata)
    handled: list[tuple[str, str]] = []
    last = asyncio.Event()

    def instance(name: str) -> JetStreamEvents:
        bus = JetStreamEvents(nats_url, records, lambda: 0, ack_wait_s=ACK_WAIT_S)

        async def take(event: Event) -> None:
            handled.append((event.id, name))
            if event.id == "slow":
                await asyncio.sleep(HANDLER_S)
            if event.id == "last":
                last.set()

        bus.subscribe("reads.stored", "hits", take)
        closing.push_async_callback(bus.close)
        return bus

    one, two = instance("one"), instance("two")
    await one.start()
    await two.start()  # its relay publishes the same outbox rows again: retries within the window
    slow = Event("slow", "reads.stored", 0, b"read")
    await records.write(lambda connection: one.stage(connection, slow))
    client = await nats.connect(nats_url.rpartition("/")[0])
    closing.push_async_callback(client.close)
    await asyncio.wait_for(one.entered("hits"), 60)
    stream = nats_url.rpartition("/")[2]
    for _ in range(3):
        again = await client.jetstream().publish(
            f"{stream}.reads.stored", msgspec.msgpack.encode(slow), headers={"Nats-Msg-Id": "slow"}
        )
        await asyncio.sleep(HANDLER_S / 8)
    assert again.duplicate, "the stream says that it has it: kept, not lost"
    await records.write(lambda connection: two.stage(connection, Event("last", "reads.stored", 1, b"")))
    await asyncio.wait_for(last.wait(), 90)
    assert [event_id for event_id, _ in handled] == ["slow", "last"]
    assert await one.set_aside_count() == 0
