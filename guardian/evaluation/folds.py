"""Cross-validation: which fold of the training split a plate, and so a picture, belongs to.

A plate's fold hangs on its text alone, by another digest than the folder's own split, so that the two do not align. A
picture with several plates, or a plate in several pictures, ties all of these together: they share one fold, or what one
model is taught would be what it is measured on.
"""

from __future__ import annotations

import hashlib

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.labels import Labels


def fold_of(text: str, folds: int) -> int:
    """Which of `folds` folds (from 0) a plate belongs to."""
    return int(hashlib.sha256(b"fold:" + text.encode()).hexdigest(), 16) % folds


def folds_of(labels: Labels, folds: int) -> dict[str, int]:
    """The fold of every picture and film of the training split, by file.

    Pictures that share a plate, directly or over others, share the fold of the first of all their texts in order of
    the alphabet; one without any readable plate goes by its file's name.
    """
    texts_of: dict[str, list[str]] = {}
    for scene in labels.scenes:
        if scene.split == "train":
            texts_of[scene.file] = [plate.text for plate in scene.plates if plate.text]
    for crop in labels.crops:
        if crop.split == "train":
            texts_of[crop.file] = [crop.text]
    for film in labels.films:
        if film.split == "train":
            texts_of[film.file] = [passed.text for passed in film.vehicles if passed.text]
    parent: dict[str, str] = {}

    def root(text: str) -> str:
        parent.setdefault(text, text)
        while parent[text] != text:
            parent[text] = parent[parent[text]]
            text = parent[text]
        return text

    for texts in texts_of.values():
        for text in texts:
            first, other = sorted((root(texts[0]), root(text)))
            parent[other] = first
    return {file: fold_of(root(texts[0]) if texts else file, folds) for file, texts in texts_of.items()}


def only_fold(labels: Labels, fold: int, folds: int) -> Labels:
    """The pictures and films of one fold.

    Raises:
        InputRefusedError: no such fold.
    """
    if folds < 2 or not 0 <= fold < folds:
        raise InputRefusedError(
            f"There is no fold {fold} of {folds}.",
            hint="Folds count from 0: --fold 0/5 to --fold 4/5.",
            reference="fold",
        )
    where = folds_of(labels, folds)
    return msgspec.structs.replace(
        labels,
        scenes=tuple(s for s in labels.scenes if where.get(s.file) == fold),
        crops=tuple(c for c in labels.crops if where.get(c.file) == fold),
        films=tuple(f for f in labels.films if where.get(f.file) == fold),
    )


def parse_fold(typed: str) -> tuple[int, int]:
    """`0/5` as fold and number of folds.

    Raises:
        InputRefusedError: not of that form.
    """
    fold, slash, folds = typed.partition("/")
    if not (slash and fold.isdecimal() and folds.isdecimal()):
        raise InputRefusedError(f"'{typed}' is no fold.", hint="Write 0/5 for the first of five.", reference="fold")
    return int(fold), int(folds)
