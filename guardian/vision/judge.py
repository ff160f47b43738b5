"""From lines of text to plates: which lines are numbers, whether they look like a plate, where its corners are.

The day-one engine reads everything: shop signs, telephone numbers, the stamp of the camera. What keeps them out, in
this order: the shape of the text line, the series (`series.number_of`), the look of what the text stands on (a plate is
one even ground with signs darker or lighter than it, inside an edge).
"""

from __future__ import annotations

import msgspec
import numpy as np

from guardian.domain.read import Corners
from guardian.vision.crop import grow, quad_size
from guardian.vision.ports import Detection, Frame, TextRead
from guardian.vision.series import SeriesRead, number_of


class PlateSeen(msgspec.Struct, frozen=True):
    """One plate in one picture: what it says, where it is, and what the reader saw before any rule."""

    number: SeriesRead
    corners: Corners
    detector_prob: float
    raw_text: str

    @property
    def confidence_prob(self) -> float:
        """The weakest character decides."""
        return self.number.confidence_prob


def plausible_line(detection: Detection, frame: Frame) -> bool:
    """Whether a text box may be a plate by shape alone, before it is read (saves the reader's time)."""
    width, height = quad_size(detection.reading_corners)
    return height >= 6 and 1.5 <= width / height <= 9.0


def plate_corners(detection: Detection, number: SeriesRead) -> Corners:
    """The plate's corners, grown from its line of text by shares of the text's height."""
    if detection.text_corners is None:
        return detection.corners
    _, height = quad_size(detection.text_corners)
    old = number.series.issued.startswith("19")
    return grow(
        detection.text_corners,
        left=0.10 * height,
        right=0.10 * height,
        top=(0.35 if old else 0.15) * height,
        bottom=0.12 * height,
    )


def judge(frame: Frame, detection: Detection, read: TextRead) -> PlateSeen | None:
    """The plate that a line of text is, or None."""
    number = number_of(read)
    if number is None:
        return None
    corners = plate_corners(detection, number)
    return PlateSeen(number, corners, detection.prob, read.raw_text)


def without_doubles(seen: list[PlateSeen]) -> list[PlateSeen]:
    """One of those that overlap: the likelier reading stays; order is from left to right."""
    kept: list[PlateSeen] = []
    for plate in sorted(seen, key=lambda s: -s.number.score):
        if all(overlap(plate.corners, other.corners) < 0.3 for other in kept):
            kept.append(plate)
    return sorted(kept, key=lambda s: s.corners[0])


def overlap(a: Corners, b: Corners) -> float:
    """Shared part of two quadrangles' upright boxes, as intersection over the smaller one."""
    p, q = np.asarray(a), np.asarray(b)
    low = np.maximum(p.min(axis=0), q.min(axis=0))
    high = np.minimum(p.max(axis=0), q.max(axis=0))
    shared = float(np.prod(np.clip(high - low, 0, None)))
    smaller = min(float(np.prod(np.ptp(p, axis=0))), float(np.prod(np.ptp(q, axis=0))))
    return shared / smaller if smaller > 0 else 0.0
