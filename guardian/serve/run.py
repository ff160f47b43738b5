"""Run the cloud as a program: settings, one process, loopback, a one-time link at the first start."""

from __future__ import annotations

import asyncio
import gc
import getpass
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from guardian.access.audit import AuditRecord
from guardian.access.sessions import Sessions
from guardian.domain.errors import InputRefusedError, NeighbourUnreachableError
from guardian.domain.subject import Role, Subject
from guardian.serve.app import build_app
from guardian.serve.log import configure_log, quieten_loop
from guardian.serve.server import OrderlyServer
from guardian.serve.settings import Settings, load_settings
from guardian.serve.wiring import open_cloud
from guardian.stores import close_stores, open_stores
from guardian.stores.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent.parent
BASEMAP = ROOT / "guardian" / "roads" / "data" / "basemap.pmtiles"


def now_ms() -> int:
    """UTC milliseconds of this machine's clock; the only place of the cloud that looks at it."""
    return time.time_ns() // 1_000_000


async def make_link(name: str, *, role: str, agency: str, home: Path | None, config: Path | None) -> str:
    """A one-time link for a person, made beside a cloud that may be running: the path with its token.

    Raises:
        InputRefusedError: no such role.
    """
    settings = load_settings(config, home=home)
    stores = open_stores(settings.stores, now_ms)
    try:
        await migrate(stores.records)
        audit = AuditRecord(stores.records, now_ms)
        by = Subject("command-line", Role.NOBODY, f"指令列（{getpass.getuser()}）")
        link = await Sessions(stores.records, audit, now_ms).make_link(name, _role(role), agency, made_by=by.id, by=by)
        await audit.settle()
        return link.path
    finally:
        await close_stores(stores)


def _role(role: str) -> Role:
    if role not in ("operator", "detective", "auditor"):
        raise InputRefusedError(f"There is no role '{role}'.", hint="Roles are operator, detective and auditor.")
    return Role(role)


async def _serve(settings: Settings, *, quiet: bool) -> int:
    quieten_loop()
    cloud = await open_cloud(settings.stores, now_ms, archive_url=settings.archive)
    app = build_app(cloud, console=ROOT / "console" / "dist", basemap=BASEMAP)
    first = await cloud.access.sessions.make_first_link()
    address = f"http://127.0.0.1:{settings.port}"
    if not quiet:
        print(f"警政安全守護雲 · {address}", file=sys.stderr)
        if first is not None:
            print(f"First sign-in, once, within ten minutes: {address}{first.path}", file=sys.stderr)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)
    # What is there now stays for good: a million entries, the road names, every module. Walking it at each full collection
    # costs more than all reads of the night; measured, half of the time of ingest.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    server = OrderlyServer(app, port=settings.port, leave=cloud.leave)
    await server.serve()
    return 0 if server.started else 1


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop in C, where it is to be had."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def run_cloud(*, home: Path | None, config: Path | None, port: int | None, quiet: bool) -> int:
    """`guardian serve`: run until Ctrl-C.

    Raises:
        NeighbourUnreachableError: the port is taken.
    """
    settings = load_settings(config, home=home, port=port)
    os.umask(0o077)  # records, photos, archive and logs of it are for this user alone, whatever folder was given
    configure_log(json=quiet or not sys.stderr.isatty())
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            return runner.run(_serve(settings, quiet=quiet))
    except OSError as error:
        raise NeighbourUnreachableError(
            f"The cloud cannot listen on 127.0.0.1:{settings.port}: {error.strerror}.",
            hint="End the other program or choose another port: guardian serve --port 8490.",
        ) from error
    except KeyboardInterrupt:
        return 0
