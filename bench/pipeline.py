"""The pipeline at 1080p, every frame looked at whole: frames a second, each stage's share, memory; decoding alone is the limit."""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from bench.device_film import decode_alone, draw_film, run_pipeline
from bench.table import render_table
from guardian.vision.engine import open_engine


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("film", nargs="?", type=Path, help="a film of one's own")
    parser.add_argument("--seconds", type=float, default=5.0, help="of the film that is drawn")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = args.film or Path(folder) / "film.mp4"
        if args.film is None:
            draw_film(film, seconds=args.seconds)
        frames, decode_s = decode_alone(film)
        run = run_pipeline(film, Path(folder) / "home", open_engine("day-one-video", args.threads))
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [
        ("decode alone (the limit)", f"{frames / decode_s:.0f}", "1"),
        ("whole pipeline", f"{frames / run.wall_s:.1f}", f"{decode_s / run.wall_s:.3f}"),
    ]
    print(render_table(("1920 × 1080, every frame", "frames/s", "of the limit"), rows))
    print(f"\nProcessor time {run.cpu_s / frames * 1000:.0f} ms a frame; memory {memory_mb:.0f} MB at most.\n")
    named = [(n, s) for n, s in run.stages.all.items() if s.items and n != "source"]
    total = sum(stage.busy_ms for _, stage in named)
    shares = [
        (n, s.items, f"{s.quantile_ms(0.5):.1f}", f"{s.quantile_ms(0.95):.1f}", f"{s.busy_ms / total:.1%}")
        for n, s in named
    ]
    print(render_table(("stage", "pieces", "p50 ms", "p95 ms", "share"), shares))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
