"""How often a plate is read where there is none (P06): a thousand frames of what only looks like one.

    .venv/bin/python -m bench lookalikes [--frames 1000] [--data FOLDER] [--sheet FALSE.png]

Vehicles without plates among shop signs, telephone numbers, badges, stickers and burnt-in stamps, rendered with seeds that
no training draws; where the labelled pictures are (`--data`), half of them stand on parts of real pictures in which no
plate is. A read is what the engine tells of one frame; a device asks several frames to agree before it tells.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from bench.table import render_table
from guardian.evaluation.shares import wilson
from guardian.vision.engine import open_engine
from guardian.vision.judge import PlateSeen
from train.scenes import GroundView, draw_scene

PICTURES = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "plates"
SEED = 20_261_126
FALSE_IN_A_THOUSAND_MAX = 1.0
LAYOUTS = ("close-up", "traffic", "parked", "rank", "trailer")
"""Not `real`: what carries plates in a real picture keeps them."""


def frame_of(number: int, views: Sequence[GroundView]) -> np.ndarray:
    """One frame without a plate."""
    rng = np.random.default_rng((SEED, number))
    layout = "nothing" if rng.random() < 0.7 else LAYOUTS[int(rng.integers(len(LAYOUTS)))]
    scene = draw_scene(rng, views if rng.random() < 0.5 else None, layout=layout, plates=False, era=50_000 + number)
    return np.asarray(scene.picture)


def real_grounds(folder: Path) -> Sequence[GroundView]:
    """Pictures of the training part whose plates are all known."""
    if not folder.is_dir():
        return ()
    from train.data import load
    from train.detector import views_of

    return [view for view in views_of(load(folder)) if view.complete]


def sheet_of(false: list[tuple[np.ndarray, PlateSeen]]) -> np.ndarray:
    """What was taken for a plate, enlarged, with what was read."""
    rows = []
    for frame, plate in false:
        quad = np.asarray(plate.corners, np.float32)
        tall = max(12.0, float(np.ptp(quad[:, 1])))
        low = np.maximum(0, quad.min(axis=0) - 2 * tall).astype(int)
        high = np.ceil(quad.max(axis=0) + 2 * tall).astype(int)
        part = cv2.resize(frame[low[1] : high[1], low[0] : high[0]], (320, 200))
        said = f"{plate.number.text} {plate.confidence_prob:.2f}"
        cv2.putText(part, said, (6, 192), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 255), 2)
        rows.append(part)
    while len(rows) % 4:
        rows.append(np.zeros((200, 320, 3), np.uint8))
    return np.vstack([np.hstack(rows[i : i + 4]) for i in range(0, len(rows), 4)])


def main() -> int:
    """Run and print; 1 when there were too many."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--engine", default="guardian-fast")
    parser.add_argument("--data", type=Path, default=PICTURES)
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    if asked.frames < 1:
        parser.error("--frames must be 1 or more")
    views = real_grounds(asked.data)
    engine = open_engine(asked.engine, 1)
    false: list[tuple[np.ndarray, PlateSeen]] = []
    sure = 0
    for number in range(asked.frames):
        frame = frame_of(number, views)
        for plate in engine.look(frame):
            false.append((frame, plate))
            sure += plate.confidence_prob >= 0.9
    low, high = wilson(len(false), asked.frames)
    rows = [
        ("frames without a plate", f"{asked.frames:,}" + (", a half on real ground" if views else "")),
        ("read in them", f"{len(false)} ({low:.2%} to {high:.2%} of frames)"),
        ("of these with 0.9 and more", str(sure)),
        ("texts", ", ".join(p.number.text for _, p in false[:12]) or "none"),
    ]
    print(render_table((asked.engine, "seen"), rows))
    if asked.sheet is not None and false:
        cv2.imwrite(str(asked.sheet), sheet_of(false))
    return int(len(false) * 1000 > FALSE_IN_A_THOUSAND_MAX * asked.frames)


if __name__ == "__main__":
    raise SystemExit(main())
