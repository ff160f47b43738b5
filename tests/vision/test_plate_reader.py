"""The reader's steps around its model: what it is shown, and what its columns say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from guardian.vision.crop import quad_size
from guardian.vision.plate_reader import BATCH_MAX, SIGNS, PlateReader, seen_corners
from guardian.vision.ports import Detection


def _columns(said: str, prob: float = 0.9) -> np.ndarray:
    """40 columns; `_` is blank, each other sign stands in its column."""
    out = np.full((40, 38), (1 - prob) / 37, np.float32)
    for step, sign in enumerate(said.ljust(40, "_")):
        out[step, 0 if sign == "_" else SIGNS.index(sign) + 1] = prob
    return out


class _Model:
    def __init__(self, *said: str) -> None:
        self.said = said
        self.batches: list[int] = []

    def run(self, _: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        crops = given["crops"]
        assert crops.shape[1:] == (1, 48, 160) and crops.dtype == np.float32
        assert crops.min() >= 0 and crops.max() <= 1
        self.batches.append(len(crops))
        return [np.stack([_columns(self.said[i % len(self.said)]) for i in range(len(crops))])]


def _reader(*said: str, late: float = 0.0) -> tuple[PlateReader, _Model]:
    reader = PlateReader.__new__(PlateReader)
    model = _Model(*said)
    reader._session, reader._late = model, late
    return reader, model


def _crop(height: int = 48, width: int = 160) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_runs_are_one_sign_and_doubled_signs_need_a_blank_between() -> None:
    reader, _ = _reader("__AA_A__B_--_11_1_3_3__")
    (read,) = reader.read([_crop()])
    assert read.raw_text == "AAB-1133"


def test_a_sign_knows_its_place_its_probability_and_what_else_may_stand_there() -> None:
    columns = _columns("____8")
    columns[4] = 0.001
    columns[4, SIGNS.index("8") + 1] = 0.7
    columns[4, SIGNS.index("B") + 1] = 0.25
    reader, model = _reader("")
    model.run = lambda _, given: [columns[None]]  # type: ignore[method-assign]
    (char,) = reader.read([_crop()])[0].chars
    assert char.sign == "8"
    assert char.prob == pytest.approx(0.7)
    assert (char.alternatives[0].sign, char.alternatives[0].prob) == ("B", 0.25)
    assert char.place == pytest.approx(4.5 / 40)


def test_a_late_reader_is_put_right() -> None:
    reader, _ = _reader("____8", late=0.5)
    assert reader.read([_crop()])[0].chars[0].place == pytest.approx(4.0 / 40)


def test_many_crops_are_read_in_bounded_batches_and_in_order() -> None:
    texts = ["A_1", "B_2", "C_3"]
    reader, model = _reader(*texts)
    reads = reader.read([_crop()] * (BATCH_MAX + 3))
    assert model.batches == [BATCH_MAX, 3]
    assert [r.raw_text for r in reads[:3]] == ["A1", "B2", "C3"]
    assert reader.read([]) == []


@pytest.mark.parametrize("shape", [(8, 20), (200, 500), (48, 160), (300, 30)])
def test_a_crop_of_any_size_is_taken(shape: tuple[int, int]) -> None:
    reader, _ = _reader("A_1")
    assert reader.read([_crop(*shape)])[0].raw_text == "A1"


def test_a_crop_of_nothing_says_nothing() -> None:
    reader, _ = _reader("")
    assert reader.read([_crop()])[0].chars == ()


def test_the_reader_sees_a_little_more_than_the_plate() -> None:
    plate = ((100.0, 100.0), (220.0, 100.0), (220.0, 150.0), (100.0, 150.0))
    width, height = quad_size(seen_corners(plate))
    assert (width, height) == pytest.approx((132.0, 62.0))
    reader, _ = _reader("")
    assert reader.view(Detection(plate, 0.9)) == seen_corners(plate)
    assert reader.cut(_crop(300, 400), plate).shape == (48, 160, 3)
