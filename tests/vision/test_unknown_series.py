"""Plates that are none of ours: read as they are, said to be of no known series, and never made from a bad read of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.cli.read import plate_as_json
from guardian.domain.read import Corners
from guardian.domain.series import series_of
from guardian.vision.judge import PlateSeen, judge
from guardian.vision.ports import Detection
from guardian.vision.series import unknown_number_of
from tests.pictures import Say

PLACE: Corners = ((100, 100), (220, 100), (220, 150), (100, 150))
CROP = np.full((48, 160, 3), 220, np.uint8)


def judged(read: Any, *, prob: float = 0.9, of_text: bool = False) -> PlateSeen | None:
    return judge(Detection(PLACE, prob, text_corners=PLACE if of_text else None), CROP, read)


@pytest.mark.parametrize("raw", ["EC-801LD", "AB123CD", "8ABC234"])
def test_a_foreign_plate_is_read_as_it_is_and_flagged(say: Say, raw: str) -> None:
    seen = judged(say.text(raw, 0.99))
    assert seen is not None
    line = plate_as_json(seen)
    assert line["text"] == raw.replace("-", "") and line["display"] == raw
    assert line["series"] == "" and line["vehicle_classes"] == []


def test_a_foreign_plate_with_one_unsure_sign_is_not_told(say: Say) -> None:
    assert judged(say.text("AB123CD", (0.99, 0.99, 0.7, 0.99, 0.99, 0.99, 0.99))) is None


def test_a_detector_that_only_finds_text_cannot_tell_a_foreign_plate_from_a_sign(say: Say) -> None:
    assert judged(say.text("AB123CD", 0.99), of_text=True) is None
    assert judged(say.text("AB123CD", 0.99), prob=0.4) is None


@pytest.mark.parametrize("raw", ["BKD88", "KD886", "BKD886", "22JMA"])
def test_a_part_of_a_number_of_ours_is_no_foreign_plate(say: Say, raw: str) -> None:
    seen = judged(say.text(raw, 0.99))
    assert seen is None or seen.number.series.id != ""


@pytest.mark.parametrize("raw", ["TOYOTA", "22371212", "320I", "ABCDEFGH12"])
def test_words_telephone_numbers_and_what_is_too_short_or_long_are_no_plates(say: Say, raw: str) -> None:
    assert judged(say.text(raw, 0.99)) is None


def test_a_number_of_the_1980s_needs_a_plate_around_it(say: Say) -> None:
    seen = judged(say.text("170-9337", 0.99))
    assert seen is not None and seen.number.series.id == "1980-moto-3+4"
    assert judged(say.text("170-9337", 0.99), of_text=True) is None
    assert judged(say.text("1709337", 0.99)) is None, "without its dash it is a telephone number"


@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=1, max_size=10), st.floats(0.3, 1.0))
def test_what_is_told_as_unknown_is_what_was_read_and_sure(raw: str, prob: float) -> None:
    number = unknown_number_of(Say().text(raw, prob))
    if number is None:
        return
    assert number.text == raw and not number.fixed
    assert len(number.char_probs) == len(raw) and number.confidence_prob >= 0.9
    assert prob >= 0.9


@given(st.from_regex(r"[A-HJ-NP-Z]{3}-[0-35-9]{4}", fullmatch=True))
def test_a_number_of_ours_is_never_told_as_unknown(raw: str) -> None:
    seen = judged(Say().text(raw, 0.97))
    assert seen is not None and seen.number.series in series_of(raw.replace("-", ""))
