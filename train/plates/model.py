"""What a drawn plate is: the picture, and the truth about it that training and tests need."""

from __future__ import annotations

from typing import Any

import msgspec
from numpy.typing import NDArray

Picture = NDArray[Any]
"""(H, W, 3 or 4) uint8, BGR or BGRA; typed loosely because OpenCV's own types are."""
Mask = NDArray[Any]
"""(H, W) float32, 0 (nothing) to 1 (all)."""


class RenderedPlate(msgspec.Struct, frozen=True):
    """One plate as art, seen from straight ahead in even light, before any camera.

    Attributes:
        picture: (h, w, 4) uint8, BGRA, 6 to 12 px per cm; alpha 0 outside the rounded corners and in holes.
        text: normal form, without dash.
        layout: as printed, with the dash.
        series: id of `guardian.domain.series`.
        style: name in `train.plates.styles.STYLES`.
        vehicle: "car", "motorcycle", "truck" or "bus".
        width_cm, height_cm: size of the sheet of metal.
        middles: centre of each character of `text`, in shares of the plate's width.
        number_box: x0, y0, x1, y1 of the line of characters, in shares of the plate.
    """

    picture: Picture
    text: str
    layout: str
    series: str
    style: str
    vehicle: str
    width_cm: float
    height_cm: float
    middles: tuple[float, ...]
    number_box: tuple[float, float, float, float]
