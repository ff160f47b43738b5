"""A process killed (SIGKILL) in the middle of its writes keeps whole transactions, and all that it had acknowledged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardian.stores import open_records

pytestmark = pytest.mark.anyio

ROWS = 5
WRITER = """
import asyncio, sys
import sqlalchemy as sa
from guardian.stores import create_missing, open_records
tables = sa.MetaData()
t = sa.Table("t", tables, sa.Column("number", sa.Integer), sa.Column("part", sa.Integer), sa.Column("body", sa.Text))
async def main():
    records = open_records(sys.argv[1])
    await create_missing(records, tables)
    async def write(number):
        def put(connection):
            for part in range(ROWS):
                connection.execute(t.insert().values(number=number, part=part, body="x" * 2000))
        await records.write(put)
        sys.stdout.write(f"{number}\\n"); sys.stdout.flush()
    number = 0
    while True:
        await asyncio.gather(*(write(number + i) for i in range(8)))
        number += 8
asyncio.run(main())
""".replace("ROWS", str(ROWS))


@pytest.mark.parametrize("acknowledged", [1, 2, 3, 9, 50, 333])
async def test_whole_transactions_remain(tmp_path: Path, acknowledged: int) -> None:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        heard = [int(process.stdout.readline()) for _ in range(acknowledged)]
        process.kill()
        heard += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    records = open_records(url)
    counts = await records.read(
        lambda connection: dict(
            connection.execute(sa.text("SELECT number, count(DISTINCT part) FROM t GROUP BY number")).all()
        )
    )
    assert set(heard) <= set(counts)
    assert set(counts.values()) == {ROWS}
    whole = await records.read(lambda connection: connection.execute(sa.text("PRAGMA integrity_check")).scalar())
    assert whole == "ok"
    await records.close()
