"""Labelled folders as training sees them, and the guard that keeps what we are scored on out of it.

The form of a folder, its checks and its folds are those of `guardian.evaluation`: training and evaluation read the same
lines. A picture is trained on only when its line says `"split": "train"` *and* none of its texts stands on any line of
another split, in whatever file: one plate in both would make every figure a lie, so such a folder is refused as a whole.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.folds import folds_of
from guardian.evaluation.labels import Labels, load_labels
from guardian.evaluation.mends import load_mends, mended

MENDS = Path(__file__).parent / "mends.json"


class SplitLeakError(InputRefusedError):
    """A text stands both in the training part and in another part of a folder."""

    reference = "text-in-two-splits"


def load(folder: Path) -> Labels:
    """The training part of a labelled folder.

    Raises:
        LabelError: the folder, or a line of it, cannot be used.
        SplitLeakError: a text of the training part stands in another part as well.
    """
    labels = load_labels(folder)
    splits: dict[str, set[str]] = {}
    for scene in labels.scenes:
        for plate in scene.plates:
            if plate.text:
                splits.setdefault(plate.text, set()).add(scene.split)
    for crop in labels.crops:
        splits.setdefault(crop.text, set()).add(crop.split)
    for film in labels.films:
        for passed in film.vehicles:
            if passed.text:
                splits.setdefault(passed.text, set()).add(film.split)
    both = sorted(text for text, parts in splits.items() if "train" in parts and len(parts) > 1)
    if both:
        raise SplitLeakError(
            f"{len(both)} plates stand in the training part of {folder.name} and in another one; nothing was loaded.",
            hint="Give all pictures of one plate the same split.",
        )
    return mended(labels.part(split="train"), load_mends(MENDS))[0]


def without_fold(labels: Labels, fold: int, folds: int) -> tuple[Labels, Labels]:
    """The training part without one fold, to learn from, and that fold, to look at."""
    where = folds_of(labels, folds)

    def those(kept: bool) -> Labels:
        return msgspec.structs.replace(
            labels,
            scenes=tuple(s for s in labels.scenes if (where[s.file] == fold) == kept),
            crops=tuple(c for c in labels.crops if (where[c.file] == fold) == kept),
            films=(),
        )

    return those(False), those(True)
