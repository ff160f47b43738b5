"""Looking for a plate where one is expected: a small window of the frame, at the size at which a plate is found best.

A look at a whole frame of 1080p costs the day-one finder some 380 ms of one core, a window 15 to 45 ms.
"""

from __future__ import annotations

import cv2
import msgspec
import numpy as np

from guardian.domain.read import Corners
from guardian.vision.ports import Detection, Detector, Frame

Window = tuple[int, int, int, int]  # left, top, right, bottom in px

PLATE_HEIGHT_PX = 60.0
"""A plate in a window is brought to this height for finding. At 40 and 1.5 a window is cheaper by half, and the shipped
drive lost a vehicle of eight."""
ENLARGED_MAX = 2.5
SIDE_MIN_PX = 8


def around(corners: Corners, width: int, height: int) -> Window:
    """The surroundings of a plate: its width to each side, 1.8 heights up and down, inside the frame.

    A plate that moves further between two sights is found by the next whole look.
    """
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    w, h = max(xs) - min(xs), max(ys) - min(ys)
    return (
        max(0, int(min(xs) - w)),
        max(0, int(min(ys) - 1.8 * h)),
        min(width, int(max(xs) + w) + 1),
        min(height, int(max(ys) + 1.8 * h) + 1),
    )


def detect_near(
    detector: Detector, frame: Frame, corners: Corners, plate_height_px: float = PLATE_HEIGHT_PX
) -> list[Detection]:
    """What a detector finds around an expected plate, in the frame's pixels; nothing where that lies outside the frame.

    The plate is brought to about `plate_height_px` for it.
    """
    left, top, right, bottom = around(corners, int(frame.shape[1]), int(frame.shape[0]))
    if right - left < SIDE_MIN_PX or bottom - top < SIDE_MIN_PX:
        return []
    tall = max(y for _, y in corners) - min(y for _, y in corners)
    factor = min(ENLARGED_MAX, plate_height_px / max(1.0, tall))
    size = (max(SIDE_MIN_PX, round((right - left) * factor)), max(SIDE_MIN_PX, round((bottom - top) * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    piece = np.asarray(cv2.resize(frame[top:bottom, left:right], size, interpolation=method), dtype=np.uint8)
    fx, fy = size[0] / (right - left), size[1] / (bottom - top)

    def placed(those: Corners) -> Corners:
        a, b, c, d = ((round(x / fx + left, 1), round(y / fy + top, 1)) for x, y in those)
        return (a, b, c, d)

    return [
        msgspec.structs.replace(
            found,
            corners=placed(found.corners),
            text_corners=placed(found.text_corners) if found.text_corners is not None else None,
        )
        for found in detector.detect(piece)
    ]
