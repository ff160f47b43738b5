"""A picture in the making that remembers which pixel belongs to which plate, so that what covers a plate unlabels it."""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from train.scenes.model import Picture, Quad

_VISIBLE = 0.75
"""A plate of which less can be seen is told as hidden, not labelled."""


class Mark(msgspec.Struct):
    """A plate on the canvas."""

    quad: Quad
    text: str | None
    vehicle: str
    area: float  # px, of the whole plate, also where the frame cuts it


class Canvas:
    """The picture, the owner of each pixel (0: no plate), and the vehicles."""

    def __init__(self, picture: Picture, *, bare: bool = False) -> None:
        self.picture, self.bare = picture, bare  # bare: plates are left out
        self.owner = np.zeros(picture.shape[:2], np.int16)
        self.body = np.zeros(picture.shape[:2], np.uint8)  # which vehicle, from 1
        self.marks: list[Mark] = []
        self._places: list[Quad] = []
        self.vehicles: list[tuple[str, int]] = []  # kind, px when it was laid
        self.looks: list[tuple[str, str]] = []  # body and colour of each vehicle, empty where not known
        self.lamps: list[tuple[float, float, float, tuple[int, int, int]]] = []  # x, y, radius px, BGR: lit at night

    @property
    def height(self) -> int:
        return int(self.picture.shape[0])

    @property
    def width(self) -> int:
        return int(self.picture.shape[1])

    def claim(self, quad: Quad, text: str | None, vehicle: str) -> int:
        """Name the pixels inside a quadrangle a plate's; gives its number."""
        quad = np.asarray(quad, np.float32)
        self.marks.append(Mark(quad, text, vehicle, abs(float(cv2.contourArea(quad)))))
        number = len(self.marks)
        # Drawn on a patch: OpenCV's fill knows no 16-bit signed pictures.
        x0, y0, x1, y1 = self._within(quad)
        if x1 > x0 and y1 > y0:
            inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
            cv2.fillConvexPoly(inside, np.round((quad - (x0, y0)) * 16).astype(np.int32), 1, cv2.LINE_8, 4)
            self.owner[y0:y1, x0:x1][inside > 0] = number
        return number

    def _within(self, quad: NDArray[Any]) -> tuple[int, int, int, int]:
        low, high = np.floor(quad.min(axis=0)).astype(int), np.ceil(quad.max(axis=0)).astype(int) + 2
        return (
            int(np.clip(low[0] - 1, 0, self.width)),
            int(np.clip(low[1] - 1, 0, self.height)),
            int(np.clip(high[0], 0, self.width)),
            int(np.clip(high[1], 0, self.height)),
        )

    def lay(
        self,
        art: Picture,
        quad: NDArray[Any],
        *,
        gain: float | NDArray[Any] = 1.0,
        soft: float = 0.0,
        vehicle: str = "",
        look: tuple[str, str] = ("", ""),
    ) -> tuple[int, int, int, int] | None:
        """Warp art (h, w, 4) BGRA onto a quadrangle, cover what lay there, and give the box that was touched.

        Args:
            gain: light that falls on it, one factor or three (BGR).
            soft: blur of the laid art in px, for what is out of focus or far.
            vehicle: kind of the vehicle that this is, if it is one.
            look: its body and its colour.
        """
        x0, y0, x1, y1 = self._within(quad)
        if x1 - x0 < 1 or y1 - y0 < 1:
            return None
        h, w = art.shape[:2]
        tall = max(float(np.hypot(*(quad[3] - quad[0]))), float(np.hypot(*(quad[2] - quad[1]))), 1.0)
        wide = max(float(np.hypot(*(quad[1] - quad[0]))), float(np.hypot(*(quad[2] - quad[3]))), 1.0)
        if h > 1.5 * tall or w > 1.5 * wide:  # averaged first: warping alone would skip pixels
            size = (max(2, min(w, round(wide * 1.15))), max(2, min(h, round(tall * 1.15))))
            art = cv2.resize(art, size, interpolation=cv2.INTER_AREA)
            h, w = art.shape[:2]
        source = np.asarray([(0, 0), (w, 0), (w, h), (0, h)], np.float32) - np.float32(0.5)
        matrix = cv2.getPerspectiveTransform(source, (quad - (x0, y0)).astype(np.float32))
        warped = cv2.warpPerspective(art, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        if soft > 0.3:
            warped = cv2.GaussianBlur(warped, (0, 0), soft)
        self.blend(warped, x0, y0, gain)
        if vehicle and len(self.vehicles) < 255:
            solid = warped[:, :, 3] > 127
            self.vehicles.append((vehicle, int(np.count_nonzero(solid))))
            self.looks.append(look)
            self.body[y0:y1, x0:x1][solid] = len(self.vehicles)
        return x0, y0, x1, y1

    def blend(self, patch: Picture, x0: int, y0: int, gain: float | NDArray[Any] = 1.0) -> None:
        """Lay a patch (h, w, 4) BGRA that lies wholly inside, pixel on pixel."""
        h, w = patch.shape[:2]
        view = self.picture[y0 : y0 + h, x0 : x0 + w]
        alpha = patch[:, :, 3]
        factors: Any = (*(np.ones(3) * gain), 0.0)
        ink = cv2.multiply(patch[:, :, :3], factors)
        share = cv2.merge((alpha, alpha, alpha))
        view[:] = cv2.add(
            cv2.multiply(ink, share, scale=1 / 255), cv2.multiply(view, cv2.bitwise_not(share), scale=1 / 255)
        )
        self.owner[y0 : y0 + h, x0 : x0 + w][alpha > 127] = 0

    def plate(self, art: Picture, quad: Quad, text: str, vehicle: str, **how: Any) -> None:
        """Lay a plate and take it down."""
        self._places.append(np.asarray(quad, np.float32))
        if not self.bare:
            self.lay(art, quad, **how)
            self.claim(quad, text, vehicle)

    def mean(self, picture: Picture) -> float:
        """Mean of a picture of this canvas beside the places of plates, so that leaving them out does not change it."""
        small = picture[::8, ::8]
        beside = np.full(small.shape[:2], 255, np.uint8)
        for quad in self._places:
            cv2.fillConvexPoly(beside, np.round(quad / 8).astype(np.int32), 0)
        return float(np.mean(cv2.mean(small, mask=beside)[:3]))

    def stamp(self, art: Picture, left: float, top: float, width: float, **how: Any) -> Quad:
        """Lay art upright with its top left at a place, this wide; gives its quadrangle."""
        height = width * art.shape[0] / art.shape[1]
        quad = np.asarray(
            [(left, top), (left + width, top), (left + width, top + height), (left, top + height)], np.float32
        )
        self.lay(art, quad, **how)
        return quad

    def visible(self, number: int) -> float:
        """Share of a plate that can still be seen."""
        mark = self.marks[number - 1]
        x0, y0, x1, y1 = self._within(mark.quad)
        seen = int(np.count_nonzero(self.owner[y0:y1, x0:x1] == number))
        return seen / max(1.0, mark.area)

    def boxes(self) -> list[tuple[tuple[float, float, float, float], str, tuple[str, str]]]:
        """x1, y1, x2, y2, kind and look of vehicles of which at least a fifth of what the frame holds can be seen."""
        out = []
        for number, (kind, laid) in enumerate(self.vehicles, 1):
            mine = self.body == number
            columns, rows = np.flatnonzero(mine.any(axis=0)), np.flatnonzero(mine.any(axis=1))
            if laid < 60 or not len(rows) or np.count_nonzero(mine) < 0.2 * laid:
                continue
            out.append(
                (
                    (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)),
                    kind,
                    self.looks[number - 1],
                )
            )
        return out

    def truth(self) -> tuple[list[Mark], list[Mark]]:
        """Plates that can be seen, and those that can be seen in part."""
        shown, hidden = [], []
        for number, mark in enumerate(self.marks, 1):
            share = self.visible(number)
            tall = min(float(np.hypot(*(mark.quad[3] - mark.quad[0]))), float(np.hypot(*(mark.quad[2] - mark.quad[1]))))
            wide = min(float(np.hypot(*(mark.quad[1] - mark.quad[0]))), float(np.hypot(*(mark.quad[2] - mark.quad[3]))))
            if share >= _VISIBLE and tall >= 6.0 and wide >= 9.0:
                shown.append(mark)
            elif share > 0.02:
                hidden.append(mark)
        return shown, hidden
