"""G02: as the reading improves, the same car must not come out two or three times with slightly different numbers."""

from __future__ import annotations

from typing import Any

from guardian.vision.track import Tracker

# raw text, height in px, sharpness, probability of each sign: the car comes nearer, then leaves the picture.
APPROACH = [
    ("BKVL98", 16, 60, 0.45),
    ("BKV8L98", 18, 70, 0.45),
    ("BKV8I98", 20, 80, 0.5),
    ("BKV-8698", 24, 120, (0.9, 0.9, 0.9, 0.9, 0.6, 0.9, 0.9)),
    ("BKV-8698", 26, 130, (0.9, 0.9, 0.9, 0.9, 0.6, 0.9, 0.9)),
    ("BKV-8698", 28, 140, (0.9, 0.9, 0.9, 0.9, 0.6, 0.9, 0.9)),
    ("BKV-8898", 40, 500, 0.96),
    ("BKV-8898", 42, 520, 0.96),
    ("BKV-8898", 44, 540, 0.97),
    ("BKV-8898", 46, 560, 0.97),
    ("BKV-8898", 48, 560, 0.97),
    ("BKV889", 48, 300, 0.8),
]


def _drive(say: Any, tracker: Tracker) -> list[Any]:
    reads = []
    for i, (raw, height, sharp, prob) in enumerate(APPROACH):
        others = {5: {"8": 0.3}} if raw == "BKV-8698" else None
        plate = say.seen(raw, prob, at=(300 + 6 * i, 320), height=height, sharp=sharp, others=others)
        reads += tracker.update([plate], frame_ms=100 * i)
    return reads


def test_twelve_readings_of_one_car_make_one_read_with_the_number_read_best(say: Any) -> None:
    tracker = Tracker()
    reads = _drive(say, tracker) + tracker.finish()
    assert [read.text for read in reads] == ["BKV8898"]
    assert tracker.counts.reads_made == 1
    assert tracker.counts.frames_folded >= 8


def test_the_raw_readings_stay_beside_the_voted_one(say: Any) -> None:
    tracker = Tracker()
    (read,) = _drive(say, tracker) + tracker.finish()
    assert read.raw_text == "BKV-8898"
    assert {"BKV-8698", "BKV-8898"} <= set(read.raw_texts)
    assert [vote.frame_ms for vote in read.votes] == sorted(vote.frame_ms for vote in read.votes)


def test_the_same_car_after_a_bus_hid_it_is_the_same_pass(say: Any) -> None:
    tracker = Tracker()
    reads = _drive(say, tracker)
    for i in range(12):  # the bus
        reads += tracker.update([], frame_ms=1200 + 150 * i)
    begun = tracker.counts.tracks_begun
    for i in range(3):
        plate = say.seen("BKV-8898", 0.97, at=(700, 330), height=48, sharp=500)
        reads += tracker.update([plate], frame_ms=3000 + 100 * i)
    reads += tracker.finish()
    assert tracker.counts.tracks_begun == begun + 1
    assert [read.text for read in reads] == ["BKV8898"]
    assert tracker.counts.passes_folded == 1


def test_the_same_car_half_an_hour_later_is_a_new_read(say: Any) -> None:
    tracker = Tracker()
    reads = _drive(say, tracker)
    for i in range(4):
        reads += tracker.update([say.seen("BKV-8898", 0.97)], frame_ms=1_800_000 + 100 * i)
    reads += tracker.finish()
    assert [read.text for read in reads] == ["BKV8898", "BKV8898"]


def test_a_worse_reading_of_the_same_car_in_a_second_track_is_folded(say: Any) -> None:
    tracker = Tracker()
    reads = _drive(say, tracker)
    for i in range(4):
        plate = say.seen(
            "BKV-8B98".replace("B98", "398"), (0.9, 0.9, 0.9, 0.9, 0.55, 0.9, 0.9), at=(900, 300), height=20
        )
        reads += tracker.update([plate], frame_ms=4000 + 100 * i)
    reads += tracker.finish()
    assert [read.text for read in reads] == ["BKV8898"]


def test_two_sure_numbers_one_character_apart_are_two_vehicles(say: Any) -> None:
    tracker = Tracker()
    reads = []
    for i in range(5):
        left = say.seen("BKV-8898", 0.98, at=(300 + 4 * i, 300))
        right = say.seen("BKV-8899", 0.98, at=(800 + 4 * i, 300))
        reads += tracker.update([left, right], frame_ms=100 * i)
    reads += tracker.finish()
    assert sorted(read.text for read in reads) == ["BKV8898", "BKV8899"]
