"""Where each character of a plate stands in its picture, so that a person can hold picture, reading and entry together.

A reader gives the middle of each character along the crop that it saw. From the middles come edges (half the pitch to
each side, never beyond the middle between two neighbours), and from the reader's crop they are carried over to the
picture that a read keeps: both are cut from quadrangles of the same frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from guardian.domain.read import Corners

Span = tuple[float, float]
"""Left and right edge of a character, in shares of a quadrangle's width; outside 0 to 1 where it stands beyond the sides."""


OVER_THE_DASH = 0.31
"""How much wider than a pitch the step over the dash is, in pitches: 70 real training plates of four layouts, 0.29 to 0.33."""


def evened(middles: Sequence[float], dash_after: int | None, hole: int | None = None) -> tuple[float, ...]:
    """The middles as an evenly lettered plate has them: `start + pitch * place`, with a wider step over the dash.

    A reader's own steps are coarse, three quarters of a character. On 71 real training plates the distance to the ink's
    middle falls from 0.10 to 0.07 of a pitch (standard deviation). `hole` is the place before which a character is
    missing. Middles that do not lie like that (one is off by half a character) stay as they are.
    """
    seen = np.asarray(middles, dtype=np.float64)
    places = np.arange(len(seen), dtype=np.float64)
    if dash_after is not None:
        places[dash_after:] += OVER_THE_DASH
    if hole is not None:
        places[hole:] += 1
    pitch, start = np.polyfit(places, seen, 1)
    even = start + pitch * places
    return tuple(map(float, even if np.abs(even - seen).max() < pitch / 2 else seen))


def spans_of(middles: Sequence[float], dash_after: int | None = None, hole: int | None = None) -> tuple[Span, ...]:
    """Edges of characters from their middles; none where these are not in order (a reader that gives no places).

    The pitch is the median distance of neighbours: one distance of six is wider, over the dash.
    """
    if len(middles) < 2 or any(b <= a for a, b in itertools.pairwise(middles)):
        return ()
    middles = evened(middles, dash_after, hole)
    steps = [b - a for a, b in itertools.pairwise(middles)]
    half = sorted(steps)[(len(steps) - 1) // 2] / 2
    out: list[Span] = []
    for i, middle in enumerate(middles):
        left = max(middle - half, (middles[i - 1] + middle) / 2) if i else middle - half
        right = min(middle + half, (middle + middles[i + 1]) / 2) if i + 1 < len(middles) else middle + half
        out.append((left, right))
    return tuple(out)


def carried(spans: Sequence[Span], from_corners: Corners, to_corners: Corners) -> tuple[Span, ...]:
    """The same spans in shares of another quadrangle of the same frame.

    Both are seen along the line half way between top and bottom, where characters stand; for quadrangles that were grown
    from one another this is exact but for the perspective inside one plate's width, well below a pixel.
    """
    start, end = _middle_line(from_corners)
    other_start, other_end = _middle_line(to_corners)
    axis = other_end - other_start
    length2 = float(axis @ axis)
    if length2 < 1.0:
        return ()

    def moved(share: float) -> float:
        return round(float((start + share * (end - start) - other_start) @ axis) / length2, 4)

    return tuple((moved(left), moved(right)) for left, right in spans)


def _middle_line(corners: Corners) -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = np.asarray(corners, dtype=np.float64)
    return (a + d) / 2, (b + c) / 2
