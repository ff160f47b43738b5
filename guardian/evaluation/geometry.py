"""Quadrangles of plates compared: overlap of their upright boxes, height, distance of their corners."""

from __future__ import annotations

import math
from collections.abc import Sequence

from guardian.domain.read import Corners

Quad = Corners | Sequence[Sequence[float]]


def box_of(quad: Quad) -> tuple[float, float, float, float]:
    """The upright box around a quadrangle: left, top, right, bottom."""
    xs, ys = [float(p[0]) for p in quad], [float(p[1]) for p in quad]
    return min(xs), min(ys), max(xs), max(ys)


def iou(a: Quad, b: Quad) -> float:
    """Intersection over union of the upright boxes of two quadrangles, 0 to 1; 0 where both are empty."""
    ax0, ay0, ax1, ay1 = box_of(a)
    bx0, by0, bx1, by1 = box_of(b)
    shared = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    joined = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared
    return shared / joined if joined > 0 else 0.0


def height_of(quad: Quad) -> float:
    """Height of a plate in px: the mean of its left and right side."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    return (math.hypot(ax - dx, ay - dy) + math.hypot(bx - cx, by - cy)) / 2


def corner_error(found: Quad, labelled: Quad) -> float:
    """Mean distance of the four corners in shares of the labelled plate's height."""
    apart = [
        math.hypot(float(p[0]) - float(q[0]), float(p[1]) - float(q[1])) for p, q in zip(found, labelled, strict=True)
    ]
    return sum(apart) / 4 / max(1e-6, height_of(labelled))
