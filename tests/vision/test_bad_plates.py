"""Plates that nobody can read wholly: no read rather than a guess, and never a sure one."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from guardian.domain.read import DOUBTFUL_PROB, Corners
from guardian.vision.judge import CUT_SHARE, PlateSeen, within
from tests.pictures import Draw, Say

TEXT = "BKD8869"


def _street_with(draw: Draw, *, height: int = 64) -> tuple[Image.Image, tuple[int, int, int, int]]:
    street = draw.street()
    return street, draw.car(street, TEXT, (480, 320), height=height)


def _sure(plates: list[PlateSeen]) -> list[str]:
    return [p.number.text for p in plates if p.confidence_prob >= DOUBTFUL_PROB]


def test_the_street_without_any_harm_is_read(engine: Any, draw: Draw) -> None:
    assert _sure(engine.look(draw.frame(_street_with(draw)[0]))) == [TEXT]


@pytest.mark.parametrize("share", [0.15, 0.3, 0.45, 0.6])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_plate_that_the_frame_cuts_is_no_other_number(engine: Any, draw: Draw, share: float, side: str) -> None:
    street, (x0, _, x1, _) = _street_with(draw)
    edge = round(x0 + (x1 - x0) * share) if side == "left" else round(x1 - (x1 - x0) * share)
    part = street.crop((edge, 0, street.width, street.height) if side == "left" else (0, 0, edge, street.height))
    assert _sure(engine.look(draw.frame(part))) == []


def test_a_plate_that_is_wholly_covered_is_not_read(engine: Any, draw: Draw) -> None:
    street, box = _street_with(draw)
    street.paste((120, 122, 126), box)
    assert engine.look(draw.frame(street)) == []


@pytest.mark.parametrize("share", [0.35, 0.5, 0.7])
def test_a_plate_that_is_half_covered_is_no_sure_number(engine: Any, draw: Draw, share: float) -> None:
    street, (x0, y0, x1, y1) = _street_with(draw)
    street.paste((60, 66, 72), (round(x0 + (x1 - x0) * share), y0 - 6, x1 + 8, y1 + 6))
    assert _sure(engine.look(draw.frame(street))) == []


def test_a_mirrored_plate_is_no_sure_number(engine: Any, draw: Draw) -> None:
    street, _ = _street_with(draw)
    assert _sure(engine.look(draw.frame(ImageOps.mirror(street)))) == []


def test_two_plates_side_by_side_are_two_reads(engine: Any, draw: Draw) -> None:
    street, (_, y0, x1, _) = _street_with(draw)
    street.paste(draw.plate("MHD0012", height=64), (x1 + 14, y0))
    assert _sure(engine.look(draw.frame(street))) == [TEXT, "MHD0012"]


@pytest.mark.parametrize("turn_deg", [0.0, 6.0])
@pytest.mark.parametrize("height", [60, 120])
def test_a_picture_that_is_nothing_but_a_plate_is_read(engine: Any, draw: Draw, height: int, turn_deg: float) -> None:
    """Somebody cut it out closely: nothing of the vehicle is left, and turned corners lie outside."""
    plate = draw.plate(TEXT, height=height)
    turned = plate.rotate(turn_deg, resample=Image.Resampling.BICUBIC, expand=False, fillcolor=(70, 74, 80))
    frame = draw.frame(turned)
    plates = engine.look(frame)
    assert [p.number.text for p in plates] == [TEXT]
    (corners,) = (np.asarray(p.corners) for p in plates)
    assert np.all(corners > -0.2 * frame.shape[1]) and np.all(corners < 1.2 * frame.shape[1]), (
        "px of the picture itself"
    )
    assert abs(corners.mean(axis=0) - (frame.shape[1] / 2, frame.shape[0] / 2)).max() < 0.12 * frame.shape[1]


def test_half_of_a_plate_that_was_cut_out_is_no_sure_number(engine: Any, draw: Draw) -> None:
    plate = draw.plate(TEXT, height=120)
    for share in (0.4, 0.55):
        half = plate.crop((0, 0, round(plate.width * share), plate.height))
        assert _sure(engine.look(draw.frame(half))) == []


def _at(left: float, right: float, *, say: Say) -> PlateSeen:
    corners: Corners = ((left, 100.0), (right, 100.0), (right, 140.0), (left, 140.0))
    return msgspec.structs.replace(say.seen("BKD-8869"), corners=corners)


@given(st.floats(-90, 890), st.floats(40, 200))
def test_what_lies_inside_is_left_alone_and_what_lies_outside_is_refused_or_doubted(left: float, wide: float) -> None:
    plate = _at(left, left + wide, say=Say())
    kept = within(plate, 960, 540)
    over = max(0.0, -left, left + wide - 960) / wide
    if over > CUT_SHARE + 1e-6:
        assert kept is None
    elif over > 1e-6:
        assert kept is not None and kept.confidence_prob < DOUBTFUL_PROB
    elif left > 0.02 * wide and left + wide < 960 - 0.02 * wide:
        assert kept == plate


def test_only_the_character_at_the_edge_is_in_doubt(say: Say) -> None:
    kept = within(_at(0.0, 120.0, say=say), 960, 540)
    assert kept is not None
    assert [i for i, p in enumerate(kept.number.char_probs) if p < DOUBTFUL_PROB] == [0]
    kept = within(_at(840.0, 960.0, say=say), 960, 540)
    assert kept is not None
    assert [i for i, p in enumerate(kept.number.char_probs) if p < DOUBTFUL_PROB] == [6]


def test_a_flat_grey_picture_says_nothing(engine: Any) -> None:
    assert engine.look(np.full((540, 960, 3), 127, np.uint8)) == []
