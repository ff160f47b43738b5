"""What holds a plate and what hides parts of it: slots, bolts and caps, dealers' frames, cables and straps, tape."""

from __future__ import annotations

import cv2
import numpy as np

from train.plates.fonts import OTHER_FONTS, line_of
from train.plates.layers import Layer, disc, lay, lay_at, noise, rounded_box
from train.plates.model import Mask
from train.plates.stickers import brand, name, phone

_STEEL = (150, 152, 155)
_RUST = (30, 62, 120)


def _slot(canvas: Layer, x: float, y: float, width: float, height: float, dark: float) -> None:
    mask = rounded_box(max(3, round(height)), max(4, round(width)), height / 2)
    patch = np.full((*mask.shape, 3), dark, np.float32)
    lay_at(canvas, patch, mask, x, y)


def bolt(
    rng: np.random.Generator, radius: float, *, rusty: float, cap: tuple[int, int, int] | None
) -> tuple[Layer, Mask]:
    """One bolt with washer, lit from above; layer and mask."""
    mask = disc(radius)
    size = mask.shape[0]
    r = np.arange(size, dtype=np.float32) - size // 2
    base = np.array(cap if cap is not None else _STEEL, np.float32) * float(rng.uniform(0.7, 1.3))
    if rusty > 0:
        base = base * (1 - rusty) + np.array(_RUST, np.float32) * rusty
    patch = np.empty((size, size, 3), np.float32)
    light = -r[:, None] / radius * rng.uniform(10, 50) - r[None, :] / radius * rng.normal(0, 18)
    patch[:] = base
    patch += light[..., None]
    head = disc(radius * rng.uniform(0.45, 0.75))
    pad = (size - head.shape[0]) // 2
    inner = patch[pad : pad + head.shape[0], pad : pad + head.shape[0]]
    lay(inner, inner * float(rng.uniform(0.55, 1.35)) + 8, head)
    if rng.random() < 0.4:  # a slot or a cross in the head
        cv2.line(
            patch, (pad, size // 2), (size - pad - 1, size // 2), (base * 0.4).tolist(), max(1, size // 9), cv2.LINE_AA
        )
        if rng.random() < 0.5:
            cv2.line(
                patch,
                (size // 2, pad),
                (size // 2, size - pad - 1),
                (base * 0.4).tolist(),
                max(1, size // 9),
                cv2.LINE_AA,
            )
    return np.clip(patch, 0, 255), mask


def bolt_on(rng: np.random.Generator, canvas: Layer, *, lower: bool) -> None:
    """Slots and bolts where plates have them, with their rust and caps. In place."""
    h, w = canvas.shape[:2]
    y = rng.uniform(0.085, 0.15)
    half = rng.uniform(0.235, 0.315)
    rusty = float(rng.uniform(0.3, 1.0)) if rng.random() < 0.25 else 0.0
    cap = None
    if rng.random() < 0.3:
        cap = ((30, 30, 30), (225, 225, 225), (40, 40, 190), (190, 90, 30), (60, 180, 230), (20, 20, 20))[
            int(rng.integers(6))
        ]
    size = h * rng.uniform(0.036, 0.066)
    dark = rng.uniform(12, 60)
    # The bolt sits at one end of its slot, the same end on both sides as the plate was pushed, or either.
    lean = rng.uniform(-0.5, 0.5)
    rows = [(y, True)]
    if lower or rng.random() < 0.06:
        rows.append((rng.uniform(0.9, 0.95), rng.random() < 0.3))
    for row, bolted in rows:
        for side in (-1, 1):
            x = w * (0.5 + side * half)
            slot_w, slot_h = h * rng.uniform(0.12, 0.21), h * rng.uniform(0.038, 0.06)
            if rng.random() < 0.85:
                _slot(canvas, x, row * h, slot_w, slot_h, dark)
            if bolted and rng.random() < 0.93:
                bx = x + (lean if rng.random() < 0.6 else rng.uniform(-0.5, 0.5)) * slot_w
                by = row * h
                if rng.random() < 0.03:  # a bolt driven through the number
                    bx, by = w * rng.uniform(0.1, 0.9), h * rng.uniform(0.3, 0.8)
                if rusty and rng.random() < 0.5:
                    length = int(h * rng.uniform(0.1, 0.45))
                    run = (
                        np.linspace(1, 0, length, dtype=np.float32)[:, None]
                        * np.exp(-(np.linspace(-1.6, 1.6, max(3, int(size * 2)), dtype=np.float32) ** 2))[None]
                    )
                    patch = np.empty((*run.shape, 3), np.float32)
                    patch[:] = (50, 95, 150)
                    lay_at(canvas, patch, run * float(rng.uniform(0.2, 0.7)), bx, by + length / 2)
                shadow = disc(size * 1.15)
                lay_at(
                    canvas,
                    np.full((*shadow.shape, 3), 40, np.float32),
                    shadow * 0.5,
                    bx + size * 0.15,
                    by + size * 0.25,
                )
                patch, mask = bolt(rng, size, rusty=rusty, cap=cap)
                lay_at(canvas, patch, mask, bx, by)


def frame_on(rng: np.random.Generator, canvas: Layer) -> None:
    """A dealer's frame around the sheet: plain, chrome or coloured, with lettering, reaching over its edges. In place."""
    h, w = canvas.shape[:2]
    top, bottom, side = (h * rng.uniform(0.015, 0.07) for _ in range(3))
    if rng.random() < 0.4:
        bottom = h * rng.uniform(0.08, 0.17)
    if rng.random() < 0.15:
        top = h * rng.uniform(0.07, 0.14)
    mask = np.ones((h, w), np.float32)
    hole = rounded_box(max(4, round(h - top - bottom)), max(4, round(w - 2 * side)), h * rng.uniform(0.02, 0.08))
    y0, x0 = round(top), round(side)
    hh, ww = min(hole.shape[0], h - y0), min(hole.shape[1], w - x0)
    mask[y0 : y0 + hh, x0 : x0 + ww] -= hole[:hh, :ww]
    colour = (
        (24, 24, 26),
        (24, 24, 26),
        (40, 40, 42),
        (170, 172, 174),
        (200, 202, 204),
        (40, 36, 180),
        (150, 60, 20),
        (60, 170, 210),
    )[int(rng.integers(8))]
    patch = np.empty((h, w, 3), np.float32)
    patch[:] = colour
    patch += (np.linspace(rng.uniform(0, 45), -15, h, dtype=np.float32))[:, None, None]
    ink = (225, 225, 225) if sum(colour) < 330 else (35, 30, 30)
    for room, y in ((bottom, h - bottom / 2), (top, top / 2)):
        if room > h * 0.07 and rng.random() < 0.85:
            words = (name(rng), brand(rng), phone(rng), f"{brand(rng)} {phone(rng)}")[int(rng.integers(4))]
            line = line_of(
                words,
                max(4, int(room * rng.uniform(0.5, 0.8))),
                font=int(rng.integers(OTHER_FONTS)),
                spacing=rng.uniform(0.05, 0.5),
            )
            words_patch = np.empty((*line.shape, 3), np.float32)
            words_patch[:] = ink
            lay_at(patch, words_patch, line, w / 2, y)
    lay(canvas, np.clip(patch, 0, 255), mask)


def hide_part(rng: np.random.Generator, canvas: Layer) -> None:
    """A cable, a strap, a hook's shadow or a strip of tape across the sheet. In place."""
    h, w = canvas.shape[:2]
    over = np.zeros((h, w), np.float32)
    kind = rng.random()
    if kind < 0.55:
        x = rng.uniform(0.05, 0.95) * w
        points = np.array(
            [
                [x + rng.normal(0, 0.05) * w, -4],
                [x + rng.normal(0, 0.1) * w, h * 0.5],
                [x + rng.normal(0, 0.2) * w, h + 4],
            ]
        )
        t = np.linspace(0, 1, 12)[:, None]
        curve = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * points[1] + t**2 * points[2]
        thick = max(1, round(h * rng.uniform(0.015, 0.05)))
        cv2.polylines(over, [np.round(curve * 16).astype(np.int32)], False, 1.0, thick, cv2.LINE_AA, 4)
        grey = rng.uniform(15, 90)
        lay(canvas, canvas * 0.6, np.roll(over, thick, axis=1) * 0.6)
        lay(canvas, (grey, grey, grey), over)
        return
    tape_w, tape_h = int(w * rng.uniform(0.05, 0.25)), int(h * rng.uniform(0.05, 0.16))
    clear = rng.random() < 0.5
    patch = np.empty((tape_h, max(3, tape_w), 3), np.float32)
    patch[:] = ((205, 220, 225), (190, 200, 200), (60, 60, 60), (120, 180, 205))[int(rng.integers(4))]
    patch += noise(rng, *patch.shape[:2], 5.0)[..., None] * 6
    mask = np.full(patch.shape[:2], 0.35 if clear else rng.uniform(0.8, 1.0), np.float32)
    # Opaque tape keeps off the number's middle: a number that nobody can read teaches nothing.
    y = h * (rng.uniform(0.2, 0.9) if clear else rng.choice([0.2, 0.9]))
    lay_at(canvas, patch, mask, w * rng.uniform(0.1, 0.9), y, degrees=rng.normal(0, 12))


def blossoms_on(rng: np.random.Generator, canvas: Layer, y: float) -> None:
    """The plum blossoms pressed under the number of 2012 plates, pale blue. In place."""
    h, w = canvas.shape[:2]
    radius = h * 0.042
    strength = rng.uniform(0.05, 0.8)
    size = int(radius * 2) * 2 + 3
    flower = np.zeros((size, size), np.float32)
    for k in range(5):
        angle = 2 * np.pi * k / 5 - np.pi / 2
        centre = (size / 2 + radius * 0.55 * np.cos(angle), size / 2 + radius * 0.55 * np.sin(angle))
        cv2.circle(
            flower,
            (int(centre[0] * 16), int(centre[1] * 16)),
            int(radius * 0.42 * 16),
            1.0,
            max(1, round(radius * 0.2)),
            cv2.LINE_AA,
            4,
        )
    patch = np.empty((size, size, 3), np.float32)
    patch[:] = (225, 180, 150) if rng.random() < 0.7 else (195, 195, 195)
    filled = np.maximum(flower, cv2.GaussianBlur(flower, (0, 0), radius * 0.3) * 0.8)
    for x in (0.17, 0.5, 0.83) if w / h < 2.1 else (0.24, 0.5, 0.76):
        # The middle one is only pressed, those beside it are printed as well.
        lay_at(canvas, patch, filled * np.float32(strength * (0.35 if x == 0.5 else 1.0)), w * x, h * y)
