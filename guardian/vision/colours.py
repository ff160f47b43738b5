"""Colours of vehicles in the registry's dozen words, measured: the middle of the paint, set against the plate's own white.

A camera's exposure and the light's colour move every paint; a white plate on the same vehicle stands in the same light and
says what white is there. Where no white plate is known the picture's own brightest greys have to do. What is dark, grey by
itself (infra-red) or lit in one colour gives "", cannot tell: a word that lamps have made would mislead an officer.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

COLOURS: dict[str, str] = {
    "white": "白", "black": "黑", "grey": "灰", "silver": "銀", "red": "紅", "blue": "藍", "green": "綠", "yellow": "黃",
    "brown": "棕", "orange": "橙", "purple": "紫", "gold": "金",
}  # fmt: skip
"""The registry's words; "" stands for cannot tell (無法判斷)."""

Lab = tuple[float, float, float]


def lab_of(bgr: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """(..., 3) BGR in 0..1 (sRGB) to CIE L*a*b*: L 0..100."""
    flat = np.asarray(np.clip(bgr, 0, 1), np.float32).reshape(1, -1, 3)
    return np.asarray(cv2.cvtColor(flat, cv2.COLOR_BGR2Lab), np.float32).reshape(bgr.shape)


def word_of(lab: Lab) -> str:
    """The word for a paint, by lightness, chroma and hue. White is L 100."""
    light, a, b = lab
    chroma, hue = math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360
    if chroma < 7 + 0.03 * light or (light < 18 and chroma < 14):
        return "black" if light < 27 else "grey" if light < 53 else "silver" if light < 80 else "white"
    if 55 <= hue < 110 and chroma < 30:  # warm and pale
        return "brown" if light < 45 else "gold" if light < 84 else "white"
    if hue < 40 or hue >= 335:
        return "brown" if light < 38 and chroma < 24 else "red"
    if hue < 72:
        return "orange" if light > 48 and chroma > 40 else "brown"
    if hue < 105:
        return "yellow" if light > 50 else "brown"
    if hue < 205:
        return "green"
    return "blue" if hue < 300 else "purple"


def colour_of_paint(bgr: tuple[float, float, float]) -> str:
    """The word for a paint by daylight, BGR in 0..255."""
    light, a, b = (float(v) for v in lab_of(np.asarray(bgr, np.float32) / 255))
    return word_of((light, a, b))
