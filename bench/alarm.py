"""Deciding frame → alarm on the device, with the real engine, at 1080p.

The time runs from the moment at which the deciding frame was taken up to the card on the officer's screen: the terminal and
the page's stream are told at that moment. Looks are whole or narrow as the device's gaze chooses (`device/gaze.py`).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from bench.device_film import draw_film, run_pipeline
from bench.table import percentile, render_table
from guardian.device.gaze import Gaze, Looking
from guardian.vision.engine import StageTimes, open_engine
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import Frame

GOAL_MS = 250


class Clocked:
    """An engine that notes the processor time of each look: on a shared machine the wall says little."""

    def __init__(self, engine: Looking) -> None:
        self._engine = engine
        self.cpu_ms: list[tuple[int, float]] = []  # pixels, processor time

    def look(self, frame: Frame, times: StageTimes | None = None) -> list[PlateSeen]:
        """As the engine looks."""
        begun = time.process_time()
        plates = self._engine.look(frame, times)
        self.cpu_ms.append((frame.shape[0] * frame.shape[1], (time.process_time() - begun) * 1000))
        return plates


AFTER = ("track", "encode", "match", "alarm")


def half(values: list[float]) -> float:
    """The middle one; 0 where there is none."""
    return percentile(values, 0.5) if values else 0.0


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
        clocked = Clocked(open_engine("day-one-video", args.threads))
        gaze = Gaze(clocked)
        run = run_pipeline(film, Path(folder) / "home", gaze)
    latency, stages = run.stages.latency, run.stages
    p50, p99 = latency.quantile_ms(0.5), latency.quantile_ms(0.99)
    added = sum(stages[name].quantile_ms(0.99) for name in AFTER)
    frames = stages["detect"].items
    largest = max(pixels for pixels, _ in clocked.cpu_ms)
    whole = [ms for pixels, ms in clocked.cpu_ms if pixels == largest]
    narrow = [ms for pixels, ms in clocked.cpu_ms if pixels < largest]
    rows = [
        ("alarms / reads / frames", f"{latency.items} / {run.reads} / {frames}"),
        ("looks: whole / narrow", f"{gaze.whole} / {gaze.narrow}"),
        ("deciding frame → alarm, p50", f"{p50:.0f} ms"),
        ("deciding frame → alarm, p99", f"{p99:.0f} ms, {p99 / GOAL_MS:.1f} × the goal of {GOAL_MS} ms"),
        ("of it after the engine has read (track, pictures, match, card), p99", f"{added:.1f} ms"),
        ("processor time of a whole look / of one window, p50", f"{half(whole):.0f} / {half(narrow):.0f} ms"),
        ("processor that this run got", f"{run.cpu_s / run.wall_s:.1f} of {args.threads} cores asked for"),
    ]
    print(render_table(("day-one engine, two threads, 1920 × 1080", "seen"), rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
