"""Cold set-up in a fresh clone: seconds of each step, size of the environment. Downloads come through this machine's package mirror,
so a slow line takes longer; the sizes do not change."""

from __future__ import annotations

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
    print(render_table(("command", "step", "s", "size"), rows))
    print(f"\nLimit of .venv without training: {SIZE_GOAL_MB:,} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
