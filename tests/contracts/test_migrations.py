"""Migrations: the same tables as the rooms declare, on both engines, once, forward, whole or not at all."""

from __future__ import annotations

import asyncio
import importlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardian.domain.errors import ConflictError
from guardian.stores import create_missing, metadata, open_records
from guardian.stores import migrate as migrations
from guardian.stores.migrate import differences, migrate, newest_version, upgrade, version_in
from guardian.stores.records import SqlRecords

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parent.parent.parent
for path in sorted((ROOT / "guardian").glob("*/tables.py")):
    importlib.import_module(f"guardian.{path.parent.name}.tables")

STEP = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = {number!r}, {before!r}
def upgrade():
    {what}
"""
MAKE_LAMPS = 'op.create_table("lamps", sa.Column("id", sa.Integer, primary_key=True)); op.execute("INSERT INTO lamps (id) VALUES (1)")'


@pytest.fixture
async def records(records_url: str) -> AsyncIterator[SqlRecords]:
    opened = open_records(records_url)
    yield opened
    await opened.close()


class Steps:
    """A folder of migrations of our own, in the place of the house's."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("0*.py", "__pycache__"))
        (folder / "versions").mkdir(exist_ok=True)
        self.folder = folder

    def add(self, number: str, before: str | None, what: str) -> None:
        (self.folder / "versions" / f"{number}_x.py").write_text(STEP.format(number=number, before=before, what=what))


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    made = Steps(tmp_path / "steps")
    monkeypatch.setattr(migrations, "FOLDER", made.folder)
    return made


def tables_of(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())


async def test_the_migrations_make_what_the_rooms_declare(records: SqlRecords) -> None:
    """If this fails: scripts/make_migration.py writes the missing step."""
    await records.write(upgrade)
    assert await records.write(differences) == []
    assert set(metadata.tables) <= await records.read(tables_of)


async def test_migrating_again_changes_nothing(records: SqlRecords) -> None:
    assert await migrate(records) == (None, newest_version())
    assert await migrate(records) == (newest_version(), newest_version())


async def test_steps_run_in_order_and_only_once(records: SqlRecords, steps: Steps) -> None:
    steps.add("0001", None, MAKE_LAMPS)
    await records.write(upgrade)
    steps.add("0002", "0001", 'op.execute("INSERT INTO lamps (id) VALUES (2)")')
    steps.add("0003", "0002", 'op.execute("UPDATE lamps SET id = id + 10")')
    await records.write(upgrade)
    await records.write(upgrade)
    lamps = await records.read(lambda connection: connection.execute(sa.text("SELECT id FROM lamps ORDER BY 1")).all())
    assert [row[0] for row in lamps] == [11, 12]
    assert await records.read(version_in) == "0003"


async def test_a_step_that_fails_leaves_the_tables_as_they_were(records: SqlRecords, steps: Steps) -> None:
    steps.add("0001", None, MAKE_LAMPS)
    await records.write(upgrade)
    steps.add("0002", "0001", 'op.execute("UPDATE lamps SET id = 7"); op.execute("INSERT INTO nowhere VALUES (1)")')
    with pytest.raises(sa.exc.DBAPIError):
        await records.write(upgrade)
    assert await records.read(version_in) == "0001"
    assert await records.read(lambda connection: connection.execute(sa.text("SELECT id FROM lamps")).scalar()) == 1


async def test_two_that_start_together_migrate_once(records: SqlRecords, records_url: str, steps: Steps) -> None:
    steps.add("0001", None, MAKE_LAMPS)
    other = open_records(records_url)
    await asyncio.gather(records.write(upgrade), other.write(upgrade))
    count = sa.text("SELECT count(*) FROM lamps")
    assert await other.read(lambda connection: connection.execute(count).scalar()) == 1
    await other.close()


async def test_records_of_a_newer_guardian_are_refused(records: SqlRecords, steps: Steps) -> None:
    steps.add("0001", None, MAKE_LAMPS)
    steps.add("0002", "0001", "pass")
    await records.write(upgrade)
    (steps.folder / "versions" / "0002_x.py").unlink()
    with pytest.raises(ConflictError) as caught:
        await records.write(upgrade)
    assert caught.value.reference == "records-newer" and "0002" in caught.value.sentence


async def test_tables_made_without_migrations_are_refused_in_words(records: SqlRecords, steps: Steps) -> None:
    await create_missing(records, metadata)
    steps.add("0001", None, "pass")
    with pytest.raises(ConflictError) as caught:
        await records.write(upgrade)
    assert caught.value.reference == "records-without-version"


async def test_tables_of_somebody_else_in_the_same_database_are_no_hindrance(records: SqlRecords) -> None:
    await records.write(lambda connection: connection.execute(sa.text("CREATE TABLE spatial_ref_sys (id INTEGER)")))
    assert await migrate(records) == (None, newest_version())
    assert "spatial_ref_sys" in await records.read(tables_of)


async def test_a_table_that_no_migration_makes_is_refused_in_words_and_nothing_is_kept(
    records: SqlRecords, steps: Steps
) -> None:
    steps.add("0001", None, MAKE_LAMPS)
    with pytest.raises(ConflictError) as caught:
        await migrate(records)
    assert caught.value.reference == "records-lack-tables" and "watch_hit" in caught.value.sentence
    assert await records.read(tables_of) == set()
