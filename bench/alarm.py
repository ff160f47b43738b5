"""Deciding frame → alarm on the device, with the real engine, at 1080p.

The time runs from the moment at which the deciding frame was taken up to the card on the officer's screen: the terminal and
the page's stream are told at that moment. Looks are whole or narrow as the device's gaze chooses (`device/gaze.py`).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.device_film import draw_film, run_pipeline
from bench.table import render_table
from guardian.device.gaze import Gaze
from guardian.vision.engine import open_engine

GOAL_MS = 250
AFTER = ("track", "encode", "match", "alarm")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("film", nargs="?", type=Path, help="a film of one's own")
    parser.add_argument("--seconds", type=float, default=12.0, help="of the film that is drawn")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = args.film or Path(folder) / "film.mp4"
        if args.film is None:
            draw_film(film, seconds=args.seconds)
        gaze = Gaze(open_engine("day-one-video", args.threads))
        run = run_pipeline(film, Path(folder) / "home", gaze)
    latency, stages = run.stages.latency, run.stages
    p50, p99 = latency.quantile_ms(0.5), latency.quantile_ms(0.99)
    added = sum(stages[name].quantile_ms(0.99) for name in AFTER)
    frames = stages["detect"].items
    rows = [
        ("alarms / reads / frames", f"{latency.items} / {run.reads} / {frames}"),
        ("looks: whole / narrow", f"{gaze.whole} / {gaze.narrow}"),
        ("deciding frame → alarm, p50", f"{p50:.0f} ms"),
        ("deciding frame → alarm, p99", f"{p99:.0f} ms, {p99 / GOAL_MS:.1f} × the goal of {GOAL_MS} ms"),
        ("of it after the engine has read (track, pictures, match, card), p99", f"{added:.1f} ms"),
        ("processor time a look", f"{run.cpu_s / frames * 1000:.0f} ms, {run.cpu_s / run.wall_s:.1f} cores of 2 had"),
    ]
    print(render_table(("day-one engine, two threads, 1920 × 1080", "seen"), rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
