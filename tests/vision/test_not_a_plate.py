"""What is printed on signs and reads like a number: words, telephone numbers, prices. And what is only a guess."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from guardian.domain.read import DOUBTFUL_PROB, Corners
from guardian.vision.judge import (
    GUESS_PROB,
    PLATE_PROB_MIN,
    PLATE_PROB_SURE,
    UNSURE_PROB_MIN,
    PlateSeen,
    judge,
    plausible_line,
)
from guardian.vision.ports import Detection
from tests.pictures import Say

PLACE: Corners = ((100, 100), (220, 100), (220, 150), (100, 150))
CROP = np.full((48, 160, 3), 220, np.uint8)


def _judged(read: Any, prob: float = 0.95) -> PlateSeen | None:
    return judge(Detection(PLACE, prob), CROP, read)


@pytest.mark.parametrize("raw", ["V0LV0", "HELL0", "KYMC0", "N1SSAN", "H0NDA", "TU-RB0"])
def test_a_word_is_no_foreign_plate_though_its_o_reads_as_nought(say: Say, raw: str) -> None:
    assert _judged(say.text(raw, 0.99)) is None


@pytest.mark.parametrize("raw", ["02-1254", "8333-7728", "2234-5678"])
def test_a_telephone_number_is_not_bent_into_a_plate(say: Say, raw: str) -> None:
    assert _judged(say.text(raw, 0.99)) is None


def test_a_number_of_the_eighties_is_told_where_the_plate_is_sure(say: Say) -> None:
    seen = _judged(say.text("168-3285", 0.99))
    assert seen is not None and seen.number.text == "1683285"
    assert _judged(say.text("168-3285", 0.99), PLATE_PROB_SURE - 0.01) is None


@pytest.mark.parametrize(("raw", "prob"), [("340-7C", 0.7), ("UL-759", 0.53)])
def test_a_price_or_a_year_is_no_rare_series(say: Say, raw: str, prob: float) -> None:
    assert _judged(say.text(raw, prob)) is None


def test_a_rare_series_that_is_read_plainly_is_told(say: Say) -> None:
    seen = _judged(say.text("AB-12", 0.99)) or _judged(say.text("ABC-12", 0.99))
    assert seen is not None and seen.number.series.id != ""


def test_a_price_is_told_with_a_doubt_where_the_sign_of_money_would_be(say: Say) -> None:
    seen = _judged(say.text("NTS-561", 0.99))
    assert seen is not None
    assert [p < DOUBTFUL_PROB for p in seen.number.char_probs] == [False, False, True, False, False, False]
    assert _judged(say.text("NTS-561", 0.99), PLATE_PROB_SURE - 0.01) is None
    other = _judged(say.text("NTR-561", 0.99))
    assert other is not None and other.confidence_prob >= DOUBTFUL_PROB


def test_a_guess_of_both_is_not_told(say: Say) -> None:
    weak = (0.99, 0.99, 0.99, GUESS_PROB - 0.1, 0.99, 0.99, 0.99)
    assert _judged(say.text("BKD-8869", weak), PLATE_PROB_MIN - 0.1) is None
    assert _judged(say.text("BKD-8869", weak)) is not None
    assert _judged(say.text("BKD-8869", 0.99), PLATE_PROB_MIN - 0.1) is not None


def test_what_is_read_doubtfully_where_no_plate_is_sure_is_not_told(say: Say) -> None:
    weak = (0.99, 0.99, 0.99, UNSURE_PROB_MIN - 0.05, 0.99, 0.99, 0.99)
    assert _judged(say.text("BKD-8869", weak), PLATE_PROB_SURE - 0.01) is None
    assert _judged(say.text("BKD-8869", weak), PLATE_PROB_SURE) is not None
    enough = (0.99, 0.99, 0.99, UNSURE_PROB_MIN + 0.05, 0.99, 0.99, 0.99)
    assert _judged(say.text("BKD-8869", enough), PLATE_PROB_SURE - 0.01) is not None


@pytest.mark.parametrize(("raw", "told"), [("Q5-784533", False), ("W5-784533", True), ("KA-5784K3", True)])
def test_a_telephone_number_is_no_foreign_plate_though_its_nought_reads_as_a_letter(
    say: Say, raw: str, told: bool
) -> None:
    seen = _judged(say.text(raw, 0.99))
    assert (seen is not None and seen.number.series.id == "") == told


def test_a_plate_seen_from_far_beside_it_may_be_as_high_as_wide_and_a_line_of_text_may_not() -> None:
    quad = ((0.0, 0.0), (30.0, 4.0), (30.0, 34.0), (0.0, 30.0))
    assert plausible_line(Detection(quad, 0.9)), "the finder's own corners of a plate turned by 60 degrees"
    assert not plausible_line(Detection(quad, 0.9, text_corners=quad)), "a text is as wide as its signs"
    narrow = ((0.0, 0.0), (20.0, 4.0), (20.0, 34.0), (0.0, 30.0))
    assert not plausible_line(Detection(narrow, 0.9)), "nobody reads it"
