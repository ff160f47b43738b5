"""The bus over NATS JetStream, for several processes: the outbox is relayed, durable consumers share the work.

- The relay publishes outbox rows in order, each under its event's id, and moves on only when the stream has
  acknowledged. "I have that one already" is an acknowledgement too, never a loss (field case G35).
- A consumer has one event in the air at a time, over all processes, so order holds. While a handler works, the server
  is told so, and gives the event to nobody else however long it takes (G35); it is acknowledged after the handler.
- The server may be away: what is staged waits in the outbox, and everything goes on by itself when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError as JetStreamNotFoundError

from guardian.domain.event import Event
from guardian.stores.events import Consumer, LiveTail, OutboxEvents
from guardian.stores.outbox import Page
from guardian.stores.ports import Records

log = structlog.get_logger(__name__)

STREAM = "guardian"
STREAM_BYTES_MAX = 1024 * 1024 * 1024
STREAM_AGE_S_MAX = 7 * 24 * 3600
"""What a consumer that is away may miss: past either, the oldest events go (they are still in their rooms' records)."""
REPEAT_WINDOW_S = 600
ACK_WAIT_S = 30.0
ANSWER_S = 5.0
FETCH_S = 30.0
RELAY_PAGE = 100
LOOK_AGAIN_S = 2.0
TAKEN_REMEMBERED = 1000


class JetStreamEvents(OutboxEvents):
    """Made by `open_events("nats://host:port/stream", …)`."""

    def __init__(
        self, url: str, records: Records, now_ms: Callable[[], int], *, ack_wait_s: float = ACK_WAIT_S, **options: Any
    ) -> None:
        super().__init__(records, now_ms, **options)
        parts = urlsplit(url)
        self.stream = parts.path.strip("/") or STREAM
        self._server = urlunsplit((parts.scheme, parts.netloc, "", parts.query, ""))
        self._ack_wait_s = ack_wait_s
        self._relay_name = f"relay.{self.stream}"  # no consumer can be called so: their names have no dot
        self._relay_wake = asyncio.Event()
        self._reached = 0  # the last outbox number that the stream has
        self._connected = asyncio.Event()
        self._client: Client | None = None

    async def start(self) -> None:
        await super().start()
        self._spawn(self._connect())
        self._spawn(self._relay())

    async def close(self) -> None:
        await super().close()
        if self._client is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(ANSWER_S):
                    await self._client.close()
            self._client = None

    @property
    def reachable(self) -> bool:
        """Whether the server is there right now."""
        return self._client is not None and bool(self._client.is_connected)

    def _woken(self) -> None:
        self._relay_wake.set()

    # The connection.

    async def _connect(self) -> None:
        client = Client()
        self._client = client

        async def complain(error: Exception) -> None:
            log.warning("events.nats_error", error=type(error).__name__)

        async def connect() -> JetStreamContext:
            if not client.is_connected:
                await client.connect(
                    servers=[self._server],
                    name="guardian",
                    connect_timeout=int(ANSWER_S),
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=1,
                    error_cb=complain,
                )
            stream = client.jetstream(timeout=ANSWER_S)
            try:
                await stream.stream_info(self.stream)
            except JetStreamNotFoundError:
                await stream.add_stream(self._stream_config())
            return stream

        self._js = await self._patiently("nats", connect)
        self._connected.set()

    def _stream_config(self) -> StreamConfig:
        return StreamConfig(
            name=self.stream,
            subjects=[f"{self.stream}.>"],
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_bytes=STREAM_BYTES_MAX,
            max_age=STREAM_AGE_S_MAX,
            duplicate_window=REPEAT_WINDOW_S,
        )

    def _subject(self, topic: str) -> str:
        return f"{self.stream}.{topic}"

    # Out of the outbox.

    async def _relay(self) -> None:
        await self._connected.wait()
        self._reached = await self._patiently("position", lambda: self._outbox.position(self._relay_name, "kept"))
        while True:
            self._relay_wake.clear()
            page = await self._patiently("outbox", self._next_page)
            for _, event in page.events:
                await self._patiently("publish", functools.partial(self._publish, event))
            if page.upto > self._reached:
                self._reached = page.upto
                await self._patiently("position", self._remember_reached)
            if not page.events:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN_S):  # other processes stage too
                        await self._relay_wake.wait()

    async def _next_page(self) -> Page:
        return await self._outbox.page_after(self._reached, ">", RELAY_PAGE)

    async def _remember_reached(self) -> None:
        await self._outbox.remember({self._relay_name: self._reached})

    async def _publish(self, event: Event) -> None:
        """Until the stream says that it has it; a repeat within its window is acknowledged and kept once."""
        await self._js.publish(
            self._subject(event.topic),
            msgspec.msgpack.encode(event),
            timeout=ANSWER_S,
            stream=self.stream,
            headers={"Nats-Msg-Id": event.id},
        )

    def _outbox_readers(self) -> list[str]:
        return [self._relay_name]

    # To the consumers.

    async def _consume(self, consumer: Consumer) -> None:
        await self._connected.wait()
        subscription = await self._patiently("consumer", lambda: self._bind(consumer))
        consumer.entered.set()
        taken: OrderedDict[str, None] = OrderedDict()
        pause_s = self._pause_first_s
        while True:
            self._stop_if_closing()
            try:
                messages = await subscription.fetch(1, timeout=FETCH_S)
                pause_s = self._pause_first_s
            except (NatsTimeoutError, TimeoutError):
                continue
            except Exception as error:
                log.warning("events.waiting", what="fetch", error=type(error).__name__)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, ANSWER_S)
                subscription = await self._patiently("consumer", lambda: self._bind(consumer))
                continue
            for message in messages:
                await self._take(consumer, message, taken)

    async def _bind(self, consumer: Consumer) -> JetStreamContext.PullSubscription:
        try:
            await self._js.consumer_info(self.stream, consumer.name)
        except JetStreamNotFoundError:
            await self._js.add_consumer(
                self.stream,
                ConsumerConfig(
                    durable_name=consumer.name,
                    filter_subject=self._subject(consumer.topic),
                    deliver_policy=DeliverPolicy.ALL if consumer.start == "kept" else DeliverPolicy.NEW,
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=self._ack_wait_s,
                    max_ack_pending=1,
                    max_deliver=-1,
                ),
            )
        return await self._js.pull_subscribe_bind(consumer.name, self.stream)

    async def _take(self, consumer: Consumer, message: Msg, taken: OrderedDict[str, None]) -> None:
        event = msgspec.msgpack.decode(message.data, type=Event)
        if event.id not in taken:  # else only our acknowledgement was lost
            try:
                async with self._in_progress(message):
                    await self._deliver(consumer, event)
            except asyncio.CancelledError:
                with contextlib.suppress(Exception):
                    await message.nak()  # we are closing: let another process have it now
                raise
            taken[event.id] = None
            if len(taken) > TAKEN_REMEMBERED:
                taken.popitem(last=False)
        try:
            await message.ack_sync(timeout=ANSWER_S)
        except Exception as error:  # it will come again, and be known
            log.warning("events.waiting", what="acknowledge", error=type(error).__name__)

    @contextlib.asynccontextmanager
    async def _in_progress(self, message: Msg) -> AsyncIterator[None]:
        """Tell the server, three times within its patience, that the event is being worked on."""

        async def tell() -> None:
            while True:
                await asyncio.sleep(self._ack_wait_s / 3)
                with contextlib.suppress(Exception):
                    await message.in_progress()

        task = asyncio.create_task(tell())
        try:
            yield
        finally:
            task.cancel()

    # Live.

    def _tail_opened(self, tail: LiveTail) -> None:
        if self._loop is not None:
            self._spawn(self._show(tail))

    async def _show(self, tail: LiveTail) -> None:
        await self._connected.wait()
        if self._client is None:
            return

        async def offer(message: Msg) -> None:
            tail.offer(msgspec.msgpack.decode(message.data, type=Event))

        subscription = await self._client.subscribe(self._subject(tail.topic), cb=offer)
        await self._client.flush(timeout=int(ANSWER_S))
        tail.ready.set()
        try:
            await tail.closed.wait()
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()
