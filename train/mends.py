"""Wrong labels of pictures that teach, put right by eye. The list names signs by their place and no whole plate."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from guardian.evaluation.labels import CropPicture, Labels


@lru_cache(maxsize=1)
def mends() -> dict[str, dict[str, str]]:
    """Picture → place (from 0) → the sign that stands there; empty where none does."""
    return msgspec.json.decode((Path(__file__).parent / "mends.json").read_bytes(), type=dict[str, dict[str, str]])


def mended(labels: Labels) -> Labels:
    """The labels with what is known to be wrong put right; labels of other folders stay as they are."""
    return msgspec.structs.replace(labels, crops=tuple(_mended(crop) for crop in labels.crops))


def _mended(crop: CropPicture) -> CropPicture:
    signs = mends().get(crop.file)
    if not signs:
        return crop
    text = "".join(signs.get(str(i), sign) for i, sign in enumerate(crop.text))
    layout = crop.layout if len(text) == len(crop.text) else None
    if layout:
        fresh = iter(text)
        layout = "".join(sign if sign == "-" else next(fresh) for sign in layout)
    return msgspec.structs.replace(crop, text=text, layout=layout)
