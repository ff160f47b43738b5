"""What a rendered scene is, and what the renderer needs to know of a real picture that lends its ground."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
"""(H, W, 3 or 4) uint8, BGR or BGRA."""
Quad = NDArray[np.float32]
"""(4, 2) float32, px, clockwise from the top left of what lies in it; the middle of the first pixel is (0, 0)."""
Rng = np.random.Generator


class GroundView(Protocol):
    """A real picture, its known plates (n, 4, 2) float32, and whether these are all plates in it."""

    @property
    def picture(self) -> Picture:
        """(H, W, 3) uint8, BGR."""

    @property
    def corners(self) -> NDArray[Any]:
        """(n, 4, 2) float32, px, clockwise from the top left."""

    @property
    def complete(self) -> bool:
        """False where plates may stand in the picture that nobody labelled."""


class Scene(msgspec.Struct, frozen=True):
    """One rendered picture and the truth about it.

    Attributes:
        picture: (H, W, 3) uint8, BGR.
        corners: (n, 4, 2) float32, px: plates of which at least 75 % can be seen, clockwise from the plate's top left.
            A corner may lie outside of the picture where its edge cuts the plate.
        texts: normal form of each, None where it is a real plate that was left standing.
        vehicles: "car", "motorcycle", "truck" or "bus", for each.
        hidden: (m, 4, 2) float32: plates that can be seen in part, or are under 6 px high; nothing should be asked there.
        vehicle_boxes: (k, 4) float32, x1 y1 x2 y2, of the vehicles that we drew, as far as they can be seen.
        vehicle_kinds: kind of each.
        vehicle_looks: body and colour of each, in the words of `guardian.vision`; empty where the drawing does not know.
            The colour is that of the paint by daylight, whatever the light in the picture.
        complete: False where the ground is a real picture in which unlabelled plates may stand; then boxes of its
            real vehicles are missing too.
        light: "day", "dusk", "dark" or "infrared".
        layout: name of the arrangement that was drawn.
    """

    picture: Picture
    corners: NDArray[np.float32]
    texts: tuple[str | None, ...]
    vehicles: tuple[str, ...]
    hidden: NDArray[np.float32]
    vehicle_boxes: NDArray[np.float32]
    vehicle_kinds: tuple[str, ...]
    vehicle_looks: tuple[tuple[str, str], ...]
    complete: bool
    light: str
    layout: str
