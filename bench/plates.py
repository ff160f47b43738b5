"""Whole plates found and right on the labelled pictures, against the goal of the day-one engine (107 of 115).

    .venv/bin/python bench/plates.py                      the test part, the photo engine
    .venv/bin/python bench/plates.py --split train        the part that settings were chosen on
    .venv/bin/python bench/plates.py --engine day-one-video --crops

A plate counts when its normal form is right in every character and its box overlaps the labelled one by more than 0.3
(intersection over union of the upright boxes). False reads are counted on pictures whose labels are complete: everything
that was read and overlaps no labelled plate. Plates that a person could not read are left out. One picture, one look: no
vote over frames. Beside each rate stands its count and its 95 % interval (Wilson).

The pictures lie beside the repository and are not part of it; see the README of the data for what they are.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from guardian.vision.engine import Engine, StageTimes, open_engine
from guardian.vision.picture import load_picture

PLATES = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "plates"
SETS = ("carbook", "carlot", "moto", "dashcam", "misc")
GOAL, GOAL_OF = 107, 115
IOU_MIN = 0.3


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share. Source: Wilson, JASA 22 (1927), 209-212."""
    if of == 0:
        return 0.0, 1.0
    p = right / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def iou(a: Any, b: Any) -> float:
    """Intersection over union of the upright boxes of two quadrangles."""
    ax0, ay0, ax1, ay1 = min(p[0] for p in a), min(p[1] for p in a), max(p[0] for p in a), max(p[1] for p in a)
    bx0, by0, bx1, by1 = min(p[0] for p in b), min(p[1] for p in b), max(p[0] for p in b), max(p[1] for p in b)
    shared = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    return shared / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared)


class Tally:
    """Plates right and wanted, by group; false reads; times."""

    def __init__(self) -> None:
        self.right: dict[str, int] = defaultdict(int)
        self.of: dict[str, int] = defaultdict(int)
        self.found: dict[str, int] = defaultdict(int)
        self.false = self.complete = self.pictures = 0
        self.look_ms: list[float] = []
        self.cpu_ms: list[float] = []
        self.stages = StageTimes()
        self.overlaps: list[float] = []

    def plate(self, groups: tuple[str, ...], found: bool, right: bool) -> None:
        for group in groups:
            self.of[group] += 1
            self.found[group] += found
            self.right[group] += right


def run_scenes(engine: Engine, split: str, tally: Tally) -> None:
    """Look at every scene of one part."""
    for name in SETS:
        for text in (PLATES / f"scenes_{name}.jsonl").read_text("utf-8").splitlines():
            line = json.loads(text)
            if line["split"] != split:
                continue
            frame = load_picture(PLATES / line["file"]).frame
            times = StageTimes()
            started, cpu_started = time.perf_counter(), time.process_time()
            seen = engine.look(frame, times)
            tally.look_ms.append((time.perf_counter() - started) * 1000)
            tally.cpu_ms.append((time.process_time() - cpu_started) * 1000)
            for stage in StageTimes.__struct_fields__:
                setattr(tally.stages, stage, getattr(tally.stages, stage) + getattr(times, stage))
            tally.pictures += 1
            for plate in line["plates"]:
                if plate["text"] is None:
                    continue
                near = [(iou(s.corners, plate["corners"]), s) for s in seen]
                near = [(value, s) for value, s in near if value > IOU_MIN]
                right = any(s.number.text == plate["text"] for _, s in near)
                kind = "motorcycles" if plate["vehicle"] == "motorcycle" else "cars and trucks"
                tally.plate(("all", name, kind, line["light"]), bool(near), right)
                if near and plate["corners_quality"] == "fitted":
                    tally.overlaps.append(max(value for value, _ in near))
            if line.get("complete", True):
                tally.complete += 1
                tally.false += sum(all(iou(s.corners, p["corners"]) < 0.1 for p in line["plates"]) for s in seen)
            if sys.stderr.isatty():
                print(
                    f"\r{tally.pictures} pictures, {tally.right['all']} of {tally.of['all']} right",
                    end="",
                    file=sys.stderr,
                )
    if sys.stderr.isatty():
        print(file=sys.stderr)


def run_crops(engine: Engine, split: str) -> tuple[int, int]:
    """Read every crop of one part as `guardian read --crops` does."""
    right = of = 0
    for text in (PLATES / "crops_twocr.jsonl").read_text("utf-8").splitlines():
        line = json.loads(text)
        if line["split"] != split:
            continue
        of += 1
        seen = engine.look_at_crop(load_picture(PLATES / line["file"]).frame)
        right += seen is not None and seen.number.text == line["text"]
    return right, of


def report(tally: Tally, engine: str, split: str, threads: int, crops: tuple[int, int] | None) -> str:
    """The table as Markdown."""
    out = [
        f"Plates found and right, {split} part, engine `{engine}`, {threads} thread{'s' * (threads != 1)}, one look a picture",
        "",
        "| plates | right | of | share | 95 % interval | found |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for group in ("all", *SETS, "cars and trucks", "motorcycles", "day", "dark"):
        of, right = tally.of[group], tally.right[group]
        if of:
            low, high = wilson(right, of)
            out.append(f"| {group} | {right} | {of} | {right / of:.3f} | {low:.3f}-{high:.3f} | {tally.found[group]} |")
    if crops is not None:
        low, high = wilson(*crops)
        out.append(
            f"| crops (`--crops`) | {crops[0]} | {crops[1]} | {crops[0] / crops[1]:.3f} | {low:.3f}-{high:.3f} | |"
        )
    ordered = sorted(tally.look_ms)
    n = max(1, tally.pictures)
    out += [
        "",
        "| figure | value |",
        "|---|---:|",
        f"| false reads per picture ({tally.complete} complete pictures) | {tally.false / max(1, tally.complete):.3f} |",
        f"| overlap of the corners' boxes with fitted labels, mean | {statistics.fmean(tally.overlaps):.2f} |",
        f"| ms a picture, median / p95 | {statistics.median(ordered):.0f} / {ordered[int(len(ordered) * 0.95)]:.0f} |",
        f"| CPU ms a picture, median / p95 | {statistics.median(tally.cpu_ms):.0f} / "
        f"{sorted(tally.cpu_ms)[int(len(ordered) * 0.95)]:.0f} |",
        f"| of the former find / straighten / read / judge, mean ms | {tally.stages.detect_ms / n:.0f} / "
        f"{tally.stages.rectify_ms / n:.1f} / {tally.stages.read_ms / n:.0f} / {tally.stages.judge_ms / n:.1f} |",
    ]
    if split == "test":
        ratio = (tally.right["all"] / tally.of["all"]) / (GOAL / GOAL_OF)
        out.append(f"| ratio to the goal of {GOAL} of {GOAL_OF} | {ratio:.3f} |")
    return "\n".join(out)


def main() -> int:
    """Run and print; 1 when the goal was missed, 3 when the pictures are not here."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser.add_argument("--engine", default="day-one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--crops", action="store_true", help="also read the crops of single plates")
    asked = parser.parse_args()
    if not PLATES.exists():
        print("The labelled pictures (../shared/data/plates) are not here; nothing was measured.", file=sys.stderr)
        return 3
    engine = open_engine(asked.engine, threads=asked.threads)
    tally = Tally()
    run_scenes(engine, asked.split, tally)
    crops = run_crops(engine, asked.split) if asked.crops else None
    print(report(tally, engine.name, asked.split, asked.threads, crops))
    return int(asked.split == "test" and tally.right["all"] * GOAL_OF < GOAL * tally.of["all"])


if __name__ == "__main__":
    raise SystemExit(main())
