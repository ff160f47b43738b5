"""A number whose dash was not seen: our own reader sees it on practically every plate, so a price tag is told apart by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from guardian.domain.read import DOUBTFUL_PROB, Corners
from guardian.vision.judge import PlateSeen, judge
from guardian.vision.ports import Detection
from tests.pictures import Say

PLACE: Corners = ((100, 100), (220, 100), (220, 150), (100, 150))
CROP = np.full((48, 160, 3), 220, np.uint8)


def _judged(read: Any, *, prob: float = 0.95, of_text: bool = False) -> PlateSeen | None:
    return judge(Detection(PLACE, prob, text_corners=PLACE if of_text else None), CROP, read)


@pytest.mark.parametrize(("raw", "text"), [("BKD-8869", "BKD8869"), ("NTR-337", "NTR337"), ("3705-ZC", "3705ZC")])
def test_with_its_dash_a_number_is_sure_and_without_it_doubtful_or_none(say: Say, raw: str, text: str) -> None:
    whole = _judged(say.text(raw, 0.99))
    assert whole is not None and whole.number.text == text and whole.confidence_prob >= DOUBTFUL_PROB
    bare = _judged(say.text(text, 0.99))
    assert bare is not None and bare.number.text == text and bare.confidence_prob < DOUBTFUL_PROB
    after = bare.number.series.dash_after
    assert [p < DOUBTFUL_PROB for p in bare.number.char_probs] == [i in (after - 1, after) for i in range(len(text))]
    assert _judged(say.text(text, 0.99), prob=0.85) is None, "a price tag: NT$337"


def test_a_dash_in_the_wrong_place_is_no_dash(say: Say) -> None:
    seen = _judged(say.text("BK-D8869", 0.99))
    assert seen is None or seen.confidence_prob < DOUBTFUL_PROB


def test_who_finds_texts_and_not_plates_often_misses_the_dash(say: Say) -> None:
    dark = CROP.copy()
    dark[12:36, 20:140:12] = 30  # dark signs on a light ground, as a text's ground is asked for
    seen = judge(Detection(PLACE, 0.9, text_corners=PLACE), dark, say.text("BKD8869", 0.99))
    assert seen is not None and seen.confidence_prob >= DOUBTFUL_PROB
