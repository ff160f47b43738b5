"""What is surely a plate and was read doubtfully is read again within other corners; what was read well is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from guardian.domain.read import Corners
from guardian.vision.crop import quad_size
from guardian.vision.engine import TILT_DEG, Engine, near_corners
from guardian.vision.ports import Crop, Detection, Frame, TextRead
from tests.pictures import Say

PLACE: Corners = ((200.0, 200.0), (320.0, 200.0), (320.0, 250.0), (200.0, 250.0))
FRAME = np.full((540, 960, 3), 120, np.uint8)


class _Eyes:
    """Finds one plate; reads it doubtfully within its own corners and surely where the line rises as the plate's does."""

    def __init__(self, say: Say, prob: float, first: float) -> None:
        self.say, self.prob, self.first, self.asked = say, prob, first, 0
        self.seen: list[Corners] = []

    def detect(self, frame: Frame) -> list[Detection]:
        return [Detection(PLACE, self.prob)]

    def view(self, detection: Detection) -> Corners:
        return detection.corners

    def cut(self, frame: Frame, corners: Corners) -> Crop:
        self.seen.append(corners)
        return np.full((48, 160, 3), 200, np.uint8)

    def read(self, crops: list[Crop]) -> list[TextRead]:
        asked, self.seen = self.seen, []
        self.asked += len(asked)
        return [
            self.say.text("BKD-8869", 0.99) if c[1][1] > c[0][1] + 1 else self.say.text("BKD-8863", self.first)
            for c in asked
        ]


@pytest.mark.parametrize(
    ("prob", "first", "again", "text", "asked"),
    [
        (0.95, 0.7, True, "BKD8869", 4),
        (0.95, 0.7, False, "BKD8863", 1),
        (0.95, 0.99, True, "BKD8863", 1),
        (0.8, 0.75, True, "BKD8863", 1),
    ],
)
def test_only_a_doubtful_reading_of_a_sure_plate_is_tried_again(
    say: Say, prob: float, first: float, again: bool, text: str, asked: int
) -> None:
    eyes = _Eyes(say, prob, first)
    engine = Engine(eyes, eyes, name="eyes", tries_again=again)
    (plate,) = engine.look(FRAME)
    assert (plate.number.text, eyes.asked) == (text, asked)


def test_other_corners_stay_around_the_plate() -> None:
    rising, falling, grown = near_corners(PLACE)
    for tilted, sign in ((rising, 1), (falling, -1)):
        slope = (tilted[1][1] - tilted[0][1]) / (tilted[1][0] - tilted[0][0])
        assert slope == pytest.approx(sign * math.tan(math.radians(TILT_DEG)))
        assert np.mean(tilted, axis=0) == pytest.approx(np.mean(PLACE, axis=0))
    assert all(a > b for a, b in zip(quad_size(grown), quad_size(PLACE), strict=True))
