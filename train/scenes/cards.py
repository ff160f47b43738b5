"""Ends of vehicles as flat pictures, close enough to show seams, grilles, badges and lamps: rear and front of a car, tail of a
scooter, tailboard of a lorry.

A card is painted in centimetres, softened, and kept; scenes bend it into the view as they do a plate. What is painted here
looks like plates often enough: lamps with bright bars, chrome, number-like badges.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np

from train.plates.lookalikes import lookalike
from train.scenes.easel import Easel, both, box
from train.scenes.model import Picture, Rng
from train.scenes.parts import badge, grille, holder, letters, look, paint_for, rear_lamp


class Card(msgspec.Struct, frozen=True):
    """One end of a vehicle.

    Attributes:
        picture: (h, w, 4) uint8, BGRA.
        width_cm, height_cm: of the picture; its lower edge is the ground.
        plate_cm: middle of the plate from the top left.
        lamps_cm: x, y, radius of its lamps.
        rear: whether the lamps are tail lamps.
        look: body, where one end tells it, and colour of its paint.
    """

    picture: Picture
    width_cm: float
    height_cm: float
    kind: str
    plate_cm: tuple[float, float]
    lamps_cm: tuple[tuple[float, float, float], ...]
    rear: bool
    look: tuple[str, str]


def _car_rear(rng: Rng) -> Card:
    sheet = Easel(184, 150)
    m, paint = 92.0, paint_for(rng)
    roof, belt = rng.uniform(2, 16), rng.uniform(52, 66)
    top_half, half = rng.uniform(52, 64), rng.uniform(84, 90)
    low = 150 - rng.uniform(18, 26)
    for side in (-1, 1):
        sheet.fill(box(m + side * (half - 12) - 10, low - 10, m + side * (half - 12) + 10, 149, 3), (26, 26, 26))
    sheet.fill(box(m - half + 14, low - 4, m + half - 14, low + 8), (16, 16, 16), 1.0)
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
        rear_lamp(rng, sheet, points)
        for points in both(
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
    holder(rng, sheet, plate[0], plate[1], paint)
    if rng.random() < 0.85:
        badge(rng, sheet, m, belt + rng.uniform(5, 9) if plate[1] > belt + 26 else belt - 6, rng.uniform(3.6, 6))
    for side in (-1, 1):
        if rng.random() < 0.65:
            letters(
                rng,
                sheet,
                m + side * rng.uniform(42, 56),
                lamp_y1 + 2 + (bumper - 5 - lamp_y1) * rng.random(),
                rng.uniform(14, 30),
            )
    if rng.random() < 0.6:
        sheet.fill(box(m - half + 10, low - rng.uniform(10, 16), m + half - 10, low - 2, 3), (36, 36, 36), 0.6)
    for side in (-1, 1):
        if rng.random() < 0.7:
            x = m + side * rng.uniform(58, 74)
            sheet.fill(box(x - 8, low - 15, x + 8, low - 11, 1), (30, 26, 170))
    if rng.random() < 0.3:
        sheet.fill(box(m + 46, low - 3, m + 58, low + 4, 3), (120, 122, 124))
        sheet.fill(box(m + 48, low - 1, m + 56, low + 2.5, 2), (10, 10, 10))
    if rng.random() < 0.3:
        art, _k = lookalike(rng, kind="sticker")
        sheet.put(art, m + rng.uniform(-50, 50), rng.uniform(roof + 18, belt - 8), rng.uniform(10, 24))
    return Card(sheet.done(rng), sheet.width, sheet.height, "car", plate, tuple(lamps), True, look("", paint))


def _car_front(rng: Rng) -> Card:
    sheet = Easel(186, 148)
    m, paint = 93.0, paint_for(rng)
    roof, hood = rng.uniform(2, 14), rng.uniform(58, 70)
    top_half, half = rng.uniform(52, 62), rng.uniform(84, 90)
    low = 148 - rng.uniform(16, 24)
    for side in (-1, 1):
        sheet.fill(box(m + side * (half - 11) - 10, low - 14, m + side * (half - 11) + 10, 147, 3), (26, 26, 26))
        x = m + side * (half + 0)
        sheet.fill(box(x - 10, hood - 24, x + 6, hood - 12, 3), paint * 0.8)
    sheet.fill(box(m - half + 14, low - 4, m + half - 14, low + 6), (16, 16, 16), 1.0)
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
    for points in both([(m - half + 3, y0 - 3), (m - inner, y0 + 4), (m - inner + 3, y1), (m - half + 2, y1 - 5)], m):
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
    grille(rng, sheet, box(m - gw, gy, m + gw, gy + gh, rng.uniform(0, 8)))
    if rng.random() < 0.9:
        badge(rng, sheet, m, gy + gh / 2 if rng.random() < 0.6 else gy - 5, rng.uniform(4, 7.5))
    py = gy + gh + 8 + (min(gy + gh + 22, low - 10) - gy - gh - 8) * float(rng.random())
    mouth = box(m - rng.uniform(30, 62), py + rng.uniform(-4, 9), m + rng.uniform(30, 62), low - 4, 5)
    grille(rng, sheet, mouth)
    for side in (-1, 1):
        x = m + side * rng.uniform(60, 72)
        sheet.fill(box(x - 9, py + 2, x + 9, py + 13, 4), (24, 24, 24))
        circle = [(x + 4 * float(np.cos(a)), py + 8 + 4 * float(np.sin(a))) for a in np.linspace(0, 6.3, 16)]
        sheet.fill(circle, (190, 192, 194), 0.4)
    if rng.random() < 0.35:
        sheet.fill(box(m - 21, py - 9, m + 21, py + 9, 1), (28, 28, 28))
    if rng.random() < 0.3:
        art, _k = lookalike(rng, kind="sticker")
        sheet.put(art, m + rng.choice((-1, 1)) * rng.uniform(36, 46), hood - 24, rng.uniform(8, 16))
    return Card(sheet.done(rng), sheet.width, sheet.height, "car", (m, py), tuple(lamps), False, look("", paint))


def _scooter_tail(rng: Rng) -> Card:
    sheet = Easel(96, 124)
    m, paint = 48.0, paint_for(rng)
    grey = np.asarray((70, 70, 72)) * rng.uniform(0.6, 1.5)
    tyre = rng.uniform(5.5, 8)
    sheet.fill(box(m - tyre, 66, m + tyre, 123, 5), (28, 28, 28))
    for y in np.arange(70, 122, 3.0):
        sheet.line([(m - tyre, y), (m + tyre, y + 1)], (16, 16, 16), 0.6, 0.6)
    side = 1 if rng.random() < 0.85 else -1
    pipe = np.asarray((46, 46, 48)) * rng.uniform(0.7, 2.6)
    sheet.fill(box(m + side * 19 - 9, 72, m + side * 19 + 9, 98, 6), pipe)
    sheet.fill(box(m + side * 19 - 5, 84, m + side * 19 + 5, 94, 4), pipe * 0.5)
    sheet.fill(box(m - side * 17 - 7, 74, m - side * 17 + 7, 100, 3), (34, 34, 36))
    for s in (-1, 1):
        sheet.fill(box(m + s * 20 - 1.6, 46, m + s * 20 + 1.6, 84, 1), (52, 50, 50))
    # Handlebar and mirrors beyond, body, seat, grab rail.
    if rng.random() < 0.8:
        for s in (-1, 1):
            sheet.line([(m + s * 14, 22), (m + s * rng.uniform(24, 32), 9)], (30, 30, 30), 1.4)
            sheet.fill(box(m + s * 34 - 8, 2, m + s * 34 + 8, 11, 4), (28, 28, 28))
            sheet.fill(box(m + s * 34 - 6.5, 3.3, m + s * 34 + 6.5, 9.7, 3), (150, 150, 148), 0, 0.8)
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
    sheet.fill(box(m - w * 0.75, 12, m + w * 0.75, 28, 6), (36, 34, 34))
    sheet.line(
        [(m - w, 33), (m - w * 0.7, 21), (m + w * 0.7, 21), (m + w, 33)],
        (110, 110, 112) if rng.random() < 0.5 else (30, 30, 30),
        2.2,
    )
    if rng.random() < 0.12:
        sheet.fill(box(m - 22, 0, m + 22, 24, 4), (40, 40, 42))
    y0, y1 = rng.uniform(36, 40), rng.uniform(46, 54)
    lw = rng.uniform(8, 15)
    lamp = rear_lamp(
        rng,
        sheet,
        [(m - lw, y0), (m + lw, y0), (m + lw * rng.uniform(0.5, 0.9), y1), (m - lw * rng.uniform(0.5, 0.9), y1)],
    )
    for s in (-1, 1):
        x = m + s * rng.uniform(16, 21)
        sheet.fill(box(x - 4.5, 44, x + 4.5, 51, 2.5), np.asarray((40, 120, 230)) * rng.uniform(0.6, 1.1))
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
        sheet.fill(box(m - 4, bottom - 14, m + 4, bottom - 9, 1), (30, 24, 160))
    if rng.random() < 0.4:
        letters(rng, sheet, m + rng.uniform(-4, 4), rng.uniform(30, 36), rng.uniform(8, 18))
    if rng.random() < 0.2:
        art, _k = lookalike(rng, kind="sticker")
        sheet.put(art, m + rng.uniform(-6, 6), rng.uniform(54, 60), rng.uniform(8, 14))
    return Card(
        sheet.done(rng), sheet.width, sheet.height, "motorcycle", (m, py), (lamp,), True, look("scooter", paint)
    )


def _tailboard(rng: Rng) -> Card:
    """Rear of a lorry or trailer: box or boards, beam with lamps, number painted large on the side that is no plate."""
    sheet = Easel(220, 230)
    m, paint = 110.0, paint_for(rng)
    floor = rng.uniform(140, 160)
    for side in (-1, 1):
        sheet.fill(box(m + side * 72 - 18, floor + 24, m + side * 72 + 18, 229, 4), (26, 26, 26))
    top = rng.uniform(2, 80)
    sheet.fill(box(m - 106, top, m + 106, floor, 1), paint)
    sheet.shade(top, floor, 1.05, 0.85)
    for x in np.linspace(m - 106, m + 106, int(rng.integers(3, 8))):
        sheet.line([(x, top), (x, floor)], paint * 0.55, 1.2)
    for _ in range(int(rng.integers(1, 4))):
        art, _k = lookalike(rng, kind=("shop-sign", "telephone", "badge", "notice")[int(rng.integers(4))])
        sheet.put(art, m + rng.uniform(-60, 60), rng.uniform(top + 15, floor - 15), rng.uniform(30, 100))
    sheet.fill(box(m - 104, floor, m + 104, floor + 26, 1), np.asarray((44, 44, 46)) * rng.uniform(0.5, 1.6))
    lamps = []
    for side in (-1, 1):
        x = m + side * rng.uniform(74, 86)
        lamps.append(rear_lamp(rng, sheet, box(x - 17, floor + 6, x + 17, floor + 19, 1)))
    sheet.fill(box(m - 100, floor + 38, m + 100, floor + 48, 1), (60, 60, 62))
    for x in np.arange(m - 100, m + 100, 12.0):
        sheet.fill([(x, floor + 38), (x + 6, floor + 38), (x + 12, floor + 48), (x + 6, floor + 48)], (40, 40, 190))
    plate = (m + float(rng.choice((-30.0, 0.0, 0.0, 30.0))), floor + 13 + float(rng.uniform(-3, 8)))
    return Card(sheet.done(rng), sheet.width, sheet.height, "truck", plate, tuple(lamps), True, look("truck", paint))


_DRAW = {"rear": _car_rear, "front": _car_front, "scooter": _scooter_tail, "tailboard": _tailboard}
VARIANTS = {"rear": 40, "front": 30, "scooter": 40, "tailboard": 10}


@lru_cache(maxsize=130)
def card(sort: str, number: int) -> Card:
    """One kept card. `sort` is a key of `VARIANTS`."""
    return _DRAW[sort](np.random.default_rng((953, number, len(sort))))


def card_for(rng: Rng, sort: str) -> Card:
    """A card of a sort."""
    return card(sort, int(rng.integers(VARIANTS[sort])))
