"""G43: two writers read the same end of the chain, and the check cried tampering for ever."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from guardian.access.audit import AuditRecord
from guardian.access.lookups import RecordedLookups
from guardian.access.tables import audit_rows
from guardian.domain.subject import Role, Subject
from guardian.stores import create_missing, metadata, open_records
from guardian.stores.records import SqlRecords
from tests.unit.access_app import Clock

pytestmark = pytest.mark.anyio

TIMES = 25
KILLED_AFTER = 30


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real("postgres"))])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.sqlite"
    return str(request.getfixturevalue("postgres_url"))


async def _start(url: str, name: str) -> asyncio.subprocess.Process:
    asker = Path(__file__).with_name("g43_asker.py")
    return await asyncio.create_subprocess_exec(
        sys.executable, str(asker), url, name, str(TIMES), stdout=asyncio.subprocess.PIPE
    )


async def test_200_look_ups_of_8_workers_in_2_processes_make_one_chain_though_one_is_killed(records_url: str) -> None:
    records = open_records(records_url)
    await create_missing(records, metadata)
    audit = AuditRecord(records, Clock())
    steady, doomed = await asyncio.gather(_start(records_url, "A"), _start(records_url, "B"))
    assert steady.stdout is not None and doomed.stdout is not None
    answered = []
    for _ in range(KILLED_AFTER):
        answered.append((await doomed.stdout.readline()).decode().strip())
    doomed.kill()
    answered += (await doomed.stdout.read()).decode().split()
    survived = (await steady.communicate())[0].decode().split()
    await doomed.wait()
    assert steady.returncode == 0 and doomed.returncode == -9
    assert KILLED_AFTER <= len(answered) < 4 * TIMES, "the second process was killed in the middle"
    assert len(survived) == 4 * TIMES

    report = await audit.verify()
    assert report.problem == ""
    rows = [row async for row in audit.rows()]
    assert [row.number for row in rows] == list(range(1, report.rows + 1))
    delivered = {row.lookup_id for row in rows if row.kind == "delivered"}
    begun = {row.lookup_id for row in rows if row.kind == "lookup"}
    assert delivered >= set(survived) | set(answered), "what was answered is on record"
    assert begun >= delivered
    await records.close()


async def _flip(records: SqlRecords, number: int, column: str, back: Any = None) -> Any:
    """Flip one bit of one column of one line (or put `back` what was there); gives what was there."""

    def flip(connection: Connection) -> Any:
        mine = audit_rows.c.number == number
        old = connection.execute(select(audit_rows.c[column]).where(mine)).scalar_one()
        new: Any = back
        if back is None and isinstance(old, int):
            new = old ^ 1
        elif back is None and isinstance(old, str):
            new = chr(ord(old[0]) ^ 1) + old[1:] if old else "x"
        elif back is None:
            new = bytes(old[:-1]) + bytes([old[-1] ^ 1])
        connection.execute(update(audit_rows).where(mine).values({column: new}))
        return old

    return await records.write(flip)


COLUMNS = [column.name for column in audit_rows.columns if column.name != "number"]


async def test_a_flipped_bit_is_found_and_its_line_named_and_so_is_a_line_taken_out(records_url: str) -> None:
    records = open_records(records_url)
    await create_missing(records, metadata)
    audit = AuditRecord(records, Clock())
    lookups = RecordedLookups(audit)
    for turn in range(20):
        subject = Subject("p-1", Role.DETECTIVE, "林佳穎")
        lookup_id = await lookups.begin(subject, "reads.search", "查尋失竊車輛", "115-0832", {"plate": str(turn)})
        await lookups.deliver(lookup_id, turn)
    assert (await audit.verify()).problem == ""
    for column in COLUMNS:
        was = await _flip(records, 17, column)
        report = await audit.verify()
        assert "第 17 列" in report.problem, (column, report.problem)
        assert report.last == 16
        await _flip(records, 17, column, back=was)
        assert (await audit.verify()).problem == "", column
    await records.write(
        lambda connection: connection.execute(delete(audit_rows).where(audit_rows.c.number == 9)) and None
    )
    assert (await audit.verify()).problem == "缺少第 9 列：稽核紀錄被移除。"
    await records.close()
