"""`guardian access`: links that sign people in."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from cyclopts import App, Parameter

from guardian.cli.place import Config, Home

app = App(name="access", help="Sign people in: one-time links for operators, detectives and auditors.")


@app.command(
    help_epilogue="""\
Examples:
  guardian access link 陳志明                               an operator
  guardian access link 林佳穎 --role detective --agency 中山分局
  guardian access link 王淑芬 --role auditor

The link opens the console of the running cloud. It stands in no log: give it
to the person whose name it carries.
"""
)
def link(
    name: Annotated[str, Parameter(help="The person, as checks and look-ups will carry the name.")],
    /,
    *,
    role: Annotated[
        Literal["operator", "detective", "auditor"], Parameter(help="What the person may do.")
    ] = "operator",
    agency: Annotated[str, Parameter(help="The person's office, as it stands in the record.")] = "",
    home: Home = None,
    config: Config = None,
) -> int:
    """Make a one-time link for NAME. It holds ten minutes and opens one session."""
    from guardian.serve.run import make_link

    print(asyncio.run(make_link(name, role=role, agency=agency, home=home, config=config)))
    return 0
