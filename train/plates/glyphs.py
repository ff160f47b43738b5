"""The characters of both generations of plates, drawn by us as strokes with parameters.

No glyph is copied: each is a few strokes in a unit box, with rounded corners, drawn for a cell of any size by a `Press`
(stroke weight, corner radius, roundness of the ends). Presses differ from plate to plate as the authority's contractors
do, so that a reader learns the character and not one press. Proportions are measured by eye on training pictures:
stroke 0.10-0.14 of the height, cell 0.45-0.48 of it; in 2012 the 1 is a bare bar, M and W are squeezed into the same
cell, 6 and 9 have a slanting stem; in 1992 the 1 has a flag, I has serifs, 6 and 9 end in a round hook.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from train.plates.model import Mask

_OVER = 3
"""Glyphs are drawn this much larger and averaged down."""
_SHIFT = 4

Point = tuple[float, float] | tuple[float, float, float]
Stroke = tuple[bool, tuple[Point, ...]]
"""Closed or not, and its points: x, y in the box of the stroke's middle line, and how round the corner is (0 to 1)."""


class Press(msgspec.Struct, frozen=True):
    """One way of stamping characters.

    Attributes:
        generation: 1992 or 2012.
        weight: stroke width in shares of the character's height.
        radius: roundness of corners, in half widths of the cell.
        soft: rounding of every edge and end, in stroke widths.
        slant: how far tops lean to the right, in shares of the height.
        vee: where the middle of the M ends, 0 (top) to 1 (bottom).
        waist: where the middles of B, E, R and so on lie.
        stem: how far the stem of 6 and 9 reaches over.
        hook: length of the hooks of C, G, J, S, 2, 3, 5, as a share of the height.
        foot: where the 7 stands.
        peak: where the middle of the W ends.
        round: whether 6 and 9 have a round hook rather than a slanting stem.
        flag: whether the 1 has a flag.
    """

    generation: int
    weight: float
    radius: float
    soft: float
    slant: float
    vee: float
    waist: float
    stem: float
    hook: float
    foot: float
    peak: float
    round: bool
    flag: bool


def draw_press(rng: np.random.Generator, generation: int) -> Press:
    """A press of one generation, each measure within what real plates show."""
    new = generation == 2012
    u = rng.random(12)
    return Press(
        generation=generation,
        weight=float(0.1 + 0.04 * u[0]),
        radius=float(0.78 + 0.22 * u[1]),
        soft=float(0.03 + 0.15 * u[2]),
        slant=float((u[3] - 0.5) * 0.02),
        vee=float(0.5 + 0.24 * u[4]),
        waist=float(0.455 + 0.05 * u[5]),
        stem=float(0.62 + 0.3 * u[6]),
        hook=float(0.17 + 0.1 * u[7]),
        foot=float(0.2 + 0.2 * u[8]),
        peak=float(0.2 + 0.25 * u[10]),
        round=bool(u[11] < (0.12 if new else 0.85)),
        flag=bool(u[9] < (0.1 if new else 0.93)),
    )


def strokes_of(sign: str, press: Press) -> tuple[Stroke, ...]:
    """The strokes of one character A-Z or 0-9; an empty tuple for any other."""
    w, hook, vee = press.waist, press.hook, press.vee
    stem: tuple[Point, ...] = ((press.stem, 0), (0.0, w + 0.02, 0.9), (0, 0.78))
    if press.round:
        stem = ((1, hook), (1, 0, 1), (0, 0, 1), (0, 0.78))
    six = ((True, ((0, w - 0.08, 1), (1, w - 0.08, 1), (1, 1, 1), (0, 1, 1))), (False, stem))
    nine = tuple((c, tuple((1 - p[0], 1 - p[1], *p[2:]) for p in pts)) for c, pts in six)
    one: tuple[Stroke, ...] = ((False, ((0.5, 0), (0.5, 1))),)
    if press.flag:
        one = (*one, (False, ((0.5, 0.015), (0.1, 0.17))))
    bowl = ((0, 0, 0), (1, 0, 1), (1, w + 0.06, 1), (0, w + 0.06, 0))
    table: dict[str, tuple[Stroke, ...]] = {
        "0": ((True, ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))),),
        "1": one,
        "2": ((False, ((0, hook), (0, 0, 1), (1, 0, 1), (1, w - 0.02, 0.8), (0, 1, 0), (1, 1))),),
        "3": (
            (False, ((0, hook), (0, 0, 1), (1, 0, 1), (1, w, 1), (0.38, w))),
            (False, ((0.38, w), (1, w, 1), (1, 1, 1), (0, 1, 1), (0, 1 - hook))),
        ),
        "4": ((False, ((0.74, 1), (0.74, 0, 0), (0, 0.72, 0), (1, 0.72))),),
        "5": ((False, ((0.95, 0), (0.06, 0, 0), (0.03, w - 0.03, 0.1), (1, w - 0.07, 1), (1, 1, 1), (0, 1, 1), (0, 1 - hook))),),
        "6": six,
        "7": ((False, ((0, 0), (1, 0, 0), (press.foot, 1))),),
        "8": (
            (True, ((0.05, 0, 1), (0.95, 0, 1), (0.95, w, 1), (0.05, w, 1))),
            (True, ((0, w, 1), (1, w, 1), (1, 1, 1), (0, 1, 1))),
        ),
        "9": nine,
        "A": ((False, ((0, 1), (0.5, 0, 0), (1, 1))), (False, ((0.17, 0.7), (0.83, 0.7)))),
        "B": (
            (True, ((0, 0, 0), (0.94, 0, 1), (0.94, w, 1), (0, w, 0))),
            (True, ((0, w, 0), (1, w, 1), (1, 1, 1), (0, 1, 0))),
        ),
        "C": ((False, ((1, hook + 0.05), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 0.95 - hook))),),
        "D": ((True, ((0, 0, 0), (1, 0, 1), (1, 1, 1), (0, 1, 0))),),
        "E": ((False, ((1, 0), (0, 0, 0), (0, 1, 0), (1, 1))), (False, ((0, w), (0.86, w)))),
        "F": ((False, ((1, 0), (0, 0, 0), (0, 1))), (False, ((0, w), (0.84, w)))),
        "G": ((False, ((1, hook + 0.05), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, w + 0.08, 0), (0.52, w + 0.08))),),
        "H": ((False, ((0, 0), (0, 1))), (False, ((1, 0), (1, 1))), (False, ((0, w), (1, w)))),
        "I": ((False, ((0.5, 0), (0.5, 1))), (False, ((0.1, 0), (0.9, 0))), (False, ((0.1, 1), (0.9, 1)))),
        "J": ((False, ((1, 0), (1, 1, 1), (0, 1, 1), (0, 0.95 - hook))),),
        "K": ((False, ((0, 0), (0, 1))), (False, ((1, 0), (0.02, w + 0.14))), (False, ((0.33, w - 0.02), (1, 1)))),
        "L": ((False, ((0, 0), (0, 1, 0), (1, 1))),),
        "M": ((False, ((0, 1), (0, 0, 0), (0.5, vee, 0), (1, 0, 0), (1, 1))),),
        "N": ((False, ((0, 1), (0, 0, 0), (1, 1, 0), (1, 0))),),
        "O": ((True, ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))),),
        "P": ((False, ((0, 1), *bowl)),),
        "Q": ((True, ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))), (False, ((0.36, 0.64), (1.04, 1.04)))),
        "R": ((False, ((0, 1), *bowl)), (False, ((0.45, w + 0.06), (1, 1)))),
        "S": ((False, ((1, hook), (1, 0, 1), (0, 0, 1), (0, w, 1), (1, w + 0.03, 1), (1, 1, 1), (0, 1, 1), (0, 1 - hook))),),
        "T": ((False, ((0, 0), (1, 0))), (False, ((0.5, 0), (0.5, 1)))),
        "U": ((False, ((0, 0), (0, 1, 1), (1, 1, 1), (1, 0))),),
        "V": ((False, ((0, 0), (0.5, 1, 0), (1, 0))),),
        "W": ((False, ((0, 0), (0.14, 1, 0), (0.5, press.peak, 0), (0.86, 1, 0), (1, 0))),),
        "X": ((False, ((0, 0), (1, 1))), (False, ((1, 0), (0, 1)))),
        "Y": ((False, ((0, 0), (0.5, w + 0.05, 0), (1, 0))), (False, ((0.5, w), (0.5, 1)))),
        "Z": ((False, ((0, 0), (1, 0, 0), (0, 1, 0), (1, 1))),),
    }  # fmt: skip
    return table.get(sign, ())


_LIGHTER = {
    "M": 0.84,
    "W": 0.84,
    "N": 0.94,
    "B": 0.95,
    "8": 0.95,
    "R": 0.97,
    "K": 0.97,
    "X": 0.97,
    "A": 0.88,
    "Q": 0.95,
}
"""Characters with much in a narrow cell are struck thinner."""


def _rounded(points: NDArray[np.float64], roundness: list[float], closed: bool, radius: float) -> NDArray[np.float64]:
    """The points with their corners replaced by arcs (quadratic curves) of at most `radius`."""
    n = len(points)
    out: list[NDArray[Any]] = []
    for i in range(n):
        if not closed and i in (0, n - 1):
            out.append(points[i][None])
            continue
        r = roundness[i] * radius
        before, here, after = points[i - 1], points[i], points[(i + 1) % n]
        a, b = before - here, after - here
        la, lb = float(np.hypot(*a)), float(np.hypot(*b))
        # Half a side belongs to either corner, unless the other end of the side is the stroke's own end.
        reach_a = la * (0.92 if not closed and i == 1 else 0.5)
        reach_b = lb * (0.92 if not closed and i == n - 2 else 0.5)
        r = min(r, reach_a, reach_b)
        if r < 1.0:
            out.append(here[None])
            continue
        start, end = here + a / la * r, here + b / lb * r
        t = _ARC[:, None]
        # A cubic with 0.55 handles is a quarter circle where the corner is square.
        h1, h2 = start + (here - start) * 0.55, end + (here - end) * 0.55
        out.append((1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * h1 + 3 * (1 - t) * t**2 * h2 + t**3 * end)
    return np.concatenate(out)


_ARC = np.linspace(0.0, 1.0, 9)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)


def _end(
    canvas: NDArray[np.uint8], tip: NDArray[np.float64], inner: NDArray[np.float64], width: float, unit: Point
) -> None:
    """One straight end of a stroke: cut square, and carried to the cell's border where it starts on it."""
    along = tip - inner
    length = float(np.hypot(*along)) or 1.0
    along = along / length
    upright = abs(along[1]) >= abs(along[0])
    at_border = unit[1] in (0, 1) if upright else unit[0] in (0, 1)
    far = tip + along * (width * 0.9 if at_border else 0.0)
    side = np.array([-along[1], along[0]]) * (width / 2)
    cv2.fillConvexPoly(
        canvas, _fixed(np.stack([inner + side, far + side, far - side, inner - side])), 255, cv2.LINE_AA, _SHIFT
    )


def stamp(sign: str, press: Press, width_px: int, height_px: int) -> Mask:
    """One character's ink.

    Returns:
        (height_px, width_px) float32, 0 to 1.

    Raises:
        KeyError: the sign is none of A-Z and 0-9.
    """
    strokes = strokes_of(sign, press)
    if not strokes:
        raise KeyError(sign)
    w, h = width_px * _OVER, height_px * _OVER
    weight = max(2.0, press.weight * h * _LIGHTER.get(sign, 1.0))
    canvas = np.zeros((h, w), np.uint8)
    box = np.array([w - weight, h - weight])
    for closed, points in strokes:
        middle = np.array([p[:2] for p in points], np.float64) * box + weight / 2 - 0.5
        middle[:, 0] += (0.5 - middle[:, 1] / h) * press.slant * h
        roundness = [p[2] if len(p) == 3 else 0.0 for p in points]
        line = _rounded(middle, roundness, closed, press.radius * box[0] / 2)
        thick = max(1, round(weight))
        if closed:
            cv2.polylines(canvas, [_fixed(line)], True, 255, thick, cv2.LINE_AA, _SHIFT)
            continue
        if len(line) > 3:
            cv2.polylines(canvas, [_fixed(line[1:-1])], False, 255, thick, cv2.LINE_AA, _SHIFT)
        elif len(line) == 3:
            cv2.circle(
                canvas,
                tuple(int(v) for v in _fixed(line[1:2]).ravel()),
                int(weight / 2 * 16),
                255,
                -1,
                cv2.LINE_AA,
                _SHIFT,
            )
        _end(canvas, line[0], line[1], weight, points[0])
        _end(canvas, line[-1], line[-2], weight, points[-1])
    sigma = press.soft * weight
    if sigma > 0.6:
        padded = cv2.copyMakeBorder(canvas, 8, 8, 8, 8, cv2.BORDER_CONSTANT, value=0)
        soft = cv2.GaussianBlur(padded, (0, 0), sigma)[8:-8, 8:-8]
        canvas = np.clip((soft.astype(np.float32) - 100) * 5, 0, 255).astype(np.uint8)
    small = cv2.resize(canvas, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255.0


PRESSES = 64
"""Presses of each generation: enough that none can be learnt by heart, few enough that their characters stay cached."""
CELL = (46, 96)
"""Width and height in px of a cached character."""


@lru_cache(maxsize=2 * PRESSES)
def press_of(generation: int, number: int) -> Press:
    """One of the `PRESSES` of a generation; always the same for a number."""
    return draw_press(np.random.default_rng([generation, number]), generation)


@lru_cache(maxsize=2 * PRESSES * 36)
def glyph(sign: str, generation: int, number: int) -> Mask:
    """One character of one press in a cell of `CELL` px; shared, not to be written to."""
    return stamp(sign, press_of(generation, number), *CELL)
