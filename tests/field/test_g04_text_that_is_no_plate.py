"""G04: what the camera burns into its picture is no plate."""

from __future__ import annotations

from typing import Any

import pytest

from guardian.vision.engine import open_engine
from guardian.vision.track import Tracker

STAMP = ("CAM03", "2026-11-25 10:03:12", "25.0330N 121.5654E", "48km/h")


@pytest.mark.parametrize(
    "line", [*STAMP, "  ".join(STAMP), "02-2371-2121", "0937-716-091", "224-4429", "TOYOTA", "P2 24H"]
)
def test_no_plate_is_read_from_burnt_in_text(engine: Any, draw: Any, line: str) -> None:
    street = draw.street()
    draw.stamp(street, line)
    assert engine.look(draw.frame(street)) == []


def test_beside_a_real_plate_only_the_plate_is_read(engine: Any, draw: Any) -> None:
    street = draw.street()
    draw.car(street, "BKD8869", (560, 300))
    draw.stamp(street, *STAMP)
    assert [plate.number.text for plate in engine.look(draw.frame(street))] == ["BKD8869"]


@pytest.mark.parametrize("name", ["guardian", "day-one"])
def test_white_signs_on_a_dark_ground_are_no_plate_even_when_they_fit_a_series(name: str, draw: Any) -> None:
    street = draw.street()
    draw.stamp(street, "CAM-0305", top=400)
    assert open_engine(name, threads=2).look(draw.frame(street)) == []


def test_the_ground_alone_refuses_a_line_of_text_that_reads_like_a_number(draw: Any) -> None:
    day_one = open_engine("day-one", threads=2)
    street = draw.street()
    draw.stamp(street, "CAM-0305")
    frame = draw.frame(street)
    lines = day_one.detector.detect(frame)
    read_at_all = [text.raw_text for text in day_one.read(day_one.rectify(frame, lines))]
    assert any("0305" in raw for raw in read_at_all), "the stamp was not even seen: the test proves nothing"
    assert day_one.look(frame) == []


def test_text_at_the_same_pixels_while_the_scene_moves_never_becomes_a_read(draw: Any, say: Any) -> None:
    # 300 frames; the engine is left out (it would refuse the stamp already): the tracker alone must not be fooled.
    tracker, reads = Tracker(), []
    streets = [draw.frame(draw.street(480, 270, shift=17 * i, seed=5)) for i in range(20)]
    for n in range(300):
        stamp = say.seen("CAM-0305", 0.98, at=(70 + n % 2 * 0.5, 250), height=18)
        car = say.seen("BKD-8869", 0.98, at=(200 + n, 160), height=20)
        reads += tracker.update([stamp, car], frame_ms=40 * n, frame=streets[n % 20])
    reads += tracker.finish()
    assert [read.text for read in reads] == ["BKD8869"]
    assert tracker.counts.overlays == 1


def test_a_plate_that_is_followed_at_one_distance_is_still_read(draw: Any, say: Any) -> None:
    tracker, reads = Tracker(), []
    for n in range(30):
        street = draw.street(480, 270, shift=17 * n, seed=5)
        x0, y0, x1, y1 = draw.car(street, "BKD8869", (240, 150), height=26)  # same pixels, its car around it
        plate = say.seen("BKD-8869", 0.98, at=((x0 + x1) / 2, (y0 + y1) / 2), height=26)
        reads += tracker.update([plate], frame_ms=40 * n, frame=draw.frame(street))
    reads += tracker.finish()
    assert [read.text for read in reads] == ["BKD8869"]
    assert tracker.counts.overlays == 0
