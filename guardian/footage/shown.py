"""What of a plate is left in a film once it is coded: the picture that was drawn is compared with what the film shows.

A coder saves where little was to be seen so far. A plate that comes into sight behind another vehicle, moving, is a smear of
grey for its first dozen frames, however large it stands in the picture: nobody can read it, and no truth may ask for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.footage.model import PlateView
from guardian.footage.plate_art import Picture, sign_places

_WIDTH, _HEIGHT, _ROOM = 112, 48, 4
_TOP, _BOTTOM = 0.26, 0.86
"""Between these shares of a plate's height its signs stand, with and without a legend."""


def shown_share(frame: Picture, view: PlateView, drawn: Picture, text: str) -> float:
    """How well a frame shows the worst sign of a plate: its correlation with what was drawn, at the plate's size in the frame.

    1 is what was drawn, 0 has nothing of it. Corners may be off by a few hundredths of the plate.

    Args:
        drawn: the plate as `draw_plate` made it.
    """
    corners = np.asarray(view.corners, np.float32)
    width = max(2, round(float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2))
    height = max(2, round(view.height_px))
    small = cv2.resize(_grey(drawn), (width, height), interpolation=cv2.INTER_AREA)
    wanted = cv2.resize(small, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    whole = np.array([(0, 0), (_WIDTH, 0), (_WIDTH, _HEIGHT), (0, _HEIGHT)], np.float32) + _ROOM
    straight = cv2.warpPerspective(
        frame, cv2.getPerspectiveTransform(corners, whole), (_WIDTH + 2 * _ROOM, _HEIGHT + 2 * _ROOM)
    )
    there = _grey(straight).astype(np.float32)
    places = sign_places(text)
    left, right = round(places[0][0] * _WIDTH), round(places[-1][1] * _WIDTH)
    top, bottom = round(_TOP * _HEIGHT), round(_BOTTOM * _HEIGHT)
    likeness = cv2.matchTemplate(
        there[top : bottom + 2 * _ROOM, left : right + 2 * _ROOM], wanted[top:bottom, left:right], cv2.TM_CCOEFF_NORMED
    )
    _, _, _, (dx, dy) = cv2.minMaxLoc(likeness)
    signs = ((round(a * _WIDTH), round(b * _WIDTH)) for a, b in places)
    return round(
        min(_alike(wanted[top:bottom, a:b], there[top + dy : bottom + dy, a + dx : b + dx]) for a, b in signs), 2
    )


def with_shown(
    frame: Picture, views: Mapping[int, PlateView], drawn: Mapping[int, tuple[Picture, str]]
) -> dict[int, PlateView]:
    """The views of one frame with what the frame shows of their plates; by vehicle, `drawn` has its plate and number."""
    out: dict[int, PlateView] = {}
    for vehicle, view in views.items():
        picture, text = drawn[vehicle]
        share = shown_share(frame, view, picture, text)
        out[vehicle] = PlateView(
            view.frame, view.corners, view.height_px, view.blur_px, view.hidden_share, view.side, share
        )
    return out


def _grey(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _alike(a: NDArray[Any], b: NDArray[Any]) -> float:
    p, q = a - a.mean(), b - b.mean()
    return float((p * q).sum() / np.sqrt((p * p).sum() * (q * q).sum() + 1e-6))
