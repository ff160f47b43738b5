"""What lens and sensor do: motion and focus, few pixels, noise, sharpening, JPEG."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from train.plates.layers import Layer
from train.plates.model import Picture


def moved(rng: np.random.Generator, scene: Layer, length_px: float) -> Layer:
    """Motion blur along a line, mostly sideways."""
    size = int(length_px) | 1
    if size < 3:
        return scene
    kernel = np.zeros((size, size), np.float32)
    angle = rng.normal(0, 0.25) if rng.random() < 0.75 else rng.uniform(0, np.pi)
    dx, dy = np.cos(angle) * length_px / 2, np.sin(angle) * length_px / 2
    c = size // 2
    cv2.line(
        kernel,
        (round((c - dx) * 16), round((c - dy) * 16)),
        (round((c + dx) * 16), round((c + dy) * 16)),
        1.0,
        1,
        cv2.LINE_AA,
        4,
    )
    total = float(kernel.sum())
    return cv2.filter2D(scene, -1, kernel / total, borderType=cv2.BORDER_REPLICATE) if total > 0 else scene


def defocused(scene: Layer, sigma_px: float) -> Layer:
    """Out of focus, or a soft lens."""
    return cv2.GaussianBlur(scene, (0, 0), sigma_px) if sigma_px > 0.25 else scene


def noisy(rng: np.random.Generator, scene: Layer, sigma: float) -> Layer:
    """Sensor noise: more in the dark parts' gain, some of it blotches of colour as cheap cameras leave them."""
    h, w = scene.shape[:2]
    if h <= _BANK and w <= _BANK:
        y, x = int(rng.integers(_BANK - h + 1)), int(rng.integers(_BANK - w + 1))
        grain = _grain()[y : y + h, x : x + w]
    else:
        grain = rng.standard_normal((h, w, 3), dtype=np.float32)
    u = rng.random(2)
    if u[0] < 0.5:
        grain = grain * 0.4 + grain[..., :1] * 0.8
    if u[1] < 0.4:
        grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * 2.0
    shot = cv2.sqrt(np.maximum(scene, 4) * (1 / 128))
    grainy: Layer = scene + grain * (shot + 1) * (sigma / 2)
    return grainy


_BANK = 640
"""Edge in px of a stock of noise that small pictures cut theirs from: drawing it anew costs more than all the rest."""


@lru_cache(maxsize=1)
def _grain() -> Layer:
    return np.random.default_rng(640).standard_normal((_BANK, _BANK, 3), dtype=np.float32)


def sharpened(scene: Layer, sigma_px: float, amount: float) -> Layer:
    """The halo of a cheap camera's sharpening."""
    sharp: Layer = scene + (scene - cv2.GaussianBlur(scene, (0, 0), sigma_px)) * amount
    return sharp


def jpeg(picture: Picture, quality: int) -> Picture:
    """Once through JPEG; 4:2:0 as cameras do."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not write a JPEG in memory")
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if back is None:
        raise RuntimeError("OpenCV could not read its own JPEG")
    return back
