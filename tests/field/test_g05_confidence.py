"""G05: one guessed or missing character must not hide behind a good mean, and padding must not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from guardian.cli.read import plate_as_json
from guardian.domain.read import DOUBTFUL_PROB
from guardian.vision.engine import open_engine
from guardian.vision.series import number_of
from guardian.vision.track import Tracker

HIDDEN = (0.99, 0.99, 0.99, 0.31, 0.99, 0.99, 0.99)


def test_the_weakest_character_is_the_confidence_and_is_marked_in_json(say: Any) -> None:
    plate = say.seen("BKD-8869", HIDDEN)
    line = plate_as_json(plate)
    assert line["confidence_prob"] == min(line["char_probs"]) < DOUBTFUL_PROB
    assert [i for i, p in enumerate(line["char_probs"]) if p < DOUBTFUL_PROB] == [3]
    assert len(line["char_probs"]) == len(line["text"]) == 7


def test_the_doubt_survives_the_vote_when_every_frame_has_it(say: Any) -> None:
    tracker, reads = Tracker(), []
    for n in range(20):
        reads += tracker.update([say.seen("BKD-8869", HIDDEN, at=(300 + n, 300))], frame_ms=100 * n)
    reads += tracker.finish()
    assert [read.doubtful for read in reads] == [(3,)]


@pytest.mark.parametrize("name", ["guardian", "day-one"])
def test_padding_gives_no_characters_and_does_not_raise_the_confidence(name: str, draw: Any) -> None:
    reader = open_engine(name, threads=2).reader
    short = draw.frame(draw.plate("MHD0012", height=68))[12:60]
    wide = np.hstack([short] * 5)  # a reader that pads pads the batch to five times the width
    alone, padded = reader.read([short])[0], reader.read([short, wide])[0]
    assert alone.raw_text == padded.raw_text
    assert len(padded.chars) == len(alone.chars)
    for a, b in zip(alone.chars, padded.chars, strict=True):
        assert abs(a.prob - b.prob) < 0.05


def test_a_number_with_a_hole_keeps_its_raw_text_and_is_in_doubt(say: Any) -> None:
    number = number_of(say.text("BKD-869", 0.99, hole_before=4))
    assert number is not None
    assert number.raw_text == "BKD-869"
    assert number.hole == 3
    assert number.confidence_prob < DOUBTFUL_PROB, "a motorcycle of the old series, and sure of it"


def test_the_same_number_without_a_hole_is_a_sure_one_of_the_old_series(say: Any) -> None:
    number = number_of(say.text("BKD-869", 0.99))
    assert number is not None
    assert number.hole is None
    assert number.confidence_prob >= DOUBTFUL_PROB


def test_a_bolt_over_a_character_leaves_a_doubt(engine: Any, draw: Any) -> None:
    picture = draw.street()
    x0, y0, _, y1 = draw.car(picture, "BKD8869", (480, 320), height=96)
    whole = engine.look(draw.frame(picture))
    assert [p.number.text for p in whole] == ["BKD8869"]
    cover = picture.crop((x0 + 8, y0 + 8, x0 + 14, y0 + 20)).resize((30, int((y1 - y0) * 0.7)))
    centre = whole[0].number.places[3]
    crop_x0, crop_x1 = whole[0].corners[0][0], whole[0].corners[1][0]
    x = crop_x0 + centre * (crop_x1 - crop_x0)
    picture.paste(cover, (int(x - 15), int(y0 + (y1 - y0) * 0.15)))
    for plate in engine.look(draw.frame(picture)):
        assert plate.number.text != "BKD869" or plate.confidence_prob < DOUBTFUL_PROB
