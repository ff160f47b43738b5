"""PostgreSQL through psycopg 3, with the same manners as the one file.

"One writer" holds over all processes: each writing transaction first takes one advisory lock, so ids and outbox numbers
become visible in order. Connections are tested before use, so a server that was stopped and started is found again by
the next write. Limits of reads are the server's own timeouts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url

from guardian.stores.failures import translate
from guardian.stores.records import ReadTicket, SqlRecords, refuse_overdue

CONNECT_S = 5
WRITER_LOCK = 0x67756172  # "guar"
WRITE_LIMIT_S = 60


class PostgresqlRecords(SqlRecords):
    """Made by `open_records("postgresql://…")`."""

    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, url: str, *, read_limit_s: float, readers: int) -> None:
        super().__init__(read_limit_s=read_limit_s, readers=readers)
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self._write_engine = self._engine(
            1,
            statement_timeout=WRITE_LIMIT_S * 1000,
            lock_timeout=WRITE_LIMIT_S * 1000 // 2,
            idle_in_transaction_session_timeout=WRITE_LIMIT_S * 1000,
        )
        limit_ms = max(1, round(read_limit_s * 1000))
        self._read_engine = self._engine(
            readers, statement_timeout=limit_ms, idle_in_transaction_session_timeout=limit_ms
        ).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        event.listen(self._read_engine, "before_cursor_execute", refuse_overdue)
        self._writer.start()

    def _engine(self, connections: int, **settings: int) -> Engine:
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        return create_engine(
            self.url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=CONNECT_S,
            pool_pre_ping=True,
            hide_parameters=True,  # texts of errors end in logs, and values are plates
            connect_args={
                "connect_timeout": CONNECT_S,
                "options": options,
                "application_name": "guardian",
                "keepalives_idle": 30,
                "tcp_user_timeout": 10_000,
            },
        )

    @property
    def write_engine(self) -> Engine:
        return self._write_engine

    def _begin_write(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})

    @contextmanager
    def _reading(self, ticket: ReadTicket) -> Iterator[Connection]:
        with self._read_engine.connect() as connection:
            connection.execution_options(read_ticket=ticket)
            with connection.begin() as transaction:
                if ticket.limit_s != self.read_limit_s:
                    limit_ms = max(1, round(ticket.limit_s * 1000))
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit_ms}")
                yield connection
                transaction.rollback()

    def translate(self, error: BaseException, limit_s: float = 0) -> BaseException:
        return translate(error, limit_s=limit_s)

    async def bytes_used(self) -> int:
        return await self.read(
            lambda connection: int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        )

    def _dispose(self) -> None:
        self._read_engine.dispose()
        self._write_engine.dispose()
