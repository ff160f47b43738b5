"""Steep views of what was held out: corners go where the picture goes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="training needs PyTorch: make training")

from train.detector import Look, View, steeper


def _view(quad: np.ndarray, width: int = 420, height: int = 300) -> View:
    picture = np.full((height, width, 3), 40, np.uint8)
    cv2.fillConvexPoly(picture, quad.astype(np.int32), (255, 255, 255))
    return View(picture, quad[None].astype(np.float32), np.ones(1, np.float32), True, "made")


@settings(max_examples=40, deadline=None)
@given(
    angle=st.floats(-30, 30),
    shear=st.floats(-0.5, 0.5),
    side_px=st.sampled_from([200.0, 640.0]),
    left=st.integers(40, 200),
    top=st.integers(40, 180),
)
def test_corners_of_a_steep_view_are_those_of_the_plate_in_it(
    angle: float, shear: float, side_px: float, left: int, top: int
) -> None:
    quad = np.asarray([(left, top), (left + 160, top), (left + 160, top + 70), (left, top + 70)], np.float32)
    picture, corners = steeper(_view(quad), angle, shear, side_px)
    assert max(picture.shape[:2]) <= side_px + 1, "the whole view is shown, no larger than asked"
    drawn = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(drawn, corners[0].round().astype(np.int32), 1)
    white = picture[..., 0] > 150
    shared = float((white & (drawn > 0)).sum()) / float((white | (drawn > 0)).sum())
    assert shared > 0.9


def test_a_look_shows_each_picture_steep_and_small() -> None:
    quad = np.asarray([(100, 100), (260, 100), (260, 170), (100, 170)], np.float32)
    look = Look([_view(quad)], shares=(1.0, 0.5), steep=((18.0, 0.0), (8.0, 0.35)))
    assert len(look.shown) == 4
    assert len({picture.shape for _, picture, _ in look.shown}) == 4
    upright = [abs(float(c[0][1, 1] - c[0][0, 1])) for _, _, c in look.shown]
    assert max(upright[2:]) == 0.0 < min(upright[:2]), "steep ones lean, the others stand as they did"
