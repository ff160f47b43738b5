"""The way of the drive in metres: a smooth line from a route, places along it, and where other roads cross.

`s_m` runs along the line; `u_m` is sideways, positive to the right of the driver. World axes are metres east (x), north
(y) and up (z) of the route's first point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEP_M = 0.5
_M_PER_DEG = 111_195.0


class Crossing(msgspec.Struct, frozen=True):
    """Another road over the way: where its middle is, how wide it is, whether it has signals."""

    s_m: float
    width_m: float
    name: str
    signals: bool


class Way:
    """A line to drive along. Before its start and after its end it runs on straight."""

    def __init__(self, points: Sequence[tuple[float, float]], names: Sequence[str], *, offset_m: float = 0.0) -> None:
        self.origin = points[0]
        lon0, lat0 = self.origin
        self._squeeze = math.cos(math.radians(lat0)) * _M_PER_DEG
        raw = np.array([((lon - lon0) * self._squeeze, (lat - lat0) * _M_PER_DEG) for lon, lat in points])
        step = np.hypot(*np.diff(raw, axis=0).T)
        along = np.concatenate(([0.0], np.cumsum(step)))
        self.length_m = float(along[-1])
        self._name_ends = along[1:]
        self._names = list(names)
        margin = 220.0  # streets go on beyond both ends of the drive
        grid = np.arange(-margin, self.length_m + margin, _STEP_M)
        first = (raw[1] - raw[0]) / max(step[0], 1e-9)
        last = (raw[-1] - raw[-2]) / max(step[-1], 1e-9)
        x = np.interp(grid, along, raw[:, 0])
        y = np.interp(grid, along, raw[:, 1])
        before, after = grid < 0, grid > self.length_m
        x[before], y[before] = raw[0, 0] + grid[before] * first[0], raw[0, 1] + grid[before] * first[1]
        over = grid[after] - self.length_m
        x[after], y[after] = raw[-1, 0] + over * last[0], raw[-1, 1] + over * last[1]
        kernel = np.hanning(61)
        kernel /= kernel.sum()
        pad = 30
        x = np.convolve(np.pad(x, pad, mode="reflect", reflect_type="odd"), kernel, mode="valid")
        y = np.convolve(np.pad(y, pad, mode="reflect", reflect_type="odd"), kernel, mode="valid")
        self._s0 = float(grid[0])
        tangent = np.arctan2(np.gradient(y), np.gradient(x))
        self._angle = np.unwrap(tangent)
        self._x = x + np.sin(self._angle) * offset_m
        self._y = y - np.cos(self._angle) * offset_m
        self._line = np.column_stack((self._x, self._y, self._angle))

    def _at(self, s_m: Floats | float) -> tuple[Floats, Floats, Floats]:
        spot = np.clip((np.asarray(s_m, dtype=float) - self._s0) / _STEP_M, 0.0, len(self._x) - 1.001)
        index = spot.astype(int)
        share = spot - index
        line = self._line[index] * (1 - share)[..., None] + self._line[index + 1] * share[..., None]
        return line[..., 0], line[..., 1], line[..., 2]

    def world(self, s_m: Floats | float, u_m: Floats | float) -> Floats:
        """Ground points (N, 2) in world metres of places along and beside the way."""
        x, y, angle = self._at(s_m)
        u = np.asarray(u_m, dtype=float)
        right, ahead = x + np.sin(angle) * u, y - np.cos(angle) * u
        out = np.empty((*right.shape, 2))
        out[..., 0], out[..., 1] = right, ahead
        return out

    def angle(self, s_m: float) -> float:
        """Direction of travel, radians from east, anticlockwise."""
        return float(self._at(s_m)[2])

    def lonlat(self, s_m: float) -> tuple[float, float]:
        """Longitude and latitude of a place on the way."""
        x, y, _ = self._at(s_m)
        return self.origin[0] + float(x) / self._squeeze, self.origin[1] + float(y) / _M_PER_DEG

    def heading_deg(self, s_m: float) -> float:
        """Compass heading, clockwise from north."""
        return (90.0 - math.degrees(self.angle(s_m))) % 360.0

    def name(self, s_m: float) -> str:
        """The road's name at a place."""
        return self._names[min(int(np.searchsorted(self._name_ends, s_m)), len(self._names) - 1)]
