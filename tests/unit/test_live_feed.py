"""The live view's feed: an event that cannot be drawn just now is said as a gap, so that the page looks again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.event import Event
from guardian.serve.live import LiveHub
from guardian.serve.livefeed import LiveFeed

pytestmark = pytest.mark.anyio


class ThreeEvents:
    """A bus whose tail has three events and then ends."""

    dropped = 0

    def tail(self, topic: str, *, waiting_max: int) -> ThreeEvents:
        return self

    async def __aiter__(self) -> AsyncIterator[Event]:
        for number in range(3):
            yield Event(f"e{number}", "reads.stored", 0, b"")


@pytest.mark.parametrize("error", [NeighbourUnreachableError("The records do not answer."), ValueError("a bug")])
async def test_an_event_that_fails_is_a_gap_and_the_next_ones_are_drawn(error: Exception) -> None:
    hub = LiveHub()
    nothing: Any = None
    feed = LiveFeed(hub, ThreeEvents(), *([nothing] * 8), lambda: 0)  # type: ignore[arg-type]

    async def act(event: Event) -> None:
        if event.id == "e1":
            raise error
        hub.publish("read", event.id)

    stream = hub.follow(hub.cursor)
    await anext(stream)
    await feed._follow("reads.stored", act)
    kinds = []
    for _ in range(3):
        event = await asyncio.wait_for(anext(stream), 60)
        kinds.append(event.split(b"event: ", 1)[1].split(b"\n", 1)[0])
    assert kinds == [b"read", b"gap", b"read"]
