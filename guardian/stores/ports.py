"""The four kinds of keeping, in the words of the rooms that need them. Engines are chosen by URL in `open_stores`.

A function handed to `write` or `read` gets a SQLAlchemy `Connection` inside a transaction that is already begun; it
never commits, never keeps the connection, and does nothing but talk to the database: it runs in a worker thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Literal, Protocol, TypeVar, runtime_checkable

from sqlalchemy import Connection

from guardian.domain.event import Event

T = TypeVar("T")

Handler = Callable[[Event], Awaitable[None]]
"""Takes one event, at least once, in order; raising means "again, later". Idempotent by `event.id`."""


@runtime_checkable
class Records(Protocol):
    """Rows with transactions: SQLite in one file, or PostgreSQL."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which engine; for statements that differ (see `insert`), never for police work."""
        ...

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in the one writer's transaction; the answer comes after the commit is durable.

        Writes never overlap, in one process or several: what `fn` reads stays true until its commit. A failing `fn`
        undoes only itself. Inside `fn` a statement that may fail needs `connection.begin_nested()` (PostgreSQL).

        Raises:
            DiskFullError: no room; nothing of `fn` was kept.
            StoreBusyError: too many writes wait already; nothing was begun.
            NeighbourUnreachableError: the server is away. If it went during the commit, `fn` may have been kept:
                writes are idempotent by the ids of what they write.
            sqlalchemy.exc.IntegrityError: as it comes, on both engines.
        """
        ...

    async def read(self, fn: Callable[[Connection], T], *, limit_s: float | None = None) -> T:
        """Run `fn` on one consistent state, beside the writer; what it returns is whole, never a cursor.

        Args:
            limit_s: cut off after this time instead of the store's own limit.

        Raises:
            ReadCutOffError: it took longer than the limit.
            StoreBusyError: too many reads wait already.
            NeighbourUnreachableError: the server is away.
        """
        ...

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Have `callback` called (in the writer's thread, quickly) after each commit."""
        ...

    async def close(self) -> None:
        """Finish the writes that wait, fold the log in, let go of the engine."""
        ...


@runtime_checkable
class Photos(Protocol):
    """Pictures by the SHA-256 (64 lower-case hex digits) of their bytes. Writing twice is harmless."""

    async def put(self, sha256: str, body: bytes) -> None:
        """Keep `body` durably; what lies there under its name and is not it any more (rotted, cut short) is replaced.

        Raises:
            InputRefusedError: `body` has another hash, or is larger than PHOTO_BYTES_MAX.
            DiskFullError, NeighbourUnreachableError: not kept.
        """
        ...

    async def get(self, sha256: str) -> bytes:
        """The bytes; their hash has been checked.

        Raises:
            NotFoundError: not here; reference `photo-damaged` where the bytes no longer fit their name.
        """
        ...

    async def has(self, sha256: str) -> bool:
        """Whether something is kept under this name; only `get` tells whether it is still whole."""
        ...

    async def list_missing(self, hashes: Iterable[str]) -> set[str]:
        """Which of these (at most 1,000) are not kept here; as `has`, by name alone."""
        ...

    async def delete(self, sha256: str) -> None:
        """Gone afterwards, also if it was never there."""
        ...

    async def close(self) -> None: ...


class Tail(Protocol):
    """What happens from now on, for a live view: `async for event in tail`. Not durable."""

    @property
    def dropped(self) -> int:
        """How many events a slow reader has lost (the oldest go first)."""
        ...

    def __aiter__(self) -> AsyncIterator[Event]: ...

    async def __anext__(self) -> Event: ...

    def close(self) -> None:
        """End the iteration."""
        ...


@runtime_checkable
class Events(Protocol):
    """Things that happened, carried from the transaction that made them true to everyone who cares."""

    def stage(self, connection: Connection, event: Event) -> None:
        """Put `event` into the outbox within the caller's `records.write`; it leaves only if that commits.

        Staging the same id twice is once.
        """
        ...

    def subscribe(
        self, topic: str, consumer_name: str, handler: Handler, *, start: Literal["kept", "new"] = "kept"
    ) -> None:
        """Call `handler` for every event of `topic`, in order, at least once, over restarts.

        Args:
            topic: `reads.stored`, or with a last part `*` (one part) or `>` (all further parts).
            consumer_name: fixed name (letters, digits, `-`); its position is remembered under it.
            start: where a consumer that was never here begins: with what is still kept, or with what comes.
        """
        ...

    def tail(self, topic: str, *, waiting_max: int = 256) -> Tail:
        """Events of `topic` from now on."""
        ...

    async def set_aside_count(self, consumer_name: str | None = None) -> int:
        """How many events a consumer (or all) gave up after its last try; they lie in `event_set_aside`."""
        ...

    async def retry_set_aside(self, consumer_name: str) -> int:
        """Hand the set-aside events to the consumer once more; gives how many it took."""
        ...

    async def start(self) -> None:
        """Begin to deliver."""
        ...

    async def close(self) -> None:
        """Stop to deliver and remember the positions."""
        ...


@runtime_checkable
class Secrets(Protocol):
    """Keys that the house makes for itself. Values are never logged, never in errors."""

    def get_or_create(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret called `name` (letters, digits, `-`, `.`); made by `make` if it is not there, once for all."""
        ...

    def find(self, name: str) -> bytes | None: ...

    def replace(self, name: str, value: bytes) -> None:
        """Put `value` in the place of what is there (a changed key)."""
        ...
