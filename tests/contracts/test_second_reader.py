"""What every second reader keeps to, over the real one and over the one that other tests use in its place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from guardian.domain.opinion import NotAsked, OpinionVerdict, is_sound
from guardian.footage.plate_art import STYLES, draw_plate
from guardian.vision.opinion import CROPS_MAX, OtherReader, open_second_reader, reader_beside
from guardian.vision.ports import Crop, Detection, ReadChar, SecondReader, TextRead


def picture(text: str, style: str = "car-2012", *, height_px: int = 96, blur: float = 0.0) -> Crop:
    """A plate as a read keeps it: straightened, small, the whole plate."""
    plate = draw_plate(text, STYLES[style], np.random.default_rng(7))
    width = round(plate.shape[1] * height_px / plate.shape[0])
    small = cv2.resize(np.asarray(plate, np.uint8), (width, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), blur) if blur else small, np.uint8)


class NoLines:
    """A finder that finds nothing: the whole crop is the line."""

    def detect(self, frame: Crop) -> list[Detection]:
        return []


class Told:
    """A reader that knows pictures by their bytes, and nothing of others."""

    def __init__(self, known: dict[bytes, str]) -> None:
        self.known = known

    def read(self, crops: list[Crop]) -> list[TextRead]:
        out = []
        for crop in crops:
            text = self.known.get(crop.tobytes(), "")
            chars = [ReadChar(sign, 0.97, (i + 0.5) / len(text)) for i, sign in enumerate(text)]
            out.append(TextRead(tuple(chars)))
        return out


PLATES = {("BKD8869", "car-2012"), ("MXB8063", "moto"), ("3022JM", "car-1992-legend")}


@pytest.fixture(scope="module", params=["ppocr", "told"])
def reader(request: pytest.FixtureRequest) -> SecondReader:
    """Each adapter in turn."""
    if request.param == "ppocr":
        return open_second_reader()
    known = {picture(text, style, height_px=h).tobytes(): text for text, style in PLATES for h in (96, 48)}
    return OtherReader(NoLines(), Told(known), name="told", version="1")  # type: ignore[arg-type]


def test_it_reads_a_plate_by_itself_and_agrees_or_names_the_character(reader: SecondReader) -> None:
    crops = [picture("BKD8869"), picture("BKD8869", height_px=48)]
    same = reader.opinion("BKD8869", crops)
    assert (same.verdict, same.text, same.crops) == (OpinionVerdict.AGREES, "BKD8869", 2)
    assert (same.reader, same.reader_version) == (reader.name, reader.version)
    assert len(same.char_probs) == 7
    other = reader.opinion("BKD8889", crops)
    assert (other.verdict, other.text, other.differing) == (OpinionVerdict.PARTLY, "BKD8869", (5,))
    assert other.char_probs == same.char_probs, "what the first reader saw is not told to the second"


def test_another_plate_altogether_is_said_to_be_one(reader: SecondReader) -> None:
    said = reader.opinion("BKD8869", [picture("MXB8063", "moto")])
    assert (said.verdict, said.text) == (OpinionVerdict.DIFFERS, "MXB8063")


def test_a_legend_over_the_number_is_no_part_of_it(reader: SecondReader) -> None:
    assert reader.opinion("3022JM", [picture("3022JM", "car-1992-legend")]).verdict == OpinionVerdict.AGREES


NOISE = np.random.default_rng(3).integers(0, 255, (96, 228, 3), dtype=np.uint8)


@pytest.mark.parametrize("crop", [NOISE, np.zeros((96, 228, 3), np.uint8), np.full((20, 300, 3), 255, np.uint8)])
def test_what_shows_no_number_cannot_be_read_and_is_no_disagreement(reader: SecondReader, crop: Crop) -> None:
    said = reader.opinion("BKD8869", [crop])
    assert said.verdict == OpinionVerdict.CANNOT_READ
    assert said.text == ""
    assert said.char_probs == ()
    assert is_sound(said)


def test_without_a_picture_it_is_not_asked(reader: SecondReader) -> None:
    for crops in ([], [np.zeros((3, 90, 3), np.uint8)], [np.zeros((0, 0, 3), np.uint8)]):
        said = reader.opinion("BKD8869", crops)
        assert (said.verdict, said.reason) == (OpinionVerdict.NOT_ASKED, NotAsked.NO_PICTURE)


def test_it_looks_at_the_best_few_and_one_bad_picture_spoils_nothing(reader: SecondReader) -> None:
    crops = [picture("BKD8869"), NOISE, *([picture("BKD8869", height_px=48)] * 6)]
    said = reader.opinion("BKD8869", crops)
    assert (said.verdict, said.crops) == (OpinionVerdict.AGREES, CROPS_MAX)


def test_pictures_are_joined_by_probability_not_by_counting() -> None:
    """Two blurred small ones say 8, one large sharp one says 6."""

    def told(text: str, prob: float) -> TextRead:
        last = len(text) - 1
        return TextRead(tuple(ReadChar(s, prob if i == last else 0.97, (i + 0.5) / 7) for i, s in enumerate(text)))

    large, small = picture("BKD8866"), picture("BKD8866", height_px=16, blur=2)

    class Unsure:
        def read(self, crops: list[Crop]) -> list[TextRead]:
            return [told("BKD8866", 0.97) if crop.shape[0] == 96 else told("BKD8868", 0.55) for crop in crops]

    reader = OtherReader(NoLines(), Unsure(), name="u", version="1")  # type: ignore[arg-type]
    assert reader.opinion("BKD8866", [small, small, large]).text == "BKD8866"


def test_the_day_one_engine_is_no_second_opinion_on_itself() -> None:
    assert [reader_beside(name) for name in ("day-one", "day-one-video", "day-one-fast")] == ["", "", ""]
    assert reader_beside("own") == "ppocr"
