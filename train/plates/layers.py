"""Laying things upon a picture: colours through masks, small pictures at an angle, noise of a size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.plates.model import Mask

Layer = NDArray[Any]
"""(H, W, 3) float32, BGR, 0 to 255: a picture in the making; functions here write into it."""


def lay(canvas: Layer, colour: NDArray[Any] | tuple[float, ...], mask: Mask) -> None:
    """Lay one colour, or a layer of colours, over `canvas` where `mask` says so. In place."""
    alpha = mask[..., None]
    canvas += (np.asarray(colour, np.float32) - canvas) * alpha


def lay_at(canvas: Layer, patch: Layer, mask: Mask, x: float, y: float, *, degrees: float = 0.0) -> None:
    """Lay a small picture with its centre at x, y (px), turned; what falls outside is cut off. In place."""
    h, w = mask.shape
    if degrees:
        turn = cv2.getRotationMatrix2D((w / 2 - 0.5, h / 2 - 0.5), degrees, 1.0)
        grown_w = int(abs(turn[0, 0]) * w + abs(turn[0, 1]) * h) + 2
        grown_h = int(abs(turn[0, 1]) * w + abs(turn[0, 0]) * h) + 2
        turn[:, 2] += ((grown_w - w) / 2, (grown_h - h) / 2)
        patch = cv2.warpAffine(patch, turn, (grown_w, grown_h), borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(mask, turn, (grown_w, grown_h))
        w, h = grown_w, grown_h
    left, top = round(x - w / 2), round(y - h / 2)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(canvas.shape[1], left + w), min(canvas.shape[0], top + h)
    if x1 <= x0 or y1 <= y0:
        return
    cut = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    lay(canvas[y0:y1, x0:x1], patch[cut], mask[cut])


def noise(rng: np.random.Generator, height: int, width: int, grain_px: float) -> Mask:
    """Smooth noise, about -2 to 2, whose spots are `grain_px` wide."""
    h, w = max(2, round(height / grain_px) + 1), max(2, round(width / grain_px) + 1)
    coarse = rng.standard_normal((h, w), dtype=np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def rounded_box(height: int, width: int, radius: float, *, inset: float = 0.0) -> Mask:
    """A filled box with round corners, softened edges."""
    y = np.abs(np.arange(height, dtype=np.float32) - (height - 1) / 2) - (height / 2 - radius - inset)
    x = np.abs(np.arange(width, dtype=np.float32) - (width - 1) / 2) - (width / 2 - radius - inset)
    # Signed distance to a rounded box (Inigo Quilez, "2D distance functions"); only the corners need the root.
    across, down = np.clip(radius - x + 0.5, 0, 1), np.clip(radius - y + 0.5, 0, 1)
    box: Mask = np.minimum(across[None, :], down[:, None])
    rows, columns = int((y[: height // 2] > 0).sum()), int((x[: width // 2] > 0).sum())
    if rows and columns:
        corner = np.clip(radius - np.hypot(x[None, :columns], y[:rows, None]) + 0.5, 0, 1)
        box[:rows, :columns] = corner
        box[:rows, width - columns :] = corner[:, ::-1]
        box[height - rows :, :columns] = corner[::-1]
        box[height - rows :, width - columns :] = corner[::-1, ::-1]
    return box


def disc(radius_px: float) -> Mask:
    """A filled disc in the smallest square that holds it."""
    size = 2 * int(np.ceil(radius_px)) + 1
    r = np.arange(size, dtype=np.float32) - size // 2
    return np.clip(radius_px - np.hypot(r[None, :], r[:, None]) + 0.5, 0, 1).astype(np.float32)
