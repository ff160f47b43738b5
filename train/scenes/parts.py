"""Parts that vehicles' ends are put together from: paint, maker's badge, letters, tail lamp, place of the plate, grille."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.vision.colours import colour_of_paint
from train.plates.lookalikes import lookalike
from train.scenes.easel import Easel, Points, box
from train.scenes.model import Rng

_PAINTS = (
    (226, 228, 228), (228, 228, 226), (186, 188, 190), (150, 152, 152), (108, 110, 112), (66, 66, 68), (34, 34, 36), (26, 26, 28),
    (36, 32, 120), (28, 28, 170), (110, 66, 36), (84, 66, 48), (56, 78, 56), (126, 138, 150), (150, 170, 180), (40, 110, 190),
)  # fmt: skip


def paint_for(rng: Rng) -> NDArray[Any]:
    if rng.random() < 0.06:
        return rng.uniform(10, 235, 3)
    return np.asarray(_PAINTS[int(rng.integers(len(_PAINTS)))], float) * rng.uniform(0.85, 1.08)


def look(body: str, paint: NDArray[Any]) -> tuple[str, str]:
    """What a scene tells of a vehicle: its body and the word for its paint."""
    return body, colour_of_paint((float(paint[0]), float(paint[1]), float(paint[2])))


def badge(rng: Rng, sheet: Easel, x: float, y: float, size: float) -> None:
    """A maker's sign in chrome: ring, oval, star, wings; made up."""
    bright = np.asarray((206, 208, 210)) * rng.uniform(0.75, 1.1)
    dark = np.asarray((60, 60, 62)) * rng.uniform(0.4, 1.2)
    ring = [
        (x + size * float(np.cos(a)), y + size * float(rng.uniform(0.995, 1.0) * 0.72 * np.sin(a)))
        for a in np.linspace(0, 2 * np.pi, 28)
    ]
    kind = int(rng.integers(5))
    if kind < 3:
        sheet.fill(ring, bright)
        sheet.fill([(x + (px - x) * 0.8, y + (py - y) * 0.78) for px, py in ring], dark)
        if kind == 0:
            sheet.line(
                [(x - size * 0.7, y - size * 0.2), (x, y + size * 0.45), (x + size * 0.7, y - size * 0.2)], bright, 0.9
            )
        elif kind == 1:
            for a in np.radians((-90, 30, 150)):
                sheet.line(
                    [(x, y), (x + size * 0.85 * float(np.cos(a)), y + size * 0.62 * float(np.sin(a)))], bright, 0.7
                )
        else:
            sheet.line([(x - size * 0.45, y - size * 0.45), (x - size * 0.45, y + size * 0.45)], bright, 1.0)
            sheet.line([(x + size * 0.45, y - size * 0.45), (x + size * 0.45, y + size * 0.45)], bright, 1.0)
            sheet.line([(x - size * 0.45, y), (x + size * 0.45, y)], bright, 0.9)
    elif kind == 3:
        for dx, dy in ((0, -0.5), (-0.5, 0.4), (0.5, 0.4)):
            cx, cy, r = x + dx * size, y + dy * size, size * 0.45
            sheet.fill([(cx, cy - r), (cx + r * 0.7, cy), (cx, cy + r), (cx - r * 0.7, cy)], bright)
    else:
        sheet.fill(box(x - size, y - size * 0.4, x + size, y + size * 0.4, size * 0.4), bright)
        sheet.fill(box(x - size * 0.8, y - size * 0.25, x + size * 0.8, y + size * 0.25, size * 0.25), dark)


def letters(rng: Rng, sheet: Easel, x: float, y: float, width: float) -> None:
    for _ in range(6):
        art, _kind = lookalike(rng, kind="badge")
        if (art[..., 3] < 100).mean() > 0.3:  # letters without a ground of their own
            break
    sheet.put(art, x, y, width)


def rear_lamp(rng: Rng, sheet: Easel, points: Points) -> tuple[float, float, float]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    sheet.fill([(x + (x - (x0 + x1) / 2) * 0.06, y + (y - (y0 + y1) / 2) * 0.06) for x, y in points], (22, 22, 22))
    red = np.asarray((30, 24, 150)) * rng.uniform(0.8, 1.25)
    sheet.fill(points, red)
    for _ in range(int(rng.integers(1, 4))):  # chambers: clear, amber, deeper red
        a, b = sorted(rng.uniform(0.08, 0.92, 2))
        colour = ((214, 216, 220), (60, 120, 220), (40, 30, 205), (26, 18, 96))[int(rng.integers(4))]
        if rng.random() < 0.5:
            inner = box(x0 + (x1 - x0) * 0.12, y0 + (y1 - y0) * a, x1 - (x1 - x0) * 0.12, y0 + (y1 - y0) * b, 1.0)
        else:
            inner = box(x0 + (x1 - x0) * a, y0 + (y1 - y0) * 0.15, x0 + (x1 - x0) * b, y1 - (y1 - y0) * 0.15, 1.0)
        sheet.fill(inner, colour, 0.3, 0.85)
    sheet.line([(x0 + 1, y0 + 1.2), (x1 - 1, y0 + 1.2)], (150, 140, 230), 0.5, 0.7)
    return ((x0 + x1) / 2, (y0 + y1) / 2, min(x1 - x0, y1 - y0) / 2)


def holder(rng: Rng, sheet: Easel, x: float, y: float, paint: NDArray[Any]) -> None:
    """The place of the plate: recess with a shadow and two small lamps, a black holder, or plain paint."""
    kind = rng.random()
    w, h = rng.uniform(21, 30), rng.uniform(9.5, 13)
    if kind < 0.6:
        shape = [
            (x - w, y - h),
            (x + w, y - h),
            (x + w * rng.uniform(0.8, 1.0), y + h),
            (x - w * rng.uniform(0.8, 1.0), y + h),
        ]
        sheet.fill(shape, paint * rng.uniform(0.25, 0.8), 0.5)
        sheet.fill(box(x - w, y - h, x + w, y - h + 4), (14, 14, 14), 1.4, 0.75)
        for side in (-1, 1):
            sheet.fill(
                box(x + side * w * 0.5 - 2.5, y - h + 0.6, x + side * w * 0.5 + 2.5, y - h + 2.0), (190, 200, 205)
            )
    elif kind < 0.75:
        sheet.fill(box(x - 21, y - 9, x + 21, y + 9, 1), np.asarray((30, 30, 30)) * rng.uniform(0.6, 1.6))
    if rng.random() < 0.55:
        sheet.fill(
            box(x - w, y - h - 4.2, x + w, y - h - 0.6, 1), (190, 192, 194) if rng.random() < 0.6 else paint * 0.5
        )
        sheet.fill(box(x - w + 1, y - h - 2.2, x + w - 1, y - h - 1.2), (90, 90, 92), 0.5, 0.6)


def grille(rng: Rng, sheet: Easel, shape: Points) -> None:
    xs, ys = [p[0] for p in shape], [p[1] for p in shape]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    sheet.fill([(x + np.sign(x - (x0 + x1) / 2) * 1.6, y + np.sign(y - (y0 + y1) / 2) * 1.4) for x, y in shape],
               (186, 188, 190) if rng.random() < 0.6 else (40, 40, 42))  # fmt: skip
    before = sheet.ink.copy()
    sheet.fill(shape, (22, 22, 24))
    inside = sheet.mask(shape)[..., None].astype(np.float32) / 255
    bar = np.asarray((180, 182, 184)) * rng.uniform(0.25, 1.0)
    step = rng.uniform(3, 7)
    kind = int(rng.integers(4))
    if kind in (0, 2):
        for y in np.arange(y0 + step / 2, y1, step):
            sheet.line([(x0, y), (x1, y)], bar, step * rng.uniform(0.2, 0.45))
    if kind in (1, 2):
        for x in np.arange(x0 + step / 2, x1, step):
            sheet.line([(x, y0), (x, y1)], bar, step * 0.25)
    if kind == 3:
        for x in np.arange(x0 - (y1 - y0), x1, step):
            sheet.line([(x, y0), (x + (y1 - y0), y1)], bar, 0.6)
            sheet.line([(x, y1), (x + (y1 - y0), y0)], bar, 0.6)
    sheet.ink = before + (sheet.ink - before) * inside
