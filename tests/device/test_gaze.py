"""Where the device looks: first where a plate is expected, then wherever a new one may be, and not at a standing picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from guardian.device.follow import FilmFollower
from guardian.device.gaze import STILL_MS, EveryLook, Gaze, scene_of
from guardian.device.run import engine_for
from guardian.device.source import FolderSource, Frame
from guardian.device.stage import Stages
from guardian.domain.read import Corners
from guardian.vision.engine import StageTimes
from guardian.vision.judge import PlateSeen, overlap
from tests.device.rig import ScriptedSource, plate_seen

NOISE = np.random.default_rng(3)


class Street:
    """Plates that drive; an eye on it that notes how it was asked. `beat_ms` is the time between frames."""

    def __init__(self, *plates: PlateSeen, beat_ms: int = 80) -> None:
        self.plates = list(plates)
        self.looks: list[str] = []
        self.beat_ms = beat_ms
        self.number = 0

    def move(self, dx: float) -> None:
        self.plates = [
            msgspec.structs.replace(p, corners=tuple((x + dx, y) for x, y in p.corners)) for p in self.plates
        ]

    def look(
        self, frame: np.ndarray, times: StageTimes | None = None, *, known: Sequence[Corners] = ()
    ) -> list[PlateSeen]:
        self.looks.append("whole")
        return [p for p in self.plates if all(overlap(p.corners, k) < 0.5 for k in known)]

    def near(self, frame: np.ndarray, expected: Sequence[Corners], times: StageTimes | None = None) -> list[PlateSeen]:
        self.looks.append(f"near {len(expected)}")
        return [p for p in self.plates if any(overlap(p.corners, e) > 0.2 for e in expected)]

    def frame(self, *, still: bool = False) -> Frame:
        image = np.full((540, 960, 3), 90, np.uint8) if still else NOISE.integers(0, 255, (540, 960, 3), dtype=np.uint8)
        self.number += 1
        return Frame(image, 1_000 + self.beat_ms * self.number, self.number)


def decided_in(street: Street, gaze: Gaze, frames: int, *, dx: float = 6, still: bool = False) -> list[tuple[str, str]]:
    """Each text decided, with the look that decided it."""
    follower, out = FilmFollower(), []
    for _ in range(frames):
        for passings in gaze.see(street.frame(still=still), follower, Stages()):
            out += [(p.result.text, street.looks[-1]) for p in passings]
        street.move(dx)
    return out


def test_a_decision_falls_on_a_narrow_look_and_never_waits_for_a_whole_one() -> None:
    street = Street(plate_seen("BKD8869", x=100, y=200))
    assert decided_in(street, Gaze(street), 8) == [("BKD8869", "near 1")]
    assert street.looks[:3] == ["whole", "near 1", "near 1"]


def test_even_in_a_frame_that_is_due_for_a_whole_look_the_expected_plate_comes_first() -> None:
    street = Street(plate_seen("BKD8869", x=100, y=200))
    assert decided_in(street, Gaze(street, narrow_looks=0), 3) == [("BKD8869", "near 1")]
    assert street.looks == ["whole", "near 1", "whole", "near 1", "whole"]


def test_a_settled_plate_has_no_window_and_is_not_read_twice_in_a_frame() -> None:
    street = Street(plate_seen("BKD8869", x=100, y=200))
    follower, gaze = FilmFollower(), Gaze(street)
    for _ in range(12):
        list(gaze.see(street.frame(), follower, Stages()))
        street.move(6)
    assert street.looks[3:] == ["whole"] * 9
    assert follower.finish() == []


def test_a_vehicle_that_comes_while_another_is_open_is_found_within_the_narrow_looks() -> None:
    street = Street(plate_seen("BKD8869", prob=0.6, x=100, y=200))  # read doubtfully: it stays open
    gaze, follower = Gaze(street), FilmFollower()
    texts: list[str] = []
    for number in range(10):
        if number == 2:
            street.plates.append(plate_seen("MXB8063", x=600, y=300))
        for passings in gaze.see(street.frame(), follower, Stages()):
            texts += [p.result.text for p in passings]
        street.move(4)
    assert texts == ["MXB8063"]
    assert gaze.whole == 3


def test_a_plate_that_left_its_window_is_found_again_by_the_next_whole_look() -> None:
    street = Street(plate_seen("BKD8869", x=100, y=200))
    gaze, follower = Gaze(street), FilmFollower()
    list(gaze.see(street.frame(), follower, Stages()))
    street.move(260)
    texts = []
    for _ in range(7):
        for passings in gaze.see(street.frame(), follower, Stages()):
            texts += [p.result.text for p in passings]
    assert texts == ["BKD8869"]


def test_a_picture_that_stands_still_is_looked_at_wholly_only_now_and_then() -> None:
    street = Street()
    gaze = Gaze(street)
    decided_in(street, gaze, 24, still=True)
    frames_between = -(-STILL_MS // street.beat_ms)
    assert (gaze.whole, gaze.still) == (24 // frames_between, 24 - 24 // frames_between)


def test_a_standing_picture_with_a_plate_still_decides_it() -> None:
    street = Street(plate_seen("BKD8869", x=100, y=200))
    gaze = Gaze(street)
    assert decided_in(street, gaze, 16, dx=0, still=True) == [("BKD8869", "near 1")]
    assert gaze.still > 8


def test_a_far_plate_that_appears_is_a_change_and_noise_is_none() -> None:
    street = np.full((1080, 1920, 3), 90, np.uint8)
    noisy = np.clip(street + NOISE.normal(0, 8, street.shape), 0, 255).astype(np.uint8)
    plate = street.copy()
    plate[500:522, 900:960] = 220
    calm = int(np.abs(scene_of(street).astype(int) - scene_of(noisy)).max())
    seen = int(np.abs(scene_of(street).astype(int) - scene_of(plate)).max())
    assert calm <= 3
    assert seen > 30


def test_where_every_frame_counts_each_look_is_whole() -> None:
    street = Street(plate_seen("BKD8869", x=100, y=200))
    follower, stages = FilmFollower(), Stages()
    out = []
    for _ in range(5):
        for passings in EveryLook(street).see(street.frame(), follower, stages):
            out += [p.result.text for p in passings]
        street.move(6)
    assert out == ["BKD8869"]
    assert street.looks == ["whole"] * 5
    assert stages["detect"].items == 5


def test_no_more_than_six_windows_are_looked_at_and_those_nearest_to_a_decision_come_first() -> None:
    street = Street()
    names = ("ABC1235", "BKD8869", "MXB8063", "RBK2189", "AGT7152", "CZB5081", "MAR2025", "NZH7715")
    street.plates = [plate_seen(t, x=20 + 230 * (i % 4), y=60 + 200 * (i // 4)) for i, t in enumerate(names)]
    gaze = Gaze(street)
    texts = decided_in(street, gaze, 8, dx=6)
    assert "near 6" in street.looks
    assert max(int(x.split()[1]) for x in street.looks if x.startswith("near")) == 6
    assert sorted(t for t, _ in texts) == sorted(names)


def test_cameras_are_looked_at_often_and_films_of_which_every_frame_counts_closely(tmp_path: Path) -> None:
    camera, film = ScriptedSource([], paced=True), ScriptedSource([])
    assert engine_for(camera, every_frame=False) == "guardian-fast"
    assert engine_for(camera, every_frame=True) == engine_for(film, every_frame=False) == "guardian-video"
    assert engine_for(FolderSource(tmp_path, mono_ms=lambda: 0), every_frame=False) == "guardian"
