"""Text that the camera burns into its picture: it keeps its pixels while the scene behind it moves (field case G04).

A plate that a patrol car follows may keep its place in the frame too. What tells them apart is the ring around the text:
around a plate it is the bumper, which stays on one side at least; around burnt-in text it is the street, which passes by on
every side.
"""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from guardian.domain.read import Corners
from guardian.vision.ports import Frame

_WIDTH, _HEIGHT = 32, 24
RING_CHANGE_MIN = 10.0
"""Mean difference of a side of the ring, in levels of 255 after light is evened out, above which the scene has moved there. A
guess between what a bumper shows (under 5) and what a street shows (over 15), checked on the dash camera pictures (D). By all of
the ring together six tracks of three followed
vehicles were thrown away on the shipped drive: below a low plate the road passes by (20 to 45), while the
lid above it stays (2 to 7)."""
STILL_SHARE = 0.12
"""How far the text box may wander, in shares of its height (beside 1.5 px), and still count as standing still."""


class Ring(msgspec.Struct, frozen=True):
    """The surroundings of a text box in one frame: (24, 32) float32 grey with its mean taken off, text masked out."""

    grey: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]


def ring_of(frame: Frame, corners: Corners) -> Ring:
    """Look at the surroundings: the box's height on each side of it."""
    p = np.asarray(corners)
    x0, y0 = p.min(axis=0)
    x1, y1 = p.max(axis=0)
    reach = y1 - y0
    height, width = frame.shape[:2]
    left, right = int(max(0, x0 - reach)), int(min(width, x1 + reach))
    top, bottom = int(max(0, y0 - reach)), int(min(height, y1 + reach))
    if right - left < 2 or bottom - top < 2:
        flat = np.zeros((_HEIGHT, _WIDTH), np.float32)
        return Ring(flat, flat.astype(bool))
    patch = cv2.resize(frame[top:bottom, left:right], (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
    fx, fy = _WIDTH / (right - left), _HEIGHT / (bottom - top)
    pad = 0.15 * reach
    mask = np.ones((_HEIGHT, _WIDTH), bool)
    mask[
        max(0, int((y0 - pad - top) * fy)) : int((y1 + pad - top) * fy) + 1,
        max(0, int((x0 - pad - left) * fx)) : int((x1 + pad - left) * fx) + 1,
    ] = False
    return Ring(np.asarray(grey - (grey[mask].mean() if mask.any() else 0), dtype=np.float32), mask)


def change(before: Ring, after: Ring) -> float:
    """Mean difference of two surroundings on the side that changed least, levels of 255; a side outside the frame does not count."""
    both = before.mask & after.mask
    if not both.any() or both.all():
        return 0.0
    apart = np.abs(before.grey - after.grey)
    rows, columns = np.nonzero(~both)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    beside = slice(top, bottom)
    sides = (apart[:top, left:right], apart[bottom:, left:right], apart[beside, :left], apart[beside, right:])
    return min((float(side.mean()) for side in sides if side.size), default=0.0)


def stands_still(a: Corners, b: Corners) -> bool:
    """Whether two boxes are at the same pixels."""
    p, q = np.asarray(a), np.asarray(b)
    tall = float(np.ptp(p[:, 1]))
    allowed = 1.5 + STILL_SHARE * tall
    low = np.abs(p.min(axis=0) - q.min(axis=0)).max()
    high = np.abs(p.max(axis=0) - q.max(axis=0)).max()
    return bool(max(low, high) <= allowed)
