"""SQLite in WAL: one writer, readers beside it, and a log that stays small.

The log (`-wal`) is folded into the file when it passes WAL_FOLD_BYTES. A reader on an old state keeps it from being
emptied; such readers are cut off at their limit, and past WAL_BYTES_MAX the writer waits for that, so the log stays
within WAL_BYTES_MAX plus one transaction whatever the readers do (field case G34).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

from guardian.domain.errors import InputRefusedError
from guardian.stores.failures import translate
from guardian.stores.records import ReadTicket, SqlRecords, refuse_overdue

log = structlog.get_logger(__name__)

WAL_FOLD_BYTES = 16 * 1024 * 1024
WAL_BYTES_MAX = 64 * 1024 * 1024
FOLD_AGAIN_S = 1.0
FOLD_PATIENCE_MS = 50
BUSY_MS = 5000
CUT_AGAIN_S = 0.1


class SqliteRecords(SqlRecords):
    """Made by `open_records("sqlite:///…")`; the file and its folder are made if they are not there, for us alone."""

    dialect: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(
        self,
        url: str,
        *,
        read_limit_s: float,
        readers: int,
        wal_fold_bytes: int = WAL_FOLD_BYTES,
        wal_bytes_max: int = WAL_BYTES_MAX,
    ) -> None:
        super().__init__(read_limit_s=read_limit_s, readers=readers)
        database = make_url(url).database
        if not database or database == ":memory:":
            raise InputRefusedError(
                "Records need a file.", hint="Use sqlite:///folder/records.sqlite.", reference="store-url"
            )
        self.path = Path(database).absolute()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDONLY, 0o600))  # the log beside it gets the same mode
        self._wal = self.path.with_name(self.path.name + "-wal")
        self._wal_fold_bytes, self._wal_bytes_max = wal_fold_bytes, wal_bytes_max
        self._fold_after_s = 0.0
        self._write_engine = _engine(self.path, 1, "BEGIN IMMEDIATE", ("PRAGMA wal_autocheckpoint=1000",))
        self._read_engine = _engine(
            self.path, readers, "BEGIN", ("PRAGMA query_only=ON", "PRAGMA wal_autocheckpoint=0")
        )
        event.listen(self._read_engine, "before_cursor_execute", refuse_overdue)
        self._cutter = _Cutter()
        self._writer.start()

    @property
    def write_engine(self) -> Engine:
        return self._write_engine

    def _begin_write(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE has done it."""

    @contextmanager
    def _reading(self, ticket: ReadTicket) -> Iterator[Connection]:
        with self._read_engine.connect() as connection:
            connection.execution_options(read_ticket=ticket)
            ticket.connection = connection.connection.driver_connection
            with self._cutter.watching(ticket):
                transaction = connection.begin()
                try:
                    yield connection
                finally:
                    # A SELECT left half read outlives ROLLBACK and would pin its state of the log.
                    for cursor in ticket.cursors:
                        cursor.close()
                    transaction.rollback()

    def translate(self, error: BaseException, limit_s: float = 0) -> BaseException:
        return translate(error, limit_s=limit_s, folder=self.path.parent)

    def wal_bytes(self) -> int:
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0

    async def bytes_used(self) -> int:
        return (self.path.stat().st_size if self.path.exists() else 0) + self.wal_bytes()

    def _after_group(self) -> None:
        size = self.wal_bytes()
        now = time.monotonic()
        if size <= self._wal_fold_bytes or (size <= self._wal_bytes_max and now < self._fold_after_s):
            return
        self._fold_after_s = now + FOLD_AGAIN_S
        if size > self._wal_bytes_max:
            log.warning("records.log_waits_for_readers", bytes=size)
            self._fold(round((self.read_limit_s + 1) * 1000))
        else:
            self._fold(FOLD_PATIENCE_MS)

    def _fold(self, patience_ms: int) -> bool:
        """Bring the log into the file and empty it; False where a reader was in the way for `patience_ms`."""
        raw = self._write_engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout={patience_ms}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                row = cursor.fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
                cursor.close()
            return row is not None and row[0] == 0
        finally:
            raw.close()

    def _dispose(self) -> None:
        self._cutter.close()
        self._read_engine.dispose()
        try:
            self._fold(FOLD_PATIENCE_MS)
        except Exception as error:
            log.warning("records.fold_failed", error=type(error).__name__)
        self._write_engine.dispose()


def _engine(path: Path, connections: int, begin: str, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_MS / 1000},
        hide_parameters=True,  # texts of errors end in logs, and values are plates
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late and knows no IMMEDIATE
        cursor = connection.cursor()
        for pragma in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "PRAGMA foreign_keys=ON",
            f"PRAGMA busy_timeout={BUSY_MS}",
            f"PRAGMA journal_size_limit={WAL_FOLD_BYTES}",
            "PRAGMA temp_store=MEMORY",
            *pragmas,
        ):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin_now(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class _Cutter:
    """A thread that ends reads at their deadline: it interrupts the connection until the read lets go."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._tickets: set[ReadTicket] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._cut_on, name="records-cut", daemon=True)
        self._thread.start()

    @contextmanager
    def watching(self, ticket: ReadTicket) -> Iterator[None]:
        with self._lock:
            self._tickets.add(ticket)
            self._lock.notify()
        try:
            yield
        finally:
            with self._lock:  # after this no interrupt can reach the next user of the connection
                self._tickets.discard(ticket)

    def _cut_on(self) -> None:
        with self._lock:
            while not self._closed:
                now = time.monotonic()
                for ticket in self._tickets:
                    if ticket.deadline_s <= now:
                        ticket.connection.interrupt()
                self._lock.wait(CUT_AGAIN_S if self._tickets else None)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._lock.notify()
        self._thread.join()
