"""Bring the records' tables to what this version of the house expects. Forward only: going back is a restore.

One migration is one file in `migrations/versions`, one text for both engines, and the whole way is one transaction of
the single writer: it is taken or not, and two processes that start together do it once.
"""

from __future__ import annotations

from pathlib import Path

import structlog
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from guardian.domain.errors import ConflictError
from guardian.stores.metadata import metadata
from guardian.stores.ports import Records

log = structlog.get_logger(__name__)

FOLDER = Path(__file__).resolve().parent / "migrations"
VERSION_TABLE = "schema_version"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for our folder; it needs no file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def newest_version() -> str | None:
    """The version that this code expects, e.g. `0003`; None where there is no migration yet."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def version_in(connection: Connection) -> str | None:
    """The version that the tables have; None where they have none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def differences(connection: Connection) -> list[str]:
    """How the tables differ from `metadata`, one line each. Empty is right."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def upgrade(connection: Connection) -> None:
    """Run what is missing of the migrations, in the caller's transaction.

    Raises:
        ConflictError: the tables are newer than this code (`records-newer`), or were made without migrations
            (`records-without-version`).
    """
    script = ScriptDirectory.from_config(alembic_config())
    if script.get_current_head() is None:
        return
    current = version_in(connection)
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise ConflictError(
            f"The records have version {current}, which this version of guardian does not know.",
            hint="Start the newer guardian that made them.",
            reference="records-newer",
        )
    if current is None and set(inspect(connection).get_table_names()) & set(metadata.tables):
        raise ConflictError(
            "The records have tables but no version: they were made before there were migrations.",
            hint="Move the data folder (or database) away and start anew.",
            reference="records-without-version",
        )
    command.upgrade(alembic_config(connection), "head")


async def migrate(records: Records) -> tuple[str | None, str | None]:
    """Bring the tables up to date.

    Returns:
        The versions before and after.

    Raises:
        ConflictError: see `upgrade`; or a table is still missing then (`records-lack-tables`).
    """

    def run(connection: Connection) -> tuple[str | None, str | None]:
        before = version_in(connection)
        upgrade(connection)
        missing = sorted(set(metadata.tables) - set(inspect(connection).get_table_names()))
        if missing:
            # Never made here: a table that no migration knows is one that no backup, no doctor and no next version expects.
            raise ConflictError(
                f"The records lack {', '.join(missing)}: they were made by a version between two releases, or a table has "
                "no migration. Nothing was changed.",
                hint="Move the data folder (or database) away and start anew; who adds a table runs "
                "scripts/make_migration.py.",
                reference="records-lack-tables",
            )
        return before, version_in(connection)

    before, after = await records.write(run)
    if before != after:
        log.info("records.migrated", before=before, after=after)
    return before, after
