"""Cutting, straightening, judging sharpness, encoding."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from guardian.vision.crop import DegenerateQuadError, cut_plate, grow, jpeg, quad_size, sharpness, shrink, straighten

SQUARE = ((10.0, 20.0), (110.0, 20.0), (110.0, 70.0), (10.0, 70.0))


def test_a_turned_plate_comes_out_upright(draw: Any) -> None:
    plate = draw.frame(draw.plate("BKD8869", height=96))
    h, w = plate.shape[:2]
    turn = cv2.getRotationMatrix2D((300, 200), 17, 1.0)
    at = np.array(
        [[300 - w / 2, 200 - h / 2], [300 + w / 2, 200 - h / 2], [300 + w / 2, 200 + h / 2], [300 - w / 2, 200 + h / 2]]
    )
    canvas = np.full((400, 600, 3), 90, np.uint8)
    y, x = 200 - h // 2, 300 - w // 2
    canvas[y : y + h, x : x + w] = plate
    turned = cv2.warpAffine(canvas, turn, (600, 400), borderValue=(90, 90, 90))
    corners = tuple((float(a), float(b)) for a, b in cv2.transform(at[None], turn)[0])
    back = straighten(turned, corners, height_px=h)
    assert back.shape == plate.shape
    assert np.abs(back.astype(int) - plate.astype(int)).mean() < 12


def test_corners_that_enclose_nothing_are_refused() -> None:
    with pytest.raises(DegenerateQuadError):
        straighten(np.zeros((50, 50, 3), np.uint8), ((5, 5), (5.2, 5), (5.2, 30), (5, 30)), height_px=48)


def test_growing_goes_outwards_along_the_plate_and_back_again() -> None:
    bigger = grow(SQUARE, left=5, top=6, right=7, bottom=8)
    assert bigger == ((5.0, 14.0), (117.0, 14.0), (117.0, 78.0), (5.0, 78.0))
    assert grow(bigger, left=-5, top=-6, right=-7, bottom=-8) == SQUARE
    assert quad_size(bigger) == (112.0, 64.0)


def test_sharp_beats_blurred_and_flat_is_zero(draw: Any) -> None:
    plate = draw.plate("BKD8869", height=64)
    scores = [sharpness(draw.frame(draw.blurred(plate, r))) for r in (0.1, 1.0, 2.0, 4.0)]
    assert scores == sorted(scores, reverse=True)
    assert sharpness(np.full((48, 160, 3), 200, np.uint8)) == 0


def test_the_kept_crop_is_96_px_high_and_320_wide_at_most() -> None:
    frame = np.zeros((200, 900, 3), np.uint8)
    assert cut_plate(frame, SQUARE).shape[0] == 96
    assert cut_plate(frame, ((0.0, 50.0), (880.0, 50.0), (880.0, 90.0), (0.0, 90.0))).shape[1] == 320


def test_the_overview_is_960_px_at_most_and_a_fresh_array() -> None:
    frame = np.zeros((1080, 1920, 3), np.uint8)
    small, factor = shrink(frame, 960)
    assert small.shape == (540, 960, 3) and factor == 0.5
    same, one = shrink(small, 960)
    assert one == 1.0 and same is not small
    assert Image.open(io.BytesIO(jpeg(small, 80))).size == (960, 540)


def test_a_plate_far_larger_than_the_crop_is_not_torn_into_dots(draw: Any) -> None:
    plate = draw.frame(draw.plate("BKD8869", height=400))
    h, w = plate.shape[:2]
    corners = ((0.0, 0.0), (float(w), 0.0), (float(w), float(h)), (0.0, float(h)))
    small = straighten(plate, corners, height_px=48)
    wanted = cv2.resize(plate, (small.shape[1], 48), interpolation=cv2.INTER_AREA).astype(int)
    torn = plate[:: h // 48, :: h // 48][:48, : small.shape[1]].astype(
        int
    )  # every eighth pixel, as warping alone takes
    here = wanted[:, : torn.shape[1]]
    assert np.abs(small[:, : torn.shape[1]].astype(int) - here).mean() < 0.75 * np.abs(torn - here).mean()
