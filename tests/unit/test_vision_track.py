"""The rule of several frames, and the bounds of the tracker."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.vision.followed import texts_agree
from guardian.vision.overlay import RING_CHANGE_MIN, change, ring_of
from guardian.vision.passing import results_of_photo
from guardian.vision.series import SeriesRead
from guardian.vision.track import Tracker, TrackSettings


def test_a_plate_seen_in_one_frame_only_is_no_read_but_is_counted(say: Any) -> None:
    tracker = Tracker()
    tracker.update([say.seen("BKD-8869", 0.99)], frame_ms=0)
    assert tracker.finish() == []
    assert tracker.counts.too_short == 1


def test_a_sure_plate_is_decided_at_the_third_frame_and_not_again(say: Any) -> None:
    tracker, at = Tracker(), []
    for n in range(40):
        for read in tracker.update([say.seen("BKD-8869", 0.98, at=(300 + 5 * n, 300))], frame_ms=66 * n):
            at.append((n, read.text))
    assert at == [(2, "BKD8869")]
    assert tracker.finish() == []
    assert tracker.counts.frames_folded == 39


ONE_DOUBT = (0.97, 0.97, 0.97, 0.97, 0.6, 0.97, 0.97)


def test_a_wanted_plate_that_is_unsure_is_decided_when_it_has_been_watched_long_enough(say: Any) -> None:
    asked: list[str] = []

    def wanted(number: SeriesRead) -> bool:
        asked.append(number.text)
        return True

    tracker, at = Tracker(TrackSettings(decide_ms=1000), wanted), []
    for n in range(20):
        at += [n for _ in tracker.update([say.seen("BKD-8869", ONE_DOUBT, at=(300 + 5 * n, 300))], frame_ms=100 * n)]
    assert at == [10]
    assert asked == ["BKD8869"], "who looks for it is asked once while the same is read"


def test_an_unsure_plate_that_nobody_looks_for_is_watched_on_and_read_when_it_is_near(say: Any) -> None:
    tracker, reads = Tracker(), []
    for n in range(60):
        near = n >= 40
        plate = (
            say.seen("4602-ZX", 0.98, at=(300 + 9 * n, 300), height=34)
            if near
            else say.seen("4802-ZX", (0.97, 0.55, 0.97, 0.97, 0.97, 0.97), at=(300 + 9 * n, 300), height=18)
        )
        reads += [(n, read.text) for read in tracker.update([plate], frame_ms=83 * n)]
    reads += [(99, read.text) for read in tracker.finish()]
    assert [text for _, text in reads] == ["4602ZX"]
    assert reads[0][0] >= 40


def test_what_is_told_in_doubt_for_one_who_looks_for_it_is_told_again_when_it_is_surely_another_number(
    say: Any,
) -> None:
    tracker, reads = Tracker(wanted=lambda number: number.text == "4802ZX"), []
    for n in range(90):
        near = n >= 30
        plate = (
            say.seen("4602-ZX", 0.98, at=(300 + 9 * n, 300), height=40)
            if near
            else say.seen("4802-ZX", (0.97, 0.55, 0.97, 0.97, 0.97, 0.97), at=(300 + 9 * n, 300), height=18)
        )
        reads += [(n, read.text) for read in tracker.update([plate], frame_ms=83 * n)]
    assert [text for _, text in reads] == ["4802ZX", "4602ZX"]
    assert reads[0][0] == 19, "at `decide_ms`, as if nothing was waited for"
    assert tracker.finish() == []


def test_a_far_plate_is_watched_on_although_its_frames_agree(say: Any) -> None:
    tracker, reads = Tracker(), []
    for n in range(40):
        raw, height = ("CYU-6823", 10) if n < 20 else ("CYU-6623", 24)
        reads += tracker.update([say.seen(raw, 0.96, at=(300 + 6 * n, 300), height=height)], frame_ms=83 * n)
    assert [read.text for read in reads + tracker.finish()] == ["CYU6623"]


def test_a_plate_that_is_watched_on_needs_no_window(say: Any) -> None:
    tracker = Tracker()
    for n in range(30):
        tracker.update([say.seen("BKD-8869", ONE_DOUBT, at=(300 + 5 * n, 300))], frame_ms=83 * n)
        assert len(tracker.expected(83 * n, 9)) == (1 if 83 * n < 1500 else 0)


def test_readings_of_one_place_that_agree_in_nothing_are_one_plate_and_no_read(say: Any) -> None:
    tracker, reads = Tracker(), []
    doubtful = [0.5, 0.4, 0.7, 0.5, 0.4, 0.6, 0.5]
    for n, raw in enumerate(["7C6-7290", "AYC-8133", "RTE-5981", "AYC-8133", "7C6-7290", "PCX-3252", "AYC-8133"] * 2):
        reads += tracker.update([say.seen(raw, doubtful, at=(300 + n / 2, 300))], frame_ms=83 * n)
    assert reads + tracker.finish() == []
    assert (tracker.counts.tracks_begun, tracker.counts.guesses) == (1, 1)


def test_a_doubtful_reading_at_the_place_of_a_decided_plate_is_that_plate(say: Any) -> None:
    tracker, reads = Tracker(), []
    for n in range(12):
        plate = (
            say.seen("TZM-0388", 0.98, at=(300 + n / 2, 300))
            if n < 5
            else say.seen("T2Y-8569", (0.9, 0.6, 0.5, 0.4, 0.6, 0.5, 0.6), at=(300 + n / 2, 300))
        )
        reads += tracker.update([plate], frame_ms=83 * n)
    assert [read.text for read in reads + tracker.finish()] == ["TZM0388"]
    assert tracker.counts.tracks_begun == 1


@pytest.mark.parametrize(("plate_prob", "told"), [(0.8, 0), (0.95, 1)])
def test_what_finder_and_reader_doubt_is_no_read(say: Any, plate_prob: float, told: int) -> None:
    tracker = Tracker()
    for n in range(3):
        plate = say.seen("BKD-8869", (0.97, 0.97, 0.97, 0.97, 0.4, 0.97, 0.97), at=(300 + 5 * n, 300))
        tracker.update([msgspec.structs.replace(plate, detector_prob=plate_prob)], frame_ms=83 * n)
    assert len(tracker.finish()) == told
    assert tracker.counts.guesses == 1 - told


def test_a_plate_that_is_gone_is_decided_after_the_gap(say: Any) -> None:
    tracker = Tracker()
    for n in range(2):
        assert tracker.update([say.seen("BKD-8869", 0.9)], frame_ms=100 * n) == []
    assert tracker.update([], frame_ms=900) == []
    (read,) = tracker.update([], frame_ms=1200)
    assert (read.text, read.frames_seen, read.first_ms, read.last_ms) == ("BKD8869", 2, 0, 100)


def test_two_frames_that_differ_in_one_character_are_a_read_with_a_doubt(say: Any) -> None:
    tracker = Tracker()
    tracker.update([say.seen("0935-ZA", (0.95, 0.95, 0.95, 0.95, 0.95, 0.5), at=(300, 300))], frame_ms=0)
    tracker.update([say.seen("0935-ZX", (0.95, 0.95, 0.95, 0.95, 0.95, 0.7), at=(305, 300))], frame_ms=83)
    (read,) = tracker.finish()
    assert read.text == "0935ZX"
    assert read.doubtful == (5,)
    assert "A" in {alternative.sign for alternative in read.alternatives[5]}


def test_a_frame_that_comes_in_two_parts_is_one_frame_and_gives_a_track_one_sight(say: Any) -> None:
    tracker = Tracker()
    for n in range(2):
        tracker.update([say.seen("BKD-8869", 0.98, at=(300 + 5 * n, 300))], frame_ms=80 * n, frame_index=n)
        tracker.update([say.seen("BKD-8869", 0.98, at=(302 + 5 * n, 300))], frame_ms=80 * n, frame_index=n)
    assert tracker.counts.frames == 2
    assert tracker.counts.reads_made == 0
    reads = tracker.update([say.seen("BKD-8869", 0.98, at=(310, 300))], frame_ms=160, frame_index=2)
    assert [r.frames_seen for r in reads] == [3]


def test_a_plate_is_expected_where_it_drives_to_until_it_is_decided(say: Any) -> None:
    tracker = Tracker()
    for n in range(2):
        tracker.update([say.seen("BKD-8869", 0.98, at=(300 + 40 * n, 300))], frame_ms=100 * n)
    before = tracker.expected(100, 9)[0][0][0]
    assert 10 < tracker.expected(200, 9)[0][0][0] - before < 41
    assert tracker.expected(200, 0) == []
    tracker.update([say.seen("BKD-8869", 0.98, at=(380, 300))], frame_ms=200)
    assert tracker.expected(300, 9) == []


def test_what_is_out_of_sight_is_decided_without_another_look(say: Any) -> None:
    tracker = Tracker()
    for n in range(2):
        tracker.update([say.seen("BKD-8869", 0.9)], frame_ms=100 * n)
    assert tracker.expire(900) == []
    assert [r.text for r in tracker.expire(1200)] == ["BKD8869"]
    assert tracker.expected(1200, 9) == []


def test_the_best_single_reads_keep_a_small_crop_and_the_others_none(say: Any) -> None:
    frame = np.full((720, 1280, 3), 90, np.uint8)
    tracker, reads = Tracker(TrackSettings(vote_crops_max=3), lambda _: True), []
    for n in range(20):
        reads += tracker.update([say.seen("BKD-8869", ONE_DOUBT, at=(300 + 9 * n, 300))], frame_ms=100 * n, frame=frame)
    (read,) = reads
    assert len(read.vote_crops) == len(read.votes)
    kept = [crop for crop in read.vote_crops if crop is not None]
    assert len(kept) == 3
    assert all(crop.shape[0] <= 48 and crop.shape[1] <= 200 for crop in kept)


def test_a_photo_stands_alone(say: Any) -> None:
    frame = np.full((400, 600, 3), 77, np.uint8)
    plates = [say.seen("BKD-8869", 0.99, at=(200, 200)), say.seen("MHD-0012", 0.5, at=(400, 300))]
    first, second = results_of_photo(plates, frame, frame_ms=5)
    assert (first.text, first.frames_seen, first.sight.frame_ms) == ("BKD8869", 1, 5)
    assert second.doubtful != ()
    assert first.sight.crop_jpeg()[:2] == first.sight.overview_jpeg()[:2] == b"\xff\xd8"


def test_the_overview_s_corners_are_in_the_overview_s_pixels(say: Any) -> None:
    frame = np.zeros((1080, 1920, 3), np.uint8)
    tracker = Tracker()
    reads = []
    for n in range(3):
        reads += tracker.update([say.seen("BKD-8869", 0.98, at=(1000, 600))], frame_ms=100 * n, frame=frame)
    (read,) = reads
    assert read.sight.overview.shape == (540, 960, 3)
    xs = [x for x, _ in read.sight.overview_corners]
    assert abs(sum(xs) / 4 - 500) < 0.5


def test_more_plates_than_can_be_followed_are_decided_early_and_counted(say: Any) -> None:
    tracker, reads = Tracker(TrackSettings(tracks_max=4)), []
    numbers = [f"ABC-{a}{b}0{a}" for a in "123" for b in "567"]
    for n in range(2):
        plates = [say.seen(raw, 0.9, at=(200 * i, 300)) for i, raw in enumerate(numbers[:4])]
        reads += tracker.update(plates, frame_ms=100 * n)
    for n in range(2, 4):
        plates = [say.seen(raw, 0.9, at=(200 * i, 600)) for i, raw in enumerate(numbers[4:])]
        reads += tracker.update(plates, frame_ms=100 * n)
    assert tracker.counts.ended_early >= 4
    assert {read.text for read in reads} >= {raw.replace("-", "") for raw in numbers[:4]}


def test_a_long_wait_behind_one_car_keeps_a_bounded_number_of_votes(say: Any) -> None:
    tracker = Tracker(TrackSettings(ballots_max=10, decide_ms=10_000_000, sure_prob=2.0))
    for n in range(200):
        tracker.update([say.seen("BKD-8869", 0.9)], frame_ms=100 * n)
    (read,) = tracker.finish()
    assert len(read.votes) == 10
    assert read.frames_seen == 200


def test_a_clock_that_jumps_back_does_not_break_the_tracker(say: Any) -> None:
    tracker, reads = Tracker(), []
    for ms in (0, 40, 9_800_000, 80, 120, -37_600_000, 160):
        reads += tracker.update([say.seen("BKD-8869", 0.98)], frame_ms=ms)
    reads += tracker.finish()
    assert {read.text for read in reads} == {"BKD8869"}


def test_agreement_tells_readings_of_one_plate_from_another_plate() -> None:
    assert texts_agree("BKVL98", "BKV8898") > 0.6
    assert texts_agree("BKV8698", "BKV8898") > 0.8
    assert texts_agree("ABC1235", "BKD8869") < 0.4
    assert texts_agree("", "BKD8869") == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["BKD-8869", "BKO-8869", "ABC-1235", "3E-0012", "MHD-0012"]),
                st.integers(0, 900),
                st.floats(0.2, 0.99),
            ),
            max_size=3,
        ),
        max_size=25,
    )
)
def test_whatever_passes_every_read_is_supported_and_nothing_is_read_twice_within_a_pass(say: Any, drive: Any) -> None:
    tracker, reads = Tracker(), []
    for n, plates in enumerate(drive):
        seen = [say.seen(raw.replace("O", "0"), p, at=(x, 300)) for raw, x, p in plates if raw != "BKO-8869"]
        reads += tracker.update(seen, frame_ms=100 * n)
    reads += tracker.finish()
    counts = tracker.counts
    assert counts.reads_made == len(reads)
    assert counts.frames == len(drive)
    assert len({read.text for read in reads}) == len(reads)  # the drive is shorter than a pass may last
    for read in reads:
        assert len(read.votes) >= 2 and read.text in {vote.text for vote in read.votes}
        assert counts.tracks_begun >= counts.reads_made


def test_a_standing_plate_in_a_standing_scene_is_no_stamp_although_its_box_is_found_a_little_larger(
    say: Any, draw: Any
) -> None:
    """Whole and narrow looks find boxes of slightly other sizes (both as seen here); at a red light nothing else changes."""
    street = draw.street(640, 384)
    draw.car(street, "BKD8869", (320, 250), height=48)
    frame = draw.frame(street)
    whole = ((268.0, 232.3), (371.5, 230.9), (372.0, 267.2), (268.5, 268.6))
    narrow = ((270.0, 234.5), (372.3, 234.5), (372.3, 264.8), (270.0, 264.8))
    tracker = Tracker()
    out = []
    for index in range(12):
        plate = say.seen("BKD-8869", at=(320, 250))
        plate = msgspec.structs.replace(plate, corners=narrow if index % 4 else whole)
        out += tracker.update([plate], frame_ms=70 * index, frame=frame)
    assert [result.text for result in out] == ["BKD8869"]
    assert tracker.counts.overlays == 0


def test_a_plate_over_a_passing_road_is_no_stamp_while_the_vehicle_above_it_stays() -> None:
    """As the shipped drive shows a car that is followed: below its low plate the road passes by, and its lid stays."""
    corners = ((60.0, 40.0), (130.0, 40.0), (130.0, 70.0), (60.0, 70.0))
    before = np.full((120, 200, 3), 90, np.uint8)
    road = before.copy()
    road[72:, :95], road[72:, 95:] = 150, 30
    street = road.copy()
    street[:, :45], street[:, 145:] = 150, 30
    street[:72, 45:95], street[:72, 95:145] = 30, 150
    assert change(ring_of(before, corners), ring_of(road, corners)) < RING_CHANGE_MIN
    assert change(ring_of(before, corners), ring_of(street, corners)) > RING_CHANGE_MIN
