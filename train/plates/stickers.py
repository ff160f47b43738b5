"""What people stick on plates: dealers' strips, tax and inspection labels, round tags, tape.

Seen on the training pictures: strips of dealers with a name and a telephone number under the line or between the bolts,
small coloured labels with a year in the upper corners, a round blue tag, a grey-green label that repeats the number small.
"""

from __future__ import annotations

import cv2
import numpy as np

from train.plates.fonts import OTHER_FONTS, line_of
from train.plates.layers import Layer, disc, lay, lay_at, noise, rounded_box
from train.plates.model import Mask

_NAMES = "金順台生安永光家大新美全惠平豐康文明山水海龍東興華榮業車行機輪福昌吉信宏益振達隆國"
_BRANDS = (
    "YAMAHA",
    "KYMCO",
    "SYM",
    "SUZUKI",
    "MOTUL",
    "PGO",
    "KOSO",
    "YSP",
    "GOGORO",
    "AEON",
    "HONDA",
    "RPM",
    "TOYOTA",
    "NISSAN",
    "FORD",
    "MAZDA",
    "LEXUS",
    "BENZ",
    "BMW",
    "VOLVO",
    "RACING",
    "NGK",
)
_INKS = ((30, 25, 25), (40, 30, 180), (150, 70, 20), (240, 240, 240), (60, 120, 30), (200, 90, 30), (30, 160, 230))
_FACES = (
    (235, 236, 236),
    (235, 236, 236),
    (225, 228, 228),
    (60, 190, 240),
    (190, 90, 30),
    (40, 40, 200),
    (30, 30, 30),
    (90, 150, 180),
    (140, 200, 220),
    (70, 130, 60),
)


def phone(rng: np.random.Generator) -> str:
    """A telephone number as signs print it; never one that could be real and whole for certain."""
    d = "".join(str(int(v)) for v in rng.integers(0, 10, 10))
    kind = int(rng.integers(4))
    return (
        f"(0{2 + int(d[0]) % 7}){d[1:5]}-{d[5:9]}",
        f"0{2 + int(d[0]) % 7}-{d[1:8]}",
        f"{1 + int(d[1]) % 9}{d[2:5]}-{d[5:9]}",
        f"09{d[:2]}-{d[2:5]}-{d[5:8]}",
    )[kind]


def name(rng: np.random.Generator) -> str:
    """A made-up dealer's name."""
    first = "".join(_NAMES[int(i)] for i in rng.integers(0, len(_NAMES), 2))
    return first + ("車業", "機車行", "車業行", "汽車", "機車")[int(rng.integers(5))]


def brand(rng: np.random.Generator) -> str:
    """A brand's name."""
    return _BRANDS[int(rng.integers(len(_BRANDS)))]


def _pick(rng: np.random.Generator, colours: tuple[tuple[int, int, int], ...]) -> tuple[int, int, int]:
    return colours[int(rng.integers(len(colours)))]


def _write(patch: Layer, ink: tuple[int, int, int], mask: Mask, x: int, y: int, strength: float = 1.0) -> int:
    """Lay a line of ink with its left top at x, y; returns the x behind it."""
    h, w = mask.shape
    x1, y1 = min(patch.shape[1], x + w), min(patch.shape[0], y + h)
    if x1 > x >= 0 and y1 > y >= 0:
        lay(patch[y:y1, x:x1], ink, mask[: y1 - y, : x1 - x] * strength)
    return x + int(w)


def dealer_strip(rng: np.random.Generator, width: int, height: int) -> tuple[Layer, Mask]:
    """A dealer's strip: name, brand, telephone, in one or two lines. Layer and its mask."""
    face = _pick(rng, _FACES)
    dark = sum(face) < 300
    patch = np.empty((height, width, 3), np.float32)
    patch[:] = face
    inks = [i for i in _INKS if (sum(i) > 450) == dark] or [(240, 240, 240)]
    x = int(rng.integers(1, max(2, height // 2)))
    size = max(4, int(height * rng.uniform(0.5, 0.85)))
    top = max(0, (height - size) // 2)
    for part in rng.permutation(4)[: int(rng.integers(1, 4))]:
        ink = inks[int(rng.integers(len(inks)))]
        if part == 3:
            tag = disc(size / 2)
            x = _write(patch, _pick(rng, _INKS), tag, x, top) + 2
            continue
        words = (name(rng), brand(rng), phone(rng))[part]
        if rng.random() < 0.3 and height >= 12:
            small = max(4, height * 2 // 5)
            _write(patch, ink, line_of(phone(rng), small, font=int(rng.integers(OTHER_FONTS))), x, height - small - 1)
            x = _write(patch, ink, line_of(words, small, font=int(rng.integers(OTHER_FONTS))), x, 1) + 3
        else:
            x = _write(patch, ink, line_of(words, size, font=int(rng.integers(OTHER_FONTS))), x, top) + 3
        if x >= width:
            break
    mask = rounded_box(height, width, height * 0.3) if rng.random() < 0.35 else np.ones((height, width), np.float32)
    see_through = rng.random()
    if see_through < 0.25 and not dark:  # letters printed straight on the plate
        mask = mask * np.clip((np.abs(patch - np.asarray(face, np.float32)).max(axis=2)) / 60.0, 0, 1)
    elif see_through < 0.45:  # worn off in parts
        mask = mask * np.clip(0.9 + noise(rng, height, width, 6.0), 0, 1)
    return patch, mask


def label(rng: np.random.Generator, size: int, text: str) -> tuple[Layer, Mask]:
    """A small rectangular label: a year, or the number once more, on a coloured ground."""
    kind = rng.random()
    face = _pick(
        rng,
        (
            (190, 120, 20),
            (60, 60, 210),
            (40, 140, 240),
            (150, 60, 110),
            (140, 150, 140),
            (150, 160, 150),
            (90, 70, 40),
            (235, 235, 235),
        ),
    )
    h, w = size, int(size * rng.uniform(1.0, 1.7))
    patch = np.empty((h, w, 3), np.float32)
    patch[:] = face
    if kind < 0.7:
        box = patch[h // 3 : h - 2, 2 : w - 2]
        if rng.random() < 0.6:
            box[:] = (232, 234, 234)
        words = str(int(rng.integers(95, 116))) if kind < 0.4 else text
        line = line_of(words, max(4, box.shape[0] - 3), spacing=0.05)
        if line.shape[1] > box.shape[1]:
            line = cv2.resize(line, (box.shape[1], line.shape[0]), interpolation=cv2.INTER_AREA)
        ink = (40, 35, 35) if box[0, 0].sum() > 350 else (235, 235, 235)
        _write(box, ink, line, (box.shape[1] - line.shape[1]) // 2, 1)
    else:
        spots = noise(rng, h, w, 2.0) > 0.3
        lay(patch, (225, 225, 225) if rng.random() < 0.5 else (50, 45, 45), spots.astype(np.float32) * 0.6)
    mask = rounded_box(h, w, 1.5)
    if rng.random() < 0.2:
        mask = mask * np.clip(0.7 + noise(rng, h, w, 4.0), 0, 1)
    return patch, mask


def round_tag(rng: np.random.Generator, radius: float) -> tuple[Layer, Mask]:
    """A round tag: coloured ring, pale middle with grey writing."""
    mask = disc(radius)
    size = mask.shape[0]
    patch = np.empty((size, size, 3), np.float32)
    patch[:] = _pick(
        rng, ((200, 140, 40), (200, 120, 30), (60, 190, 240), (60, 60, 210), (90, 150, 60), (230, 230, 230))
    )
    inner = disc(radius * rng.uniform(0.5, 0.8))
    pad = (size - inner.shape[0]) // 2
    lay(patch[pad : pad + inner.shape[0], pad : pad + inner.shape[0]], (236, 236, 234), inner)
    spots = (noise(rng, size, size, 2.2) > 0.5).astype(np.float32)
    lay(patch, _pick(rng, _INKS), spots * disc(radius * 0.75).max() * 0.55)
    return patch, mask * rng.uniform(0.6, 1.0)


def stick_on(rng: np.random.Generator, canvas: Layer, text: str, *, below: float, amount: float) -> None:
    """Put a plate's stickers on it. In place.

    Args:
        canvas: the plate.
        text: its number, which some labels repeat.
        below: where the line of characters ends, share of the height: strips stand under it, some reach into it.
        amount: 1 as on motorcycles; cars have fewer.
    """
    h, w = canvas.shape[:2]
    if rng.random() < 0.42 * amount:
        high = int(h * rng.uniform(0.08, 0.15))
        patch, mask = dealer_strip(rng, int(w * rng.uniform(0.3, 0.9)), max(5, high))
        y = below * h + high * rng.uniform(0.35, 0.75)
        lay_at(canvas, patch, mask, w * rng.uniform(0.38, 0.62), min(y, h - high * 0.4), degrees=rng.normal(0, 1.0))
    if rng.random() < 0.36 * amount:
        patch, mask = dealer_strip(rng, int(w * rng.uniform(0.2, 0.36)), max(5, int(h * rng.uniform(0.1, 0.16))))
        lay_at(
            canvas, patch, mask, w * rng.uniform(0.42, 0.58), h * rng.uniform(0.08, 0.15), degrees=rng.normal(0, 1.5)
        )
    spots = ((0.09, 0.13), (0.91, 0.13), (0.5, 0.12), (0.88, 0.9), (0.7, 0.92), (0.12, 0.9))
    for x, y in spots:
        if rng.random() < 0.2 * amount:
            if rng.random() < 0.4:
                patch, mask = round_tag(rng, h * rng.uniform(0.07, 0.12))
            else:
                patch, mask = label(rng, max(6, int(h * rng.uniform(0.11, 0.2))), text)
            lay_at(
                canvas,
                patch,
                mask,
                w * (x + rng.normal(0, 0.02)),
                h * (y + rng.normal(0, 0.02)),
                degrees=rng.normal(0, 4),
            )
