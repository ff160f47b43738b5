"""`guardian archive`: the national archive's house-keeping."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from guardian.cli.place import Config, Home

app = App(name="archive", help="Look after the archive: destroy what the law says is due.")


@app.command(
    help_epilogue="""\
Examples:
  guardian archive destroy-expired              only look
  guardian archive destroy-expired --execute    destroy, and say so on record
"""
)
def destroy_expired(
    *,
    execute: Annotated[bool, Parameter(negative="", help="Destroy; without it only look.")] = False,
    home: Home = None,
    config: Config = None,
    json: Annotated[bool, Parameter(negative="", help="One object a line.")] = False,
) -> int:
    """Show what is older than its year and held by no case; with --execute destroy it, on record.

    A running cloud does this every night by itself; end it first. Reads, their plates and pictures, items set apart and
    hits go; a confirmed hit with a case number stays, with its pictures, at most five years.
    """
    import asyncio
    import getpass

    import msgspec

    from guardian.archive.retention import Destroyed, Due
    from guardian.domain.subject import Role, Subject
    from guardian.serve.retention import open_retention
    from guardian.serve.run import now_ms
    from guardian.serve.settings import load_settings
    from guardian.serve.wiring import open_archive

    settings = load_settings(config, home=home)

    async def run() -> Due | Destroyed:
        async with open_retention(settings, now_ms, open_archive) as retention:
            if not execute:
                return await retention.look()
            return await retention.destroy(Subject("command-line", Role.NOBODY, f"指令列（{getpass.getuser()}）"))

    found = asyncio.run(run())
    if json:
        print(msgspec.json.encode(found).decode())
        return 0
    if isinstance(found, Due):
        more = "" if found.reads < 1_000_000 else " or more"
        print(
            f"Due: {found.reads:,}{more} reads, {found.hits:,} hits, {found.set_apart:,} items set apart, "
            f"{found.photos_unnamed:,} pictures that no read names."
        )
        print("Nothing was changed." + ("" if found.nothing else " With --execute they are destroyed."))
    else:
        print(
            f"Destroyed: {found.reads:,} reads, {found.photos:,} pictures, {found.hits:,} hits, "
            f"{found.set_apart:,} items set apart, {found.photos_unnamed:,} pictures that no read names. "
            f"Kept as evidence: {found.photos_held:,} pictures."
        )
    return 0
