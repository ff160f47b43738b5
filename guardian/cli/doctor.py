"""`guardian doctor`: what is configured, reachable, and how full."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from guardian.cli.place import Config, Home

app = App(
    name="doctor",
    help_format="plaintext",
    help_epilogue="""\
Looks at the settings and at every store, and changes nothing. Ends with 0 where
all is well or only deserves a look, with 1 where something is wrong.

Examples:
  guardian doctor                              this machine's cloud
  guardian doctor --config /etc/guardian.toml  another settings file
  guardian doctor --json                       one finding a line, for a monitor
""",
)


@app.default
def doctor(
    *,
    home: Home = None,
    config: Config = None,
    json: Annotated[bool, Parameter(negative=(), help="One object a line.")] = False,
) -> int:
    """Look at the settings and every store: what is configured, what answers, and how full it is. Changes nothing.

    Ends with 0 where all is well or only deserves a look, with 1 where something is wrong.
    """
    import asyncio

    import msgspec

    from guardian.serve.settings import load_settings
    from guardian.stores.doctor import examine, shown

    settings = load_settings(config, home=home)
    urls = settings.stores.with_defaults()
    findings = asyncio.run(examine(settings.stores))
    if json:
        for finding in findings:
            print(msgspec.json.encode(finding).decode())
    else:
        print("Configured:")
        for name in ("data", "records", "photos", "events", "secrets"):
            print(f"  {name:<8} {shown(getattr(urls, name))}")
        print(f"  {'archive':<8} {shown(settings.archive)}")
        print("Seen:")
        for finding in findings:
            print(f"  {finding.verdict:<5} {finding.subject:<8} {finding.sentence}")
    return 1 if any(finding.verdict == "wrong" for finding in findings) else 0
