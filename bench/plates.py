"""Whole plates found and right on the labelled pictures, against the goal of the day-one engine (107 of 115).

    .venv/bin/python bench/plates.py                      the test part, the photo engine
    .venv/bin/python bench/plates.py --split train        the part that settings were chosen on
    .venv/bin/python bench/plates.py --engine day-one-video --crops

The rules of scoring are those of `guardian evaluate`, which says much more; here stands the goal and the exit code. The
pictures lie beside the repository and are not part of it; see the README of the data for what they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2

from guardian.evaluation.figures import Cell, Figures, Latency, figures_of
from guardian.evaluation.labels import load_labels
from guardian.evaluation.run import evaluate
from guardian.evaluation.subjects import EngineSubject
from guardian.evaluation.tables import interval, percent
from guardian.vision.engine import open_engine

PLATES = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "plates"
SCENES = ("carbook", "carlot", "moto", "dashcam", "misc")
GOAL, GOAL_OF = 107, 115


def told(done: int, of: int, what: str) -> None:
    """Progress on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{done} of {of} pictures", end="" if done < of else "\n", file=sys.stderr)


def report(figures: Figures, split: str, threads: int) -> str:
    """The table as Markdown."""
    out = [
        f"Plates found and right, {split} part, engine `{figures.name}`, {threads} thread{'s' * (threads != 1)}, one look a picture",
        "",
        "| plates | right | of | share | 95 % interval | found |",
        "|---|---:|---:|---:|---|---:|",
    ]
    whole = Cell(figures.whole_plate_accuracy, figures.whole_plates, figures.recall, figures.precision, figures.signs)
    for name, cell in {"all": whole, **figures.sets, **figures.vehicle, **figures.light}.items():
        plates, found = cell.whole_plates, cell.recall.right if cell.recall is not None else ""
        out.append(f"| {name} | {plates.right} | {plates.of} | {percent(plates)} | {interval(plates)} | {found} |")
    out += ["", "| figure | value |", "|---|---:|"]
    if figures.false_reads is not None:
        a_picture = figures.false_reads / max(1, figures.complete_pictures)
        out.append(f"| false reads per picture ({figures.complete_pictures} complete pictures) | {a_picture:.3f} |")
    if figures.corners is not None:
        out.append(f"| overlap of the corners' boxes with fitted labels, mean | {figures.corners.overlap_mean:.2f} |")
    if figures.latency is not None:
        out += _times(figures.latency)
    if split == "test":
        ratio = (figures.whole_plates.right / figures.whole_plates.of) / (GOAL / GOAL_OF)
        out.append(f"| ratio to the goal of {GOAL} of {GOAL_OF} | {ratio:.3f} |")
    return "\n".join(out)


def _times(cost: Latency) -> list[str]:
    stages = " / ".join(f"{cost.stages[stage].mean:.1f}" for stage in ("detect", "rectify", "read", "judge"))
    return [
        f"| ms a picture, median / p95 | {cost.clock.median:.0f} / {cost.clock.p95:.0f} |",
        f"| CPU ms a picture, median / p95 | {cost.cpu.median:.0f} / {cost.cpu.p95:.0f} |",
        f"| of the former find / straighten / read / judge, mean ms | {stages} |",
    ]


def main() -> int:
    """Run and print; 1 when the goal was missed, 3 when the pictures are not here."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser.add_argument("--engine", default="guardian")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--crops", action="store_true", help="also read the crops of single plates")
    asked = parser.parse_args()
    if not PLATES.exists():
        print("The labelled pictures (../shared/data/plates) are not here; nothing was measured.", file=sys.stderr)
        return 3
    cv2.setNumThreads(asked.threads)
    labels = load_labels(PLATES)
    # Not every set has a part of each split, and the crops take as long again as the scenes.
    there = {s.set for s in labels.scenes if s.split == asked.split and s.set in SCENES}
    wanted = (*sorted(there), "twocr") if asked.crops else tuple(sorted(there))
    subject = EngineSubject(open_engine(asked.engine, threads=asked.threads))
    ran = evaluate(labels.part(split=asked.split, sets=wanted), [subject], progress=told)
    figures = figures_of(ran.notes[0])
    print(report(figures, asked.split, asked.threads))
    if ran.partial:
        print("\nPartial: broken off.")
        return 130
    return int(asked.split == "test" and figures.whole_plates.right * GOAL_OF < GOAL * figures.whole_plates.of)


if __name__ == "__main__":
    raise SystemExit(main())
