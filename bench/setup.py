"""Cold `make demo` and `make test` in a fresh clone: seconds of each step, size of the environment. Downloads come through this
machine's package mirror, so a slow line takes longer; the sizes do not change. A test that is skipped counts as failed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import render_table

ROOT = Path(__file__).resolve().parent.parent
SIZE_GOAL_MB = 1300


def size_mb(folder: Path) -> float:
    """Megabytes of the files below, each counted once."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) / 1e6


def main() -> int:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="guardian-setup-") as name:
        clone = Path(name) / "guardian"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        if (pictures := ROOT.parent / "shared").exists():
            (clone.parent / "shared").symlink_to(pictures)
        for kind, words in (("run", "make demo"), ("dev", "make test, after it")):
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "scripts/setup.py", kind], cwd=clone, stdout=subprocess.PIPE, text=True, check=True
            )
            total = time.monotonic() - began
            for step, seconds in re.findall(r"\] (.+?) … ([\d.]+) s", done.stdout):
                rows.append((words, step, seconds, ""))
            rows.append((words, "**all**", f"{total:.0f}", f"{size_mb(clone / '.venv'):,.0f} MB .venv"))
        began = time.monotonic()
        demo = subprocess.run(
            [str(clone / ".venv" / "bin" / "guardian"), "demo", "--seconds", "60"],
            cwd=clone,
            stdout=subprocess.PIPE,
            text=True,
        )
        rows.append(
            (
                "make demo DEMO_SECONDS=60",
                f"the demo itself (exit {demo.returncode})",
                f"{time.monotonic() - began:.0f}",
                "",
            )
        )
        shutil.rmtree(clone / "var", ignore_errors=True)
        began = time.monotonic()
        suite = subprocess.run(
            ["make", "test"],
            cwd=clone,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "GUARDIAN_NO_SKIP": "1"},
        )
        for part, seconds in re.findall(r"^== (.+?) … (\d+) s$", suite.stdout, re.MULTILINE):
            rows.append(("make test", part, seconds, ""))
        said = re.findall(r"^=*\s?(\d+ (?:passed|failed|error).*?) in ", suite.stdout, re.MULTILINE)
        rows.append(
            ("make test", "**all**, set up", f"{time.monotonic() - began:.0f}", said[-1] if said else "no result")
        )
        if suite.returncode:
            print(suite.stdout[-8000:], file=sys.stderr)
    print(render_table(("command", "step", "s", "size"), rows))
    print(f"\nLimit of .venv without training: {SIZE_GOAL_MB:,} MB.")
    return 1 if demo.returncode or suite.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
