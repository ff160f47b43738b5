#!/usr/bin/env python3
"""Real servers on loopback, for tests and for a person who wants to look: PostgreSQL, NATS with JetStream, S3 (rclone).

    .venv/bin/python scripts/servers.py                  all that are installed
    .venv/bin/python scripts/servers.py postgres nats    these

Each runs on a free port with its data in a folder that goes away at the end; the lines to export are printed; Ctrl-C ends
them all. Only the standard library is used, so that a test or a script can load this file from anywhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_S = 30.0
STOP_S = 20.0
FORGET_S = 0.05
S3_KEY, S3_SECRET = "guardian-test", "guardian-test-secret"


def find_program(name: str) -> str | None:
    """Where a program is: beside our Python, in Debian's folder of PostgreSQL, or on the PATH."""
    for folder in (ROOT / ".venv" / "bin", *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)):
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """One program with its own folder. `stop` and `start` again keep port and data; `remove` ends both."""

    name = ""
    program = ""

    def __init__(self) -> None:
        found = find_program(self.program)
        if found is None:
            raise FileNotFoundError(f"{self.program} is not installed (make real installs it)")
        self.path = found
        self.folder = Path(tempfile.mkdtemp(prefix=f"guardian-{self.name}-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        return {}

    def ready(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def start(self) -> None:
        log = self.folder / "server.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # a killed test run leaves no server behind
                **self.options(),
            )
        until = time.monotonic() + START_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{self.program} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def stop(self, sign: int = signal.SIGINT) -> None:
        """End it by its id: politely, or with SIGKILL as a power cut would."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_S)
        self.process = None

    def remove(self) -> None:
        self.stop(signal.SIGKILL if self.name != "postgres" else signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresServer(Server):
    """PostgreSQL, trusting whoever comes over loopback; it refuses to run as root, so another user runs it."""

    name, program = "postgres", "postgres"

    def __init__(self, *, durable: bool = True) -> None:
        super().__init__()
        self.durable = durable
        self.data = self.folder / "data"
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = next((name for name in ("postgres", "nobody") if _has_user(name)), None)
            if user is None:
                raise RuntimeError("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'")
            entry = pwd.getpwnam(user)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        options = "-U guardian -A trust -E UTF8 --locale=C.UTF-8 --no-sync"
        made = subprocess.run(
            [str(Path(self.path).with_name("initdb")), "-D", str(self.data), *options.split()],
            capture_output=True,
            cwd=self.folder,
            **self._as,
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{made.stderr.decode(errors='replace')[-2000:]}")

    @property
    def url(self) -> str:
        return self.database("postgres")

    def database(self, name: str) -> str:
        return f"postgresql://guardian@127.0.0.1:{self.port}/{name}"

    def command(self) -> list[str]:
        settings = "-h 127.0.0.1 -c shared_buffers=32MB -c max_connections=60"
        if not self.durable:
            settings += " -c fsync=off -c full_page_writes=off"
        return [self.path, "-D", str(self.data), "-p", str(self.port), "-k", str(self.folder), *settings.split()]

    def options(self) -> dict[str, Any]:
        return {"cwd": self.folder, **self._as}

    def ready(self) -> bool:
        program = str(Path(self.path).with_name("pg_isready"))
        asked = subprocess.run(
            [program, "-q", "-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres", "-U", "guardian"]
        )
        return asked.returncode == 0


class NatsServer(Server):
    """NATS with JetStream, each message on disk before it is acknowledged."""

    name, program = "nats", "nats-server"

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        config = self.folder / "nats.conf"
        config.write_text(f'jetstream {{ store_dir: "{self.folder / "jetstream"}", sync_interval: always }}\n')
        return [self.path, "-a", "127.0.0.1", "-p", str(self.port), "-c", str(config)]


class S3Server(Server):
    """An S3-compatible store over a folder, by rclone; the keys are `S3_KEY` and `S3_SECRET`."""

    name, program = "s3", "rclone"

    @property
    def url(self) -> str:
        return self.bucket("photos")

    def bucket(self, name: str) -> str:
        (self.folder / "objects" / name).mkdir(parents=True, exist_ok=True)
        time.sleep(4 * FORGET_S)
        return f"s3://{name}/?endpoint=http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        (self.folder / "objects").mkdir(exist_ok=True)
        keys, address = f"{S3_KEY},{S3_SECRET}", f"127.0.0.1:{self.port}"
        folder = str(self.folder / "objects")
        # Buckets are made as folders behind its back, so it must soon forget what it saw; at 0 it would spin.
        forget = ["--dir-cache-time", f"{FORGET_S}s"]
        return [self.path, "serve", "s3", "--addr", address, "--auth-key", keys, *forget, folder]

    def options(self) -> dict[str, Any]:
        return {"env": {**os.environ, "RCLONE_CONFIG": str(self.folder / "rclone.conf")}}


def _end_with_parent() -> None:
    """Linux: be ended when whoever started us is gone (PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _has_user(name: str) -> bool:
    with contextlib.suppress(KeyError):
        pwd.getpwnam(name)
        return True
    return False


KINDS: dict[str, type[Server]] = {"postgres": PostgresServer, "nats": NatsServer, "s3": S3Server}
SETTINGS = {"postgres": "GUARDIAN_STORES__RECORDS", "nats": "GUARDIAN_STORES__EVENTS", "s3": "GUARDIAN_STORES__PHOTOS"}


def main(names: list[str]) -> int:
    unknown = set(names) - set(KINDS)
    if unknown or "--help" in names:
        print(__doc__, file=sys.stderr)
        return 2
    servers: list[Server] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for name in names or KINDS:
            try:
                server = KINDS[name]()
            except FileNotFoundError as error:
                print(f"# {error}", file=sys.stderr)
                if names:
                    return 4
                continue
            servers.append(server)
            server.start()
            print(f"export {SETTINGS[name]}='{server.url}'", flush=True)
            if name == "s3":
                print(f"export AWS_ACCESS_KEY_ID={S3_KEY} AWS_SECRET_ACCESS_KEY={S3_SECRET}", flush=True)
        print("# running; Ctrl-C ends them and removes their data", file=sys.stderr, flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        for server in reversed(servers):
            server.remove()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
