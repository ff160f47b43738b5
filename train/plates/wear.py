"""What years do to a plate: ink that is washed out, dirt, mud, rust, scratches, a bent sheet."""

from __future__ import annotations

import cv2
import numpy as np

from train.plates.layers import Layer, lay, noise
from train.plates.model import Mask


def worn_ink(rng: np.random.Generator, ink: Mask, amount: float, stroke_px: float) -> Mask:
    """Ink as it is left after `amount` (0 new to 1 nearly gone): thinner in the middle of strokes, in specks, in patches.

    On old motorcycle plates the raised middle of a stroke is worn to the metal while its edges keep their colour.
    """
    if amount <= 0.02:
        return ink
    h, w = ink.shape
    kernel = max(1, round(stroke_px * 0.22))
    core = cv2.erode(ink, np.ones((2 * kernel // 2 + 1, 2 * kernel // 2 + 1), np.uint8))
    core = cv2.GaussianBlur(core, (0, 0), max(0.5, stroke_px * 0.08))
    specks = noise(rng, h, w, max(1.0, stroke_px * rng.uniform(0.08, 0.2)))
    patches = noise(rng, h, w, stroke_px * rng.uniform(2, 8))
    # Sun, hands and spray do not wear a plate evenly: often one end is bare while the other is black.
    side = np.linspace(-1, 1, w, dtype=np.float32)[None] * rng.normal(0, 0.5)
    lost = np.clip(amount * (0.85 + 0.45 * patches + side) + amount * 0.35 * specks, 0, 1)
    edge_kept = rng.uniform(0.2, 0.95)
    keep = 1 - lost * (core + (1 - core) * (1 - edge_kept))
    return (ink * np.clip(keep, 0, 1)).astype(np.float32)


def scratch(rng: np.random.Generator, canvas: Layer, count: int) -> None:
    """Thin scratches, pale on ink and dark on the face. In place."""
    h, w = canvas.shape[:2]
    for _ in range(count):
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        angle, length = rng.uniform(0, np.pi), rng.uniform(0.03, 0.3) * h
        end = (int((x + np.cos(angle) * length) * 16), int((y + np.sin(angle) * length) * 16))
        grey = float(rng.choice([110.0, 140.0, 180.0, 200.0, 215.0]))
        cv2.line(canvas, (int(x * 16), int(y * 16)), end, (grey, grey, grey), 1, cv2.LINE_AA, 4)


def soil(rng: np.random.Generator, canvas: Layer, amount: float) -> None:
    """Dust and dirt: a grey-brown film, thicker low down and along the rim, with specks. In place."""
    h, w = canvas.shape[:2]
    film = noise(rng, h, w, h / rng.uniform(2, 7)) * 0.25 + noise(rng, h, w, max(1.5, h / 40)) * 0.1
    film = film + np.linspace(rng.uniform(-0.2, 0.2), rng.uniform(0, 0.5), h, dtype=np.float32)[:, None]
    mask = np.clip(film * amount + amount * 0.15, 0, 0.75).astype(np.float32)
    lay(canvas, (rng.uniform(70, 125), rng.uniform(90, 135), rng.uniform(100, 145)), mask)


def mud(rng: np.random.Generator, canvas: Layer) -> None:
    """Splashes of mud or paint from below. In place."""
    h, w = canvas.shape[:2]
    field = (
        noise(rng, h, w, h / rng.uniform(4, 12))
        + np.linspace(-1.5, rng.uniform(-0.4, 0.6), h, dtype=np.float32)[:, None]
    )
    mask = np.clip((field - 0.4) * 4, 0, 1).astype(np.float32) * float(rng.uniform(0.4, 0.9))
    lay(canvas, (60, 80, 100) if rng.random() < 0.7 else (120, 130, 140), mask)


def rust(rng: np.random.Generator, canvas: Layer) -> None:
    """Rust where the paint has gone: at the rim and in a few spots. In place."""
    h, w = canvas.shape[:2]
    y = np.abs(np.linspace(-1, 1, h, dtype=np.float32))[:, None]
    x = np.abs(np.linspace(-1, 1, w, dtype=np.float32))[None]
    rim = np.maximum(y**6, x**14)
    field = noise(rng, h, w, h / rng.uniform(6, 20)) + rim * 1.5
    mask = np.clip((field - rng.uniform(1.4, 2.2)) * 3, 0, 1).astype(np.float32) * 0.8
    lay(canvas, (35, 65, 115), mask)


def bend(rng: np.random.Generator, canvas: Layer, alpha: Mask) -> tuple[Layer, Mask]:
    """A sheet that is bent or dented: lines wave a little up and down, and light follows the waves."""
    h, w = canvas.shape[:2]
    x = np.arange(w, dtype=np.float32) / w
    waves = sum(rng.normal(0, 0.012) * np.sin(np.pi * k * x + rng.uniform(0, 6.3)) for k in (1, 2, 3))
    rise = (np.asarray(waves, np.float32) * h)[None, :] * np.linspace(rng.uniform(0.3, 1), 1, h, dtype=np.float32)[
        :, None
    ]
    map_x = np.broadcast_to(np.arange(w, dtype=np.float32)[None], (h, w)).copy()
    map_y = np.arange(h, dtype=np.float32)[:, None] + rise
    bent = cv2.remap(canvas, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    slope = np.gradient(np.asarray(waves, np.float32)) * w
    bent *= (1 + np.clip(slope * rng.uniform(-2, 2), -0.18, 0.18))[None, :, None]
    return bent, cv2.remap(alpha, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
