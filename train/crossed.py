"""Cross-validation: each labelled picture of the training part read by models that never saw it, and what more pictures bring.

    python -m train.crossed --data plates --detectors run/finders --readers run/readers --out docs/evaluation

The folders are those of `train.together`. Of four finders and four readers each pair reads the fourth of the pictures that it did
not learn from, as `guardian read` would. The learning curve sets readers beside one another that learnt from fewer pictures, each
behind the finder of the first fold and on that fold alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec
import torch

from guardian.evaluation import run as running
from guardian.evaluation.folds import only_fold
from guardian.evaluation.labels import Labels
from guardian.evaluation.report import Report, encode, facts_of, join
from guardian.evaluation.subjects import EngineSubject
from guardian.evaluation.tables import as_markdown
from guardian.vision.engine import OWN, Engine, engine_of, own_sizes
from guardian.vision.finder import PlateFinder
from guardian.vision.plate_reader import PlateReader as Reader
from guardian.vision.weights import listed
from train.data import load
from train.export import detector_bytes, reader_bytes
from train.loop import weights_of
from train.models.detector import detector_of
from train.models.reader import reader_of
from train.reader import Look, samples_of
from train.straight import straight
from train.together import DRAWN, FOLDS

SPOILT_WAYS = 6
CURVE = (
    ("drawn", "rendered plates alone"),
    ("sixth", "a sixth of the labelled plates"),
    ("half", "half of them"),
    ("fold0", "all of them"),
    ("wide0", "all of them, a reader nearly twice as large"),
)
CURVE_DRAWN = (
    ("drawn0", "labelled plates alone"),
    *((f"drawn{n}", f"the same and {n:,} rendered ones") for n in DRAWN[1:]),
    ("drawn-all", "the same and ever new rendered ones"),
)
CURVES = {"learning": CURVE, "drawn": CURVE_DRAWN}


def engine_from(finder: Path, reader: Path) -> Engine:
    """Our engine for photos with the weights of a run. The temperature is the shipped reader's."""
    found = detector_of(weights_of(finder))
    read = reader_of(weights_of(reader))
    temperature = float(listed()["reader"].facts.get("temperature", 1.0))
    return engine_of(
        PlateFinder(content=detector_bytes(found), sizes=own_sizes()[OWN]),
        Reader(content=reader_bytes(read, temperature)),
    )


def evaluated(labels: Labels, engine: Engine, fold: str) -> Report:
    """What `guardian evaluate` says of these pictures."""
    begun = time.monotonic()
    ran = running.evaluate(labels, [EngineSubject(engine)])
    facts = facts_of(labels, ran, begun, sets=(), fold=fold, threads=1)
    return Report([facts], ran.notes)


def curve_of(labelled: Labels, finder: Path, readers: Path, steps: Sequence[tuple[str, str]]) -> str:
    """The learning curve as a table of Markdown."""
    held = only_fold(labelled, 0, FOLDS)
    look = Look(straight(samples_of(held))[0], ways=SPOILT_WAYS)
    lines = [
        f"| the reader learnt from | scenes | loose crops | all of these, spoilt in {SPOILT_WAYS} ways each |",
        "|---|---:|---:|---:|",
    ]
    for name, said in steps:
        file = readers / f"{name}.pt"
        if not file.exists():
            continue
        figures = evaluated(held, engine_from(finder, file), f"0/{FOLDS}").figures()[0]
        cells = [cell.whole_plates for name, cell in figures.sets.items() if name != "twocr"]
        right, of = sum(c.right for c in cells), sum(c.of for c in cells)
        crops = figures.sets["twocr"].whole_plates
        hard = look(reader_of(weights_of(file)))["hard"]
        lines.append(f"| {said} | {right} of {of} | {crops.right} of {crops.of} | {100 * hard:.1f} % |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m train.crossed")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--detectors", type=Path, required=True)
    parser.add_argument("--readers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--curve", choices=tuple(CURVES), help="only this learning curve: labelled or rendered plates")
    asked = parser.parse_args(argv)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    labelled = load(asked.data)
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.curve:
        table = curve_of(labelled, asked.detectors / "fold0.pt", asked.readers, CURVES[asked.curve])
        (asked.out / f"{asked.curve}.md").write_text(table, "utf-8")
        return 0
    parts: list[tuple[str, Report]] = []
    for fold in range(FOLDS):
        engine = engine_from(asked.detectors / f"fold{fold}.pt", asked.readers / f"fold{fold}.pt")
        part = evaluated(only_fold(labelled, fold, FOLDS), engine, f"{fold}/{FOLDS}")
        parts.append((f"fold {fold}", part))
        shown = part.figures()[0]
        print(
            fold, {name: msgspec.to_builtins(cell.whole_plates) for name, cell in shown.sets.items()}, file=sys.stderr
        )
        (asked.out / f"cross-{fold}.json").write_bytes(encode(part))
    (asked.out / "cross.md").write_text(as_markdown(join(parts)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
