"""What lies around a plate where no real picture is given: bumpers, tail lamps, dark cavities, asphalt, a holder."""

from __future__ import annotations

import cv2
import numpy as np

from train.plates.layers import Layer, noise

_PAINTS = (
    (225, 226, 228), (38, 36, 36), (110, 112, 114), (160, 162, 162), (24, 24, 26), (30, 30, 32), (70, 72, 74), (52, 50, 50),
    (90, 96, 100), (128, 120, 112), (60, 66, 60), (44, 40, 110), (105, 70, 48), (70, 96, 120), (18, 18, 20), (140, 146, 150),
)  # fmt: skip


def backdrop(rng: np.random.Generator, height: int, width: int) -> Layer:
    """(height, width, 3) float32, BGR, 0 to 255."""
    paint = np.array(_PAINTS[int(rng.integers(len(_PAINTS)))], np.float32)
    out: Layer = np.empty((height, width, 3), np.float32)
    out[:] = paint * rng.uniform(0.5, 1.0)
    if rng.random() < 0.5:
        out += np.linspace(rng.uniform(-40, 40), rng.uniform(-40, 40), height, dtype=np.float32)[:, None, None]
    for _ in range(int(rng.integers(2, 9))):
        colour = tuple(float(c) * rng.uniform(0.2, 1.1) for c in _PAINTS[int(rng.integers(len(_PAINTS)))])
        x, y = rng.uniform(-0.2, 1.0) * width, rng.uniform(-0.2, 1.1) * height
        kind = rng.random()
        if kind < 0.45:
            end = (int(x + rng.uniform(0.2, 1.3) * width), int(y + rng.uniform(0.03, 0.4) * height))
            cv2.rectangle(out, (int(x), int(y)), end, colour, -1)
        elif kind < 0.7:
            cv2.line(
                out,
                (int(x), int(y)),
                (int(rng.uniform(0, width)), int(rng.uniform(0, height))),
                colour,
                int(rng.integers(1, max(2, height // 12))),
                cv2.LINE_AA,
            )
        else:
            axes = (int(rng.uniform(0.05, 0.4) * width) + 1, int(rng.uniform(0.05, 0.5) * height) + 1)
            cv2.ellipse(out, (int(x), int(y)), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    grain = noise(rng, height, width, rng.uniform(1.0, 6.0))
    out += grain[..., None] * rng.uniform(1, 14)
    return np.clip(out, 0, 255)
