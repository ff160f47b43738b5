"""`guardian migrate`: the records' tables brought to this version."""

from __future__ import annotations

from cyclopts import App

from guardian.cli.place import Config, Home

app = App(
    name="migrate",
    help_format="plaintext",
    help_epilogue="""\
Forward only; twice is harmless. An embedded cloud (SQLite) does this by itself
at every start; with PostgreSQL run it before the new version. Make a backup
first: going back is restoring it.

Examples:
  guardian migrate                               this machine's cloud
  guardian migrate --config /etc/guardian.toml   another settings file
""",
)


@app.default
def migrate(
    *,
    home: Home = None,
    config: Config = None,
) -> int:
    """Bring the records to the tables that this version of guardian expects. Forward only; twice is harmless.

    An embedded cloud (SQLite) does this by itself at every start; with PostgreSQL run it before the new version.
    Make a backup first: going back is restoring it.
    """
    import asyncio

    from guardian.serve import wiring  # noqa: F401 - every room's tables
    from guardian.serve.settings import load_settings
    from guardian.stores import open_records
    from guardian.stores.migrate import migrate as bring_up

    settings = load_settings(config, home=home).stores.with_defaults()

    async def run() -> tuple[str | None, str | None]:
        records = open_records(settings.records)
        try:
            return await bring_up(records)
        finally:
            await records.close()

    before, after = asyncio.run(run())
    if before == after:
        print(f"The records are up to date (version {after or 'none'}).")
    else:
        print(f"The records went from version {before or 'none'} to {after}.")
    return 0
