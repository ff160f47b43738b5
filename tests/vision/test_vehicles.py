"""Vehicles: which word a paint gets, when nobody can tell, which box carries a plate, and what the model's maps mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.cli import main
from guardian.vision.colours import COLOURS, colour_of_paint, colourless, measured_colour
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import Box, ReadChar, TextRead, VehicleSeen
from guardian.vision.series import number_of
from guardian.vision.vehicles import (
    BODIES,
    COLOUR_WORDS,
    KIND_OF_BODY,
    KINDS,
    SIDES,
    STRIDE_PX,
    Look,
    carrier_of,
    inside_share,
    overlap,
    vehicles_of,
)

PLATE = ((170.0, 200.0), (230.0, 200.0), (230.0, 224.0), (170.0, 224.0))
BOX: Box = (40.0, 40.0, 360.0, 290.0)


def _street(
    paint: tuple[int, int, int], *, light: float = 1.0, plate: tuple[int, int, int] = (225, 228, 228)
) -> np.ndarray:
    """A painted vehicle with a plate before a blue and green background, BGR."""
    frame = np.zeros((300, 400, 3), np.uint8)
    frame[:150], frame[150:] = (190, 160, 130), (90, 120, 100)
    frame[40:290, 40:360] = paint
    frame[200:224, 170:230] = plate
    return np.clip(frame * light, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("paint", "word"),
    [
        ((232, 232, 230), "white"), ((182, 184, 186), "silver"), ((108, 110, 112), "grey"), ((34, 34, 36), "black"),
        ((30, 28, 170), "red"), ((130, 66, 30), "blue"), ((56, 110, 50), "green"), ((30, 190, 235), "yellow"),
        ((30, 100, 215), "orange"), ((40, 62, 96), "brown"), ((110, 40, 100), "purple"), ((130, 165, 185), "gold"),
    ],
)  # fmt: skip
def test_each_of_the_registrys_words_has_its_paint(paint: tuple[int, int, int], word: str) -> None:
    assert colour_of_paint(paint) == word
    assert word in COLOURS


@pytest.mark.parametrize(
    ("paint", "word"), [((225, 225, 225), "white"), ((30, 28, 170), "red"), ((105, 105, 107), "grey")]
)
@pytest.mark.parametrize("light", [0.6, 0.8, 1.0])
def test_the_plates_white_says_what_white_is_in_any_light(paint: tuple[int, int, int], word: str, light: float) -> None:
    assert measured_colour(_street(paint, light=light), BOX, PLATE)[0] == word


def test_in_the_dark_nobody_can_tell() -> None:
    assert measured_colour(_street((30, 28, 170), light=0.1), BOX, PLATE)[0] == ""
    assert measured_colour(_street((30, 28, 170)), BOX, PLATE)[0] == "red"


def test_in_a_grey_picture_nobody_can_tell() -> None:
    frame = _street((225, 225, 225))
    grey = np.repeat(frame.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    assert colourless(grey) and not colourless(frame)
    assert measured_colour(grey, BOX, PLATE)[0] == ""


def test_a_coloured_plate_is_no_white() -> None:
    assert measured_colour(_street((225, 225, 225), plate=(40, 180, 230)), BOX, PLATE)[0] in ("white", "silver")


def test_a_box_outside_of_the_frame_gives_no_colour() -> None:
    assert measured_colour(_street((225, 225, 225)), (500.0, 400.0, 600.0, 500.0), None) == ("", 0.5)


def _vehicle(box: Box) -> VehicleSeen:
    return VehicleSeen(box, "car", 0.9)


def test_a_plate_belongs_to_the_smallest_box_around_its_middle() -> None:
    near, far = _vehicle((0, 0, 400, 300)), _vehicle((150, 150, 260, 240))
    assert carrier_of(PLATE, [near, far]) == 1
    assert carrier_of(PLATE, [near]) == 0
    assert carrier_of(PLATE, [_vehicle((300, 0, 400, 300))]) is None
    assert carrier_of(PLATE, []) is None


_side = st.floats(0, 500)
_box = st.tuples(_side, _side, st.floats(1, 300), st.floats(1, 300)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(_box, _box)
def test_overlap_is_the_same_both_ways_and_whole_only_with_itself(a: Box, b: Box) -> None:
    assert overlap(a, b) == pytest.approx(overlap(b, a))
    assert 0 <= overlap(a, b) <= 1 + 1e-9
    assert overlap(a, a) == pytest.approx(1)
    assert overlap(a, b) <= inside_share(a, b) + 1e-9


def _maps(kind: str, body: str, prob: float = 0.9) -> np.ndarray:
    """One vehicle in the cell of row 3, column 5, reaching 16 px to each side and 8 up and down."""
    maps = np.zeros((len(KINDS) + SIDES + len(COLOUR_WORDS) + len(BODIES), 8, 12), np.float32)
    maps[KINDS.index(kind), 3, 5] = prob
    maps[len(KINDS) : len(KINDS) + SIDES, 3, 5] = (16, 8, 16, 8)
    maps[len(KINDS) + SIDES + COLOUR_WORDS.index("red"), 3, 5] = 0.8
    maps[len(KINDS) + SIDES + len(COLOUR_WORDS) + BODIES.index(body), 3, 5] = 0.9
    return maps


def test_a_peak_of_the_maps_is_a_vehicle() -> None:
    (seen,) = vehicles_of(_maps("truck", "truck"), Look())
    x, y = 5.5 * STRIDE_PX, 3.5 * STRIDE_PX
    assert seen.box == (x - 16, y - 8, x + 16, y + 8)
    assert (seen.kind, seen.colour, seen.body) == ("truck", "red", "truck")
    assert seen.kind_prob == pytest.approx(0.9) and seen.body_prob == pytest.approx(0.9)


def test_make_and_model_are_said_to_be_not_known() -> None:
    (seen,) = vehicles_of(_maps("car", "suv"), Look())
    assert (seen.make, seen.make_prob, seen.model, seen.model_prob) == ("", 0.0, "", 0.0)


def test_a_body_that_such_a_vehicle_cannot_have_is_not_known() -> None:
    (seen,) = vehicles_of(_maps("motorcycle", "bus"), Look())
    assert seen.body == ""


def test_what_is_hardly_believed_is_left_out() -> None:
    assert vehicles_of(_maps("car", "suv", prob=0.2), Look()) == []


def test_one_vehicle_with_two_peaks_is_said_once() -> None:
    maps = _maps("car", "sedan")
    maps[:, 3, 7] = maps[:, 3, 5]
    maps[len(KINDS), 3, 7] = 32  # its left side reaches as far
    assert len(vehicles_of(maps, Look())) == 1


def test_a_box_within_a_likelier_one_of_its_kind_is_a_part_of_it_and_another_kind_is_not() -> None:
    maps = _maps("car", "sedan")
    maps[len(KINDS) : len(KINDS) + SIDES, 3, 5] = (40, 24, 40, 24)
    for kind, count in (("car", 1), ("motorcycle", 2)):
        more = np.maximum(maps, np.roll(_maps(kind, "", prob=0.6), (1, 3), axis=(1, 2)))
        assert len(vehicles_of(more, Look())) == count


def test_every_body_belongs_to_a_kind() -> None:
    assert {KIND_OF_BODY[b] for b in BODIES if b} == set(KINDS)


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    from guardian.vision.weights import LIST_NAME, WeightFile, WeightsError, content_of, listed

    (tmp_path / "vehicles.onnx").write_bytes(b"another")
    entry = WeightFile("vehicles.onnx", "0" * 64, 7, "1")
    (tmp_path / LIST_NAME).write_bytes(msgspec.json.encode({"vehicles": entry}))
    listed.cache_clear()
    with pytest.raises(WeightsError) as caught:
        content_of("vehicles", tmp_path)
    listed.cache_clear()
    assert "guardian train" in caught.value.hint


class _Engine:
    """Finds one plate, wherever it looks."""

    def look(self, frame: np.ndarray) -> list[Any]:
        text = "BKD8869"
        chars = tuple(ReadChar(sign, 0.97, (place + 0.5) / len(text)) for place, sign in enumerate(text))
        number = number_of(TextRead(chars))
        assert number is not None
        return [PlateSeen(number, PLATE, 0.9, text)]


class _Looker:
    """Sees a car around the plate and a motorcycle beside it; is told of the plate."""

    def vehicles(self, frame: np.ndarray, plates: Any = ()) -> list[VehicleSeen]:
        assert list(plates) == [PLATE]
        return [
            VehicleSeen((300.0, 10.0, 390.0, 200.0), "motorcycle", 0.8),
            VehicleSeen(BOX, "car", 0.9, "red", 0.8, "suv", 0.7),
        ]


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import cv2

    monkeypatch.setattr("guardian.vision.engine.open_engine", lambda *_, **__: _Engine())
    monkeypatch.setattr("guardian.vision.vehicles.VehicleFinder", _Looker)
    cv2.imwrite(str(tmp_path / "photo.png"), _street((30, 28, 170)))
    return tmp_path / "photo.png"


def test_json_says_which_vehicle_wears_each_plate_when_asked(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(photo), "--json", "--vehicles"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert [plate["vehicle"] for plate in line["plates"]] == [1]
    assert list(line["vehicles"][1]) == [
        "box", "kind", "kind_prob", "colour", "colour_prob", "body", "body_prob", "make", "model",
    ]  # fmt: skip
    assert line["vehicles"][1] == {
        "box": list(BOX), "kind": "car", "kind_prob": 0.9, "colour": "red", "colour_prob": 0.8, "body": "suv", "body_prob": 0.7,
        "make": "", "model": "",
    }  # fmt: skip
    assert line["vehicles"][0]["colour"] == "", "cannot tell is an empty word"


def test_without_being_asked_nothing_is_said_of_vehicles(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(photo), "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert "vehicles" not in line and "vehicle" not in line["plates"][0]


def test_people_see_the_vehicle_beside_its_number(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(photo), "--vehicles"]) == 0
    assert "red suv" in capsys.readouterr().out


def test_the_shipped_model_sees_nothing_in_nothing_of_any_shape() -> None:
    from guardian.vision.vehicles import VehicleFinder

    finder = VehicleFinder()
    for shape in ((32, 32), (300, 20), (20, 300)):
        assert finder.vehicles(np.zeros((*shape, 3), np.uint8)) == []
