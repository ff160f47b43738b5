"""Labelled folders as training sees them, and the guard that keeps what we are scored on out of it.

A folder holds `scenes_<set>.jsonl` (whole pictures with plates) and `crops_<set>.jsonl` (single plates, cut out); its
own README says what the fields are. A picture is trained on only when its line says `"split": "train"` *and* none of its
texts stands on any line of another split, in whatever file: one plate in both would make every figure a lie, so such a
folder is refused as a whole.

`fold_of` cuts the training part into folds by plate text, so that one plate's pictures stay together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from guardian.domain.errors import InputRefusedError

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


class TestSplitError(InputRefusedError):
    """A text stands both in the training part and in another part of a folder."""

    __test__ = False
    reference = "text-in-two-splits"


class PlateLabel(msgspec.Struct, frozen=True):
    """One plate of a scene. `text` is None where a person cannot read it; corners in px, clockwise from the top left."""

    text: str | None
    corners: Quad
    fitted: bool
    vehicle: str


class Scene(msgspec.Struct, frozen=True):
    """One whole picture. `complete` is False where plates may stand in it that nobody labelled."""

    path: Path
    set: str
    light: str
    plates: tuple[PlateLabel, ...]
    complete: bool


class CropLabel(msgspec.Struct, frozen=True):
    """One plate, cut out. `layout` is the text as printed, with its dash; empty where the label does not say."""

    path: Path
    set: str
    text: str
    layout: str
    legend: str | None


class Labelled(msgspec.Struct, frozen=True):
    """The training part of one folder, or one part of it."""

    scenes: tuple[Scene, ...]
    crops: tuple[CropLabel, ...]

    def fold(self, number: int, of: int, *, kept: bool) -> Labelled:
        """The pictures of one fold (`kept`) or all the others. A scene belongs to the fold of its first text."""

        def inside(text: str) -> bool:
            return (fold_of(text, of) == number) == kept

        return Labelled(
            tuple(s for s in self.scenes if inside(_key(s))), tuple(c for c in self.crops if inside(c.text))
        )


def _key(scene: Scene) -> str:
    return next((p.text for p in scene.plates if p.text), scene.path.name)


def fold_of(text: str, of: int) -> int:
    """Which of `of` folds a plate belongs to: another digest than the folder's own split, so that they do not align."""
    return int(hashlib.sha256(b"fold:" + text.encode()).hexdigest(), 16) % of


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            raise InputRefusedError(
                f"{path.name}, line {number} is no JSON; nothing was loaded.",
                hint="Mend the line.",
                reference="label-line",
            ) from error


def _quad(listed: Iterable[Iterable[float]]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in listed)
    return (a, b, c, d)


def load(folder: Path, split: str = "train") -> Labelled:
    """One split of a labelled folder.

    Args:
        folder: holds `scenes_*.jsonl` and `crops_*.jsonl`.
        split: the part wanted; `train` is the only one that may teach a model.

    Raises:
        InputRefusedError: no such files, or a line that cannot be read.
        TestSplitError: a text of the training part stands in another part as well.
    """
    files = sorted(folder.glob("scenes_*.jsonl")) + sorted(folder.glob("crops_*.jsonl"))
    if not files:
        raise InputRefusedError(
            f"{folder.name} holds no scenes_*.jsonl and no crops_*.jsonl.",
            hint="Name a folder of labelled pictures.",
            reference="no-labels",
        )
    texts: dict[str, set[str]] = {}
    scenes: list[Scene] = []
    crops: list[CropLabel] = []
    for file in files:
        kind, _, name = file.stem.partition("_")
        for line in _lines(file):
            part = line["split"]
            said = [line["text"]] if kind == "crops" else [p["text"] for p in line["plates"] if p["text"]]
            for text in said:
                texts.setdefault(text, set()).add(part)
            if part != split:
                continue
            path = folder / line["file"]
            if kind == "crops":
                crops.append(CropLabel(path, name, line["text"], line.get("layout") or "", line.get("legend")))
            else:
                scenes.append(
                    Scene(
                        path,
                        name,
                        line.get("light", "day"),
                        tuple(
                            PlateLabel(
                                p["text"], _quad(p["corners"]), p.get("corners_quality") == "fitted", p["vehicle"]
                            )
                            for p in line["plates"]
                        ),
                        line.get("complete", True),
                    )
                )
    both = sorted(text for text, parts in texts.items() if "train" in parts and len(parts) > 1)
    if both:
        raise TestSplitError(
            f"{len(both)} plates stand in the training part and in another one (the first: {both[0][:2]}…); nothing was loaded.",
            hint="Give all pictures of one plate the same split.",
        )
    return Labelled(tuple(scenes), tuple(crops))
