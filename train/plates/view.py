"""Where the camera stands: a plate's four corners in the picture, from level views to steep ones past a row of cars."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.plates.model import RenderedPlate

Corners = NDArray[np.float32]
"""(4, 2) float32, px of a picture, clockwise from the plate's top left."""


def corners_seen(rng: np.random.Generator, plate: RenderedPlate, height_px: float, hardness: float) -> Corners:
    """The plate's corners as a pinhole camera sees them, its mean height `height_px`, its centre at 0, 0.

    `hardness` 0 looks straight at it; 1 turns it up to about 65 degrees aside, 30 up or down, 15 in the plane.
    """
    spread = min(1.4, hardness)
    steep = rng.random() < 0.16
    yaw = float(np.clip(rng.normal(0, 42 if steep else 17) * spread, -68, 68))
    pitch = float(np.clip(rng.normal(0, 11) * spread, -38, 38))
    roll = float(np.clip(rng.normal(0, 8 if rng.random() < 0.15 else 3.0) * spread, -22, 22))
    distance_cm = plate.width_cm * float(np.exp(rng.uniform(np.log(3.0), np.log(30.0))))
    turn, _ = cv2.Rodrigues(np.radians([pitch, yaw, 0.0]))
    spin, _ = cv2.Rodrigues(np.radians([0.0, 0.0, roll]))
    half_w, half_h = plate.width_cm / 2, plate.height_cm / 2
    sheet = np.array([[-half_w, -half_h, 0], [half_w, -half_h, 0], [half_w, half_h, 0], [-half_w, half_h, 0]])
    seen = sheet @ (spin @ turn).T
    flat = seen[:, :2] / (1 + seen[:, 2:] / distance_cm)
    # A rolling shutter leans what passes sideways while its rows are read.
    if rng.random() < 0.12 * hardness:
        flat[:, 0] += flat[:, 1] * rng.normal(0, 0.12)
    return scaled_to(flat.astype(np.float32), height_px)


def scaled_to(corners: NDArray[Any], height_px: float) -> Corners:
    """The same shape, its mean height (of the left and right edges) `height_px`, its centre at 0, 0."""
    left = float(np.hypot(*(corners[3] - corners[0])))
    right = float(np.hypot(*(corners[2] - corners[1])))
    out = (corners - corners.mean(axis=0)) * (2 * height_px / (left + right))
    seen: Corners = out.astype(np.float32)
    return seen


def height_of(corners: NDArray[Any]) -> float:
    """Mean length of the left and right edges, px."""
    return float((np.hypot(*(corners[3] - corners[0])) + np.hypot(*(corners[2] - corners[1]))) / 2)
