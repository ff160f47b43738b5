"""Real plates in other colours: what stood dark on white stands white on red, as on a large motorcycle's plate.

Coloured plates are rare in labelled pictures. Their dirt, bolts, light and letters are those of white ones, so that a white one with
other colours teaches more than a drawn one.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.augment import Picture, Rng
from train.plates.styles import BLACK, DEEP_GREEN, GREEN, LIGHT_GREEN, PLATE_RED, RED, WHITE, YELLOW, Colour

COLOURS: tuple[tuple[Colour, Colour, float], ...] = (
    (PLATE_RED, WHITE, 4.0),
    (DEEP_GREEN, WHITE, 2.0),
    (LIGHT_GREEN, WHITE, 2.0),
    (YELLOW, BLACK, 2.0),
    (WHITE, RED, 1.5),
    (WHITE, GREEN, 1.0),
)
"""Face and ink of the plates that are not black on white, and how often each is taken."""
_CONTRAST_MIN = 24.0
"""Less between ink and face, of 255, is a plate that nobody reads: it is left as it is."""


def recoloured(rng: Rng, picture: Picture, quad: NDArray[Any] | None = None) -> Picture:
    """A picture whose plate has other colours; the light on it stays.

    Args:
        picture: (H, W, 3) uint8 BGR; is not changed.
        quad: (4, 2) corners of the plate in px; without them the whole picture is the plate.
    """
    out = picture.copy()
    height, width = out.shape[:2]
    x0, y0, x1, y1 = 0, 0, width, height
    if quad is not None:
        x0, y0 = np.clip(np.floor(quad.min(axis=0)), 0, (width, height)).astype(int)
        x1, y1 = np.clip(np.ceil(quad.max(axis=0)), 0, (width, height)).astype(int)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return out
    part = out[y0:y1, x0:x1]
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    inside = np.ones(grey.shape, np.uint8)
    if quad is not None:
        inside[:] = 0
        cv2.fillConvexPoly(inside, np.round(quad - (x0, y0)).astype(np.int32), 1)
    if not inside.any():
        return out
    dark, bright = np.percentile(grey[inside > 0], (6, 88))
    if bright - dark < _CONTRAST_MIN:
        return out
    shares = np.asarray([share for _, _, share in COLOURS])
    face, ink, _ = COLOURS[int(rng.choice(len(COLOURS), p=shares / shares.sum()))]
    drift = np.exp(rng.normal(0, 0.15, (2, 3)))
    # From ink (0) to face (1), a little beyond either way, so that dirt and gloss stay.
    there = np.clip((grey - dark) / (bright - dark), -0.15, 1.25)[..., None]
    lit = np.clip(float(bright) / WHITE[0], 0.15, 1.1)
    colour = lit * ((1 - there) * np.asarray(ink) * drift[0] + there * np.asarray(face) * drift[1])
    part[inside > 0] = np.clip(colour, 0, 255).astype(np.uint8)[inside > 0]
    return out
