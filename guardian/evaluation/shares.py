"""A share that was counted, and how far it can be trusted."""

from __future__ import annotations

import math

import msgspec

Z_95 = 1.959964
"""The normal distribution's 97.5 % point: 2.5 % are left out at either side."""


def wilson(right: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """95 % interval of a share; the whole of 0 to 1 where nothing was counted. Source: Wilson, JASA 22 (1927), 209-212."""
    if of == 0:
        return 0.0, 1.0
    p = right / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


class Share(msgspec.Struct, frozen=True):
    """So many of so many, with the share and its 95 % interval (Wilson). `share` is None where nothing was counted."""

    right: int
    of: int
    share: float | None
    low: float
    high: float


def share_of(right: int, of: int) -> Share:
    """Count a share."""
    low, high = wilson(right, of)
    return Share(right, of, round(right / of, 6) if of else None, round(low, 6), round(high, 6))
