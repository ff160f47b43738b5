"""Cutting plates out of frames: straighten, judge sharpness, encode the two pictures that a read keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from guardian.domain.errors import GuardianError
from guardian.domain.read import Corners
from guardian.vision.ports import Crop, Frame

CROP_HEIGHT_PX = 96
CROP_WIDTH_MAX_PX = 320
OVERVIEW_SIDE_MAX_PX = 960
CROP_QUALITY = 88
VOTE_HEIGHT_PX = 48
VOTE_WIDTH_MAX_PX = 200
VOTE_QUALITY = 80
OVERVIEW_QUALITY = 80


class DegenerateQuadError(GuardianError):
    """The four corners enclose nothing that could be cut out."""

    reference = "degenerate-quad"


def quad_size(corners: Corners) -> tuple[float, float]:
    """Width and height of a quadrangle in px: the longer of each pair of opposite sides."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    width = max(math.hypot(bx - ax, by - ay), math.hypot(cx - dx, cy - dy))
    height = max(math.hypot(dx - ax, dy - ay), math.hypot(cx - bx, cy - by))
    return width, height


def shared_px(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]]) -> tuple[float, float]:
    """What two quadrangles' upright boxes share, and the smaller one of them, square px."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = a
    left, top, right, bottom = min(ax, bx, cx, dx), min(ay, by, cy, dy), max(ax, bx, cx, dx), max(ay, by, cy, dy)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = b
    x0, y0, x1, y1 = min(ax, bx, cx, dx), min(ay, by, cy, dy), max(ax, bx, cx, dx), max(ay, by, cy, dy)
    shared = max(0.0, min(right, x1) - max(left, x0)) * max(0.0, min(bottom, y1) - max(top, y0))
    return shared, min((right - left) * (bottom - top), (x1 - x0) * (y1 - y0))


def grow(corners: Corners, *, left: float, top: float, right: float, bottom: float) -> Corners:
    """Push the sides of a quadrangle outwards along its own axes; the figures are px, negative pulls inwards."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    ux, uy = _unit((bx - ax + (cx - dx)) / 2, (by - ay + (cy - dy)) / 2)
    vx, vy = _unit((dx - ax + (cx - bx)) / 2, (dy - ay + (cy - by)) / 2)
    return (
        (round(ax - ux * left - vx * top, 1), round(ay - uy * left - vy * top, 1)),
        (round(bx + ux * right - vx * top, 1), round(by + uy * right - vy * top, 1)),
        (round(cx + ux * right + vx * bottom, 1), round(cy + uy * right + vy * bottom, 1)),
        (round(dx - ux * left + vx * bottom, 1), round(dy - uy * left + vy * bottom, 1)),
    )


def _unit(x: float, y: float) -> tuple[float, float]:
    length = max(math.hypot(x, y), 1e-6)
    return x / length, y / length


def straighten(frame: Frame, corners: Corners, *, height_px: int, width_max_px: int = 2048) -> Crop:
    """Warp one quadrangle upright so that its characters stand on a line.

    Args:
        frame: (H, W, 3) uint8, BGR.
        corners: pixels of `frame`, clockwise from the top left; parts outside the frame repeat its edge.
        height_px: height of the result; the width follows the quadrangle's shape.
        width_max_px: bound of the width; a longer quadrangle is squeezed.

    Returns:
        (height_px, W', 3) uint8, BGR, a fresh array; `frame` is untouched.

    Raises:
        DegenerateQuadError: the corners enclose less than one pixel in width or height.

    Source: Hartley and Zisserman, Multiple View Geometry, 2nd ed., 4.1.
    """
    width, height = quad_size(corners)
    width_px = int(min(width_max_px, max(1, round(width * height_px / max(1e-6, height)))))
    return straighten_to(frame, corners, (width_px, height_px))


def straighten_to(frame: Frame, corners: Corners, size: tuple[int, int]) -> Crop:
    """Warp one quadrangle to exactly this width and height, whatever its shape; otherwise as `straighten`."""
    width, height = quad_size(corners)
    if width < 1 or height < 1:
        raise DegenerateQuadError("The corners enclose less than one pixel; nothing was cut out.")
    width_px, height_px = size
    source = np.asarray(corners, dtype=np.float32)
    target = np.asarray([(0, 0), (width_px, 0), (width_px, height_px), (0, height_px)], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    # Shrinking by more than half needs area sampling first; warping alone would skip rows of pixels.
    shrink = height / height_px
    if shrink > 2:
        x0, y0 = np.floor(source.min(axis=0)).astype(int) - 2
        x1, y1 = np.ceil(source.max(axis=0)).astype(int) + 2
        x0, y0 = max(0, int(x0)), max(0, int(y0))
        patch = frame[y0 : max(y0 + 1, int(y1)), x0 : max(x0 + 1, int(x1))]
        if patch.size:
            factor = 2 / shrink
            small = cv2.resize(patch, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            fx, fy = small.shape[1] / patch.shape[1], small.shape[0] / patch.shape[0]
            moved = (source - np.asarray((x0, y0), np.float32)) * np.asarray((fx, fy), np.float32)
            matrix = cv2.getPerspectiveTransform(moved.astype(np.float32), target)
            frame = np.asarray(small, dtype=np.uint8)
    warped = cv2.warpPerspective(
        frame, matrix, (width_px, height_px), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)


def sharpness(crop: Crop) -> float:
    """How sharp a crop is: variance of the Laplacian at a height of 32 px, 0 for a flat one, some hundreds for a sharp one.

    Comparable between crops of one engine only; it weighs votes and chooses the best frame, and is never a threshold.
    """
    if crop.size == 0:
        return 0.0
    height = 32
    width = max(1, round(crop.shape[1] * height / max(1, crop.shape[0])))
    grey = cv2.cvtColor(cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def jpeg(picture: Frame, quality: int) -> bytes:
    """A picture as JPEG bytes. Raises GuardianError where the encoder refuses (an empty picture)."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise GuardianError("A picture could not be written as JPEG; it was left out.", reference="jpeg-not-written")
    return bytes(data)


def shrink(frame: Frame, side_max_px: int) -> tuple[Frame, float]:
    """The frame with its longest side at `side_max_px` at most, as a fresh array, and the factor from old to new pixels."""
    height, width = frame.shape[:2]
    factor = min(1.0, side_max_px / max(height, width))
    if factor == 1.0:
        return frame.copy(), 1.0
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), factor


def with_margin(corners: Corners) -> Corners:
    """A plate's corners with the little margin that is cut out along with it."""
    margin = quad_size(corners)[1] * 0.08
    return grow(corners, left=margin, top=margin, right=margin, bottom=margin)


def cut_plate(
    frame: Frame, corners: Corners, *, height_px: int = CROP_HEIGHT_PX, width_max_px: int = CROP_WIDTH_MAX_PX
) -> Crop:
    """The plate alone, straightened, with a little margin: `height_px` high, or less where it would be too wide."""
    crop = straighten(frame, with_margin(corners), height_px=height_px)
    return shrink(crop, width_max_px)[0] if crop.shape[1] > width_max_px else crop
