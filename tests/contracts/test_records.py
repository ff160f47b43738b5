"""What every engine of records keeps to."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from guardian.domain.errors import DiskFullError, InputRefusedError
from guardian.stores import ReadCutOffError, StoreBusyError, create_missing, insert, open_records, text_problem
from guardian.stores.records import WRITES_WAITING_MAX, SqlRecords

pytestmark = pytest.mark.anyio

tables = sa.MetaData()
things = sa.Table(
    "contract_things",
    tables,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("body", sa.LargeBinary),
    sa.Column("yes", sa.Boolean),
    sa.Column("at_ms", sa.BigInteger),
)


@pytest.fixture
async def records(records_url: str) -> AsyncIterator[SqlRecords]:
    opened = open_records(records_url, read_limit_s=2)
    await opened.write(lambda connection: tables.drop_all(connection))
    await create_missing(opened, tables)
    yield opened
    await opened.close()


def put(name: str):
    return lambda connection: connection.execute(things.insert().values(name=name))


def names(connection: sa.Connection) -> list[str]:
    return list(connection.execute(sa.select(things.c.name).order_by(things.c.id)).scalars())


async def test_what_was_written_is_read_again(records: SqlRecords) -> None:
    row = {"name": "車牌 ABC-1234", "body": b"\x00\xff", "yes": True, "at_ms": 1_800_000_000_000}
    await records.write(lambda connection: connection.execute(things.insert().values(**row)))
    found = await records.read(lambda connection: connection.execute(sa.select(things)).mappings().one())
    assert {key: found[key] for key in row} == row
    assert found["id"] == 1


async def test_a_failing_write_undoes_only_itself_when_many_share_a_commit(records: SqlRecords) -> None:
    def failing(connection: sa.Connection) -> None:
        put("half")(connection)
        raise ValueError("on purpose")

    jobs = [records.write(failing if i % 10 == 3 else put(f"n{i}")) for i in range(100)]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert sum(isinstance(result, ValueError) for result in results) == 10
    assert sorted(await records.read(names)) == sorted(f"n{i}" for i in range(100) if i % 10 != 3)


async def test_a_broken_constraint_comes_as_integrity_error_and_harms_no_neighbour(records: SqlRecords) -> None:
    results = await asyncio.gather(*(records.write(put(f"n{i % 20}")) for i in range(60)), return_exceptions=True)
    assert sum(isinstance(result, sa.exc.IntegrityError) for result in results) == 40
    assert len(await records.read(names)) == 20


async def test_writes_never_overlap(records: SqlRecords) -> None:
    await records.write(put("0"))

    def grow(connection: sa.Connection) -> None:
        highest = max(int(name) for name in names(connection))
        put(str(highest + 1))(connection)

    await asyncio.gather(*(records.write(grow) for _ in range(50)))
    assert await records.read(names) == [str(i) for i in range(51)]


async def test_two_openers_write_one_after_the_other(records: SqlRecords, records_url: str) -> None:
    other = open_records(records_url)
    await records.write(put("0"))

    def grow(connection: sa.Connection) -> None:
        highest = max(int(name) for name in names(connection))
        time.sleep(0.001)
        put(str(highest + 1))(connection)

    await asyncio.gather(*(each.write(grow) for _ in range(20) for each in (records, other)))
    assert len(await records.read(names)) == 41
    await other.close()


async def test_insert_knows_conflicts_on_this_engine(records: SqlRecords) -> None:
    def upsert(connection: sa.Connection) -> None:
        statement = insert(connection, things).values(name="a", at_ms=2)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"at_ms": statement.excluded.at_ms})
        )

    await records.write(put("a"))
    await records.write(upsert)
    assert await records.read(lambda connection: connection.execute(sa.select(things.c.at_ms)).scalar()) == 2


async def test_a_read_sees_one_state_while_others_write(records: SqlRecords) -> None:
    await records.write(put("a"))
    loop = asyncio.get_running_loop()

    def look_twice(connection: sa.Connection) -> tuple[int, int]:
        before = len(names(connection))
        asyncio.run_coroutine_threadsafe(records.write(put("b")), loop).result(60)
        return before, len(names(connection))

    assert await records.read(look_twice) == (1, 1)
    assert await records.read(names) == ["a", "b"]


async def test_a_read_may_not_write(records: SqlRecords) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        await records.read(put("a"))
    assert await records.read(names) == []


async def test_an_endless_read_is_cut_off_and_the_next_one_works(records: SqlRecords) -> None:
    endless = "WITH RECURSIVE a(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a) SELECT count(*) FROM a WHERE i < 0"
    started = time.monotonic()
    with pytest.raises(ReadCutOffError) as caught:
        await records.read(lambda connection: connection.exec_driver_sql(endless).scalar(), limit_s=0.3)
    assert time.monotonic() - started < 20
    assert caught.value.reference == "read-cut-off" and "0.3 s" in caught.value.sentence
    assert await records.read(names) == []


async def test_many_short_statements_are_cut_off_too(records: SqlRecords) -> None:
    def ask_on(connection: sa.Connection) -> None:
        while True:
            names(connection)

    with pytest.raises(ReadCutOffError):
        await records.read(ask_on, limit_s=0.2)


async def test_a_read_that_nobody_waits_for_ends(records: SqlRecords) -> None:
    began, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_on(connection: sa.Connection) -> None:
        loop.call_soon_threadsafe(began.set)
        try:
            while True:
                names(connection)
        finally:
            loop.call_soon_threadsafe(ended.set)

    task = asyncio.create_task(records.read(ask_on, limit_s=60))
    await began.wait()
    task.cancel()
    await asyncio.wait_for(ended.wait(), 30)


async def test_close_finishes_what_waits_and_refuses_what_comes(records: SqlRecords, records_url: str) -> None:
    jobs = [asyncio.create_task(records.write(put(f"n{i}"))) for i in range(30)]
    await asyncio.sleep(0)
    await records.close()
    await asyncio.gather(*jobs)
    with pytest.raises(Exception, match="records-closed"):
        await records.write(put("late"))
    again = open_records(records_url)
    assert len(await again.read(names)) == 30
    await again.close()


async def test_after_commit_is_called_once_the_rows_can_be_seen(records: SqlRecords) -> None:
    seen: list[int] = []
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    records.after_commit(lambda: loop.call_soon_threadsafe(done.set))
    await records.write(put("a"))
    await asyncio.wait_for(done.wait(), 60)
    seen.append(len(await records.read(names)))
    assert seen == [1]


@pytest.mark.parametrize(
    "text", ["ABC\x001235", "half \ud800", "x" * 4001, "３-07\u0085", "\u200b‮", "\x1f", "\ufffe", "車" * 4000]
)
async def test_g32_every_engine_gives_the_same_verdict_on_a_text(records: SqlRecords, text: str) -> None:
    """What `text_problem` lets through is kept as it came; so no engine is ever the one that refuses."""
    if text_problem(text) is None:
        await records.write(put(text))
        assert await records.read(names) == [text]
    else:
        assert text_problem(text) in ("text-has-nul", "text-not-unicode", "text-too-long")


async def test_too_many_waiting_writes_are_refused_and_the_others_done(records: SqlRecords) -> None:
    gate, begun = threading.Event(), threading.Event()

    def hold(connection: sa.Connection) -> None:
        begun.set()
        gate.wait(60)

    holding = asyncio.create_task(records.write(hold))
    assert await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.create_task(records.write(put(f"n{i}"))) for i in range(WRITES_WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(StoreBusyError) as caught:
        await records.write(put("one too many"))
    assert caught.value.reference == "store-busy"
    gate.set()
    await asyncio.gather(holding, *waiting)
    assert len(await records.read(names)) == WRITES_WAITING_MAX


async def test_a_write_that_nobody_waits_for_any_more_is_not_begun(records: SqlRecords) -> None:
    gate, begun = threading.Event(), threading.Event()

    def hold(connection: sa.Connection) -> None:
        begun.set()
        gate.wait(60)

    holding = asyncio.create_task(records.write(hold))
    assert await asyncio.to_thread(begun.wait, 10)
    given_up = asyncio.create_task(records.write(put("given up")))
    await asyncio.sleep(0)
    given_up.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await given_up  # it has been given up for certain before the writer goes on
    gate.set()
    await holding
    await records.write(put("next"))
    assert await records.read(names) == ["next"]


async def test_a_value_that_no_column_holds_is_refused_and_harms_no_neighbour(records: SqlRecords) -> None:
    def put_number(connection: sa.Connection) -> None:
        connection.execute(things.insert().values(name="large", at_ms=2**63))

    jobs = [records.write(put_number if i % 10 == 3 else put(f"n{i}")) for i in range(40)]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    refused = [result for result in results if isinstance(result, Exception)]
    assert [getattr(one, "reference", repr(one)) for one in refused] == ["value-out-of-range"] * 4
    assert len(await records.read(names)) == 36
    with pytest.raises(InputRefusedError):
        await records.read(
            lambda connection: connection.execute(sa.select(things).where(things.c.at_ms == 2**63)).all()
        )
    if records.dialect == "postgresql":  # SQLite keeps it
        with pytest.raises(InputRefusedError):
            await records.write(put("zero\x00"))


async def test_too_many_waiting_reads_are_refused_and_there_is_room_again_when_they_have_ended(
    records: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardian.stores.records.READS_WAITING_MAX", 3)
    gate = threading.Event()
    waiting = [asyncio.create_task(records.read(lambda _connection: gate.wait(60))) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(StoreBusyError):
        await records.read(names)
    gate.set()
    await asyncio.gather(*waiting)
    for _ in range(4):
        assert await records.read(names) == []


async def test_a_full_disk_undoes_all_that_shared_the_commit_and_tells_each_of_them(
    records: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DriverSaysFullError(Exception):
        pass

    def run_full(connection: sa.Connection) -> None:
        raise DriverSaysFullError

    def translate(error: BaseException, limit_s: float = 0) -> BaseException:
        return DiskFullError("No room.") if isinstance(error, DriverSaysFullError) else error

    monkeypatch.setattr(records, "translate", translate)
    gate, begun = threading.Event(), threading.Event()

    def hold(connection: sa.Connection) -> None:
        begun.set()
        gate.wait(60)

    holding = asyncio.create_task(records.write(hold))
    assert await asyncio.to_thread(begun.wait, 10)
    jobs = [asyncio.create_task(records.write(job)) for job in (put("before"), run_full, put("after"))]
    await asyncio.sleep(0)
    gate.set()
    await holding
    before, full, after = await asyncio.gather(*jobs, return_exceptions=True)
    assert isinstance(before, DiskFullError), "it heard no 'done': its row went with the commit"
    assert isinstance(full, DiskFullError) and not isinstance(after, BaseException)
    assert await records.read(names) == ["after"]


async def test_a_listener_that_fails_harms_neither_the_write_nor_the_other_listeners(records: SqlRecords) -> None:
    heard = threading.Event()

    def fail() -> None:
        raise ValueError("on purpose")

    records.after_commit(fail)
    records.after_commit(heard.set)
    await records.write(put("a"))
    assert await asyncio.to_thread(heard.wait, 30)
    await records.write(put("b"))
    assert await records.read(names) == ["a", "b"]
