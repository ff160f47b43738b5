"""What of a plate a coded film still shows."""

from __future__ import annotations

import cv2
import numpy as np

from guardian.footage import demo_drive, load_truth
from guardian.footage.model import SHOWN_MIN, PlateView
from guardian.footage.plate_art import STYLES, Picture, draw_plate
from guardian.footage.shown import shown_share
from guardian.footage.write import is_readable

TEXT = "EYN1810"
WIDTH, HEIGHT = 76, 32


def _drawn() -> Picture:
    return draw_plate(TEXT, STYLES["car-2012"], np.random.default_rng(1))


def _frame(plate: Picture) -> tuple[Picture, PlateView]:
    frame = np.full((90, 200, 3), 60, np.uint8)
    frame[30 : 30 + HEIGHT, 50 : 50 + WIDTH] = cv2.resize(plate, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    corners = ((50.0, 30.0), (50.0 + WIDTH, 30.0), (50.0 + WIDTH, 30.0 + HEIGHT), (50.0, 30.0 + HEIGHT))
    return frame, PlateView(0, corners, float(HEIGHT), 0.5, 0.0, "rear")


def test_a_plate_as_it_was_drawn_is_shown_and_one_that_coding_smeared_is_not() -> None:
    drawn = _drawn()
    frame, view = _frame(drawn)
    assert shown_share(frame, view, drawn, TEXT) > 0.9
    smeared, view = _frame(cv2.blur(drawn, (151, 5)))
    assert shown_share(smeared, view, drawn, TEXT) < SHOWN_MIN


def test_one_lost_sign_is_enough_to_lose_the_plate() -> None:
    drawn = _drawn()
    spoilt = drawn.copy()
    spoilt[30:150, 20:75] = 225
    frame, view = _frame(spoilt)
    assert shown_share(frame, view, drawn, TEXT) < SHOWN_MIN


def test_what_the_film_does_not_show_is_not_readable() -> None:
    _, view = _frame(_drawn())
    assert is_readable(view)
    lost = PlateView(view.frame, view.corners, view.height_px, view.blur_px, view.hidden_share, view.side, 0.3)
    assert not is_readable(lost)


def test_the_shipped_truth_was_taken_from_the_coded_film() -> None:
    passes = {one.plate: one for one in load_truth(demo_drive().truth)}
    assert passes["CZB5081"].readable_frames > 80
    suv = passes["CYD5016"]  # 32 px high, and nothing but grey: it comes into sight for a second before it leaves
    assert suv.height_px_max > 30
    assert suv.readable_frames == 0
