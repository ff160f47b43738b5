"""The live view: what happens becomes messages that browsers follow, with a cursor so that nothing seen is lost.

One process keeps the last messages; a browser that comes back with its cursor gets what it missed, in order. Where the
cursor is too old, or of another process, it gets `gap` and takes a new snapshot. A browser that does not read is cut off
(bound: waiting messages) rather than slowed down for all; it comes back by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from guardian.domain.errors import GuardianError

TICK_S = 5.0
KEPT_MESSAGES = 5000
WAITING_MAX = 2000

_NUMBER = re.compile(r"[0-9]{1,18}").fullmatch
"""Not `isdigit`, which takes "²" for a digit that `int` then refuses."""


class Message(msgspec.Struct, frozen=True):
    """One server-sent event."""

    number: int
    kind: str
    data: bytes

    def encode(self, epoch: str) -> bytes:
        """The event as the wire has it."""
        return b"id: %b.%d\nevent: %b\ndata: %b\n\n" % (epoch.encode(), self.number, self.kind.encode(), self.data)


class Follower:
    """One browser's queue."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Message | None] = asyncio.Queue(WAITING_MAX)
        self.lost = False


class LiveHub:
    """Messages to all browsers of this process."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[Message] = deque(maxlen=KEPT_MESSAGES)
        self._followers: set[Follower] = set()
        self._closed = False

    @property
    def cursor(self) -> str:
        """Where the stream stands now."""
        return f"{self.epoch}.{self._number}"

    @property
    def followers(self) -> int:
        """How many browsers follow."""
        return len(self._followers)

    def publish(self, kind: str, body: object) -> None:
        """Send one message to every browser."""
        self._number += 1
        message = Message(self._number, kind, msgspec.json.encode(body))
        if kind != "tick":
            self._kept.append(message)
        for follower in self._followers:
            try:
                follower.queue.put_nowait(message)
            except asyncio.QueueFull:
                follower.lost = True

    def _missed(self, after: str) -> list[Message] | None:
        """Messages after the cursor, or None where they are not all here."""
        epoch, _, number = after.partition(".")
        if epoch != self.epoch or not _NUMBER(number) or int(number) > self._number:
            return None
        seen = int(number)
        if self._kept and self._kept[0].number > seen + 1 and len(self._kept) == KEPT_MESSAGES:
            return None
        return [m for m in self._kept if m.number > seen]

    async def follow(
        self,
        after: str,
        still_allowed: Callable[[], Awaitable[bool]] | None = None,
        *,
        asked_every_s: float = TICK_S,
        first_tick: Callable[[], Awaitable[object]] | None = None,
    ) -> AsyncIterator[bytes]:
        """The stream for one browser, as server-sent events.

        Args:
            first_tick: what it is told at once, behind what it missed: until it hears a tick it says "connecting".
            still_allowed: asked every `asked_every_s`; once it says no the browser is told
                to look anew (it then hears that its session has ended) and gets nothing more.
        """
        follower = Follower()
        follower.lost = self._closed
        loop = asyncio.get_running_loop()
        ask_at_s = loop.time() + asked_every_s
        missed = self._missed(after) if after else []
        stood = self._number  # what comes from here on is in the queue
        self._followers.add(follower)
        try:
            yield b"retry: 1000\n\n"
            if missed is None:
                yield Message(self._number, "gap", b"{}").encode(self.epoch)
            else:
                for message in missed:
                    yield message.encode(self.epoch)
                if first_tick is not None:
                    with contextlib.suppress(GuardianError):  # no figures just now; the next beat may have them
                        yield Message(stood, "tick", msgspec.json.encode(await first_tick())).encode(self.epoch)
            while True:
                if still_allowed is not None and loop.time() >= ask_at_s:
                    ask_at_s = loop.time() + asked_every_s
                    follower.lost = follower.lost or not await still_allowed()
                if follower.lost:
                    yield Message(self._number, "gap", b"{}").encode(self.epoch)
                    return
                try:
                    async with asyncio.timeout(asked_every_s):
                        waiting = await follower.queue.get()
                except TimeoutError:
                    continue
                if waiting is None:
                    return
                yield waiting.encode(self.epoch)
        finally:
            self._followers.discard(follower)

    def close(self) -> None:
        """End every stream, and each that would begin now."""
        self._closed = True
        for follower in self._followers:
            follower.lost = True
            if not follower.queue.full():
                follower.queue.put_nowait(None)
