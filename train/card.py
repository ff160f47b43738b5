"""The card of a model: what it is, what taught it, how good it is and where it fails. Written by `guardian train --install`.

Figures on real pictures are those of `guardian evaluate --json`, taken over as they stand; the gallery shows rendered plates
only, since pictures of real ones are not ours to show.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import nn

from guardian.evaluation.svg import Drawing
from guardian.vision.weights import WeightFile
from train.calibrate import logits_of, said
from train.reader import ReaderSettings, rendered_held

GALLERY_MAX = 40


def lines_of(run: Path) -> list[dict[str, float]]:
    """What a run wrote at each look."""
    log = run / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def curve_svg(lines: list[dict[str, float]], names: tuple[str, ...], title: str) -> str:
    """Figures over the minutes of training, shares of one."""
    wide, tall, left, top = 560.0, 220.0, 60.0, 70.0
    draw = Drawing(left + wide + 30, top + tall + 50, title)
    draw.text(left, 26, title, kind="head")
    minutes = [line["seconds"] / 60 for line in lines]
    longest = max([1.0, *minutes])
    for step in (0, 25, 50, 75, 100):
        y = top + tall * (1 - step / 100)
        draw.line([(left, y), (left + wide, y)], "rule")
        draw.text(left - 8, y + 4, f"{step} %", kind="dim num", anchor="end")
    for number, name in enumerate(names):
        x = left + 140 * number
        draw.line([(x, 48), (x + 26, 48)], f"line s{number}")
        draw.text(x + 34, 52, name)
        points = [
            (left + wide * minute / longest, top + tall * (1 - min(1.0, max(0.0, line[name]))))
            for minute, line in zip(minutes, lines, strict=True)
        ]
        draw.line(points, f"line s{number}")
    draw.line([(left, top + tall), (left + wide, top + tall)], "axis")
    draw.text(left, top + tall + 20, "0", kind="dim num")
    draw.text(left + wide, top + tall + 20, f"{longest:.0f} min", kind="dim num", anchor="end")
    return draw.svg()


def gallery(model: nn.Module, settings: ReaderSettings, path: Path, count: int = 1200) -> tuple[int, int]:
    """Rendered plates that the reader reads wrongly, the surest first, as a sheet; how many of how many."""
    drawn = rendered_held(count, settings)
    rows = said(logits_of(model, drawn.crops), 1.0)
    wrong = sorted((i for i, (text, _) in enumerate(rows) if text != drawn.texts[i]), key=lambda i: -rows[i][1])
    tiles = []
    for i in wrong[:GALLERY_MAX]:
        grey = np.asarray(drawn.crops[i, 0].numpy() * 255, np.uint8)
        tile = np.full((84, 172, 3), 255, np.uint8)
        tile[6:54, 6:166] = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        text, prob = rows[i]
        cv2.putText(tile, f"is {drawn.texts[i]}", (6, 66), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (60, 60, 60), 1, cv2.LINE_AA)
        cv2.putText(
            tile, f"read {text} {prob:.2f}", (6, 79), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (28, 28, 185), 1, cv2.LINE_AA
        )
        tiles.append(tile)
    while len(tiles) % 5 or not tiles:
        tiles.append(np.full((84, 172, 3), 255, np.uint8))
    sheet = np.vstack([np.hstack(tiles[k : k + 5]) for k in range(0, len(tiles), 5)])
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return len(wrong), count


def write_card(
    name: str,
    entry: WeightFile,
    run: Path,
    out: Path,
    *,
    what: str,
    learnt: str,
    names: tuple[str, ...],
    limits: str,
    failures: str = "",
) -> Path:
    """`NAME.md` and its pictures in a folder of cards; gives the card's path."""
    out.mkdir(parents=True, exist_ok=True)
    lines = lines_of(run)
    (out / f"{name}-curve.svg").write_text(curve_svg(lines, names, f"{name}: held-out plates while it learnt"), "utf-8")
    last: dict[str, Any] = max(lines, key=lambda line: line["score"]) if lines else {}
    figures = "".join(f"| {key} | {value} |\n" for key, value in last.items() if key != "loss")
    card = f"""# {name}

{what}

| | |
|---|---|
| file | `guardian/vision/weights/{entry.file}`, {entry.bytes / 1e6:.2f} MB |
| SHA-256 | `{entry.sha256}` |
| version | {entry.version} |
| made | {entry.made} |
{"".join(f"| {key} | {value} |" + chr(10) for key, value in entry.facts.items())}
## What taught it

{learnt}

## Held-out plates of the training part, at its best look

| figure | value |
|---|---:|
{figures}
![while it learnt]({name}-curve.svg)

Figures on the test part, with peers: `docs/figures.md`, by `guardian evaluate`.
{failures}
## Limits

{limits}
"""
    path = out / f"{name}.md"
    path.write_text(card, "utf-8")
    return path
