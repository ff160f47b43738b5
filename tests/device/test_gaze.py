"""Where the device looks between whole looks, and that nothing is missed for it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.device.gaze import Gaze, around, merged
from guardian.vision.engine import StageTimes
from guardian.vision.judge import PlateSeen
from tests.device.rig import plate_seen

FRAME = np.zeros((1080, 1920, 3), dtype=np.uint8)


class Eye:
    """Sees the plates that lie in the picture it is given; a picture's place is told by two pixels' values."""

    def __init__(self, plates: list[PlateSeen]) -> None:
        self.plates = plates
        self.areas: list[int] = []

    def look(self, frame: np.ndarray, times: StageTimes | None = None) -> list[PlateSeen]:
        import msgspec

        height, width = frame.shape[:2]
        left, top = int(frame[0, 0, 0]) * 8, int(frame[0, 0, 1]) * 8
        self.areas.append(height * width)
        if times is not None:
            times.detect_ms += 1
        out = []
        for plate in self.plates:
            moved = tuple((x - left, y - top) for x, y in plate.corners)
            if all(0 <= x <= width and 0 <= y <= height for x, y in moved):
                out.append(msgspec.structs.replace(plate, corners=moved))
        return out


def frame_with_places() -> np.ndarray:
    """Each pixel tells its own place in steps of eight."""
    picture = FRAME.copy()
    picture[:, :, 0] = (np.arange(1920) // 8)[None, :]
    picture[:, :, 1] = (np.arange(1080) // 8)[:, None]
    return picture


def test_after_a_whole_look_three_narrow_ones_see_the_plate_in_its_place_for_a_fraction_of_the_area() -> None:
    eye = Eye([plate_seen("BKD8869", x=800, y=400)])
    gaze = Gaze(eye)
    seen = [gaze.look(frame_with_places()) for _ in range(8)]
    assert (gaze.whole, gaze.narrow) == (2, 6)
    for plates in seen:
        (plate,) = plates
        assert abs(plate.corners[0][0] - 800) <= 8
        assert abs(plate.corners[0][1] - 400) <= 8
    assert eye.areas[1] < 0.1 * eye.areas[0]


def test_where_nothing_was_found_every_look_is_whole() -> None:
    gaze = Gaze(Eye([]))
    for _ in range(5):
        assert gaze.look(FRAME) == []
    assert (gaze.whole, gaze.narrow) == (5, 0)


def test_a_plate_that_leaves_its_window_brings_a_whole_look_next() -> None:
    eye = Eye([plate_seen("BKD8869", x=800, y=400)])
    gaze = Gaze(eye)
    gaze.look(frame_with_places())
    eye.plates = [plate_seen("BKD8869", x=100, y=900)]
    assert gaze.look(frame_with_places()) == []
    assert len(gaze.look(frame_with_places())) == 1
    assert gaze.whole == 2


def test_many_plates_and_large_ones_are_looked_at_whole() -> None:
    crowd = Gaze(Eye([plate_seen("BKD8869", x=100 + 300 * i, y=400) for i in range(5)]))
    for _ in range(4):
        crowd.look(frame_with_places())
    assert crowd.narrow == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1700), st.integers(0, 1000)), min_size=1, max_size=6))
def test_merged_windows_never_overlap_and_cover_every_plate(places: list[tuple[int, int]]) -> None:
    corners = [plate_seen("BKD8869", x=x, y=y).corners for x, y in places]
    windows = merged([around(c, 1920, 1080) for c in corners])
    for i, a in enumerate(windows):
        for b in windows[i + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])
    for c in corners:
        assert any(w[0] <= c[0][0] and c[2][0] <= max(w[2], 1920) and w[1] <= c[0][1] for w in windows)
