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

from guardian.domain.read import Corners

COLOURS: dict[str, str] = {
    "white": "白", "black": "黑", "grey": "灰", "silver": "銀", "red": "紅", "blue": "藍", "green": "綠", "yellow": "黃",
    "brown": "棕", "orange": "橙", "purple": "紫", "gold": "金",
}  # fmt: skip
"""The registry's words; "" stands for cannot tell (無法判斷)."""

GREYS = ("black", "grey", "silver", "white")
GREY_BOUNDS = (40.0, 68.0, 90.0)
"""Lightness (60th percentile beside the plate, the plate's white at 97) between them; from the labelled training vehicles."""
HUE_SHARE = 0.2
DARK_LUMA, LIT_LUMA = 42.0, 70.0
"""Middle of a frame that was taken in the dark (of 41 dark training pictures 40 lie below, of 208 by day 7), and what paint in
it must have of light itself to be told."""
CAST_CHROMA = 20.0
BOX_PLATES = 2.0
"""Widths of its plate from which on a vehicle's box bounds where its paint is looked for."""
GREY_RANGE = 3.0
WHITE_SHARE = 0.85
"""What a white plate's ground sends back, of all light."""

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


def measured_colour(
    frame: npt.NDArray[np.uint8],
    box: tuple[float, float, float, float],
    plate: Corners | None,
    *,
    narrow: bool = False,
) -> tuple[str, float]:
    """The word for a vehicle's paint and how sure it is; "" where nobody could tell.

    Args:
        frame: (H, W, 3) uint8 BGR.
        box: of the vehicle, px.
        plate: the vehicle's own plate, where one was found.
        narrow: hardly wider than its plate, so that beside the plate lies the road: a motorcycle.
    """
    if colourless(frame):
        return "", 1.0
    paint, white = _samples(frame, box, plate, narrow)
    if len(paint) < 30:
        return "", 0.5
    dark = float(np.median(_thinned(frame).mean(axis=-1))) < DARK_LUMA
    if dark and float(np.percentile(paint.mean(axis=1), 60)) < LIT_LUMA:
        return "", 0.9
    cast = lab_of(np.asarray(white, np.float32) / 255)
    if float(np.hypot(cast[1], cast[2])) > CAST_CHROMA:  # lamps of one colour, or a plate that is not white
        if dark:
            return "", 0.8
        white = np.full(3, float(white.max()))
    if narrow:
        paint = _without_lamp(paint)
    light = _encoded(_linear(paint / 255) * (WHITE_SHARE / np.maximum(_linear(white / 255), 1e-3)))
    return said_of(lab_of(light))


def _without_lamp(paint: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Strong reds are the tail lamp of a motorcycle, unless most of it is red."""
    red = (paint[:, 2] > 1.7 * paint[:, 0]) & (paint[:, 2] > 1.5 * paint[:, 1])
    return paint if red.mean() > 0.5 or (~red).sum() < 30 else paint[~red]


def said_of(labs: npt.NDArray[np.float32]) -> tuple[str, float]:
    """The word for paint, glass, grille and shadow together, (n, 3) Lab: one hue that covers a fifth, else a grey."""
    chroma = np.hypot(labs[:, 1], labs[:, 2])
    hue = np.degrees(np.arctan2(labs[:, 2], labs[:, 1])) % 360
    coloured = chroma > 12 + 0.06 * labs[:, 0]
    share, band = max(
        (
            (float(np.mean(s)), i, s)
            for i in range(12)
            for s in [coloured & (np.abs((hue - 30 * i + 180) % 360 - 180) < 40)]
        ),
        key=lambda found: found[:2],
    )[::2]
    if share > HUE_SHARE:
        middle = np.median(labs[np.asarray(band)], axis=0)
        word = word_of((float(middle[0]), float(middle[1]), float(middle[2])))
        if word not in GREYS:
            return word, min(0.95, 0.5 + share)
    light = float(np.percentile(labs[:, 0], 60))
    place = int(np.searchsorted(GREY_BOUNDS, light))
    # Half way to the next word is as sure as it gets; on a bound it is one or the other.
    away = min((abs(light - bound) for bound in GREY_BOUNDS), default=0.0)
    return GREYS[place], min(0.9, 0.5 + away / 30)


def colourless(frame: npt.NDArray[np.uint8]) -> bool:
    """Whether a picture has no colours of its own: infra-red, a grey camera."""
    small = _thinned(frame).astype(np.int16)
    return float(np.mean(small.max(axis=-1) - small.min(axis=-1))) < GREY_RANGE


def _thinned(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    step = max(1, max(frame.shape[:2]) // 160)
    return frame[::step, ::step]


def _samples(
    frame: npt.NDArray[np.uint8], box: tuple[float, float, float, float], plate: Corners | None, narrow: bool
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Pixels that are mostly paint, (n, 3), and what white looks like there, (3,): 0..255."""
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = box
    quad = np.asarray(plate, np.float32) if plate is not None else None
    if quad is not None:  # the surroundings of the plate: lids, bumpers and doors, hardly glass or road
        (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
        wide, tall = right - left, bottom - top
        aside, below = (0.15, 0.0) if narrow else (1.2, 1.0)
        near = (left - aside * wide, top - 3 * tall, right + aside * wide, bottom + below * tall)
        # A box hardly wider than its plate is a poor one; what lies around the plate is known better.
        trusted = x1 - x0 > BOX_PLATES * wide
        x0, y0 = (max(x0, near[0]), max(y0, near[1])) if trusted else near[:2]
        x1, y1 = (min(x1, near[2]), min(y1, near[3])) if trusted else near[2:]
    else:
        x0, x1 = x0 + 0.15 * (x1 - x0), x1 - 0.15 * (x1 - x0)
        y0, y1 = y0 + 0.3 * (y1 - y0), y1 - 0.15 * (y1 - y0)
    a, b = int(max(0, x0)), int(max(0, y0))
    part = frame[b : int(min(height, y1)) + 1, a : int(min(width, x1)) + 1]
    if min(part.shape[:2]) < 2:
        return np.zeros((0, 3), np.float32), np.full(3, 255, np.float32)
    factor = min(1.0, 160 / max(part.shape[:2]))
    part = np.asarray(cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    if quad is None:
        return part.reshape(-1, 3).astype(np.float32), np.percentile(_thinned(frame).reshape(-1, 3), 97, axis=0).astype(
            np.float32
        )
    inside, around = (np.zeros(part.shape[:2], np.uint8) for _ in range(2))
    own = (quad - (a, b)) * factor
    middle = own.mean(axis=0)
    cv2.fillConvexPoly(inside, np.round(middle + (own - middle) * 0.9).astype(np.int32), 1)
    cv2.fillConvexPoly(around, np.round(middle + (own - middle) * 1.35).astype(np.int32), 1)
    ground = part[inside > 0]
    white = np.percentile(ground, 80, axis=0) if len(ground) else np.full(3, 255.0)
    return part[around == 0].astype(np.float32), np.asarray(white, np.float32)


def _linear(share: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """sRGB to light, IEC 61966-2-1."""
    return np.asarray(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4), np.float32)


def _encoded(light: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Light to sRGB."""
    x = np.clip(light, 0, 1)
    return np.asarray(np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055), np.float32)
