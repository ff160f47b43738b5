"""Things that happened, on their way to everyone who cares: what both buses share.

An event is staged in the transaction that makes it true (`outbox.py`), and each named consumer gets it at least once, in
order. A handler that fails is asked again with growing pauses, without holding up any other consumer; after TRIES_MAX
the event is set aside, counted, and can be handed over again. When the neighbour of a handler is away (`disk-full`,
`neighbour-unreachable`) the event is not to blame: it waits.
`memory.py` delivers within this process, `jetstream.py` over NATS.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import structlog
from sqlalchemy import Connection

from guardian.domain.errors import DiskFullError, InputRefusedError, NeighbourUnreachableError
from guardian.domain.event import Event
from guardian.stores.outbox import Outbox, topic_fits
from guardian.stores.ports import Events, Handler, Records

log = structlog.get_logger(__name__)
T = TypeVar("T")

TRIES_MAX = 6
PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 10.0
HANDLER_S_MAX = 300.0
PRUNE_S = 60.0
CANCEL_AGAIN_S = 0.5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_TOPIC = re.compile(r"(>|[a-z0-9_-]+(\.[a-z0-9_-]+)*(\.[*>])?)")


@dataclass(slots=True)
class Consumer:
    """One subscription."""

    topic: str
    name: str
    handler: Handler
    start: Literal["kept", "new"]
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)  # what comes from now on is kept for it


class LiveTail:
    """A bounded queue that loses its oldest; see `ports.Tail`."""

    def __init__(self, topic: str, waiting_max: int, on_close: Callable[[LiveTail], None]) -> None:
        self.topic = topic
        self.dropped = 0
        self._waiting: deque[Event] = deque(maxlen=waiting_max)
        self.ready = asyncio.Event()  # what happens from now on will be shown
        self.closed = asyncio.Event()
        self.begins: int | None = None  # number in the outbox after which it shows, once that is known
        self.held: list[tuple[int, Event]] = []  # what came until then
        self._wake = asyncio.Event()
        self._on_close = on_close

    def offer(self, event: Event) -> None:
        if self.closed.is_set() or not topic_fits(self.topic, event.topic):
            return
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(event)
        self._wake.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self.closed.is_set():
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()

    def close(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            self._wake.set()
            self._on_close(self)


class OutboxEvents:
    """The part of a bus that does not depend on how events travel."""

    def __init__(
        self,
        records: Records,
        now_ms: Callable[[], int],
        *,
        tries_max: int = TRIES_MAX,
        pause_first_s: float = PAUSE_FIRST_S,
        handler_s_max: float = HANDLER_S_MAX,
    ) -> None:
        self._records = records
        self._outbox = Outbox(records)
        self._now_ms = now_ms
        self._tries_max, self._pause_first_s, self._handler_s_max = tries_max, pause_first_s, handler_s_max
        self._consumers: dict[str, Consumer] = {}
        self._tails: set[LiveTail] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._staged = False
        self._listening = False

    # What rooms call.

    def stage(self, connection: Connection, event: Event) -> None:
        self._outbox.stage(connection, event)
        self._staged = True  # read in the same thread, after the commit

    def subscribe(
        self, topic: str, consumer_name: str, handler: Handler, *, start: Literal["kept", "new"] = "kept"
    ) -> None:
        _check_topic(topic)
        if not _NAME.fullmatch(consumer_name):
            raise InputRefusedError("A consumer's name has letters, digits and '-'.", reference="consumer-name")
        if consumer_name in self._consumers:
            raise InputRefusedError(f"There is a consumer {consumer_name!r} already.", reference="consumer-name")
        consumer = self._consumers[consumer_name] = Consumer(topic, consumer_name, handler, start)
        if self._loop is not None:
            self._spawn(self._consume(consumer))

    def tail(self, topic: str, *, waiting_max: int = 256) -> LiveTail:
        _check_topic(topic)
        tail = LiveTail(topic, waiting_max, self._tails.discard)
        self._tails.add(tail)
        self._tail_opened(tail)
        return tail

    async def entered(self, consumer_name: str) -> None:
        """Wait until the bus keeps events for this consumer (matters to those that start `new`)."""
        await self._consumers[consumer_name].entered.wait()

    async def set_aside_count(self, consumer_name: str | None = None) -> int:
        return await self._outbox.set_aside_count(consumer_name)

    async def retry_set_aside(self, consumer_name: str) -> int:
        consumer = self._consumers[consumer_name]
        taken = 0
        for event in await self._outbox.list_set_aside(consumer_name):
            try:
                async with asyncio.timeout(self._handler_s_max):
                    await consumer.handler(event)
            except Exception as error:
                log.warning(
                    "events.still_refused", consumer=consumer_name, event_id=event.id, error=type(error).__name__
                )
                continue
            await self._outbox.take_back(consumer_name, event.id)
            taken += 1
        return taken

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not self._listening:
            self._listening = True
            self._records.after_commit(self._committed)
        for consumer in self._consumers.values():
            self._spawn(self._consume(consumer))
        self._spawn(self._prune_on())

    async def close(self) -> None:
        self._loop = None
        for tail in list(self._tails):
            tail.close()
        while self._tasks:  # a task may lose a cancellation that meets an answer (asyncio.wait_for before 3.12)
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=CANCEL_AGAIN_S)

    # What an engine adds.

    async def _consume(self, consumer: Consumer) -> None:
        raise NotImplementedError

    def _outbox_readers(self) -> list[str]:
        """Who reads the outbox itself; what they all have may go."""
        raise NotImplementedError

    def _tail_opened(self, tail: LiveTail) -> None:
        """Make `tail` see what happens; set `ready` when it does."""
        raise NotImplementedError

    def _woken(self) -> None:
        """Called in the event loop after a commit that staged something."""

    # What it has in common.

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("events.task_died", error=repr(task.exception()))

    def _committed(self) -> None:
        if self._staged and self._loop is not None:
            self._staged = False
            with contextlib.suppress(RuntimeError):  # the loop has ended; the next start finds the events
                self._loop.call_soon_threadsafe(self._woken)

    def _stop_if_closing(self) -> None:
        """End the task at `close` even where a library has made an ordinary timeout of its cancellation."""
        if self._loop is None:
            raise asyncio.CancelledError

    async def _patiently(self, what: str, act: Callable[[], Awaitable[T]]) -> T:
        """Do `act` until it works; the world comes back."""
        pause_s = self._pause_first_s
        while True:
            try:
                return await act()
            except Exception as error:
                self._stop_if_closing()
                log.warning("events.waiting", what=what, error=getattr(error, "reference", type(error).__name__))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_MAX_S / 2)

    async def _deliver(self, consumer: Consumer, event: Event) -> None:
        """Hand `event` over until the handler takes it or the event is set aside."""
        tries, pause_s = 0, self._pause_first_s
        while True:
            try:
                async with asyncio.timeout(self._handler_s_max):
                    await consumer.handler(event)
                return
            except Exception as error:
                self._stop_if_closing()
                if not isinstance(error, NeighbourUnreachableError | DiskFullError):
                    tries += 1
                reason = getattr(error, "reference", type(error).__name__)
                log.warning(
                    "events.handler_failed",
                    consumer=consumer.name,
                    topic=event.topic,
                    event_id=event.id,
                    tries=tries,
                    error=reason,
                )
            if tries >= self._tries_max:
                await self._give_up(consumer, event, tries, reason)
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_MAX_S)

    async def _give_up(self, consumer: Consumer, event: Event, tries: int, reason: str) -> None:
        await self._patiently(
            "set aside", lambda: self._outbox.put_aside(consumer.name, event, tries, reason, self._now_ms())
        )
        log.error("events.set_aside", consumer=consumer.name, topic=event.topic, event_id=event.id)

    async def _prune(self) -> int:
        return await self._outbox.prune(self._now_ms(), self._outbox_readers())

    async def _prune_on(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_S)
            lost = await self._patiently("prune", self._prune)
            if lost:
                log.error("events.outbox_overflowed", lost=lost)


def _check_topic(topic: str) -> None:
    if not _TOPIC.fullmatch(topic):
        raise InputRefusedError(f"{topic!r} is no topic.", hint="Use a.b, a.* or a.>.", reference="topic-name")


def open_events(url: str, records: Records, now_ms: Callable[[], int]) -> Events:
    """The bus behind `url`; `records` hold its outbox. Call `start` when the consumers are subscribed.

    Args:
        url: `memory:`, or `nats://host:port/stream` (stream: `guardian`).

    Raises:
        InputRefusedError: no such engine (`store-url`).
    """
    scheme = url.partition(":")[0]
    if scheme == "memory":
        from guardian.stores.memory import MemoryEvents

        return MemoryEvents(records, now_ms)
    if scheme in ("nats", "tls"):
        from guardian.stores.jetstream import JetStreamEvents

        return JetStreamEvents(url, records, now_ms)
    raise InputRefusedError(
        f"No engine for events is called {scheme!r}.", hint="Use memory: or nats://….", reference="store-url"
    )
