"""Deciding frame → alarm on the device, with the real engine, at 1080p, over the shipped drive in its own time.

The time runs from the moment at which the deciding frame was there (decoded; its wait for a look that is under way counts) up
to the card on the officer's screen: the terminal and the page's stream are told at that moment. Every number alarms. Beside
the wall stands the processor time of the same decisions, and the drive in processor time of one core (`bench/drive.py`):
these say what a quiet machine would show.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2

from bench.device_film import enlarge_film, run_pipeline
from bench.drive import drive
from bench.table import percentile, render_table
from guardian.vision.engine import open_engine

GOAL_MS = 250
AFTER = ("encode", "match", "alarm")


def against(ms: float) -> str:
    """A figure beside the goal."""
    return f"{ms:.0f} ms, {ms / GOAL_MS:.2f} × the goal of {GOAL_MS} ms"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("film", nargs="?", type=Path, help="a film of one's own at 1080p")
    parser.add_argument("--seconds", type=float, default=45.0, help="of the shipped film")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = args.film or Path(folder) / "film.mp4"
        if args.film is None:
            enlarge_film(film, seconds=args.seconds)
        run = run_pipeline(film, Path(folder) / "home", open_engine("guardian-fast", args.threads), real_time=True)
    latency, stages = run.stages.latency, run.stages
    rows = [
        ("alarms / reads / frames looked at", f"{latency.items} / {run.reads} / {run.looked_at}"),
        ("deciding frame → alarm, p50", f"{latency.quantile_ms(0.5):.0f} ms"),
        ("deciding frame → alarm, p99", against(latency.quantile_ms(0.99))),
        (
            "of it after the engine has read (pictures, match, card), p99",
            f"{sum(stages[name].quantile_ms(0.99) for name in AFTER):.1f} ms",
        ),
    ]
    if run.alarm_cpu_ms:
        rows.append(
            ("processor time from taking the frame to the alarm, p50", f"{percentile(run.alarm_cpu_ms, 0.5):.0f} ms")
        )
        rows.append(("the same, p99", against(percentile(run.alarm_cpu_ms, 0.99))))
    rows.append(("processor that this run got", f"{run.cpu_s / run.wall_s:.1f} cores, {args.threads} threads"))
    print(render_table(("our own models, 1920 × 1080, by the wall", "seen"), rows))
    if args.film is None:
        cv2.setNumThreads(1)  # so that all of the work is counted
        outcome = drive(open_engine("guardian-fast", 1), real_time=True, size=(1920, 1080), seconds=args.seconds / 2)
        print()
        figures = [("decisions", f"{len(outcome.latency_ms)}")]
        if outcome.latency_ms:
            figures.append(("deciding frame → decided, p50", f"{percentile(outcome.latency_ms, 0.5):.0f} ms"))
            figures.append(("deciding frame → decided, p99", against(percentile(outcome.latency_ms, 0.99))))
        print(render_table(("the same on one quiet core, by processor time", "seen"), figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
