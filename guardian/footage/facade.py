"""Houses of a Taiwanese street as pictures: tiled fronts, window bars, air conditioners, awnings, shops in the arcade.

Each picture is baked for one light: painted surface times the light on walls, plus what shines of itself.
"""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from guardian.footage import signs
from guardian.footage.camera import Texture
from guardian.footage.light import LightRig
from guardian.footage.plate_art import Picture

PX_PER_M = 36
ARCADE_M = 3.3
"""Height of the ground floor, whose front stands back behind pillars (騎樓)."""

Floats32 = NDArray[Any]
# Tiles of older houses: beige, grey, pinkish, white, brown, pale green; BGR.
_TILES = (
    (178, 196, 206), (176, 178, 178), (182, 188, 208), (214, 218, 220), (120, 140, 160), (176, 192, 178),
    (150, 160, 172), (198, 208, 220), (112, 118, 132),
)  # fmt: skip


class House(msgspec.Struct):
    """One house: width and height in metres, and its pictures."""

    width_m: float
    height_m: float
    front: Texture
    shop: Texture
    side: Texture
    pillar: tuple[int, int, int]
    uprights: list[tuple[float, float, float, float, Texture]]  # along, low, high, reach; metres
    awning: tuple[int, int, int] | None


def _bake(paint: Floats32, glow: Floats32, rig: LightRig, *, lamp_from_below: bool) -> Picture:
    light: Floats32 = np.array(rig.wall, np.float32) * np.ones((paint.shape[0], 1, 1), np.float32)
    if rig.lamps and lamp_from_below:  # street lamps and shops brighten the lower floors
        height = np.linspace(1, 0, paint.shape[0], dtype=np.float32)[:, None, None]
        light = light + np.array((0.10, 0.16, 0.20), np.float32) * (1 - height) ** 1.5 * rig.glow
    return np.clip(paint * light + glow * rig.glow, 0, 255).astype(np.uint8)


def _wall(width: int, height: int, rng: np.random.Generator) -> Floats32:
    base: Floats32 = np.array(_TILES[int(rng.integers(len(_TILES)))], np.float32) * rng.uniform(0.82, 1.04)
    wall = np.empty((height, width, 3), np.float32)
    wall[:] = base
    if rng.random() < 0.7:  # tiles with joints
        step = int(rng.integers(4, 8))
        wall[::step] *= 0.90
        wall[:, :: step * 2] *= 0.93
        wall += (
            rng.normal(0, 4, (height // step + 1, width // (step * 2) + 1, 1))
            .repeat(step, 0)
            .repeat(step * 2, 1)[:height, :width]
            .astype(np.float32)
        )
    streaks = cv2.resize(
        rng.normal(0, 1, (3, max(4, width // 7))).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    wall -= np.clip(streaks, 0, 2)[..., None] * 9  # rain runs down
    blotch = cv2.resize(rng.normal(0, 1, (6, 6)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return wall + blotch[..., None] * 5


def _window(
    paint: Floats32, glow: Floats32, box: tuple[int, int, int, int], rng: np.random.Generator, rig: LightRig
) -> None:
    x0, y0, x1, y1 = box
    if x1 - x0 < 8 or y1 - y0 < 8:
        return
    glass = paint[y0:y1, x0:x1]
    ramp = np.linspace(1, 0.55, y1 - y0, dtype=np.float32)[:, None, None]
    glass[:] = np.array((96, 86, 74), np.float32) * rng.uniform(0.5, 1.3) * ramp
    if rng.random() < 0.4:  # a curtain
        glass[:, : int((x1 - x0) * rng.uniform(0.2, 0.6))] = np.array((180, 190, 196), np.float32) * rng.uniform(
            0.5, 0.9
        )
    frame = (196, 198, 198) if rng.random() < 0.7 else (70, 74, 82)
    parts = int(rng.integers(2, 4))
    for index in range(parts + 1):
        x = x0 + (x1 - x0 - 2) * index // parts
        cv2.rectangle(paint, (x, y0), (x + 1, y1), frame, -1)
    cv2.rectangle(paint, (x0, y0), (x1, y1), frame, 2)
    if rng.random() < rig.lit_window_prob:
        tint = ((150, 205, 250), (215, 235, 245), (120, 180, 240))[int(rng.integers(3))]
        light = np.array(tint, np.float32) * rng.uniform(0.45, 0.95)
        shade = cv2.resize(
            rng.uniform(0.6, 1.0, (3, 3)).astype(np.float32), (x1 - x0 - 4, y1 - y0 - 4), interpolation=cv2.INTER_CUBIC
        )
        glow[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2] += light * shade[..., None]
    if rng.random() < 0.6:  # 鐵窗: bars in front of the window, boxed out below
        colour = ((188, 192, 194), (110, 116, 120), (140, 160, 150))[int(rng.integers(3))]
        for x in range(x0 - 3, x1 + 4, 5):
            cv2.line(paint, (x, y0 - 3), (x, y1 + 5), colour, 1)
            glow[y0 - 3 : y1 + 5, max(x, 0)] *= 0.25
        for y in range(y0 - 3, y1 + 6, max(8, (y1 - y0) // 3)):
            cv2.line(paint, (x0 - 3, y), (x1 + 3, y), colour, 1)
        paint[y1 + 5 : y1 + 9, max(x0 - 3, 0) : x1 + 4] *= 0.62


def _front(width: int, height: int, floors: int, rng: np.random.Generator, rig: LightRig) -> Picture:
    paint = _wall(width, height, rng)
    glow: Floats32 = np.zeros((height, width, 3), np.float32)
    storey = height / floors
    bays = max(1, round(width / PX_PER_M / 3.6))
    balcony = rng.random() < 0.35
    sign_h = int(PX_PER_M * rng.uniform(0.9, 1.4))
    for floor in range(floors):
        y_low = height - int(floor * storey)
        paint[y_low - 3 : y_low] *= 0.72
        for bay in range(bays):
            x_mid = int((bay + 0.5) * width / bays)
            half = int(width / bays * rng.uniform(0.28, 0.38))
            y0, y1 = int(y_low - storey * 0.80), int(y_low - storey * 0.34)
            _window(paint, glow, (x_mid - half, y0, x_mid + half, y1), rng, rig)
            if balcony:
                y2 = y_low - int(storey * 0.12)
                paint[y1:y2, x_mid - half - 4 : x_mid + half + 4] = np.array(_TILES[3], np.float32) * 0.85
                paint[y2 : y2 + 5, x_mid - half - 4 : x_mid + half + 4] *= 0.5
            if rng.random() < 0.55:  # air conditioner with its streak of rust
                ax, ay = x_mid + half - int(rng.integers(8, 40)), y1 + 8
                w, h = int(PX_PER_M * 0.75), int(PX_PER_M * 0.52)
                paint[ay + h : ay + h + 10, ax + 2 : ax + w + 2] *= 0.70
                cv2.rectangle(paint, (ax, ay), (ax + w, ay + h), (186, 190, 190), -1)
                cv2.circle(paint, (ax + w * 2 // 5, ay + h // 2), h // 3, (92, 96, 98), -1, cv2.LINE_AA)
                cv2.rectangle(paint, (ax, ay), (ax + w, ay + h), (120, 124, 126), 1)
    pipe = int(rng.integers(4, max(6, width - 6)))
    cv2.rectangle(paint, (pipe, 0), (pipe + 3, height), (150, 154, 156), -1)
    paint[:6] *= 0.7
    # The board above the arcade, and now and then a second one a floor higher.
    for level in range(1 + int(rng.random() < 0.35)):
        y1 = height - level * int(storey) - 2
        sign = signs.board(width - 8, sign_h, rng).astype(np.float32)
        y0 = max(0, y1 - sign_h)
        part = sign[: y1 - y0]
        paint[y0:y1, 4 : width - 4] = part
        if rng.random() < 0.75:
            glow[y0:y1, 4 : width - 4] = part * rng.uniform(0.65, 0.95)
        else:
            glow[y0:y1, 4 : width - 4] = part * 0.10
    glow = cv2.GaussianBlur(glow, (0, 0), 1.0)
    return _bake(paint, glow, rig, lamp_from_below=True)


def _shop(width: int, height: int, rng: np.random.Generator, rig: LightRig) -> Picture:
    """The recessed ground floor: shutters, glass fronts, doors; lit inside in the evening."""
    paint = np.full((height, width, 3), 92, np.float32) * np.array((0.95, 0.98, 1.0), np.float32)
    glow = np.zeros_like(paint)
    x = 6
    while x < width - 20:
        w = min(int(PX_PER_M * rng.uniform(1.8, 3.4)), width - x - 6)
        y0 = int(height * 0.16)
        kind = rng.random()
        if kind < 0.30:  # shutter
            tone = np.array(((150, 154, 156), (120, 130, 128), (150, 140, 120))[int(rng.integers(3))], np.float32)
            paint[y0:height, x : x + w] = tone
            paint[y0:height:4, x : x + w] *= 0.78
        else:
            inside = np.array(((150, 176, 190), (176, 190, 196), (120, 150, 180))[int(rng.integers(3))], np.float32)
            paint[y0:height, x : x + w] = inside * 0.55
            for shelf in range(int(rng.integers(2, 5))):  # shelves, counters, people: blocks of colour
                ys = y0 + int((height - y0) * (0.25 + 0.17 * shelf))
                for xs in range(x + 3, x + w - 6, int(rng.integers(6, 14))):
                    colour = rng.uniform(40, 210) + rng.uniform(-45, 45, 3)
                    cv2.rectangle(
                        paint,
                        (xs, ys),
                        (xs + int(rng.integers(3, 9)), ys + int(rng.integers(6, 14))),
                        colour.tolist(),
                        -1,
                    )
            if rng.random() < 0.85:
                glow[y0:height, x : x + w] = paint[y0:height, x : x + w] * 1.05 + np.array((46, 62, 70), np.float32)
                cv2.rectangle(glow, (x + 4, y0 + 3), (x + w - 4, y0 + 6), (235, 245, 250), -1)
            cv2.rectangle(paint, (x, y0), (x + w, height), (70, 74, 78), 2)
            cv2.line(paint, (x + w // 2, y0), (x + w // 2, height), (70, 74, 78), 2)
        x += w + int(rng.integers(4, 14))
    board_h = int(height * 0.15)
    sign = signs.board(width - 12, board_h, rng).astype(np.float32)
    paint[1 : 1 + board_h, 6 : width - 6] = sign * 0.9
    glow[1 : 1 + board_h, 6 : width - 6] = sign * (0.8 if rng.random() < 0.6 else 0.15)
    paint *= np.linspace(0.62, 0.86, height, dtype=np.float32)[:, None, None]  # shade under the arcade
    return _bake(paint, glow, rig, lamp_from_below=False)


def build_house(rng: np.random.Generator, rig: LightRig) -> House:
    """A house of three to seven storeys with a shop below."""
    floors = int(rng.choice([2, 3, 3, 4, 4, 4, 5, 6]))
    width_m = float(rng.uniform(5.4, 11.0))
    storey_m = float(rng.uniform(3.0, 3.4))
    height_m = floors * storey_m
    width, height = int(width_m * PX_PER_M), int(height_m * PX_PER_M)
    side = _bake(_wall(96, 96, rng) * np.float32(0.80), np.zeros((96, 96, 3), np.float32), rig, lamp_from_below=True)
    uprights: list[tuple[float, float, float, float, Texture]] = []
    for _ in range(int(rng.integers(1, 4))):
        wide, tall = float(rng.uniform(0.75, 1.35)), float(rng.uniform(2.0, min(5.4, height_m - 1.2)))
        low = ARCADE_M + float(rng.uniform(0.6, max(0.7, height_m - tall - 0.3)))
        paint = signs.upright(int(wide * 64), int(tall * 64), rng).astype(np.float32)
        lit = 0.95 if rng.random() < 0.7 else 0.12
        picture = _bake(paint, paint * lit, rig, lamp_from_below=False)
        uprights.append((float(rng.uniform(0.3, width_m - 0.3)), low, low + tall, wide, Texture(picture)))
    tone = np.array(_TILES[int(rng.integers(len(_TILES)))], np.float32) * 0.78
    return House(
        width_m=width_m,
        height_m=height_m + ARCADE_M,
        front=Texture(_front(width, height, floors, rng, rig)),
        shop=Texture(_shop(width, int(ARCADE_M * PX_PER_M), rng, rig)),
        side=Texture(side),
        pillar=tuple(
            int(v) for v in np.clip(tone * np.array(rig.wall) + 26 * rig.glow * np.array((0.6, 0.9, 1.0)), 0, 255)
        ),  # type: ignore[arg-type]
        uprights=uprights,
        awning=None
        if rng.random() < 0.55
        else ((60, 90, 170), (90, 120, 60), (150, 100, 50), (70, 70, 80))[int(rng.integers(4))],
    )
