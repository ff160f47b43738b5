"""The bus within one process: consumers read the outbox themselves.

Two processes on one database must not use it with the same consumer names (each would handle every event): that is
what `nats://` is for.
"""

from __future__ import annotations

import asyncio
import time

from guardian.stores.events import Consumer, LiveTail, OutboxEvents

PAGE = 100
REMEMBER_S = 0.5
IDLE_REMEMBER = 500
LOOK_AGAIN_S = 5.0
"""Other processes may stage into the same database; nobody wakes us for those."""


class MemoryEvents(OutboxEvents):
    """Made by `open_events("memory:", …)`."""

    _reached: dict[str, int]
    _remembered: dict[str, int]

    async def start(self) -> None:
        self._reached, self._remembered = {}, {}
        self._pump_wake = asyncio.Event()
        self._pumped = await self._outbox.newest()
        await super().start()
        self._spawn(self._pump())

    async def close(self) -> None:
        running = self._loop is not None
        await super().close()
        if running:
            await self._remember()

    def _woken(self) -> None:
        self._pump_wake.set()
        for consumer in self._consumers.values():
            consumer.wake.set()

    def _outbox_readers(self) -> list[str]:
        return list(self._consumers)

    def _tail_opened(self, tail: LiveTail) -> None:
        self._spawn(self._begin(tail))

    async def _begin(self, tail: LiveTail) -> None:
        """A tail shows what comes after the newest event of now, however far behind the pump is."""
        newest = await self._patiently("outbox", self._outbox.newest)
        tail.begins = newest
        for number, event in tail.held:
            if number > newest:
                tail.offer(event)
        tail.held.clear()
        tail.ready.set()

    async def _consume(self, consumer: Consumer) -> None:
        name = consumer.name
        number = await self._patiently("position", lambda: self._outbox.position(name, consumer.start))
        self._reached[name] = self._remembered[name] = number
        consumer.entered.set()
        remembered_s = time.monotonic()
        while True:
            consumer.wake.clear()
            page = await self._patiently(
                "outbox", lambda: self._outbox.page_after(self._reached[name], consumer.topic, PAGE)
            )
            for number, event in page.events:
                await self._deliver(consumer, event)
                self._reached[name] = number
                if time.monotonic() - remembered_s > REMEMBER_S:
                    await self._patiently("position", self._remember)
                    remembered_s = time.monotonic()
            self._reached[name] = page.upto
            if page.events or page.upto - self._remembered[name] >= IDLE_REMEMBER:
                await self._patiently("position", self._remember)
                remembered_s = time.monotonic()
            if not page.events:
                await _wait(consumer.wake)

    async def _remember(self) -> None:
        moved = {name: number for name, number in self._reached.items() if number != self._remembered.get(name)}
        if moved:
            await self._outbox.remember(moved)
            self._remembered.update(moved)

    async def _pump(self) -> None:
        """Show what was committed to the tails."""
        while True:
            self._pump_wake.clear()
            if self._tails:
                page = await self._patiently("outbox", lambda: self._outbox.page_after(self._pumped, ">", PAGE))
                for number, event in page.events:
                    for tail in list(self._tails):
                        if tail.begins is None:
                            tail.held.append((number, event))
                        elif number > tail.begins:
                            tail.offer(event)
                self._pumped = page.upto
                if page.events:
                    continue
            else:
                newest = await self._patiently("outbox", self._outbox.newest)
                if not self._tails:  # a tail that came meanwhile starts where it came
                    self._pumped = newest
            await _wait(self._pump_wake)


async def _wait(wake: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_AGAIN_S):
            await wake.wait()
    except TimeoutError:
        pass
