"""The engine: one factory, two protocols, bounds."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from guardian.domain.errors import InputRefusedError
from guardian.domain.read import Corners
from guardian.vision.crop import straighten
from guardian.vision.engine import Engine, StageTimes, open_engine
from guardian.vision.judge import overlap
from guardian.vision.ports import Crop, Detection, Frame, TextRead
from guardian.vision.ppocr import EngineMissingError
from guardian.vision.window import detect_near


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputRefusedError, match="no engine 'day-two'") as caught:
        open_engine("day-two")
    assert "guardian-video" in caught.value.hint and "day-one-video" in caught.value.hint


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "rapidocr" else real(name, *a))
    with pytest.raises(EngineMissingError) as caught:
        open_engine("day-one")
    assert "guardian[device]" in caught.value.hint


def test_opening_the_engine_says_nothing_and_does_not_load_the_package_that_brings_its_weights() -> None:
    code = "import sys; from guardian.vision.engine import open_engine; open_engine('day-one'); open_engine(); print('rapidocr' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr.strip()) == ("False", "")


def test_each_stage_s_time_is_told(engine: Engine, draw: Any) -> None:
    times = StageTimes()
    street = draw.street()
    draw.car(street, "BKD8869", (480, 320))
    engine.look(draw.frame(street), times)
    assert times.detect_ms > times.judge_ms > 0
    assert times.read_ms > 0 and times.rectify_ms > 0


@pytest.mark.parametrize("shape", [(8, 8), (8, 2000), (33, 47), (2160, 3840)])
def test_no_shape_of_picture_breaks_the_engine(engine: Engine, shape: tuple[int, int]) -> None:
    assert engine.look(np.full((*shape, 3), 128, np.uint8)) == []


class _Everywhere:
    """A detector of another make: it finds plates and not text, so that the filter for signs does not apply."""

    def detect(self, frame: Frame) -> list[Detection]:
        return [Detection(((10.0, 10.0), (130.0, 10.0), (130.0, 60.0), (10.0, 60.0)), 0.9)]


class _Parrot:
    def __init__(self, text: TextRead) -> None:
        self.text = text

    def view(self, detection: Detection) -> Corners:
        return detection.corners

    def cut(self, frame: Frame, corners: Corners) -> Crop:
        return straighten(frame, corners, height_px=48)

    def read(self, crops: Sequence[Crop]) -> list[TextRead]:
        return [self.text for _ in crops]


def test_another_detector_and_reader_take_the_place_of_the_first(say: Any) -> None:
    other = Engine(_Everywhere(), _Parrot(say.text("BKD-8869")), name="other")
    (plate,) = other.look(np.zeros((80, 200, 3), np.uint8))
    assert plate.number.text == "BKD8869"
    assert plate.corners == ((10.0, 10.0), (130.0, 10.0), (130.0, 60.0), (10.0, 60.0))


def test_a_window_finds_what_a_whole_look_finds_at_the_same_place(engine: Engine, draw: Any) -> None:
    street = draw.street()
    draw.car(street, "BKD8869", (480, 320))
    frame = draw.frame(street)
    (whole,) = engine.look(frame)
    moved = tuple((x + 14, y - 6) for x, y in whole.corners)
    (near,) = engine.near(frame, [moved])  # type: ignore[list-item]
    assert near.number.text == whole.number.text == "BKD8869"
    assert overlap(near.corners, whole.corners) > 0.85
    assert engine.near(frame, []) == []


def test_what_is_known_already_is_not_read_again(engine: Engine, draw: Any) -> None:
    street = draw.street()
    draw.car(street, "BKD8869", (480, 320))
    frame = draw.frame(street)
    (whole,) = engine.look(frame)
    assert engine.look(frame, known=[whole.corners]) == []


class _Noting:
    """Notes the size of what it is shown, and finds one line in its middle."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, int]] = []

    def detect(self, frame: Frame) -> list[Detection]:
        height, width = frame.shape[:2]
        self.shown.append((width, height))
        x, y, w, h = width / 2, height / 2, width / 6, height / 9.2
        return [Detection(((x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)), 0.9)]


@pytest.mark.parametrize("tall", [12.0, 40.0, 200.0])
def test_a_window_is_small_whatever_the_plate_s_size_and_its_finds_lie_in_the_frame_s_pixels(tall: float) -> None:
    eye = _Noting()
    left, top = 700.0, 400.0
    plate = ((left, top), (left + 2.4 * tall, top), (left + 2.4 * tall, top + tall), (left, top + tall))
    (found,) = detect_near(eye, np.zeros((1080, 1920, 3), np.uint8), plate)
    ((width, height),) = eye.shown
    assert width * height <= 440 * 280
    for (x, y), (wanted_x, wanted_y) in zip(found.corners, plate, strict=True):
        assert abs(x - wanted_x) <= 0.05 * tall + 1
        assert abs(y - wanted_y) <= 0.05 * tall + 1


def test_a_plate_expected_outside_the_frame_is_not_looked_for() -> None:
    eye = _Noting()
    outside = ((-400.0, 10.0), (-300.0, 10.0), (-300.0, 50.0), (-400.0, 50.0))
    assert detect_near(eye, np.zeros((300, 400, 3), np.uint8), outside) == []
    assert eye.shown == []


def test_two_windows_over_one_plate_give_it_once(say: Any) -> None:
    reader = _Parrot(say.text("BKD-8869"))
    other = Engine(_Everywhere(), reader, name="other")
    one = ((10.0, 10.0), (130.0, 10.0), (130.0, 60.0), (10.0, 60.0))
    assert len(other.near(np.zeros((80, 200, 3), np.uint8), [one, one])) == 1


def test_seven_digits_are_a_telephone_number_for_a_finder_of_text_and_a_plate_for_a_finder_of_plates(
    engine: Any, draw: Any
) -> None:
    """docs/decisions/0006."""
    plate = draw.plate("0480580", height=120)
    street = draw.street()
    street.paste(plate, (300, 330))
    assert open_engine("day-one", threads=2).look(draw.frame(street)) == []
    for seen in (*engine.look(draw.frame(street)), engine.look_at_crop(draw.frame(plate))):
        assert (seen.number.text, seen.number.series.id) == ("0480580", "1980-moto-3+4")
