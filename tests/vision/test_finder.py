"""The finder's steps around its model: sizes, peaks, a second look, and pictures of any shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.vision.finder import (
    WINDOW,
    WINDOW_PLATE_PX,
    PlateFinder,
    Sizes,
    peaks_of,
    planes_of,
    shared_part,
    sides_for,
    window_around,
)


def _maps(height: int, width: int, plates: list[tuple[int, int, float, float]]) -> np.ndarray:
    """Output of a model that sees plates: row, column, probability, half of the width (all 2:1)."""
    out = np.zeros((9, height, width), np.float32)
    for row, column, prob, half in plates:
        out[0, row, column] = prob
        out[1:, row, column] = (-half, -half / 2, half, -half / 2, half, half / 2, -half, half / 2)
    return out


class _Model:
    """In place of the session: a plate in the middle of whatever it is shown, a third as wide; notes the sizes."""

    def __init__(self, prob: float = 0.9) -> None:
        self.shown: list[tuple[int, int]] = []
        self.prob = prob

    def run(self, _: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        frame = given["frame"]
        assert frame.dtype == np.float32 and frame.shape[:2] == (1, 3)
        height, width = frame.shape[2:]
        self.shown.append((height, width))
        return [_maps(height // 4, width // 4, [(height // 8, width // 8, self.prob, width / 6)])[None]]


def _finder(sizes: Sizes, prob: float = 0.9) -> tuple[PlateFinder, _Model]:
    finder = PlateFinder.__new__(PlateFinder)
    finder.sizes = sizes
    model = _Model(prob)
    finder._session = model
    return finder, model


def test_the_likeliest_peak_comes_first_and_its_corners_lie_around_its_cell() -> None:
    found = peaks_of(_maps(20, 30, [(5, 6, 0.6, 20.0), (12, 20, 0.8, 30.0), (2, 2, 0.2, 9.0)]), 0.3)
    assert [round(prob, 1) for prob, _ in found] == [0.8, 0.6]
    np.testing.assert_allclose(found[1][1][0], ((6.5 * 4) - 20, (5.5 * 4) - 10))


def test_neighbours_of_a_peak_are_no_plates_of_their_own() -> None:
    maps = _maps(20, 30, [(5, 6, 0.9, 20.0), (5, 7, 0.85, 20.0), (6, 6, 0.8, 20.0)])
    assert len(peaks_of(maps, 0.3)) == 1


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(32, 2000))
def test_sizes_are_multiples_of_the_step_and_near_what_was_asked(height: int, width: int, longest: float) -> None:
    h, w = sides_for(height, width, longest)
    assert h % 32 == w % 32 == 0
    assert h >= 32 and w >= 32
    assert max(h, w) <= longest + 32


@pytest.mark.parametrize("shape", [(1080, 1920), (3000, 2000), (48, 60), (8, 900)])
def test_corners_come_back_in_the_frame_s_own_pixels(shape: tuple[int, int]) -> None:
    finder, _ = _finder(Sizes(side_max_px=640, windows=False))
    (found,) = finder.detect(np.zeros((*shape, 3), np.uint8))
    xs = [x for x, _ in found.corners]
    assert abs((max(xs) - min(xs)) - shape[1] / 3) < 0.02 * shape[1] + 1
    assert abs((max(xs) + min(xs)) / 2 - shape[1] / 2) < 0.1 * shape[1] + 4


def test_a_second_look_is_at_half_the_size_and_gives_no_plate_twice() -> None:
    finder, model = _finder(Sizes(side_max_px=640, halves=1, windows=False))
    assert len(finder.detect(np.zeros((480, 640, 3), np.uint8))) == 1
    assert model.shown == [(480, 640), (256, 320)]


def test_a_small_picture_is_enlarged_and_a_large_one_made_smaller() -> None:
    finder, model = _finder(Sizes(side_max_px=640, side_min_px=320, windows=False))
    finder.detect(np.zeros((100, 100, 3), np.uint8))
    finder.detect(np.zeros((4000, 3000, 3), np.uint8))
    assert model.shown == [(320, 320), (640, 480)]


def test_neighbours_have_a_say_about_the_corners_by_their_weight() -> None:
    maps = _maps(20, 30, [(5, 6, 0.8, 20.0), (5, 7, 0.4, 26.0), (5, 5, 0.1, 90.0)])
    ((_, quad),) = peaks_of(maps, 0.5)
    # 0.8 for a left edge of 6.5 * 4 - 20 = 6, 0.4 for 7.5 * 4 - 26 = 4; the third is too faint.
    assert quad[0, 0] == pytest.approx((0.8 * 6 + 0.4 * 4) / 1.2)


@given(
    st.floats(-50, 700),
    st.floats(-50, 500),
    st.floats(6, 900),
    st.floats(0.3, 0.6),
    st.sampled_from([(480, 640), (40, 900)]),
)
def test_a_window_shows_the_plate_at_one_size_and_leads_back_to_the_frame(
    x: float, y: float, wide: float, slim: float, shape: tuple[int, int]
) -> None:
    quad = np.asarray([(x, y), (x + wide, y), (x + wide, y + slim * wide), (x, y + slim * wide)], np.float32)
    window = window_around(np.zeros((*shape, 3), np.uint8), quad)
    assert window.picture.shape == (WINDOW[1], WINDOW[0], 3)
    inside = (quad - (window.left, window.top)) * (window.scale_x, window.scale_y)
    np.testing.assert_allclose(window.back(inside), quad, atol=0.01)
    assert np.ptp(inside[:, 0]) == pytest.approx(WINDOW_PLATE_PX, rel=0.15)


def test_corners_of_a_window_take_the_place_of_the_first_ones() -> None:
    finder, model = _finder(Sizes(side_max_px=640))
    (found,) = finder.detect(np.zeros((480, 640, 3), np.uint8))
    assert model.shown == [(480, 640), (WINDOW[1], WINDOW[0])]
    # The model sees a plate a third as wide as what it is shown: of a window of 192 px at 120 for the plate's 213.
    xs = [x for x, _ in found.corners]
    assert max(xs) - min(xs) == pytest.approx(192 / 3 * 213.3 / 120, abs=3)


def test_what_its_own_window_does_not_show_is_hardly_a_plate() -> None:
    finder, model = _finder(Sizes(side_max_px=640, prob_min=0.3), prob=0.5)
    inner = model.run

    def blind_in_windows(names: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        out = inner(names, given)
        return [out[0] * 0] if given["frame"].shape[2] == WINDOW[1] else out

    model.run = blind_in_windows  # type: ignore[method-assign]
    assert finder.detect(np.zeros((480, 640, 3), np.uint8)) == []


def test_what_is_unlikely_is_no_plate() -> None:
    finder, _ = _finder(Sizes(prob_min=0.5), prob=0.4)
    assert finder.detect(np.zeros((480, 640, 3), np.uint8)) == []


def test_the_model_sees_red_first_and_shares_of_one() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[..., 2] = 255
    planes = planes_of(picture)
    assert planes.shape == (1, 3, 2, 2)
    assert planes[0, 0].min() == 1 and planes[0, 1:].max() == 0


def test_a_box_inside_another_shares_all_of_itself() -> None:
    outer = np.asarray([(0, 0), (10, 0), (10, 10), (0, 10)], np.float32)
    assert shared_part(outer, outer * 0.5) == 1.0
    assert shared_part(outer, outer + 20) == 0.0
