"""`guardian access`: links that sign people in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

app = App(name="access", help="Sign people in: one-time links for operators, detectives and auditors.")


@app.command
def link(
    name: str,
    *,
    role: Annotated[str, Parameter(help="operator, detective or auditor")] = "operator",
    agency: str = "",
    home: Annotated[Path | None, Parameter(help="Folder of the cloud's data; default: var/cloud.")] = None,
    config: Annotated[Path | None, Parameter(help="Settings file; default: guardian.toml where there is one.")] = None,
) -> int:
    """Make a one-time link for NAME. It holds ten minutes and opens one session.

    guardian access link 林佳穎 --role detective --agency 中山分局
    """
    from guardian.serve.run import make_link

    print(asyncio.run(make_link(name, role=role, agency=agency, home=home, config=config)))
    return 0
