"""Where the characters of a read stand in its crop: against what is really drawn there, and through every step."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.read import pack_places
from guardian.vision.crop import grow
from guardian.vision.judge import PlateSeen
from guardian.vision.passing import results_of_photo
from guardian.vision.picture import load_picture
from guardian.vision.place import OVER_THE_DASH, carried, evened, spans_of
from guardian.vision.track import Tracker, TrackSettings


def ink(crop: np.ndarray) -> list[tuple[float, float]]:
    """Left and right edge of each tall dark shape of a crop, in shares of its width."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    dark = (grey < 110).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(dark)
    height, width = dark.shape
    shapes = [(x, w) for x, y, w, h, _ in boxes if 0.35 * height < h < 0.85 * height and 2 < w < width / 4]
    return [(x / width, (x + w) / width) for x, w in sorted(shapes)]


@pytest.mark.parametrize(("text", "at", "height"), [("BKD8869", (480, 380), 60), ("3022JM", (300, 400), 44)])
def test_each_place_holds_the_ink_of_its_character(
    engine: Any, draw: Any, text: str, at: tuple[int, int], height: int
) -> None:
    street = draw.street()
    draw.car(street, text, at, height=height)
    frame = draw.frame(street)
    result = results_of_photo(engine.look(frame), frame, frame_ms=0)[0]
    assert result.text == text
    drawn = ink(result.sight.crop)
    assert len(drawn) == len(text) == len(result.spans)
    for (left, right), (ink_left, ink_right) in zip(result.spans, drawn, strict=True):
        assert left < (ink_left + ink_right) / 2 < right
        shared = min(right, ink_right) - max(left, ink_left)
        assert shared >= 0.75 * (ink_right - ink_left)


def test_a_plate_that_fills_the_picture_has_its_places_too(engine: Any, draw: Any) -> None:
    seen = engine.look_at_crop(draw.frame(draw.plate("BKD8869", height=120)))
    assert seen.number.text == "BKD8869" and len(seen.spans) == 7
    assert all(0 <= left < right <= 1 for left, right in seen.spans)


def _read_in(say: Any, raw: str, *, at: tuple[float, float]) -> PlateSeen:
    plate = say.seen(raw, at=at)
    spans = spans_of(plate.number.places)
    return PlateSeen(plate.number, plate.corners, 0.9, raw, 400.0, spans)


def test_the_voted_text_has_the_places_of_the_frame_that_its_crop_is_from(say: Any, draw: Any) -> None:
    tracker = Tracker(TrackSettings(sure_frames=3))
    frame = draw.frame(draw.street())
    out = []
    for i, raw in enumerate(["BKD-8869", "BKD-8869", "BKD-889", "BKD-8869", "BKD-8869", "BKD-8869"]):
        out += tracker.update([_read_in(say, raw, at=(400 + 4 * i, 300))], frame_ms=100 * i, frame=frame)
    (result,) = out + tracker.finish()
    assert result.text == "BKD8869" and len(result.spans) == 7
    assert len(pack_places(result.spans)) == 14


def test_a_text_that_no_frame_read_has_no_places_of_another_length(say: Any, draw: Any) -> None:
    plate = _read_in(say, "BKD-8869", at=(400, 300))
    frame = draw.frame(draw.street())
    (result,) = results_of_photo([plate], frame, frame_ms=0)
    assert len(result.spans) == 7
    assert msgspec.structs.replace(result, text="BKD889").spans == ()


middles = st.lists(st.floats(0.01, 0.2), min_size=2, max_size=10).map(lambda steps: list(itertools.accumulate(steps)))


@given(middles, st.none() | st.integers(1, 5))
def test_edges_hold_their_middle_and_never_cross(those: list[float], dash_after: int | None) -> None:
    spans = spans_of(those, dash_after)
    assert len(spans) == len(those)
    for (left, right), middle in zip(spans, evened(those, dash_after), strict=True):
        assert left < middle < right
    for (_, right), (left, _) in itertools.pairwise(spans):
        assert right <= left + 1e-9


@given(
    st.floats(0.02, 0.2),
    st.floats(0.05, 0.12),
    st.sampled_from([(7, 3), (6, 4), (6, 2), (6, 3)]),
    st.none() | st.integers(1, 6),
    st.lists(st.floats(-0.3, 0.3), min_size=7, max_size=7),
)
def test_coarse_middles_come_out_as_even_as_the_plate_is_lettered(
    start: float, pitch: float, layout: tuple[int, int], hole: int | None, noise: list[float]
) -> None:
    count, dash_after = layout
    true = [
        start + pitch * (i + OVER_THE_DASH * (i >= dash_after) + (hole is not None and i >= hole)) for i in range(count)
    ]
    assert evened(true, dash_after, hole) == pytest.approx(true, abs=1e-9)
    coarse = [at + pitch * off for at, off in zip(true, noise, strict=False)]
    even = evened(coarse, dash_after, hole)
    worst = max(abs(a - b) for a, b in zip(even, true, strict=True))
    assert worst <= max(abs(a - b) for a, b in zip(coarse, true, strict=True)) * 1.6 + 1e-9


def test_a_middle_that_is_off_by_half_a_character_leaves_all_as_they_were_read() -> None:
    read = (0.1, 0.2, 0.3, 0.46, 0.73, 0.74, 0.84)
    assert evened(read, 3) == pytest.approx(read)


def test_middles_out_of_order_give_no_places() -> None:
    assert spans_of((0.5, 0.4, 0.6)) == spans_of((0.5,)) == spans_of(()) == ()


@given(st.floats(-40, 40), st.floats(-40, 40), st.floats(0, 20))
def test_spans_carried_over_and_back_are_the_same(turn_x: float, turn_y: float, more: float) -> None:
    quad = ((100.0, 100.0), (300.0, 100.0 + turn_y), (300.0 + turn_x, 180.0 + turn_y), (100.0 + turn_x, 180.0))
    wider = grow(quad, left=more, right=more / 2, top=more, bottom=more)
    spans = spans_of([0.1, 0.3, 0.5, 0.9])
    back = carried(carried(spans, quad, wider), wider, quad)
    for (left, right), (left_back, right_back) in zip(spans, back, strict=True):
        assert left_back == pytest.approx(left, abs=0.005)
        assert right_back == pytest.approx(right, abs=0.005)


@pytest.mark.shared
def test_places_on_real_plates_hold_their_ink(engine: Any, shared_plates: Path) -> None:
    """Of clear close pictures whose signs come apart by themselves, each place holds the middle of its sign."""
    lines = [json.loads(line) for line in (shared_plates / "scenes_carbook.jsonl").read_text("utf-8").splitlines()]
    held = counted = 0
    for line in [line for line in lines if line["split"] == "train"][::15][:6]:
        frame = load_picture(shared_plates / line["file"]).frame
        for result in results_of_photo(engine.look(frame), frame, frame_ms=0):
            shapes = ink(result.sight.crop)
            if len(shapes) != len(result.text) or not result.spans:
                continue
            counted += len(shapes)
            held += sum(left < (a + b) / 2 < right for (left, right), (a, b) in zip(result.spans, shapes, strict=True))
    assert counted >= 20
    assert held >= 0.97 * counted, f"{held} of {counted}"
