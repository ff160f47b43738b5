"""Ends of vehicles as flat pictures, close enough to show seams, grilles, badges and lamps: rear and front of a car, tail of a
scooter, tailboard of a lorry.

A card is painted in centimetres, softened, and kept; scenes bend it into the view as they do a plate. What is painted here
looks like plates often enough: lamps with bright bars, chrome, number-like badges.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from train.plates.layers import noise
from train.plates.lookalikes import lookalike
from train.scenes.model import Picture, Rng

_PX_PER_CM = 4.5
_PAINTS = (
    (226, 228, 228), (228, 228, 226), (186, 188, 190), (150, 152, 152), (108, 110, 112), (66, 66, 68), (34, 34, 36), (26, 26, 28),
    (36, 32, 120), (28, 28, 170), (110, 66, 36), (84, 66, 48), (56, 78, 56), (126, 138, 150), (150, 170, 180), (40, 110, 190),
)  # fmt: skip
Points = list[tuple[float, float]]


class Card(msgspec.Struct, frozen=True):
    """One end of a vehicle.

    Attributes:
        picture: (h, w, 4) uint8, BGRA.
        width_cm, height_cm: of the picture; its lower edge is the ground.
        plate_cm: middle of the plate from the top left.
        lamps_cm: x, y, radius of lamps, and whether they are head lamps.
    """

    picture: Picture
    width_cm: float
    height_cm: float
    kind: str
    plate_cm: tuple[float, float]
    lamps_cm: tuple[tuple[float, float, float], ...]
    rear: bool


class _Sheet:
    """A canvas in centimetres."""

    def __init__(self, width_cm: float, height_cm: float) -> None:
        self.width, self.height = width_cm, height_cm
        self.w, self.h = round(width_cm * _PX_PER_CM), round(height_cm * _PX_PER_CM)
        self.ink: NDArray[Any] = np.zeros((self.h, self.w, 3), np.float32)
        self.alpha = np.zeros((self.h, self.w), np.uint8)

    def points(self, points: Points) -> NDArray[Any]:
        return np.round(np.asarray(points, np.float64) * _PX_PER_CM * 16).astype(np.int32)

    def mask(self, points: Points, soft_cm: float = 0.0) -> NDArray[Any]:
        out: NDArray[Any] = np.zeros((self.h, self.w), np.uint8)
        cv2.fillPoly(out, [self.points(points)], 255, cv2.LINE_AA, 4)
        if soft_cm:
            out = cv2.GaussianBlur(out, (0, 0), soft_cm * _PX_PER_CM)
        return out

    def fill(self, points: Any, colour: Any, soft_cm: float = 0.0, share: float = 1.0, *, body: bool = True) -> None:
        """A soft-edged polygon; as part of the body it covers what is behind the vehicle."""
        low, high = np.min(points, axis=0) - soft_cm * 3, np.max(points, axis=0) + soft_cm * 3
        x0, y0 = np.maximum(0, np.floor(low * _PX_PER_CM).astype(int) - 1)
        x1, y1 = np.minimum((self.w, self.h), np.ceil(high * _PX_PER_CM).astype(int) + 2)
        if x1 <= x0 or y1 <= y0:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [self.points(points) - np.asarray((x0 * 16, y0 * 16), np.int32)], 255, cv2.LINE_AA, 4)
        if soft_cm:
            mask = cv2.GaussianBlur(mask, (0, 0), soft_cm * _PX_PER_CM)
        part = mask[..., None].astype(np.float32) * (share / 255)
        view = self.ink[y0:y1, x0:x1]
        view += (np.asarray(colour, np.float32) - view) * part
        if body:
            np.maximum(self.alpha[y0:y1, x0:x1], mask, out=self.alpha[y0:y1, x0:x1])

    def line(self, points: Points, colour: Any, width_cm: float, share: float = 1.0) -> None:
        mask = np.zeros((self.h, self.w), np.uint8)
        cv2.polylines(mask, [self.points(points)], False, 255, max(1, round(width_cm * _PX_PER_CM)), cv2.LINE_AA, 4)
        part = mask[..., None].astype(np.float32) * (share / 255)
        self.ink += (np.asarray(colour, np.float32) - self.ink) * part

    def shade(self, y0: float, y1: float, gain0: float, gain1: float) -> None:
        """Light that changes from one height to another."""
        a, b = int(np.clip(y0 * _PX_PER_CM, 0, self.h)), int(np.clip(y1 * _PX_PER_CM, 0, self.h))
        if b > a:
            self.ink[a:b] *= np.linspace(gain0, gain1, b - a, dtype=np.float32)[:, None, None]

    def put(self, art: Picture, x: float, y: float, width_cm: float) -> None:
        """BGRA art with its middle at x, y."""
        w = max(2, round(width_cm * _PX_PER_CM))
        h = max(2, round(w * art.shape[0] / art.shape[1]))
        small = cv2.resize(art, (w, h), interpolation=cv2.INTER_AREA)
        left, top = round(x * _PX_PER_CM - w / 2), round(y * _PX_PER_CM - h / 2)
        x0, y0, x1, y1 = max(0, left), max(0, top), min(self.w, left + w), min(self.h, top + h)
        if x1 <= x0 or y1 <= y0:
            return
        cut = small[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
        part = cut[..., 3:] / 255 * (self.alpha[y0:y1, x0:x1, None] > 0)
        view = self.ink[y0:y1, x0:x1]
        view += (cut[..., :3] - view) * part

    def done(self, rng: Rng) -> Picture:
        self.ink *= (1 + 0.035 * noise(rng, self.h, self.w, self.w / 7))[..., None]
        # Sky, houses and trees lie mirrored on the upper faces, as bright and dark bands with soft edges.
        high = np.linspace(1, -0.3, self.h, dtype=np.float32)[:, None]
        world = cv2.resize(noise(rng, self.h, self.w // 4, self.w / rng.uniform(12, 30)), (self.w, self.h))
        world = np.tanh(world * rng.uniform(0.8, 3)) * np.clip(high, 0, 1) * rng.uniform(2, 26)
        self.ink += world[..., None] * np.asarray((1.05, 1.0, 0.95), np.float32)
        self.ink += noise(rng, self.h, self.w, 1.5)[..., None] * 1.5
        out = np.empty((self.h, self.w, 4), np.uint8)
        out[..., :3] = np.clip(self.ink, 0, 255)
        out[..., 3] = self.alpha
        return out


def _box(x0: float, y0: float, x1: float, y1: float, round_cm: float = 0.0) -> Points:
    if round_cm <= 0:
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    r = min(round_cm, (x1 - x0) / 2, (y1 - y0) / 2)
    out: Points = []
    for cx, cy, start in ((x1 - r, y0 + r, -90), (x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180)):
        for a in np.radians(np.linspace(start, start + 90, 5)):
            out.append((cx + r * float(np.cos(a)), cy + r * float(np.sin(a))))
    return out


def _both(points: Any, middle: float) -> tuple[Points, Points]:
    return points, [(2 * middle - x, y) for x, y in points]


def _paint(rng: Rng) -> NDArray[Any]:
    if rng.random() < 0.06:
        return rng.uniform(10, 235, 3)
    return np.asarray(_PAINTS[int(rng.integers(len(_PAINTS)))], float) * rng.uniform(0.85, 1.08)


def _badge(rng: Rng, sheet: _Sheet, x: float, y: float, size: float) -> None:
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
        sheet.fill(_box(x - size, y - size * 0.4, x + size, y + size * 0.4, size * 0.4), bright)
        sheet.fill(_box(x - size * 0.8, y - size * 0.25, x + size * 0.8, y + size * 0.25, size * 0.25), dark)


def _letters(rng: Rng, sheet: _Sheet, x: float, y: float, width: float) -> None:
    for _ in range(6):
        art, _kind = lookalike(rng, kind="badge")
        if (art[..., 3] < 100).mean() > 0.3:  # letters without a ground of their own
            break
    sheet.put(art, x, y, width)


def _rear_lamp(rng: Rng, sheet: _Sheet, points: Points) -> tuple[float, float, float]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    sheet.fill([(x + (x - (x0 + x1) / 2) * 0.06, y + (y - (y0 + y1) / 2) * 0.06) for x, y in points], (22, 22, 22))
    red = np.asarray((30, 24, 150)) * rng.uniform(0.8, 1.25)
    sheet.fill(points, red)
    for _ in range(int(rng.integers(1, 4))):  # chambers: clear, amber, deeper red
        a, b = sorted(rng.uniform(0.08, 0.92, 2))
        colour = ((214, 216, 220), (60, 120, 220), (40, 30, 205), (26, 18, 96))[int(rng.integers(4))]
        if rng.random() < 0.5:
            inner = _box(x0 + (x1 - x0) * 0.12, y0 + (y1 - y0) * a, x1 - (x1 - x0) * 0.12, y0 + (y1 - y0) * b, 1.0)
        else:
            inner = _box(x0 + (x1 - x0) * a, y0 + (y1 - y0) * 0.15, x0 + (x1 - x0) * b, y1 - (y1 - y0) * 0.15, 1.0)
        sheet.fill(inner, colour, 0.3, 0.85)
    sheet.line([(x0 + 1, y0 + 1.2), (x1 - 1, y0 + 1.2)], (150, 140, 230), 0.5, 0.7)
    return ((x0 + x1) / 2, (y0 + y1) / 2, min(x1 - x0, y1 - y0) / 2)


def _holder(rng: Rng, sheet: _Sheet, x: float, y: float, paint: NDArray[Any]) -> None:
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
        sheet.fill(_box(x - w, y - h, x + w, y - h + 4), (14, 14, 14), 1.4, 0.75)
        for side in (-1, 1):
            sheet.fill(
                _box(x + side * w * 0.5 - 2.5, y - h + 0.6, x + side * w * 0.5 + 2.5, y - h + 2.0), (190, 200, 205)
            )
    elif kind < 0.75:
        sheet.fill(_box(x - 21, y - 9, x + 21, y + 9, 1), np.asarray((30, 30, 30)) * rng.uniform(0.6, 1.6))
    if rng.random() < 0.55:
        sheet.fill(
            _box(x - w, y - h - 4.2, x + w, y - h - 0.6, 1), (190, 192, 194) if rng.random() < 0.6 else paint * 0.5
        )
        sheet.fill(_box(x - w + 1, y - h - 2.2, x + w - 1, y - h - 1.2), (90, 90, 92), 0.5, 0.6)


def _car_rear(rng: Rng) -> Card:
    sheet = _Sheet(184, 150)
    m, paint = 92.0, _paint(rng)
    roof, belt = rng.uniform(2, 16), rng.uniform(52, 66)
    top_half, half = rng.uniform(52, 64), rng.uniform(84, 90)
    low = 150 - rng.uniform(18, 26)
    for side in (-1, 1):
        sheet.fill(_box(m + side * (half - 12) - 10, low - 10, m + side * (half - 12) + 10, 149, 3), (26, 26, 26))
    sheet.fill(_box(m - half + 14, low - 4, m + half - 14, low + 8), (16, 16, 16), 1.0)
    outline = [
        (m - top_half, roof + 3), (m - top_half + 8, roof), (m + top_half - 8, roof), (m + top_half, roof + 3),
        (m + half - 6, belt - 3), (m + half, belt + 14), (m + half, low - 14), (m + half - 7, low),
        (m - half + 7, low), (m - half, low - 14), (m - half, belt + 14), (m - half + 6, belt - 3),
    ]  # fmt: skip
    sheet.fill(outline, paint)
    sheet.shade(roof, belt, 1.0, 0.9)
    sheet.shade(belt, belt + 10, 1.12, 0.98)
    bend = belt + rng.uniform(24, 34)
    sheet.shade(belt + 10, bend, 0.98, 0.82)
    bumper = rng.uniform(96, 106)
    sheet.shade(bend, bumper, 0.78, 0.66)
    sheet.shade(bumper, bumper + 8, 1.05, 0.9)
    sheet.shade(bumper + 8, low, 0.85, 0.55)
    glass = [
        (m - top_half + 7, roof + 6),
        (m + top_half - 7, roof + 6),
        (m + half - 20, belt - 4),
        (m - half + 20, belt - 4),
    ]
    sheet.fill(glass, (44, 42, 40))
    for _ in range(4):  # what the window mirrors
        x = m + rng.uniform(-50, 40)
        sheet.fill(
            [(x, roof + 7), (x + rng.uniform(5, 40), roof + 7), (x + rng.uniform(0, 30), belt - 6), (x - 8, belt - 6)],
            rng.uniform(50, 170) * np.ones(3), 2.0, float(rng.uniform(0.1, 0.5)),
        )  # fmt: skip
    if rng.random() < 0.4:
        sheet.line([(m, belt - 4), (m + rng.uniform(-40, 40), roof + 20)], (14, 14, 14), 1.2)
    lamp_y0, lamp_y1 = belt + rng.uniform(2, 12), belt + rng.uniform(24, 36)
    inner = half - rng.uniform(16, 40)
    slant = rng.uniform(-6, 6)
    tall = rng.random() < 0.3
    if tall:
        lamp_y0, inner = belt - rng.uniform(10, 30), half - rng.uniform(12, 18)
    lamps = [
        _rear_lamp(rng, sheet, points)
        for points in _both(
            [
                (m - half + 2, lamp_y0 + 2),
                (m - inner, lamp_y0 + max(0, slant)),
                (m - inner + slant, lamp_y1),
                (m - half + 1, lamp_y1 - 2),
            ],
            m,
        )
    ]
    sheet.line([(m - half + 12, belt + 1), (m + half - 12, belt + 1)], paint * 0.35, 0.6)
    for side in (-1, 1):
        sheet.line(
            [(m + side * inner, lamp_y1), (m + side * (half - 22), bumper - 3), (m, bumper - 2)], paint * 0.3, 0.6
        )
    if rng.random() < 0.6:
        sheet.line([(m - half + 3, bumper), (m + half - 3, bumper)], paint * 0.4, 0.6)
    in_bumper = rng.random() < 0.18
    plate = (
        m + float(rng.normal(0, 0.5)),
        bumper + 13 if in_bumper else belt + 22 + (bumper - 34 - belt) * float(rng.random()),
    )
    _holder(rng, sheet, plate[0], plate[1], paint)
    if rng.random() < 0.85:
        _badge(rng, sheet, m, belt + rng.uniform(5, 9) if plate[1] > belt + 26 else belt - 6, rng.uniform(3.6, 6))
    for side in (-1, 1):
        if rng.random() < 0.65:
            _letters(
                rng,
                sheet,
                m + side * rng.uniform(42, 56),
                lamp_y1 + 2 + (bumper - 5 - lamp_y1) * rng.random(),
                rng.uniform(14, 30),
            )
    if rng.random() < 0.6:
        sheet.fill(_box(m - half + 10, low - rng.uniform(10, 16), m + half - 10, low - 2, 3), (36, 36, 36), 0.6)
    for side in (-1, 1):
        if rng.random() < 0.7:
            x = m + side * rng.uniform(58, 74)
            sheet.fill(_box(x - 8, low - 15, x + 8, low - 11, 1), (30, 26, 170))
    if rng.random() < 0.3:
        sheet.fill(_box(m + 46, low - 3, m + 58, low + 4, 3), (120, 122, 124))
        sheet.fill(_box(m + 48, low - 1, m + 56, low + 2.5, 2), (10, 10, 10))
    if rng.random() < 0.3:
        art, _k = lookalike(rng, kind="sticker")
        sheet.put(art, m + rng.uniform(-50, 50), rng.uniform(roof + 18, belt - 8), rng.uniform(10, 24))
    return Card(sheet.done(rng), sheet.width, sheet.height, "car", plate, tuple(lamps), True)


def _grille(rng: Rng, sheet: _Sheet, shape: Points) -> None:
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


def _car_front(rng: Rng) -> Card:
    sheet = _Sheet(186, 148)
    m, paint = 93.0, _paint(rng)
    roof, hood = rng.uniform(2, 14), rng.uniform(58, 70)
    top_half, half = rng.uniform(52, 62), rng.uniform(84, 90)
    low = 148 - rng.uniform(16, 24)
    for side in (-1, 1):
        sheet.fill(_box(m + side * (half - 11) - 10, low - 14, m + side * (half - 11) + 10, 147, 3), (26, 26, 26))
        x = m + side * (half + 0)
        sheet.fill(_box(x - 10, hood - 24, x + 6, hood - 12, 3), paint * 0.8)
    sheet.fill(_box(m - half + 14, low - 4, m + half - 14, low + 6), (16, 16, 16), 1.0)
    outline = [
        (m - top_half, roof + 3), (m - top_half + 8, roof), (m + top_half - 8, roof), (m + top_half, roof + 3),
        (m + half - 8, hood - 8), (m + half, hood + 16), (m + half, low - 14), (m + half - 8, low),
        (m - half + 8, low), (m - half, low - 14), (m - half, hood + 16), (m - half + 8, hood - 8),
    ]  # fmt: skip
    sheet.fill(outline, paint)
    glass = [
        (m - top_half + 6, roof + 7),
        (m + top_half - 6, roof + 7),
        (m + half - 16, hood - 16),
        (m - half + 16, hood - 16),
    ]
    sheet.fill(glass, (52, 50, 46))
    for _ in range(5):
        x = m + rng.uniform(-60, 45)
        sheet.fill(
            [(x, roof + 8), (x + rng.uniform(5, 40), roof + 8), (x + rng.uniform(0, 30), hood - 18), (x - 8, hood - 18)],
            rng.uniform(50, 190) * np.ones(3), 2.0, float(rng.uniform(0.1, 0.5)),
        )  # fmt: skip
    sheet.shade(hood - 16, hood + 4, 1.12, 1.0)
    sheet.shade(hood + 4, low, 0.95, 0.6)
    for side in (-1, 1):
        sheet.line(
            [(m + side * rng.uniform(24, 40), hood - 14), (m + side * rng.uniform(34, 50), hood + 6)],
            paint * 1.15,
            1.5,
            0.6,
        )
    lamps = []
    inner = half - rng.uniform(24, 42)
    y0, y1 = hood + rng.uniform(0, 6), hood + rng.uniform(14, 26)
    for points in _both([(m - half + 3, y0 - 3), (m - inner, y0 + 4), (m - inner + 3, y1), (m - half + 2, y1 - 5)], m):
        sheet.fill([(x + np.sign(x - m) * 0, y) for x, y in points], (30, 30, 30))
        xs = [p[0] for p in points]
        shrunk = [(x + (sum(xs) / 4 - x) * 0.07, y + ((y0 + y1) / 2 - y) * 0.1) for x, y in points]
        sheet.fill(shrunk, np.asarray((176, 176, 172)) * rng.uniform(0.6, 1.25), 0.3)
        cx, cy = sum(xs) / 4, (y0 + y1) / 2
        for dx in (-5, 6):
            circle = [(cx + dx + 4.5 * float(np.cos(a)), cy + 4.5 * float(np.sin(a))) for a in np.linspace(0, 6.3, 16)]
            sheet.fill(circle, (92, 92, 90), 0.4)
            sheet.fill([(cx + dx + (x - cx - dx) * 0.6, cy + (y - cy) * 0.6) for x, y in circle], (228, 230, 230), 0.4)
        lamps.append((cx, cy, (y1 - y0) / 2))
    gw, gh = rng.uniform(26, 46), rng.uniform(9, 18)
    gy = hood + rng.uniform(8, 14)
    _grille(rng, sheet, _box(m - gw, gy, m + gw, gy + gh, rng.uniform(0, 8)))
    if rng.random() < 0.9:
        _badge(rng, sheet, m, gy + gh / 2 if rng.random() < 0.6 else gy - 5, rng.uniform(4, 7.5))
    py = gy + gh + 8 + (min(gy + gh + 22, low - 10) - gy - gh - 8) * float(rng.random())
    mouth = _box(m - rng.uniform(30, 62), py + rng.uniform(-4, 9), m + rng.uniform(30, 62), low - 4, 5)
    _grille(rng, sheet, mouth)
    for side in (-1, 1):
        x = m + side * rng.uniform(60, 72)
        sheet.fill(_box(x - 9, py + 2, x + 9, py + 13, 4), (24, 24, 24))
        circle = [(x + 4 * float(np.cos(a)), py + 8 + 4 * float(np.sin(a))) for a in np.linspace(0, 6.3, 16)]
        sheet.fill(circle, (190, 192, 194), 0.4)
    if rng.random() < 0.35:
        sheet.fill(_box(m - 21, py - 9, m + 21, py + 9, 1), (28, 28, 28))
    if rng.random() < 0.3:
        art, _k = lookalike(rng, kind="sticker")
        sheet.put(art, m + rng.choice((-1, 1)) * rng.uniform(36, 46), hood - 24, rng.uniform(8, 16))
    return Card(sheet.done(rng), sheet.width, sheet.height, "car", (m, py), tuple(lamps), False)


def _scooter_tail(rng: Rng) -> Card:
    sheet = _Sheet(96, 124)
    m, paint = 48.0, _paint(rng)
    grey = np.asarray((70, 70, 72)) * rng.uniform(0.6, 1.5)
    tyre = rng.uniform(5.5, 8)
    sheet.fill(_box(m - tyre, 66, m + tyre, 123, 5), (28, 28, 28))
    for y in np.arange(70, 122, 3.0):
        sheet.line([(m - tyre, y), (m + tyre, y + 1)], (16, 16, 16), 0.6, 0.6)
    side = 1 if rng.random() < 0.85 else -1
    pipe = np.asarray((46, 46, 48)) * rng.uniform(0.7, 2.6)
    sheet.fill(_box(m + side * 19 - 9, 72, m + side * 19 + 9, 98, 6), pipe)
    sheet.fill(_box(m + side * 19 - 5, 84, m + side * 19 + 5, 94, 4), pipe * 0.5)
    sheet.fill(_box(m - side * 17 - 7, 74, m - side * 17 + 7, 100, 3), (34, 34, 36))
    for s in (-1, 1):
        sheet.fill(_box(m + s * 20 - 1.6, 46, m + s * 20 + 1.6, 84, 1), (52, 50, 50))
    # Handlebar and mirrors beyond, body, seat, grab rail.
    if rng.random() < 0.8:
        for s in (-1, 1):
            sheet.line([(m + s * 14, 22), (m + s * rng.uniform(24, 32), 9)], (30, 30, 30), 1.4)
            sheet.fill(_box(m + s * 34 - 8, 2, m + s * 34 + 8, 11, 4), (28, 28, 28))
            sheet.fill(_box(m + s * 34 - 6.5, 3.3, m + s * 34 + 6.5, 9.7, 3), (150, 150, 148), 0, 0.8)
    w = rng.uniform(15, 20)
    body = [
        (m - w * 0.8, 24),
        (m + w * 0.8, 24),
        (m + w, 36),
        (m + w * 0.9, 54),
        (m + w * 0.4, 64),
        (m - w * 0.4, 64),
        (m - w * 0.9, 54),
        (m - w, 36),
    ]
    sheet.fill(body, paint)
    sheet.shade(24, 40, 1.1, 0.95)
    sheet.shade(40, 64, 0.95, 0.6)
    sheet.fill(_box(m - w * 0.75, 12, m + w * 0.75, 28, 6), (36, 34, 34))
    sheet.line(
        [(m - w, 33), (m - w * 0.7, 21), (m + w * 0.7, 21), (m + w, 33)],
        (110, 110, 112) if rng.random() < 0.5 else (30, 30, 30),
        2.2,
    )
    if rng.random() < 0.12:
        sheet.fill(_box(m - 22, 0, m + 22, 24, 4), (40, 40, 42))
    y0, y1 = rng.uniform(36, 40), rng.uniform(46, 54)
    lw = rng.uniform(8, 15)
    lamp = _rear_lamp(
        rng,
        sheet,
        [(m - lw, y0), (m + lw, y0), (m + lw * rng.uniform(0.5, 0.9), y1), (m - lw * rng.uniform(0.5, 0.9), y1)],
    )
    for s in (-1, 1):
        x = m + s * rng.uniform(16, 21)
        sheet.fill(_box(x - 4.5, 44, x + 4.5, 51, 2.5), np.asarray((40, 120, 230)) * rng.uniform(0.6, 1.1))
    flap = rng.uniform(7, 10)
    bottom = rng.uniform(100, 112)
    sheet.fill(
        [
            (m - 9, 56),
            (m + 9, 56),
            (m + flap, 84),
            (m + flap * 0.75, bottom),
            (m - flap * 0.75, bottom),
            (m - flap, 84),
        ],
        grey,
    )
    sheet.line([(m, 86), (m, bottom - 4)], grey * 0.8, 1.2)
    py = float(rng.uniform(66, 76))
    if rng.random() < 0.6:
        sheet.fill(_box(m - 4, bottom - 14, m + 4, bottom - 9, 1), (30, 24, 160))
    if rng.random() < 0.4:
        _letters(rng, sheet, m + rng.uniform(-4, 4), rng.uniform(30, 36), rng.uniform(8, 18))
    if rng.random() < 0.2:
        art, _k = lookalike(rng, kind="sticker")
        sheet.put(art, m + rng.uniform(-6, 6), rng.uniform(54, 60), rng.uniform(8, 14))
    return Card(sheet.done(rng), sheet.width, sheet.height, "motorcycle", (m, py), (lamp,), True)


def _tailboard(rng: Rng) -> Card:
    """Rear of a lorry or trailer: box or boards, beam with lamps, number painted large on the side that is no plate."""
    sheet = _Sheet(220, 230)
    m, paint = 110.0, _paint(rng)
    floor = rng.uniform(140, 160)
    for side in (-1, 1):
        sheet.fill(_box(m + side * 72 - 18, floor + 24, m + side * 72 + 18, 229, 4), (26, 26, 26))
    top = rng.uniform(2, 80)
    sheet.fill(_box(m - 106, top, m + 106, floor, 1), paint)
    sheet.shade(top, floor, 1.05, 0.85)
    for x in np.linspace(m - 106, m + 106, int(rng.integers(3, 8))):
        sheet.line([(x, top), (x, floor)], paint * 0.55, 1.2)
    for _ in range(int(rng.integers(1, 4))):
        art, _k = lookalike(rng, kind=("shop-sign", "telephone", "badge", "notice")[int(rng.integers(4))])
        sheet.put(art, m + rng.uniform(-60, 60), rng.uniform(top + 15, floor - 15), rng.uniform(30, 100))
    sheet.fill(_box(m - 104, floor, m + 104, floor + 26, 1), np.asarray((44, 44, 46)) * rng.uniform(0.5, 1.6))
    lamps = []
    for side in (-1, 1):
        x = m + side * rng.uniform(74, 86)
        lamps.append(_rear_lamp(rng, sheet, _box(x - 17, floor + 6, x + 17, floor + 19, 1)))
    sheet.fill(_box(m - 100, floor + 38, m + 100, floor + 48, 1), (60, 60, 62))
    for x in np.arange(m - 100, m + 100, 12.0):
        sheet.fill([(x, floor + 38), (x + 6, floor + 38), (x + 12, floor + 48), (x + 6, floor + 48)], (40, 40, 190))
    plate = (m + float(rng.choice((-30.0, 0.0, 0.0, 30.0))), floor + 13 + float(rng.uniform(-3, 8)))
    return Card(sheet.done(rng), sheet.width, sheet.height, "truck", plate, tuple(lamps), True)


_DRAW = {"rear": _car_rear, "front": _car_front, "scooter": _scooter_tail, "tailboard": _tailboard}
VARIANTS = {"rear": 40, "front": 30, "scooter": 40, "tailboard": 10}


@lru_cache(maxsize=130)
def card(sort: str, number: int) -> Card:
    """One kept card. `sort` is a key of `VARIANTS`."""
    return _DRAW[sort](np.random.default_rng((953, number, len(sort))))


def card_for(rng: Rng, sort: str) -> Card:
    """A card of a sort."""
    return card(sort, int(rng.integers(VARIANTS[sort])))
