"""Our own finder of plates: one look at a picture gives each plate's four corners.

The model says for every 4 x 4 px of what it is shown how likely a plate's centre lies there, and where that plate's corners
are. What was found is looked at once more, all in one small batch, at the size at which corners are seen best; what is not
seen again there was hardly a plate. Sizes are decided here and nowhere else (`Sizes`): what a picture is made smaller to (`View`), and whether a second look
at half of that is worth its quarter of the cost, for plates that fill the picture.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from guardian.domain.read import Corners
from guardian.vision.crop import shared_px
from guardian.vision.ports import Detection, Frame
from guardian.vision.weights import content_of, open_session

STRIDE_PX = 4
SIDE_STEP_PX = 32
PLATES_MAX = 64
WINDOW = (192, 96)
WINDOW_PLATE_PX = 120.0
"""A window shows a plate 120 px wide: of 63 training plates with fitted corners these are off by 0.066 of the plate's height
in a window, 0.088 without (90 % within 0.10 and 0.15), for 1.7 ms each. Larger windows are no better."""
WINDOW_SHARE = 0.85
"""A steep plate is shown smaller, so that it fills no more of either side of its window."""
WINDOWS_MAX = 24
WINDOW_PROB_MIN = 0.2
"""What a window shows counts from here on: it was found once already."""
SAME_PLACE_SHARE = 0.5
"""Plates whose upright boxes share more than this of the smaller one are one plate."""
REST_MIN = 1.15
"""What a picture is made smaller by after whole px, at least: a rest near 1 blurs the mean once more and sharpens nothing. Of 257
training plates 6.6 px high in the look, means of parts read 172 where the factor is 2.05 and 160 where it is 3.1; a rest of 1 and
more reads 160 and 160, of 1.15 and more 173 and 164."""
UNSEEN_SHARE = 0.5
"""What is left of a probability when the window does not show a plate."""


class Sizes(msgspec.Struct, frozen=True):
    """How large the finder sees a picture.

    `side_max_px` is the longest side that it is shown; larger pictures are made smaller, those below `side_min_px` larger.
    `halves` are further looks, each at half of the one before and made from its picture. `far_px`: where a larger picture shows a
    plate less high than this, or none at all, there may be more that are too small to see: it is looked at once more, up to twice
    as large.
    `windows`: look again at what was found, for its corners.
    """

    side_max_px: int = 960
    side_min_px: int = 320
    halves: int = 0
    far_px: float = 0.0
    windows: bool = True
    prob_min: float = 0.3


def peaks_of(plates: npt.NDArray[np.float32], prob_min: float) -> list[tuple[float, npt.NDArray[np.float32]]]:
    """Plates of one output map, likeliest first: probability and (4, 2) corners in px of what the model saw.

    Args:
        plates: (9, h, w) float32, probability and eight corner offsets, one cell for every 4 px.
    """
    heat = plates[0]
    tops = (heat >= prob_min) & (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8)))
    cells = np.flatnonzero(tops)
    order = np.argsort(-heat.ravel()[cells], kind="stable")[: PLATES_MAX * 4]
    places = (divmod(cell, heat.shape[1]) for cell in cells[order].tolist())
    return [(float(heat[row, column]), _corners_at(plates, row, column)) for row, column in places]


def _corners_at(plates: npt.NDArray[np.float32], row: int, column: int) -> npt.NDArray[np.float32]:
    """The corners that a peak and its neighbours name, weighed by how much they are centre themselves."""
    r0, c0 = max(0, row - 1), max(0, column - 1)
    heat, *offsets = plates[:, r0 : row + 2, c0 : column + 2].tolist()
    least = 0.3 * heat[row - r0][column - c0]
    saying = [(r, c, weight) for r, line in enumerate(heat) for c, weight in enumerate(line) if weight > least]
    said = sum(weight for _, _, weight in saying)
    x = sum(weight * (c0 + c + 0.5) for _, c, weight in saying) * STRIDE_PX
    y = sum(weight * (r0 + r + 0.5) for r, _, weight in saying) * STRIDE_PX
    named = [sum(weight * plane[r][c] for r, c, weight in saying) for plane in offsets]
    xs, ys = ([(whole + part) / said for part in named[k::2]] for k, whole in enumerate((x, y)))
    return np.asarray(list(zip(xs, ys, strict=True)), np.float32)


def shared_part(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Intersection over the smaller of two quadrangles' upright boxes, (4, 2) each."""
    shared, smaller = shared_px(a.tolist(), b.tolist())
    return shared / smaller if smaller > 0 else 1.0


def sides_for(height: int, width: int, longest_px: float) -> tuple[int, int]:
    """Height and width at which a picture is shown, multiples of 32 px, its longest side at about `longest_px`."""
    factor = longest_px / max(height, width)
    h = max(SIDE_STEP_PX, round(height * factor / SIDE_STEP_PX) * SIDE_STEP_PX)
    w = max(SIDE_STEP_PX, round(width * factor / SIDE_STEP_PX) * SIDE_STEP_PX)
    return h, w


def planes_of(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(H, W, 3) uint8 BGR to (1, 3, H, W) float32 RGB in 0..1."""
    return batch_of([picture])


def batch_of(pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Pictures of one size, (H, W, 3) uint8 BGR each, to (n, 3, H, W) float32 RGB in 0..1."""
    out = np.empty((len(pictures), 3, *pictures[0].shape[:2]), np.float32)
    for planes, picture in zip(out, pictures, strict=True):
        for plane, colour in zip(planes[::-1], cv2.split(picture), strict=True):
            np.divide(colour, np.float32(255), out=plane, dtype=np.float32)
    return out


class View(msgspec.Struct, frozen=True):
    """A frame at the size of one look."""

    picture: Frame
    across: float  # px of the frame for each of the look
    down: float

    def back(self, quad: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Corners of the look in px of the frame."""
        return np.asarray(quad * (self.across, self.down), np.float32)

    def at(self, height: int, width: int) -> View:
        """At another size: first the mean of so many whole px that `REST_MIN` is left, then what lies between two px.

        Means of parts of px (INTER_AREA by any factor) cost 10 ms for 1080p, this 1.4.
        """
        tall, wide = self.picture.shape[:2]
        whole = max(1, int(min(tall / height, wide / width) / REST_MIN))
        return self._by(whole, height, width)

    def half(self, height: int, width: int) -> View:
        """At about half the size."""
        return self._by(2, height, width)

    def _by(self, whole: int, height: int, width: int) -> View:
        tall, wide = self.picture.shape[0] // whole, self.picture.shape[1] // whole
        # What is left over at the right and below is less than one px of the mean.
        picture = _resized(self.picture[: tall * whole, : wide * whole], tall, wide, cv2.INTER_AREA)
        picture = _resized(picture, height, width, cv2.INTER_LINEAR)
        return View(picture, self.across * whole * wide / width, self.down * whole * tall / height)


def _resized(picture: Frame, height: int, width: int, method: int) -> Frame:
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


class Window(msgspec.Struct, frozen=True):
    """A part of a frame at the size of `WINDOW`."""

    picture: Frame
    left: float
    top: float
    scale_x: float  # px of the window for each of the frame
    scale_y: float

    def back(self, quad: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Corners of the window in px of the frame."""
        return np.asarray(quad / (self.scale_x, self.scale_y) + (self.left, self.top), np.float32)


def window_around(frame: Frame, quad: npt.NDArray[np.float32]) -> Window:
    """The surroundings of a plate, brought to the size at which corners are seen best; beyond the frame its edge repeats."""
    height, width = frame.shape[:2]
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
    factor = WINDOW_PLATE_PX / max(4.0, float(np.hypot(across[0], across[1])))
    factor = min(factor, *(WINDOW_SHARE * np.asarray(WINDOW) / np.maximum(4.0, np.ptp(quad, axis=0))))
    half = np.asarray(WINDOW, np.float32) / (2 * factor)
    centre = np.clip(quad.mean(axis=0), (0, 0), (width - 1, height - 1))
    x0, y0 = np.floor(centre - half).astype(int)
    x1, y1 = np.ceil(centre + half).astype(int)
    inside = frame[max(0, y0) : min(height, y1), max(0, x0) : min(width, x1)]
    spare = (max(0, -y0), max(0, y1 - height), max(0, -x0), max(0, x1 - width))
    part = (
        cv2.copyMakeBorder(inside, int(spare[0]), int(spare[1]), int(spare[2]), int(spare[3]), cv2.BORDER_REPLICATE)
        if any(spare)
        else inside
    )
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(part, WINDOW, interpolation=method), np.uint8)
    return Window(picture, float(x0), float(y0), WINDOW[0] / float(x1 - x0), WINDOW[1] / float(y1 - y0))


def _standing(prob: float, quad: npt.NDArray[np.float32], scale: float) -> tuple[float, float, float]:
    """Of two looks that see one plate about equally likely the one counts that showed it nearest to the size of a window; the
    last digits of two probabilities differ from machine to machine. Smaller is better."""
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
    wide = max(1.0, float(np.hypot(across[0], across[1])) * scale)
    return -math.floor(prob * 10 + 0.5), abs(math.log(wide / WINDOW_PLATE_PX)), -prob


def apart(
    found: Sequence[tuple[float, npt.NDArray[np.float32], float]],
) -> list[tuple[float, npt.NDArray[np.float32]]]:
    """Each plate once, `PLATES_MAX` at most.

    Args:
        found: probability, corners, and the scale of the look that saw it (px of the look for each of the frame).
    """
    kept: list[tuple[float, npt.NDArray[np.float32]]] = []
    for prob, quad, _ in sorted(found, key=lambda item: _standing(*item)):
        if len(kept) < PLATES_MAX and all(shared_part(quad, other) < SAME_PLACE_SHARE for _, other in kept):
            kept.append((prob, quad))
    return kept


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
        height, width = frame.shape[:2]
        whole = max(height, width)
        longest = min(max(float(whole), s.side_min_px), s.side_max_px)
        first = view = View(frame, 1.0, 1.0)
        looks = []
        for half in range(s.halves + 1):
            side = longest / 2**half
            size = sides_for(height, width, side)
            view = view.half(*size) if half else first.at(*size)
            looks.append((side, self._look(view)))
        if s.far_px and whole > s.side_max_px and self._far(frame, [f for _, found in looks for f in found]):
            far = min(float(whole), 2.0 * s.side_max_px)
            looks.append((far, self._look(first.at(*sides_for(height, width, far)))))
        kept = apart([(prob, quad, side / whole) for side, look in looks for prob, quad in look])
        if s.windows and kept:
            kept = self._looked_again(frame, kept)
        else:
            kept.sort(key=lambda item: -item[0])
        return [Detection(_corners(quad), min(1.0, prob)) for prob, quad in kept if prob >= s.prob_min]

    def _far(self, frame: Frame, found: list[tuple[float, npt.NDArray[np.float32]]]) -> bool:
        shown = self.sizes.side_max_px / max(frame.shape[:2])
        heights = [float(np.hypot(*(quad[3] - quad[0] + quad[2] - quad[1]) / 2)) for _, quad in found]
        return not heights or min(heights) * shown < self.sizes.far_px

    def _looked_again(
        self, frame: Frame, found: list[tuple[float, npt.NDArray[np.float32]]]
    ) -> list[tuple[float, npt.NDArray[np.float32]]]:
        """The same plates with the corners that a window of their own shows; likeliest first."""
        head, rest = found[:WINDOWS_MAX], found[WINDOWS_MAX:]
        windows = [window_around(frame, quad) for _, quad in head]
        maps = self._session.run(None, {"frame": batch_of([w.picture for w in windows])})[0]
        out = list(rest)
        for (prob, quad), window, plates in zip(head, windows, maps, strict=True):
            again = [(p, window.back(q)) for p, q in peaks_of(plates, WINDOW_PROB_MIN)]
            same = next(((p, q) for p, q in again if shared_part(q, quad) > SAME_PLACE_SHARE), None)
            out.append((max(prob, same[0]), same[1]) if same is not None else (prob * UNSEEN_SHARE, quad))
        return sorted(out, key=lambda item: -item[0])

    def _look(self, view: View) -> list[tuple[float, npt.NDArray[np.float32]]]:
        plates = self._session.run(None, {"frame": planes_of(view.picture)})[0][0]
        return [(prob, view.back(quad)) for prob, quad in peaks_of(plates, self.sizes.prob_min)]


def _corners(quad: npt.NDArray[np.float32]) -> Corners:
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in quad)
    return (a, b, c, d)
