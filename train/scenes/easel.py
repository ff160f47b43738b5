"""A canvas in centimetres, to paint flat pictures of vehicles on, and the simple shapes for it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.plates.layers import noise
from train.scenes.model import Picture, Rng

_PX_PER_CM = 4.5
Points = list[tuple[float, float]]


class Easel:
    """A canvas in centimetres."""

    def __init__(self, width_cm: float, height_cm: float) -> None:
        self.width, self.height = width_cm, height_cm
        self.w, self.h = round(width_cm * _PX_PER_CM), round(height_cm * _PX_PER_CM)
        self.ink: NDArray[Any] = np.zeros((self.h, self.w, 3), np.float32)
        self.alpha = np.zeros((self.h, self.w), np.uint8)

    def points(self, points: Points) -> NDArray[Any]:
        return np.round(np.asarray(points, np.float64) * _PX_PER_CM * 16).astype(np.int32)

    def mask(self, points: Points, soft_cm: float = 0.0) -> NDArray[Any]:
        out: NDArray[Any] = np.zeros((self.h, self.w), np.uint8)
        cv2.fillPoly(out, [self.points(points)], 255, cv2.LINE_AA, 4)
        if soft_cm:
            out = cv2.GaussianBlur(out, (0, 0), soft_cm * _PX_PER_CM)
        return out

    def fill(self, points: Any, colour: Any, soft_cm: float = 0.0, share: float = 1.0, *, body: bool = True) -> None:
        """A soft-edged polygon; as part of the body it covers what is behind the vehicle."""
        low, high = np.min(points, axis=0) - soft_cm * 3, np.max(points, axis=0) + soft_cm * 3
        x0, y0 = np.maximum(0, np.floor(low * _PX_PER_CM).astype(int) - 1)
        x1, y1 = np.minimum((self.w, self.h), np.ceil(high * _PX_PER_CM).astype(int) + 2)
        if x1 <= x0 or y1 <= y0:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [self.points(points) - np.asarray((x0 * 16, y0 * 16), np.int32)], 255, cv2.LINE_AA, 4)
        if soft_cm:
            mask = cv2.GaussianBlur(mask, (0, 0), soft_cm * _PX_PER_CM)
        part = mask[..., None].astype(np.float32) * (share / 255)
        view = self.ink[y0:y1, x0:x1]
        view += (np.asarray(colour, np.float32) - view) * part
        if body:
            np.maximum(self.alpha[y0:y1, x0:x1], mask, out=self.alpha[y0:y1, x0:x1])

    def line(self, points: Points, colour: Any, width_cm: float, share: float = 1.0) -> None:
        mask = np.zeros((self.h, self.w), np.uint8)
        cv2.polylines(mask, [self.points(points)], False, 255, max(1, round(width_cm * _PX_PER_CM)), cv2.LINE_AA, 4)
        part = mask[..., None].astype(np.float32) * (share / 255)
        self.ink += (np.asarray(colour, np.float32) - self.ink) * part

    def shade(self, y0: float, y1: float, gain0: float, gain1: float) -> None:
        """Light that changes from one height to another."""
        a, b = int(np.clip(y0 * _PX_PER_CM, 0, self.h)), int(np.clip(y1 * _PX_PER_CM, 0, self.h))
        if b > a:
            self.ink[a:b] *= np.linspace(gain0, gain1, b - a, dtype=np.float32)[:, None, None]

    def put(self, art: Picture, x: float, y: float, width_cm: float) -> None:
        """BGRA art with its middle at x, y."""
        w = max(2, round(width_cm * _PX_PER_CM))
        h = max(2, round(w * art.shape[0] / art.shape[1]))
        small = cv2.resize(art, (w, h), interpolation=cv2.INTER_AREA)
        left, top = round(x * _PX_PER_CM - w / 2), round(y * _PX_PER_CM - h / 2)
        x0, y0, x1, y1 = max(0, left), max(0, top), min(self.w, left + w), min(self.h, top + h)
        if x1 <= x0 or y1 <= y0:
            return
        cut = small[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
        part = cut[..., 3:] / 255 * (self.alpha[y0:y1, x0:x1, None] > 0)
        view = self.ink[y0:y1, x0:x1]
        view += (cut[..., :3] - view) * part

    def done(self, rng: Rng) -> Picture:
        self.ink *= (1 + 0.035 * noise(rng, self.h, self.w, self.w / 7))[..., None]
        # Sky, houses and trees lie mirrored on the upper faces, as bright and dark bands with soft edges.
        high = np.linspace(1, -0.3, self.h, dtype=np.float32)[:, None]
        world = cv2.resize(noise(rng, self.h, self.w // 4, self.w / rng.uniform(12, 30)), (self.w, self.h))
        world = np.tanh(world * rng.uniform(0.8, 3)) * np.clip(high, 0, 1) * rng.uniform(2, 26)
        self.ink += world[..., None] * np.asarray((1.05, 1.0, 0.95), np.float32)
        self.ink += noise(rng, self.h, self.w, 1.5)[..., None] * 1.5
        out = np.empty((self.h, self.w, 4), np.uint8)
        out[..., :3] = np.clip(self.ink, 0, 255)
        out[..., 3] = self.alpha
        return out


def box(x0: float, y0: float, x1: float, y1: float, round_cm: float = 0.0) -> Points:
    if round_cm <= 0:
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    r = min(round_cm, (x1 - x0) / 2, (y1 - y0) / 2)
    out: Points = []
    for cx, cy, start in ((x1 - r, y0 + r, -90), (x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180)):
        for a in np.radians(np.linspace(start, start + 90, 5)):
            out.append((cx + r * float(np.cos(a)), cy + r * float(np.sin(a))))
    return out


def both(points: Any, middle: float) -> tuple[Points, Points]:
    return points, [(2 * middle - x, y) for x, y in points]
