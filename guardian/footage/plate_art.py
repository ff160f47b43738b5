"""Plates as pictures: face, border, bolts, legend, letters in cells of one width, and what weather does to them.

Letters are Barlow Condensed's (SIL OFL), squeezed into equal cells as on real plates. Sizes are those of
`PLATE_SIZE_M`; colours follow the class (plate-series: "Colours").
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from guardian.domain.plate import Plate

Picture = NDArray[Any]
"""(H, W, 3) uint8, BGR; typed loosely because OpenCV's own types are."""
_DATA = Path(__file__).parent / "data"
PLATE_FONT = _DATA / "plates-barlow-condensed-semibold.ttf"
SIGN_FONT = _DATA / "signs-noto-sans-tc-bold.ttf"
_PX_PER_M = 1000


class PlateStyle(msgspec.Struct, frozen=True):
    """Size in metres and colours (BGR) of one sort of plate."""

    width_m: float
    height_m: float
    face: tuple[int, int, int] = (236, 238, 236)
    ink: tuple[int, int, int] = (28, 26, 26)
    legend: str = ""


STYLES: dict[str, PlateStyle] = {
    "car-2012": PlateStyle(0.38, 0.16),
    "car-1992": PlateStyle(0.32, 0.15),
    "car-1992-legend": PlateStyle(0.32, 0.15, legend="台北市"),
    "taxi": PlateStyle(0.38, 0.16, ink=(40, 32, 196)),
    "electric": PlateStyle(0.38, 0.16, legend="電動車"),
    "heavy": PlateStyle(0.38, 0.16, ink=(52, 110, 24)),
    "heavy-commercial": PlateStyle(0.38, 0.16, face=(72, 120, 34), ink=(240, 242, 240)),
    "moto": PlateStyle(0.28, 0.145),
    "moto-electric": PlateStyle(0.28, 0.145, legend="電動車"),
    "moto-light": PlateStyle(0.28, 0.145, ink=(60, 120, 30)),
    "moto-large-yellow": PlateStyle(0.28, 0.145, face=(40, 196, 244)),
    "moto-large-red": PlateStyle(0.28, 0.145, face=(44, 36, 190), ink=(238, 238, 240)),
}


@lru_cache(maxsize=512)
def _glyph(sign: str, width_px: int, height_px: int) -> Picture:
    """Coverage (0-255) of one letter filling its cell."""
    font = ImageFont.truetype(str(PLATE_FONT), height_px * 2)
    box = font.getbbox(sign)
    picture = Image.new("L", (int(box[2] - box[0]) + 4, int(box[3] - box[1]) + 4))
    ImageDraw.Draw(picture).text((2 - box[0], 2 - box[1]), sign, font=font, fill=255)
    cut = np.asarray(picture)[2:-2, 2:-2]
    natural = cut.shape[1] / cut.shape[0] * height_px
    # Narrow letters keep their shape, wide ones are squeezed: so M and W become what makes them so easy to mix up.
    wanted = int(min(width_px, max(natural * 1.12, width_px * 0.30)))
    scaled = cv2.resize(cut, (wanted, height_px), interpolation=cv2.INTER_AREA)
    cell = np.zeros((height_px, width_px), np.uint8)
    left = (width_px - wanted) // 2
    cell[:, left : left + wanted] = scaled
    return cell


def _legend(text: str, height_px: int) -> Picture:
    font = ImageFont.truetype(str(SIGN_FONT), height_px)
    gap = height_px * 0.5
    width = int(len(text) * (height_px + gap))
    picture = Image.new("L", (width, int(height_px * 1.35)))
    for index, sign in enumerate(text):
        ImageDraw.Draw(picture).text((index * (height_px + gap), -height_px * 0.1), sign, font=font, fill=255)
    return np.asarray(picture)


_MARGIN, _DOT = 0.045, 0.05
"""Room at each side of a plate and for its dash, in shares of the plate's width."""


def _cell(parts: list[str]) -> tuple[float, float]:
    """Width of a sign's cell and left edge of the first, in shares of the plate's width."""
    count = sum(len(part) for part in parts)
    cell = (1 - 2 * _MARGIN - _DOT * (len(parts) - 1)) / max(count, 6)
    return cell, (1 - cell * count - _DOT * (len(parts) - 1)) / 2


def sign_places(text: str) -> tuple[tuple[float, float], ...]:
    """Left and right edge of each sign of a number, in shares of its plate's width, as `draw_plate` lays them."""
    parts = Plate(text).display.split("-")
    cell, x = _cell(parts)
    out: list[tuple[float, float]] = []
    for index, part in enumerate(parts):
        x += _DOT if index else 0.0
        for _ in part:
            out.append((x, x + cell))
            x += cell
    return tuple(out)


def draw_plate(text: str, style: PlateStyle, rng: np.random.Generator) -> Picture:
    """One plate, (height, width, 3) uint8 BGR, 1 mm a pixel; dirt, bolts and stickers come from `rng`."""
    height, width = round(style.height_m * _PX_PER_M), round(style.width_m * _PX_PER_M)
    face = np.empty((height, width, 3), np.float32)
    age = float(rng.uniform(0.0, 1.0))
    tone = np.array(style.face, np.float32) * (1.0 - 0.10 * age)
    face[:] = tone
    face += rng.normal(0, 1.0, (height, width, 1)).astype(np.float32)
    grime = cv2.resize(rng.normal(0, 1, (5, 9)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    face += (grime * 5.0 * age)[..., None]
    ink = np.array(style.ink, np.float32)

    def lay(cover: Picture, x: int, y: int, colour: NDArray[np.float32]) -> None:
        part = face[y : y + cover.shape[0], x : x + cover.shape[1]]
        alpha = (cover[: part.shape[0], : part.shape[1]].astype(np.float32) / 255.0)[..., None]
        part *= 1 - alpha
        part += alpha * colour

    top = 0.24 if not style.legend else 0.31
    letter_h = round(height * (0.57 if not style.legend else 0.53))
    y = round(height * (top + 0.02))
    # The dash is a raised dot that takes less room than a letter.
    parts = Plate(text).display.split("-")
    dot = width * _DOT
    cell, x = (share * width for share in _cell(parts))
    for index, part in enumerate(parts):
        if index:
            side = round(height * 0.075)
            cv2.rectangle(
                face,
                (round(x + dot / 2 - side / 2), round(y + letter_h / 2 - side / 2)),
                (round(x + dot / 2 + side / 2), round(y + letter_h / 2 + side / 2)),
                style.ink,
                -1,
            )
            x += dot
        for sign in part:
            glyph = _glyph(sign, round(cell * 0.90), letter_h)
            lay(glyph, round(x + cell * 0.05) + 1, y + 2, tone * 0.82)  # embossing: a faint shadow below right
            lay(glyph, round(x + cell * 0.05), y, ink)
            x += cell
    if style.legend:
        legend = _legend(style.legend, round(height * 0.145))
        lay(legend, (width - legend.shape[1]) // 2, round(height * 0.07), ink)
    for share in (0.24, 0.76):
        centre = (round(width * share), round(height * 0.115))
        cv2.ellipse(
            face, centre, (round(height * 0.06), round(height * 0.035)), 0, 0, 360, (70, 72, 74), -1, cv2.LINE_AA
        )
        cv2.circle(face, centre, round(height * 0.034), (120, 138, 150), -1, cv2.LINE_AA)
    if rng.random() < 0.35:
        colour = ((60, 60, 220), (200, 150, 60), (90, 180, 230))[int(rng.integers(3))]
        cv2.circle(face, (round(width * 0.93), round(height * 0.14)), round(height * 0.085), colour, -1, cv2.LINE_AA)
    cv2.rectangle(face, (3, 3), (width - 4, height - 4), (tone * 0.62).tolist(), 2, cv2.LINE_AA)
    return np.clip(face, 0, 255).astype(np.uint8)
