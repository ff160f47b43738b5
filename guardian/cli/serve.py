"""`guardian serve`: the cloud on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def serve(
    *,
    home: Annotated[Path | None, Parameter(help="Folder of all data; default: var/cloud.")] = None,
    config: Annotated[Path | None, Parameter(help="Settings file; default: guardian.toml where there is one.")] = None,
    port: Annotated[int | None, Parameter(help="Loopback port; default: 8480.")] = None,
    quiet: Annotated[bool, Parameter(help="Only the log, no talk.")] = False,
) -> int:
    """Run the cloud on this machine: ingest, matching, hits, search, console.

    The first start prints a one-time link that signs the operator in. Everything listens on loopback.
    """
    from guardian.serve.run import run_cloud

    return run_cloud(home=home, config=config, port=port, quiet=quiet)
