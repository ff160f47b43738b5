"""Light on a plate and on the way to the lens: sun and shadow, lamps, infra-red, haze and rain.

Everything here works on linear-ish float pictures, (H, W, 3), BGR, 0 to 255, and gives a new one or writes in place as
said. The plate's mask (0 to 1) tells what throws light back.
"""

from __future__ import annotations

import cv2
import numpy as np

from train.plates.layers import Layer, noise
from train.plates.model import Mask


def _ramp(rng: np.random.Generator, h: int, w: int) -> Mask:
    """A plane of values about -1 to 1, falling in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, w, dtype=np.float32)[None, :] * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, h, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    ramp: Mask = x + y
    return ramp


def shadowed(rng: np.random.Generator, scene: Layer, strength: float) -> Layer:
    """Shadow with one edge, or the pattern of leaves and bars."""
    h, w = scene.shape[:2]
    if rng.random() < 0.8:
        field = (_ramp(rng, h, w) + rng.uniform(-0.5, 0.5)) * rng.uniform(3, 25)
        field = field + noise(rng, h, w, h / 4) * rng.uniform(0, 1.5)
    else:
        field = noise(rng, h, w, h / rng.uniform(3, 8)) * rng.uniform(2, 6)
    lit = 1 / (1 + np.exp(-np.clip(field, -12, 12)))
    depth = np.array([0.86, 0.93, 1.0], np.float32) * strength  # shade is bluer than sun: blue loses less
    shaded: Layer = scene * (1 - (1 - lit)[..., None] * depth)
    return shaded


def graded(rng: np.random.Generator, scene: Layer, strength: float) -> Layer:
    """Light that falls off across the picture."""
    fall = np.clip(_ramp(rng, *scene.shape[:2]), -1, 1) * (strength * rng.uniform(0.1, 0.35))
    lit: Layer = scene * (1 + fall)[..., None]
    return lit


def exposed(rng: np.random.Generator, scene: Layer, strength: float) -> Layer:
    """Exposure and the camera's tone curve: most cameras lift the sheet to white and drop the ink to black."""
    if (
        rng.random() < 0.45 * strength
    ):  # the camera looked at something brighter: sky, lamps; a dashcam lifts its blacks
        return scene * (1 - 0.62 * strength * rng.random()) + rng.uniform(0, 38) * strength
    scene = scene * rng.uniform(0.85, 1.15)
    bend = rng.uniform(-0.3, 0.55)
    if bend < 0.05:
        return scene
    x = np.clip(scene * (1 / 255), 0, 1)
    curved: Layer = (x * (1 - bend) + x * x * (3 - 2 * x) * bend) * 255
    return curved


def tinted(rng: np.random.Generator, scene: Layer, strength: float) -> Layer:
    """Colour temperature and the white balance's mistakes: sodium lamps, shade, tail lamps."""
    if rng.random() < 0.12 * strength:
        gains = ((0.45, 0.8, 1.15), (1.25, 1.0, 0.8), (0.5, 0.5, 1.2), (0.9, 1.12, 0.85), (0.7, 0.95, 1.1))[
            int(rng.integers(5))
        ]
    else:
        warm = rng.normal(0, 0.09) * strength
        gains = (1 - warm, 1 + rng.normal(0, 0.02), 1 + warm)
    tinted_scene: Layer = scene * np.array(gains, np.float32)
    return tinted_scene


def glare(rng: np.random.Generator, scene: Layer, at: tuple[float, float], radius: float, power: float) -> Layer:
    """A bright spot (sun on the sheet, a headlight) with its bloom; power 1 burns the middle out."""
    h, w = scene.shape[:2]
    x = (np.arange(w, dtype=np.float32) - at[0])[None, :] / max(1.0, radius * rng.uniform(0.6, 1.6))
    y = (np.arange(h, dtype=np.float32) - at[1])[:, None] / max(1.0, radius)
    r2 = x * x + y * y
    spot = np.exp(-r2) * power + 0.25 * power / (1 + r2)
    colour = np.array((rng.uniform(200, 255), rng.uniform(225, 255), 255), np.float32)
    bright: Layer = scene + spot[..., None] * colour
    return bright


def night(rng: np.random.Generator, scene: Layer, plate: Mask, strength: float) -> Layer:
    """Little light; lamps that make the sheet shine out of the dark, or a sheet as dark as the rest."""
    h, w = scene.shape[:2]
    level = rng.uniform(0.16, 0.5) ** max(0.6, strength)
    lamp = rng.uniform(0.0, 0.9) * (rng.random() < 0.6)
    spread = np.clip(1 - 0.4 * np.abs(_ramp(rng, h, w)), 0, 1)
    dark: Layer = scene * (level + lamp * plate * spread)[..., None]
    return dark


def infra_red(rng: np.random.Generator, scene: Layer, plate: Mask) -> Layer:
    """An infra-red lamp and camera: grey, the retro-reflecting sheet bright, its surroundings dark, red ink pale."""
    grey = scene @ np.array((0.2, 0.35, 0.45), np.float32)
    level = rng.uniform(0.15, 0.6)
    grey = grey * (level + plate * rng.uniform(0.5, 1.2))
    return np.repeat(grey[..., None], 3, axis=2)


def hazed(rng: np.random.Generator, scene: Layer, strength: float) -> Layer:
    """A veil over everything: haze, a dirty windscreen, stray light."""
    veil = rng.uniform(0.1, 0.6) * strength
    grey = rng.uniform(120, 225)
    return scene * (1 - veil) + grey * veil


def rained(rng: np.random.Generator, scene: Layer, strength: float) -> Layer:
    """Rain in the air as streaks, and drops on the lens or the sheet that bend what is behind them."""
    h, w = scene.shape[:2]
    if rng.random() < 0.6:
        field = (rng.random((h, w), dtype=np.float32) < 0.012 * strength).astype(np.float32)
        length = max(3, int(h * rng.uniform(0.08, 0.3)))
        kernel = np.zeros((length, length), np.float32)
        lean = int(rng.normal(0, 0.2) * length)
        cv2.line(kernel, (length // 2 - lean // 2, 0), (length // 2 + lean // 2, length - 1), 1.0, 1)
        streaks = np.clip(cv2.filter2D(field, -1, kernel), 0, 1) * rng.uniform(0.15, 0.5)
        scene = scene + (205 - scene) * streaks[..., None]
    if rng.random() < 0.6:
        wet = np.clip(noise(rng, h, w, max(2.0, h / rng.uniform(6, 20))) - rng.uniform(0.9, 1.6), 0, 1).astype(
            np.float32
        )
        shift = cv2.GaussianBlur(wet, (0, 0), 1.0) * h * 0.12
        map_x = np.arange(w, dtype=np.float32)[None, :] + shift
        map_y = np.arange(h, dtype=np.float32)[:, None] - shift
        scene = cv2.remap(scene, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return scene * (1 - 0.1 * strength)
