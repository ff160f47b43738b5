"""Letters that are not the plate's own: legends, stickers, signs, and other fonts for a share of the plates.

Everything works with the two fonts of `guardian/footage/data`; fonts of the system are used where there are some.
Chinese characters that no font here holds are drawn as strokes (縣, 江) or as blobs of strokes that look like writing.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import guardian.footage
from train.plates.model import Mask

_DATA = Path(guardian.footage.__file__).parent / "data"
BARLOW = str(_DATA / "plates-barlow-condensed-semibold.ttf")
NOTO_TC = str(_DATA / "signs-noto-sans-tc-bold.ttf")
_SYSTEM = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSansCondensed-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSansNarrow-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf",
    "/usr/share/fonts/opentype/urw-base35/NimbusSansNarrow-Bold.otf",
    "/usr/share/fonts/opentype/urw-base35/URWGothic-Demi.otf",
)
_SYSTEM_CJK = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
)
OTHER_FONTS = len(_SYSTEM) + 1


@lru_cache(maxsize=64)
def _face(path: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size_px)


@lru_cache(maxsize=1)
def _faces() -> tuple[str, ...]:
    """One path for each number of a font, so that a number means the same whatever is installed; Barlow fills gaps."""
    return (BARLOW, *(p if Path(p).exists() else BARLOW for p in _SYSTEM))


@lru_cache(maxsize=1024)
def other_glyph(sign: str, font: int, width_px: int, height_px: int) -> Mask:
    """One character of another font, squeezed into a plate's cell as plates do; narrow ones keep their shape."""
    face = _face(_faces()[font % OTHER_FONTS], height_px * 2)
    x0, y0, x1, y1 = face.getbbox(sign)
    picture = Image.new("L", (int(x1 - x0) + 4, int(y1 - y0) + 4))
    ImageDraw.Draw(picture).text((2 - x0, 2 - y0), sign, font=face, fill=255)
    ink = np.asarray(picture)[2:-2, 2:-2]
    natural = ink.shape[1] / ink.shape[0] * height_px
    wanted = int(width_px if natural > width_px * 0.62 else max(4.0, natural))
    cell = np.zeros((height_px, width_px), np.float32)
    left = (width_px - wanted) // 2
    cell[:, left : left + wanted] = cv2.resize(ink, (wanted, height_px), interpolation=cv2.INTER_AREA) / 255.0
    return cell


@lru_cache(maxsize=8192)
def _holds(path: str, sign: str) -> bool:
    face = _face(path, 20)
    mask = face.getmask(sign)
    return mask.getbbox() is not None and bytes(mask) != bytes(face.getmask("\U0010ffff"))


_STROKES: dict[str, tuple[tuple[float, ...], ...]] = {
    # x, y pairs in a unit box; enough of the character that it looks like it at a legend's size.
    "江": ((0.08, 0.1, 0.22, 0.2), (0.03, 0.36, 0.17, 0.46), (0.03, 0.95, 0.24, 0.58), (0.36, 0.14, 0.96, 0.14),
          (0.66, 0.14, 0.66, 0.9), (0.3, 0.9, 1, 0.9)),
    "縣": ((0.1, 0.05, 0.1, 0.52), (0.1, 0.05, 0.42, 0.05, 0.42, 0.5), (0.12, 0.2, 0.4, 0.2), (0.12, 0.35, 0.4, 0.35),
          (0.02, 0.53, 0.48, 0.53), (0.24, 0.56, 0.24, 0.98), (0.12, 0.68, 0.02, 0.9), (0.36, 0.68, 0.46, 0.88),
          (0.94, 0.03, 0.62, 0.12), (0.76, 0.12, 0.6, 0.3, 0.9, 0.3, 0.62, 0.54), (0.86, 0.42, 0.97, 0.56),
          (0.56, 0.56, 0.98, 0.52), (0.77, 0.56, 0.77, 0.98), (0.64, 0.7, 0.54, 0.92), (0.9, 0.68, 1, 0.9)),
}  # fmt: skip


def _drawn(sign: str, size: int) -> Mask:
    """A character as our own strokes: the known ones, or writing that only looks like it, the same for a sign always."""
    canvas = np.zeros((size * 2, size * 2), np.uint8)
    thick = max(1, round(size * 0.17))
    strokes: list[tuple[float, ...]] = list(_STROKES.get(sign, ()))
    if not strokes:
        rng = np.random.default_rng(zlib.crc32(sign.encode()))
        for _ in range(int(rng.integers(4, 9))):
            a, b, c = rng.random(3)
            if rng.random() < 0.5:
                strokes.append((0.5 * a, b, 0.5 + 0.5 * c, b))
            elif rng.random() < 0.6:
                strokes.append((a, 0.5 * b, a, 0.5 + 0.5 * c))
            else:
                strokes.append((a, b, min(1.0, max(0.0, a + c - 0.5)), min(1.0, b + 0.4)))
    for stroke in strokes:
        points = np.array(stroke).reshape(-1, 2) * (size * 2 - 2 * thick) + thick
        cv2.polylines(canvas, [np.round(points * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0


@lru_cache(maxsize=4096)
def _sign(sign: str, size_px: int, font: int) -> Mask:
    """One sign of running text on a line `size_px` high, proportional width."""
    if sign == " ":
        return np.zeros((size_px, max(1, size_px // 3)), np.float32)
    wide = ord(sign) > 0x2E80
    path = NOTO_TC if wide else _faces()[font % OTHER_FONTS]
    if not _holds(path, sign):
        path = next((p for p in _SYSTEM_CJK if wide and Path(p).exists() and _holds(p, sign)), path)
        if wide and path == NOTO_TC:
            return np.pad(_drawn(sign, size_px - 2), 1)
        if not wide:
            path = next((p for p in _faces() if _holds(p, sign)), BARLOW)
        if not _holds(path, sign):
            return np.pad(
                np.full((max(1, size_px // 8), max(1, size_px // 4)), 0.9, np.float32),
                ((size_px // 2, size_px - size_px // 2 - max(1, size_px // 8)), (1, 1)),
            )
    face = _face(path, size_px if wide else round(size_px * 1.25))
    x0, _, x1, _ = face.getbbox(sign)
    top, bottom = (
        (face.getbbox("車")[1], face.getbbox("車")[3]) if wide else (face.getbbox("H")[1], face.getbbox("H")[3])
    )
    width = max(1, int(x1 - x0) + 1)
    picture = Image.new("L", (width, int(bottom - top) + 2))
    ImageDraw.Draw(picture).text((-x0, 1 - top), sign, font=face, fill=255)
    ink = np.asarray(picture, np.float32) / 255.0
    return cv2.resize(ink, (max(1, round(width * size_px / ink.shape[0])), size_px), interpolation=cv2.INTER_AREA)


def line_of(text: str, size_px: int, *, font: int = 0, spacing: float = 0.12) -> Mask:
    """One line of text as ink, `size_px` high and as wide as it comes. `spacing` in shares of the height."""
    gap = np.zeros((size_px, max(1, round(size_px * spacing))), np.float32)
    parts: list[Mask] = []
    for sign in text:
        parts += [_sign(sign, size_px, font)[:size_px], gap]
    return np.concatenate(parts[:-1], axis=1) if parts else gap
