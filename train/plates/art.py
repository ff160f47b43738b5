"""A whole plate, drawn: sheet, rim, legend, pressed characters, and what sticks to, holds, hides and wears them."""

from __future__ import annotations

import math

import cv2
import msgspec
import numpy as np

from train.plates import fittings, stickers, wear
from train.plates.fonts import OTHER_FONTS, line_of, other_glyph
from train.plates.glyphs import CELL, PRESSES, glyph
from train.plates.layers import Layer, lay, noise, rounded_box
from train.plates.model import Mask, RenderedPlate
from train.plates.styles import PLACES, STYLES, PlateStyle
from train.plates.text import dash_on, draw_layout, series_for

OTHER_FONT_SHARE = 0.18
"""Plates drawn in a font that is not ours, so that the reader learns characters and not our strokes."""


class _Line(msgspec.Struct):
    """The line of characters, laid out."""

    ink: Mask
    middles: list[float]
    box: tuple[float, float, float, float]
    height_px: float


def style_for(rng: np.random.Generator, vehicle: str | None, text: str | None) -> str:
    """A style by its share, among those that this vehicle wears and that carry this number (any where none carries it)."""
    names = [n for n, s in STYLES.items() if vehicle is None or vehicle in s.vehicles]
    if not names:
        raise ValueError(f"no plate style for vehicle {vehicle!r}")
    if text is not None:
        bare = text.upper().replace("-", "")
        carrying = [n for n in names if (dash := dash_on(n, bare)) is not None and text.find("-") in (-1, dash)]
        names = carrying or names
    shares = np.array([STYLES[n].share for n in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def _layout_for(text: str, style: str) -> str:
    """A given number as this style prints it, else as its likeliest series does; a dash that is given stays."""
    text = text.upper()
    if "-" in text:
        return text
    dash = dash_on(style, text)
    if dash is None:
        dash = series_for(text).dash_after
    return f"{text[:dash]}-{text[dash:]}"


def _line(rng: np.random.Generator, layout: str, style: PlateStyle, h: int, w: int) -> _Line:
    """Lay the characters in their cells, centred, squeezed where they would not fit."""
    high = h * style.height * rng.uniform(0.94, 1.06)
    cell = high * style.cell * rng.uniform(0.93, 1.07)
    gap = high * style.gap * rng.uniform(0.6, 1.4)
    dash = high * style.dash * rng.uniform(0.8, 1.2)
    text = layout.replace("-", "")
    dashed = "-" in layout
    total = len(text) * cell + (len(text) - 1 - dashed) * gap + dashed * dash
    limit = w * rng.uniform(0.915, 0.97)
    if total > limit:
        squeeze = limit / total
        cell, gap, dash, total = cell * squeeze, gap * squeeze, dash * squeeze, limit
    x = (w - total) / 2 + rng.normal(0, 0.006) * w
    top = style.middle * h - high / 2 + rng.normal(0, 0.008) * h
    number = int(rng.integers(PRESSES))
    font = int(rng.integers(OTHER_FONTS)) if rng.random() < OTHER_FONT_SHARE else None
    ink = np.zeros((h, w), np.float32)
    left, middles = x, []
    wanted = (max(3, round(cell)), max(4, round(high)))
    for sign in layout:
        if sign == "-":
            thick = high * rng.uniform(0.095, 0.13)
            wide = thick * (rng.uniform(0.9, 1.4) if style.generation == 2012 else rng.uniform(1.0, 1.6))
            wide = min(wide, dash * 0.5)
            centre = (x - gap + dash / 2, top + high * rng.uniform(0.46, 0.52))
            a = (int((centre[0] - wide / 2) * 16), int((centre[1] - thick / 2) * 16))
            b = (int((centre[0] + wide / 2) * 16), int((centre[1] + thick / 2) * 16))
            corners = np.array([a, (b[0], a[1]), b, (a[0], b[1])], np.int32).reshape(-1, 1, 2)
            cv2.fillConvexPoly(ink, corners, 1.0, cv2.LINE_AA, 4)
            x += dash - gap
            continue
        shape = glyph(sign, style.generation, number) if font is None else other_glyph(sign, font, *CELL)
        part = cv2.resize(shape, wanted, interpolation=cv2.INTER_AREA)
        x0, y0 = round(x), round(top + rng.normal(0, 0.004) * h)
        x0, y0 = min(max(0, x0), w - wanted[0]), min(max(0, y0), h - wanted[1])
        np.maximum(
            ink[y0 : y0 + wanted[1], x0 : x0 + wanted[0]], part, out=ink[y0 : y0 + wanted[1], x0 : x0 + wanted[0]]
        )
        middles.append((x0 + wanted[0] / 2) / w)
        x += cell + gap
    box = (left / w, top / h, (left + total) / w, (top + high) / h)
    return _Line(ink, middles, box, high)


def _legend(rng: np.random.Generator, words: str, h: int, w: int) -> Mask:
    size = max(4, int(h * rng.uniform(0.135, 0.185)))
    line = line_of(words, size, spacing=rng.uniform(0.25, 0.95))
    out = np.zeros((h, w), np.float32)
    x, y = (w - line.shape[1]) // 2 + int(rng.normal(0, 0.01) * w), int(h * rng.uniform(0.055, 0.11))
    x = max(0, x)
    wide = min(line.shape[1], w - x)
    out[y : y + size, x : x + wide] = line[:, :wide]
    return out


class _Shape(msgspec.Struct):
    """Where the sheet is, and what lies inside its rim."""

    outline: Mask
    inner: Mask


def _sheet(rng: np.random.Generator, sort: PlateStyle, h: int, w: int) -> tuple[Layer, _Shape]:
    """The bare sheet in its colour, and its shape."""
    face = np.array(sort.face, np.float32) * rng.uniform(0.93, 1.03) + rng.normal(0, 4, 3)
    if sort.face[0] > 200 and rng.random() < 0.15:  # old white turns yellow or grey
        face = face * np.array((rng.uniform(0.8, 0.97), rng.uniform(0.92, 0.99), 1.0))
    canvas: Layer = np.empty((h, w, 3), np.float32)
    canvas[:] = face
    canvas += noise(rng, h, w, h / 3)[..., None] * rng.uniform(0, 3.5)
    if sort.blossoms and rng.random() < 0.8:
        fittings.blossoms_on(rng, canvas, rng.uniform(0.86, 0.9))
    radius = h * rng.uniform(0.055, 0.12)
    return canvas, _Shape(rounded_box(h, w, radius), rounded_box(h, w, radius, inset=h * rng.uniform(0.02, 0.045)))


def _stamp(rng: np.random.Generator, canvas: Layer, sort: PlateStyle, line: _Line, shape: _Shape) -> bool:
    """Press and ink legend and characters, as worn as they may be. In place; whether the ink is worn."""
    h, w = canvas.shape[:2]
    stroke = line.height_px * 0.125
    words = sort.legend
    if words == "place":
        words = PLACES[int(rng.integers(len(PLACES)))]
    raised = line.ink
    if words:
        raised = np.maximum(raised, _legend(rng, words, h, w) * rng.uniform(0.75, 1.0))

    # The press raises characters and rim; light from one side shows it. The stamped shoulder is wider than the inked
    # top: a ring of light and shade around every stroke.
    shoulder = cv2.GaussianBlur(raised, (0, 0), max(0.6, stroke * rng.uniform(0.12, 0.26)))
    shoulder = np.minimum(shoulder * rng.uniform(1.3, 2.2), 1)
    relief = cv2.GaussianBlur(shoulder - shape.inner * rng.uniform(0.5, 2.2), (0, 0), 0.7)
    angle = rng.uniform(0, 2 * math.pi)
    shade = cv2.Sobel(relief, cv2.CV_32F, 1, 0) * math.cos(angle) + cv2.Sobel(relief, cv2.CV_32F, 0, 1) * math.sin(
        angle
    )

    worn = rng.random() < (0.34 if sort.generation == 1992 else 0.16)
    ink = wear.worn_ink(rng, raised, rng.uniform(0.05, 0.88), stroke) if worn else raised
    colour = np.array(sort.ink, np.float32) + rng.normal(0, 6, 3)
    if sum(sort.ink) < 200 and rng.random() < 0.22:  # black bleaches to a brownish grey
        colour = colour + (np.array((98, 104, 112)) - colour) * rng.uniform(0.15, 0.95)
    if rng.random() < 0.5:  # an inked roller misses or overruns the edges
        ink = cv2.GaussianBlur(ink, (0, 0), max(0.4, stroke * rng.uniform(0.03, 0.1)))
        ink = np.clip(ink * rng.uniform(1.0, 1.5) - rng.uniform(0, 0.12), 0, 1)
    lay(canvas, colour, ink)
    # Dull light leaves nearly no relief; low sun on a shiny sheet draws every edge.
    depth = rng.uniform(2, 16) if rng.random() < 0.7 else rng.uniform(12, 34)
    canvas += (shade * (1 - 0.65 * ink) * depth)[..., None]
    return worn


def _dress(
    rng: np.random.Generator, canvas: Layer, sort: PlateStyle, layout: str, line: _Line, *, moto: bool, worn: bool
) -> None:
    """What holds, hides, dirties and decorates the sheet, in the order in which it lies upon it. In place."""
    if rng.random() < (0.5 if worn else 0.15):
        wear.scratch(rng, canvas, int(rng.integers(1, 9)))
    if rng.random() < 0.035:
        wear.rust(rng, canvas)
    if rng.random() < 0.96:
        fittings.bolt_on(rng, canvas, lower=sort.lower_holes)
    if rng.random() < (0.85 if moto else 0.35):
        stickers.stick_on(rng, canvas, layout, below=line.box[3], amount=1.0 if moto else 0.45)
    if rng.random() < 0.45:
        wear.soil(rng, canvas, rng.uniform(0.05, 0.75) ** 1.3)
    if rng.random() < 0.035:
        wear.mud(rng, canvas)
    if rng.random() < 0.035:
        fittings.hide_part(rng, canvas)
    if rng.random() < (0.12 if moto else 0.18):
        fittings.frame_on(rng, canvas)


def draw_plate(
    rng: np.random.Generator, *, vehicle: str | None = None, style: str | None = None, text: str | None = None
) -> RenderedPlate:
    """Draw one plate; the same state of `rng` gives the same bytes.

    Args:
        rng: the only source of chance.
        vehicle: "car", "motorcycle", "truck" or "bus"; any where None.
        style: a name of `STYLES`; drawn by its share where None.
        text: the number, with or without dash; drawn to fit the style where None.

    Raises:
        ValueError: no style for this vehicle, or no series prints this text.
        KeyError: no such style.
    """
    name = style if style is not None else style_for(rng, vehicle, text)
    sort = STYLES[name]
    layout = draw_layout(rng, name) if text is None else _layout_for(text, name)
    series = series_for(layout)
    kinds = sort.vehicles
    wearer = vehicle if vehicle is not None else kinds[int(rng.integers(len(kinds)))]
    density = rng.uniform(6.5, 9.0) * (1.25 if sort.height_cm < 15 else 1.0)
    h, w = round(sort.height_cm * density), round(sort.width_cm * density)

    canvas, face_shape = _sheet(rng, sort, h, w)
    line = _line(rng, layout, sort, h, w)
    worn = _stamp(rng, canvas, sort, line, face_shape)
    moto = "motorcycle" in kinds
    alpha = face_shape.outline
    _dress(rng, canvas, sort, layout, line, moto=moto, worn=worn)
    if rng.random() < 0.3:
        canvas, alpha = wear.bend(rng, canvas, alpha)

    picture = np.empty((h, w, 4), np.uint8)
    picture[..., :3] = np.clip(canvas, 0, 255)
    picture[..., 3] = alpha * 255
    return RenderedPlate(
        picture=picture,
        text=layout.replace("-", ""),
        layout=layout,
        series=series.id,
        style=name,
        vehicle=wearer,
        width_cm=sort.width_cm,
        height_cm=sort.height_cm,
        middles=tuple(line.middles),
        number_box=line.box,
    )
