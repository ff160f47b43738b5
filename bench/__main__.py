"""Run the figures: `python -m bench` for all, `python -m bench NAME …` for some; collects them into docs/figures.md."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.table import describe_machine

ROOT = Path(__file__).resolve().parent.parent
FIGURES = {
    "alarm": "Deciding frame → alarm on the device",
    "card": "Read → card in the browser",
    "drive": "Reads on the shipped drive, by its truth",
    "ingest": "Ingest through real HTTP, signed, durable, matched",
    "matching": "Device matching against 1,000,000 entries",
    "pipeline": "Pipeline at 1080p",
    "reading": "How quick our own models are",
    "lookalikes": "Plates read where there are none",
    "plates": "Whole plates right on real pictures",
    "search": "Search over 10 million stored reads",
    "listchange": "List change on a connected device",
    "setup": "Cold set-up, minutes and size",
}
KEPT = ROOT / "docs" / "figures"
HEAD = """# Figures

Each table is printed by the command above it, on the machine named; these machines are shared and noisy, so the ratio to a peer or limit
in the same run counts, not the absolute time. Goals are those of the issue; a goal that was not reached says what was tried.
"""


def collect() -> None:
    """Write docs/figures.md from the kept tables."""
    parts = [HEAD]
    for name, title in FIGURES.items():
        kept = KEPT / f"{name}.md"
        if kept.exists():
            parts.append(f"## {title}\n\n`python -m bench {name}`\n\n{kept.read_text(encoding='utf-8').strip()}\n")
    open_work = KEPT / "not-reached.md"
    if open_work.exists():
        parts.append(open_work.read_text(encoding="utf-8"))
    (ROOT / "docs" / "figures.md").write_text("\n".join(parts), encoding="utf-8")


def main() -> int:
    """Run each named figure as its own process, one after the other."""
    names = sys.argv[1:] or [n for n in FIGURES if (ROOT / "bench" / f"{n}.py").exists()]
    KEPT.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in names:
        print(f"== {FIGURES.get(name, name)}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        print(done.stdout, flush=True)
        if done.returncode:
            failed += 1
            print(f"{name} failed with {done.returncode}; its kept table stays as it was.", flush=True)
            continue
        day = time.strftime("%Y-%m-%d")
        (KEPT / f"{name}.md").write_text(f"{done.stdout.strip()}\n\n{describe_machine()}, {day}.\n", encoding="utf-8")
    collect()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
