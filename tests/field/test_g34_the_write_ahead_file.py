"""G34: a long reader keeps the write-ahead log from being folded in, and it fills the disk.

Stated: with these settings the log stays under WAL_BYTES_MAX plus one shared commit, and a read ends after READ_LIMIT_S.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardian.stores import ReadCutOffError, create_missing
from guardian.stores.sqlite import SqliteRecords

pytestmark = pytest.mark.anyio

READ_LIMIT_S = 0.7
WAL_FOLD_BYTES = 256 * 1024
WAL_BYTES_MAX = 2 * 1024 * 1024
COMMIT_BYTES_MAX = 1024 * 1024
INGEST_S = 5.0
BATCH = 100

tables = sa.MetaData()
reads = sa.Table("g34_reads", tables, sa.Column("id", sa.Integer, primary_key=True), sa.Column("body", sa.LargeBinary))


async def test_the_log_stays_small_under_half_read_searches(tmp_path: Path) -> None:
    records = SqliteRecords(
        f"sqlite:///{tmp_path}/records.sqlite",
        read_limit_s=READ_LIMIT_S,
        readers=4,
        wal_fold_bytes=WAL_FOLD_BYTES,
        wal_bytes_max=WAL_BYTES_MAX,
    )
    await create_missing(records, tables)
    row = {"body": bytes(500)}
    await records.write(lambda connection: connection.execute(reads.insert(), [row] * 2000))
    began = time.monotonic()
    stored = 0

    def going() -> bool:
        """At least so long, and until enough was written to prove something; a slow disk takes longer, but not for ever."""
        passed_s = time.monotonic() - began
        return passed_s < INGEST_S or (stored * len(row["body"]) <= 1.2 * WAL_BYTES_MAX and passed_s < 12 * INGEST_S)

    cut_off: list[float] = []
    largest = 0

    def read_slowly(connection: sa.Connection) -> None:
        for _ in connection.execute(sa.select(reads)):
            time.sleep(0.005)  # the client takes its time; 2,000 rows would be 10 s

    async def search_on(delay_s: float) -> None:
        await asyncio.sleep(delay_s)  # out of step with the others: there is always someone on an old state
        while going():
            started = time.monotonic()
            with pytest.raises(ReadCutOffError):
                await records.read(read_slowly)
            cut_off.append(time.monotonic() - started)

    async def ingest() -> None:
        nonlocal largest, stored
        while going():
            await records.write(lambda connection: connection.execute(reads.insert(), [row] * BATCH))
            stored += BATCH
            largest = max(largest, records.wal_bytes())
            await asyncio.sleep(BATCH / 2000)  # 2,000 reads a second

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(search_on(number * READ_LIMIT_S / 3))
        group.create_task(ingest())
    assert stored * len(row["body"]) > WAL_BYTES_MAX, "too little was written to prove anything"
    assert largest <= WAL_BYTES_MAX + COMMIT_BYTES_MAX
    assert len(cut_off) >= 6
    assert max(cut_off) < READ_LIMIT_S + 1.5
    await records.close()
    assert records.wal_bytes() == 0
