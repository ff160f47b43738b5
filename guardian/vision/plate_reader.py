"""Our own reader: the text of plates that were straightened by their corners, many in one go.

It is shown each plate squeezed to one size, with a little of what is around it, in grey. For every 4 px it says which sign
stands there; legends, frames and stickers are no part of its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from guardian.domain.read import Alternative, Corners
from guardian.vision.crop import grow, quad_size, straighten_to
from guardian.vision.ctc import runs_of
from guardian.vision.ports import Crop, Detection, Frame, ReadChar, TextRead
from guardian.vision.weights import content_of, open_session

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
HEIGHT_PX, WIDTH_PX, STEP_PX = 48, 160, 4
MARGIN = 0.12
"""How far beyond the plate's sides the reader sees, in heights of the plate."""
BATCH_MAX = 16
_ALTERNATIVES_MAX = 6
_ALTERNATIVE_MIN = 0.0005


def seen_corners(corners: Corners) -> Corners:
    """The quadrangle that the reader is shown for a plate."""
    room = quad_size(corners)[1] * MARGIN
    return grow(corners, left=room, top=room, right=room, bottom=room)


class PlateReader:
    """Reads straightened plates with our own model. Holds no state between calls."""

    def __init__(self, *, threads: int = 1, content: bytes | None = None) -> None:
        facts: dict[str, float] = {}
        if content is None:
            content, entry = content_of("reader")
            facts = entry.facts
        self._late = facts.get("late_steps", 0.0)
        self._session: Any = open_session(content, threads)

    def view(self, detection: Detection) -> Corners:
        """What of the frame is shown for a detection."""
        return seen_corners(detection.corners)

    def cut(self, frame: Frame, corners: Corners) -> Crop:
        """That part of the frame as the reader wants it: (48, 160, 3) uint8, BGR."""
        return straighten_to(frame, corners, (WIDTH_PX, HEIGHT_PX))

    def read(self, crops: Sequence[Crop]) -> list[TextRead]:
        """One `TextRead` for each crop, in order; crops of another size are brought to the reader's."""
        out: list[TextRead] = []
        for start in range(0, len(crops), BATCH_MAX):
            greys = np.stack([_grey(crop) for crop in crops[start : start + BATCH_MAX]])
            probs = self._session.run(None, {"crops": greys[:, None].astype(np.float32) / np.float32(255)})[0]
            out.extend(self._decode(row) for row in probs)
        return out

    def _decode(self, probs: npt.NDArray[np.float32]) -> TextRead:
        chars: list[ReadChar] = []
        for index, start, end, surest in runs_of(probs):
            row: list[float] = probs[surest].tolist()
            likely = sorted([i for i, p in enumerate(row) if p > _ALTERNATIVE_MIN], key=lambda i: -row[i])
            alternatives = tuple(
                Alternative(SIGNS[i - 1], round(row[i], 4))
                for i in likely[: _ALTERNATIVES_MAX + 2]
                if i not in (0, index, len(SIGNS))
            )
            place = ((start + end) / 2 - self._late) * STEP_PX / WIDTH_PX
            chars.append(ReadChar(SIGNS[index - 1], min(1.0, row[index]), min(1.0, max(0.0, place)), alternatives))
        return TextRead(tuple(chars), calibrated=True)


def _grey(crop: Crop) -> npt.NDArray[np.uint8]:
    if crop.shape[:2] != (HEIGHT_PX, WIDTH_PX):
        method = cv2.INTER_AREA if crop.shape[0] > HEIGHT_PX else cv2.INTER_LINEAR
        crop = np.asarray(cv2.resize(crop, (WIDTH_PX, HEIGHT_PX), interpolation=method), np.uint8)
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.uint8)
