"""`guardian serve`: the cloud on this machine."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from guardian.cli.place import Config, Home

app = App(
    name="serve",
    help_format="plaintext",
    help_epilogue="""\
The first start prints a one-time link that signs the operator in. Everything
listens on loopback. Ctrl-C ends it in order: what was taken in is kept.

Examples:
  guardian serve                       all data in var/cloud, embedded engines
  guardian serve --port 8500           another port
  guardian access link NAME            a further link, for another person

Settings stand in guardian.toml, or in the environment (GUARDIAN_PORT,
GUARDIAN_STORES__RECORDS …). Each store has an address; what is left out is
embedded, in the folder of data:
  port = 8480
  [stores]
  records = "postgresql://guardian@127.0.0.1/guardian"
  photos = "s3://photos?endpoint=http://127.0.0.1:9000"
  events = "nats://127.0.0.1:4222"
guardian doctor says what is configured and whether it answers.
""",
)


@app.default
def serve(
    *,
    home: Home = None,
    config: Config = None,
    port: Annotated[int | None, Parameter(help="Loopback port; default: 8480.")] = None,
    quiet: Annotated[bool, Parameter(negative=(), help="Only the log, no talk.")] = False,
) -> int:
    """Run the cloud on this machine: ingest, matching, hits, search, console.

    The first start prints a one-time link that signs the operator in. Everything listens on loopback.
    """
    from guardian.serve.run import run_cloud

    return run_cloud(home=home, config=config, port=port, quiet=quiet)
