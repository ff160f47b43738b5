"""Our own finder of plates: one look at a picture gives each plate's four corners.

The model says for every 4 x 4 px of what it is shown how likely a plate's centre lies there, and where that plate's corners
are. Sizes are decided here and nowhere else (`Sizes`): what a picture is made smaller to, and whether a second look at half
of that is worth its quarter of the cost, for plates that fill the picture.
"""

from __future__ import annotations

import copy
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from guardian.domain.read import Corners
from guardian.vision.ports import Detection, Frame
from guardian.vision.weights import content_of, open_session

STRIDE_PX = 4
SIDE_STEP_PX = 32
PLATES_MAX = 64


class Sizes(msgspec.Struct, frozen=True):
    """How large the finder sees a picture.

    `side_max_px` is the longest side that it is shown; larger pictures are made smaller, those below `side_min_px` larger.
    `halves` are further looks, each at half of the one before.
    """

    side_max_px: int = 960
    side_min_px: int = 320
    halves: int = 0
    prob_min: float = 0.3


def peaks_of(plates: npt.NDArray[np.float32], prob_min: float) -> list[tuple[float, npt.NDArray[np.float32]]]:
    """Plates of one output map, likeliest first: probability and (4, 2) corners in px of what the model saw.

    Args:
        plates: (9, h, w) float32, probability and eight corner offsets, one cell for every 4 px.
    """
    heat = plates[0]
    tops = (heat >= prob_min) & (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(tops)
    order = np.argsort(-heat[rows, columns], kind="stable")[: PLATES_MAX * 4]
    out = []
    for row, column in zip(rows[order], columns[order], strict=True):
        centre = np.asarray(((column + 0.5) * STRIDE_PX, (row + 0.5) * STRIDE_PX), np.float32)
        out.append((float(heat[row, column]), plates[1:, row, column].reshape(4, 2) + centre))
    return out


def shared_part(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Intersection over the smaller of two quadrangles' upright boxes, (4, 2) each."""
    low = np.maximum(a.min(axis=0), b.min(axis=0))
    high = np.minimum(a.max(axis=0), b.max(axis=0))
    shared = float(np.prod(np.clip(high - low, 0, None)))
    smaller = min(float(np.prod(np.ptp(a, axis=0))), float(np.prod(np.ptp(b, axis=0))))
    return shared / smaller if smaller > 0 else 1.0


def sides_for(height: int, width: int, longest_px: float) -> tuple[int, int]:
    """Height and width at which a picture is shown, multiples of 32 px, its longest side at about `longest_px`."""
    factor = longest_px / max(height, width)
    h = max(SIDE_STEP_PX, round(height * factor / SIDE_STEP_PX) * SIDE_STEP_PX)
    w = max(SIDE_STEP_PX, round(width * factor / SIDE_STEP_PX) * SIDE_STEP_PX)
    return h, w


def planes_of(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(H, W, 3) uint8 BGR to (1, 3, H, W) float32 RGB in 0..1."""
    return np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)


class PlateFinder:
    """Finds plates with our own model; see `Sizes` for how it looks. Holds no state between pictures."""

    def __init__(self, *, threads: int = 1, sizes: Sizes | None = None, content: bytes | None = None) -> None:
        self.sizes = sizes or Sizes()
        self._session: Any = open_session(content if content is not None else content_of("detector")[0], threads)

    def seeing(self, sizes: Sizes) -> PlateFinder:
        """The same model, loaded once, looking in another way."""
        other = copy.copy(self)
        other.sizes = sizes
        return other

    def detect(self, frame: Frame) -> list[Detection]:
        """Plates of a frame, likeliest first, in pixels of the frame."""
        s = self.sizes
        longest = min(max(float(max(frame.shape[:2])), s.side_min_px), s.side_max_px)
        found: list[tuple[float, npt.NDArray[np.float32]]] = []
        for half in range(s.halves + 1):
            found += self._look(frame, longest / 2**half)
        found.sort(key=lambda item: -item[0])
        kept: list[tuple[float, npt.NDArray[np.float32]]] = []
        for prob, quad in found:
            if len(kept) < PLATES_MAX and all(shared_part(quad, other) < 0.5 for _, other in kept):
                kept.append((prob, quad))
        return [Detection(_corners(quad), min(1.0, prob)) for prob, quad in kept]

    def _look(self, frame: Frame, longest: float) -> list[tuple[float, npt.NDArray[np.float32]]]:
        height, width = frame.shape[:2]
        h, w = sides_for(height, width, longest)
        method = cv2.INTER_AREA if h < height else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(frame, (w, h), interpolation=method), np.uint8)
        plates = self._session.run(None, {"frame": planes_of(small)})[0][0]
        back = np.asarray((width / w, height / h), np.float32)
        return [(prob, quad * back) for prob, quad in peaks_of(plates, self.sizes.prob_min)]


def _corners(quad: npt.NDArray[np.float32]) -> Corners:
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in quad)
    return (a, b, c, d)
