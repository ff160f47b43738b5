"""PostgreSQL stopped, killed and started under load: writes say so, nothing acknowledged is lost, all goes on by itself."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
import sqlalchemy as sa

from guardian.domain.errors import NeighbourUnreachableError
from guardian.stores import create_missing, insert, open_records
from guardian.stores.records import SqlRecords

pytestmark = [pytest.mark.anyio, pytest.mark.real("postgres")]

tables = sa.MetaData()
things = sa.Table("fault_things", tables, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))


class Load:
    """Writes one number after the other and remembers which were acknowledged and what went wrong."""

    def __init__(self, records: SqlRecords) -> None:
        self.records = records
        self.kept: set[int] = set()
        self.errors: list[BaseException] = []
        self.going = True
        self.changed = asyncio.Condition()
        self._numbers = iter(range(1_000_000))

    async def run(self) -> None:
        while self.going:
            number = next(self._numbers)
            try:
                await self.records.write(lambda connection, number=number: self._put(connection, number))  # type: ignore[misc]
                self.kept.add(number)
            except Exception as error:
                self.errors.append(error)
                await asyncio.sleep(0.01)
            async with self.changed:
                self.changed.notify_all()

    @staticmethod
    def _put(connection: sa.Connection, number: int) -> None:
        connection.execute(insert(connection, things).values(id=number).on_conflict_do_nothing())

    async def until(self, condition: Any) -> None:
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), 90)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "killed"])
async def test_writes_go_on_by_themselves_after_the_server_was_away(own_postgres_server: Any, sign: int) -> None:
    server = own_postgres_server
    records = open_records(server.url)
    await create_missing(records, tables)
    load = Load(records)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(load.run())
        await load.until(lambda: len(load.kept) >= 200)
        await asyncio.to_thread(server.stop, sign)
        await load.until(lambda: len(load.errors) >= 8)
        with pytest.raises(NeighbourUnreachableError):
            await records.read(lambda connection: connection.execute(sa.select(things)).all())
        await asyncio.to_thread(server.start)
        before = len(load.kept)
        await load.until(lambda: len(load.kept) >= before + 200)
        load.going = False
    assert {type(error) for error in load.errors} == {NeighbourUnreachableError}
    assert all("127.0.0.1" not in str(error) for error in load.errors)
    rows = await records.read(lambda connection: set(connection.execute(sa.select(things.c.id)).scalars()))
    assert load.kept <= rows
    await records.close()


async def test_a_server_that_is_away_at_the_start_is_said_and_then_found(own_postgres_server: Any) -> None:
    server = own_postgres_server
    await asyncio.to_thread(server.stop)
    records = open_records(server.url)
    with pytest.raises(NeighbourUnreachableError) as caught:
        await create_missing(records, tables)
    assert caught.value.reference == "neighbour-unreachable"
    await asyncio.to_thread(server.start)
    await create_missing(records, tables)
    await records.close()
