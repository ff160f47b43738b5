"""The pipeline at 1080p: frames a second, each stage's share, memory; decoding alone is the limit.

Every frame looked at wholly, as fast as it goes; and the shipped drive in its own time, as from a camera.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from bench.device_film import decode_alone, enlarge_film, run_pipeline
from bench.table import render_table
from guardian.vision.engine import open_engine


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("film", nargs="?", type=Path, help="a film of one's own")
    parser.add_argument("--seconds", type=float, default=5.0, help="of the shipped film")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = args.film or Path(folder) / "film.mp4"
        if args.film is None:
            enlarge_film(film, seconds=args.seconds)
        frames, decode_s = decode_alone(film)
        run = run_pipeline(film, Path(folder) / "every", open_engine("guardian-video", args.threads))
        live = run_pipeline(film, Path(folder) / "live", open_engine("guardian-fast", args.threads), real_time=True)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [
        ("decode alone (the limit)", f"{frames / decode_s:.0f}", "1", ""),
        (
            "every frame, wholly",
            f"{frames / run.wall_s:.1f}",
            f"{decode_s / run.wall_s:.3f}",
            f"{run.cpu_s / frames * 1000:.0f} ms",
        ),
        (
            "in its own time (12 frames/s), newest wins",
            f"{live.looked_at / live.wall_s:.1f}",
            f"{live.looked_at / frames:.0%} of the frames looked at",
            f"{live.cpu_s / max(1, live.looked_at) * 1000:.0f} ms",
        ),
    ]
    print(render_table(("1920 × 1080", "frames/s", "of the limit", "processor time a frame"), rows))
    print(f"\nThe first ran on {run.cpu_s / run.wall_s:.1f} cores; memory {memory_mb:.0f} MB at most.\n")
    for title, stages in (("every frame: stage", run.stages), ("in its own time: stage", live.stages)):
        named = [(n, s) for n, s in stages.all.items() if s.items and n != "source"]
        total = sum(stage.busy_ms for _, stage in named)
        shares = [
            (n, s.items, f"{s.quantile_ms(0.5):.1f}", f"{s.quantile_ms(0.95):.1f}", f"{s.busy_ms / total:.1%}")
            for n, s in named
        ]
        print(render_table((title, "pieces", "p50 ms", "p95 ms", "share"), shares))
        print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
