"""Where each character of a plate stands in its picture, so that a person can hold picture, reading and entry together.

A reader gives the middle of each character along the crop that it saw. From the middles come edges (half the pitch to
each side, never beyond the middle between two neighbours), and from the reader's crop they are carried over to the
picture that a read keeps: both are cut from quadrangles of the same frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

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
    places = [
        i + OVER_THE_DASH * (dash_after is not None and i >= dash_after) + (hole is not None and i >= hole)
        for i in range(len(middles))
    ]
    # The line through them by least squares.
    place, middle = sum(places) / len(places), sum(middles) / len(middles)
    pitch = sum((p - place) * (m - middle) for p, m in zip(places, middles, strict=True)) / sum(
        (p - place) ** 2 for p in places
    )
    even = tuple(middle + pitch * (p - place) for p in places)
    off = max(abs(a - b) for a, b in zip(even, middles, strict=True))
    return even if off < pitch / 2 else tuple(map(float, middles))


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
    (x0, y0), (x1, y1) = _middle_line(from_corners)
    (left_x, left_y), (right_x, right_y) = _middle_line(to_corners)
    axis_x, axis_y = right_x - left_x, right_y - left_y
    length2 = axis_x * axis_x + axis_y * axis_y
    if length2 < 1.0:
        return ()

    def moved(share: float) -> float:
        x, y = x0 + share * (x1 - x0) - left_x, y0 + share * (y1 - y0) - left_y
        return round((x * axis_x + y * axis_y) / length2, 4)

    return tuple((moved(left), moved(right)) for left, right in spans)


def _middle_line(corners: Corners) -> tuple[tuple[float, float], tuple[float, float]]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    return ((ax + dx) / 2, (ay + dy) / 2), ((bx + cx) / 2, (by + cy) / 2)
