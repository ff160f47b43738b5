"""G03: the box jumps from a leaving car to the one behind it; number and photo must come from the same vehicle."""

from __future__ import annotations

from typing import Any

import numpy as np

from guardian.vision.track import Tracker


def _frame(number: int) -> np.ndarray:
    """A frame whose brightness says which one it is."""
    return np.full((540, 960, 3), 10 * number, np.uint8)


def _run(say: Any) -> tuple[Tracker, list[Any]]:
    tracker, reads = Tracker(), []
    for n in range(1, 9):
        plate = say.seen("ABC-1235", 0.98, at=(160 - 12 * n, 300), height=40)
        reads += tracker.update([plate], frame_ms=100 * n, frame=_frame(n), frame_index=n)
    for n in range(9, 19):
        # The jump is smaller than what a tracker by position alone would allow for a fast car, and the box is larger.
        height = 60 if n == 15 else 44
        plate = say.seen("BKD-8869", 0.98, at=(264 + 4 * (n - 9), 310), height=height)
        reads += tracker.update([plate], frame_ms=100 * n, frame=_frame(n), frame_index=n)
    return tracker, reads + tracker.finish()


def test_two_numbers_one_after_the_other_are_two_reads_and_never_mixed(say: Any) -> None:
    _, reads = _run(say)
    assert [read.text for read in reads] == ["ABC1235", "BKD8869"]
    for read in reads:
        assert {vote.text for vote in read.votes} == {read.text}


def test_both_pictures_come_from_a_frame_in_which_the_own_text_was_read(say: Any) -> None:
    _, (first, second) = _run(say)
    assert 1 <= first.sight.frame_index <= 8
    assert 9 <= second.sight.frame_index <= 18
    for read in (first, second):
        level = 10 * read.sight.frame_index
        assert read.sight.frame_ms == 100 * read.sight.frame_index
        assert int(read.sight.overview.mean()) == level
        assert int(read.sight.crop.mean()) == level


def test_a_vote_that_is_won_late_takes_its_pictures_from_the_winning_text(say: Any) -> None:
    tracker, reads = Tracker(), []
    for n in range(1, 4):
        plate = say.seen("BKD-8B69".replace("B", "6"), 0.7, at=(300, 300), height=22, sharp=90)
        reads += tracker.update([plate], frame_ms=100 * n, frame=_frame(n), frame_index=n)
    for n in range(4, 9):
        plate = say.seen("BKD-8869", 0.97, at=(304, 300), height=44, sharp=500)
        reads += tracker.update([plate], frame_ms=100 * n, frame=_frame(n), frame_index=n)
    (read,) = reads + tracker.finish()
    assert read.text == "BKD8869"
    assert read.sight.frame_index >= 4
    assert int(read.sight.overview.mean()) == 10 * read.sight.frame_index


def test_boxes_that_change_places_keep_their_numbers(say: Any) -> None:
    tracker, reads = Tracker(), []
    for n in range(10):  # two cars cross: each one's box is where the other's was
        a = say.seen("ABC-1235", 0.97, at=(300 + 20 * n, 300))
        b = say.seen("MHD-0012", 0.97, at=(480 - 20 * n, 300))
        reads += tracker.update([a, b] if n % 2 else [b, a], frame_ms=100 * n)
    reads += tracker.finish()
    assert sorted(read.text for read in reads) == ["ABC1235", "MHD0012"]
    for read in reads:
        assert {vote.text for vote in read.votes} == {read.text}
