"""Rows with transactions: one writer, many readers, whichever engine lies below.

Writes wait in one bounded queue and run in one thread. Several that wait share a commit, each in its own savepoint, so a
failing one undoes only itself; nobody hears "done" before the commit is durable. Reads run in a bounded pool of threads
on a state of their own, and are cut off after a limit: whoever reads for ever holds up everyone else's disk (G34).
What an engine does differently is in `sqlite.py` and `postgresql.py`.
"""

from __future__ import annotations

import abc
import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import structlog
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import DBAPIError

from guardian.domain.errors import InputRefusedError, NeighbourUnreachableError
from guardian.stores.failures import StoreBusyError, read_cut_off
from guardian.stores.ports import Records

log = structlog.get_logger(__name__)
T = TypeVar("T")

WRITES_WAITING_MAX = 1000
READS_WAITING_MAX = 256
READERS = 4
READ_LIMIT_S = 15.0
GROUP_WRITES_MAX = 64
GROUP_S_MAX = 0.02
"""A commit takes what waits, but no more writes than this and no new one after this time: the first shall not wait long."""
SLOW_WRITE_S = 1.0


def refuse_overdue(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    """Before each statement of a read (an event of SQLAlchemy): none is begun after the deadline."""
    ticket = connection.get_execution_options().get("read_ticket")
    if ticket is not None:
        ticket.cursors.append(cursor)
        if ticket.overdue:
            raise read_cut_off(ticket.limit_s)


@dataclass(slots=True)
class _Write:
    fn: Callable[[Connection], Any]
    future: Future[Any]


class ReadTicket:
    """One running read: until when, and whether someone ended it."""

    __slots__ = ("connection", "cursors", "deadline_s", "limit_s")

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.deadline_s = time.monotonic() + limit_s
        self.connection: Any = None  # the driver's, while it is in use
        self.cursors: list[Any] = []  # the driver's, of this read

    @property
    def overdue(self) -> bool:
        return time.monotonic() >= self.deadline_s


class SqlRecords(abc.ABC):
    """What both engines share. Made by `open_records`."""

    dialect: Literal["sqlite", "postgresql"]

    def __init__(self, *, read_limit_s: float = READ_LIMIT_S, readers: int = READERS) -> None:
        self.read_limit_s = read_limit_s
        self._waiting: queue.Queue[_Write | None] = queue.Queue(WRITES_WAITING_MAX)
        self._callbacks: list[Callable[[], None]] = []
        self._closed = False
        self._stopping = False
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="records-read")
        self._reads_waiting = 0
        self._reads_lock = threading.Lock()
        self._writer = threading.Thread(target=self._write_on, name="records-write", daemon=True)

    # What an engine adds.

    @property
    @abc.abstractmethod
    def write_engine(self) -> Engine: ...

    @abc.abstractmethod
    def _begin_write(self, connection: Connection) -> None:
        """Make this transaction the only writing one."""

    @abc.abstractmethod
    def _reading(self, ticket: ReadTicket) -> AbstractContextManager[Connection]:
        """A connection in a transaction of its own that sees one state, until the ticket's deadline."""

    @abc.abstractmethod
    def translate(self, error: BaseException, limit_s: float = 0) -> BaseException:
        """The house's error for an engine's."""

    @abc.abstractmethod
    def _dispose(self) -> None: ...

    @abc.abstractmethod
    async def bytes_used(self) -> int:
        """How much room the records take on disk."""

    def _after_group(self) -> None:  # noqa: B027
        """Called in the writer's thread after each commit; house-keeping, where an engine has some."""

    # Writing.

    async def write(self, fn: Callable[[Connection], T]) -> T:
        self._refuse_if_closed()
        job = _Write(fn, Future())
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            raise StoreBusyError(
                f"{WRITES_WAITING_MAX} writes wait already; this one was not begun.", hint="Try again."
            ) from None
        result: T = await asyncio.wrap_future(job.future)
        return result

    def after_commit(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def _write_on(self) -> None:
        while not self._stopping and (job := self._waiting.get()) is not None:
            started = time.monotonic()
            self._write_group(job)
            took_s = time.monotonic() - started
            if took_s > SLOW_WRITE_S:
                log.warning("records.write_slow", took_ms=round(took_s * 1000))
            try:
                self._after_group()
            except Exception as error:  # house-keeping never ends the writer
                log.warning("records.upkeep_failed", error=type(error).__name__)

    def _write_group(self, first: _Write) -> None:
        """Run `first` and what waits behind it in one transaction; settle every future that was taken."""
        done: list[tuple[_Write, Any]] = []
        running: _Write | None = first  # also while the connection is still being made
        try:
            with self.write_engine.connect() as connection, connection.begin():
                self._begin_write(connection)
                until = time.monotonic() + GROUP_S_MAX
                job: _Write | None = first
                alone = self._waiting.empty()
                while job is not None:
                    if job.future.set_running_or_notify_cancel():
                        if alone:
                            done.append((job, job.fn(connection)))
                        else:
                            self._run_in_savepoint(connection, job, done)
                    running = None
                    if alone or len(done) >= GROUP_WRITES_MAX or time.monotonic() > until:
                        break
                    job = running = self._next_write()
        except BaseException as error:
            translated = self.translate(error)
            lost = [job for job, _ in done] + ([running] if running is not None else [])
            for job in lost:
                self._fail(job, translated, error)
            return
        for job, result in done:
            job.future.set_result(result)
        for callback in self._callbacks:
            try:
                callback()
            except Exception as error:  # the rows are there whatever a listener makes of it
                log.error("records.listener_failed", error=repr(error))

    def _run_in_savepoint(self, connection: Connection, job: _Write, done: list[tuple[_Write, Any]]) -> None:
        savepoint = connection.begin_nested()
        try:
            result = job.fn(connection)
        except BaseException as error:
            translated = self.translate(error)
            alone = translated is error or isinstance(translated, InputRefusedError)
            if not alone or (isinstance(error, DBAPIError) and error.connection_invalidated):
                raise  # a full disk or a lost server ends the whole transaction, not this write alone
            savepoint.rollback()
            self._fail(job, translated, error)
            return
        savepoint.commit()
        done.append((job, result))

    def _next_write(self) -> _Write | None:
        try:
            job = self._waiting.get_nowait()
        except queue.Empty:
            return None
        if job is None:
            self._stopping = True
        return job

    @staticmethod
    def _fail(job: _Write, error: BaseException, cause: BaseException) -> None:
        if error is not cause:
            error.__cause__ = cause
        if not job.future.done():
            if not job.future.running():
                job.future.set_running_or_notify_cancel()
            if not job.future.cancelled():
                job.future.set_exception(error)

    # Reading.

    async def read(self, fn: Callable[[Connection], T], *, limit_s: float | None = None) -> T:
        self._refuse_if_closed()
        with self._reads_lock:
            if self._reads_waiting >= READS_WAITING_MAX:
                raise StoreBusyError(f"{READS_WAITING_MAX} reads wait already.", hint="Try again.")
            self._reads_waiting += 1
        limit = self.read_limit_s if limit_s is None else limit_s
        ticket = ReadTicket(limit)
        future = self._readers.submit(self._read_now, fn, ticket)
        future.add_done_callback(self._read_ended)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            ticket.deadline_s = 0.0  # nobody waits for it any more
            raise

    def _read_ended(self, _: Future[Any]) -> None:
        with self._reads_lock:
            self._reads_waiting -= 1

    def _read_now(self, fn: Callable[[Connection], T], ticket: ReadTicket) -> T:
        if ticket.overdue:
            raise read_cut_off(ticket.limit_s)
        try:
            with self._reading(ticket) as connection:
                return fn(connection)
        except Exception as error:
            translated = self.translate(error, ticket.limit_s)
            if translated is error:
                raise
            raise translated from error

    # Ending.

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise NeighbourUnreachableError("The records are closed.", reference="records-closed")

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._close_now)

    def _close_now(self) -> None:
        self._waiting.put(None)
        self._writer.join()
        self._readers.shutdown(wait=True, cancel_futures=True)
        self._dispose()


def open_records(url: str, *, read_limit_s: float = READ_LIMIT_S, readers: int = READERS) -> SqlRecords:
    """The records behind `url`; a server that is away is no error here but at the first use.

    Args:
        url: `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user:password@host:port/name`.
        read_limit_s: after this time a read is cut off.
        readers: how many reads run side by side.

    Raises:
        InputRefusedError: no such engine (`store-url`).
    """
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        from guardian.stores.sqlite import SqliteRecords

        return SqliteRecords(url, read_limit_s=read_limit_s, readers=readers)
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        from guardian.stores.postgresql import PostgresqlRecords

        return PostgresqlRecords(url, read_limit_s=read_limit_s, readers=readers)
    raise InputRefusedError(
        f"No engine for records is called {scheme!r}.",
        hint="Use sqlite:///… or postgresql://….",
        reference="store-url",
    )


async def create_missing(records: Records, metadata: MetaData) -> None:
    """Make the tables of `metadata` that are not there yet. Changes no table that is: that is a migration's work."""
    await records.write(lambda connection: metadata.create_all(connection, checkfirst=True))
