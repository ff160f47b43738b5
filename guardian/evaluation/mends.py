"""Labels known to be wrong, put right by eye, without touching the folder. Said in every report that used them.

A file of mends is JSON: picture → place in the label's text (from 0) → the sign that stands there, empty where none does. It
names no whole plate, so it may be kept where plates may not.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.labels import CropPicture, Labels

Mends = dict[str, dict[str, str]]


def load_mends(path: Path) -> Mends:
    """The mends of a file.

    Raises:
        InputRefusedError: not there, or not of that form.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mends)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputRefusedError(
            f"The mends in {path.name} cannot be read; nothing was loaded.",
            hint='One object: {"crops/1.jpg": {"0": "N"}}.',
            reference="mends",
        ) from error


def mended(labels: Labels, mends: Mends) -> tuple[Labels, int]:
    """The labels with these crops' texts put right, and how many there were; labels of other pictures stay as they are."""
    crops = tuple(_mended(crop, mends.get(crop.file)) for crop in labels.crops)
    changed = sum(new is not old for new, old in zip(crops, labels.crops, strict=True))
    return msgspec.structs.replace(labels, crops=crops), changed


def _mended(crop: CropPicture, signs: dict[str, str] | None) -> CropPicture:
    if not signs:
        return crop
    text = "".join(signs.get(str(i), sign) for i, sign in enumerate(crop.text))
    layout = crop.layout if len(text) == len(crop.text) else None
    if layout:
        fresh = iter(text)
        layout = "".join(sign if sign == "-" else next(fresh) for sign in layout)
    return msgspec.structs.replace(crop, text=text, layout=layout)
