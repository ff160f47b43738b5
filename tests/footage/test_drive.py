"""A drive on disk: film, truth and track agree with one another and with the roads."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import av
import msgspec
import pynmea2
import pytest

from guardian.cli.footage import render
from guardian.domain.errors import InputRefusedError
from guardian.domain.plate import Plate
from guardian.domain.position import distance_m
from guardian.footage import (
    DriveFiles,
    DriveSpec,
    Light,
    demo_drive,
    load_track,
    load_truth,
    position_of,
    render_drive,
    start_at,
)
from guardian.roads import default_place_names

SPEC = DriveSpec(
    seconds=2.0,
    width_px=640,
    height_px=360,
    seed=5,
    frames_per_s=8,
    light=Light.DUSK,
    roads=("新生南路一段", "信義路三段", "復興南路二段"),
)


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> DriveFiles:
    return render_drive(SPEC, tmp_path_factory.mktemp("drive"), workers=1)


def frames_of(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as film:
        return list(film.decode(video=0))


def test_the_film_has_the_frames_that_were_ordered(drive: DriveFiles) -> None:
    frames = frames_of(drive.video)
    assert len(frames) == 16
    assert {(f.width, f.height) for f in frames} == {(640, 360)}
    assert [round(float(f.time), 3) for f in frames] == [round(n / 8, 3) for n in range(16)]
    assert not list(drive.video.parent.glob("*.part*"))


def test_the_truth_names_vehicles_and_frames_of_the_film(drive: DriveFiles) -> None:
    passes = load_truth(drive.truth)
    assert passes
    for item in passes:
        assert Plate(item.plate).display == item.display
        frames = [view.frame for view in item.views]
        assert frames == sorted(set(frames))
        assert (item.first_frame, item.last_frame) == (frames[0], frames[-1])
        assert 0 <= frames[0] <= frames[-1] < 16
        assert item.readable_frames <= len(frames)
        assert (item.readable_from_ms is None) == (item.readable_frames == 0)
        assert all(0 <= x <= 640 and 0 <= y <= 360 for view in item.views for x, y in view.corners)


def test_the_track_runs_along_the_road_it_names(drive: DriveFiles) -> None:
    track = load_track(drive.track)
    names = default_place_names()
    assert len(track) == 5
    for point in track:
        assert position_of(point).problem() is None
        assert point.road == "信義路三段"
        near = names.find(point.lon_deg, point.lat_deg)
        assert near is not None
        assert near.distance_m < 25
    for a, b in pairwise(track):
        assert b.captured_ms - a.captured_ms == 500
        moved = distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)
        assert abs(moved - a.speed_kmh / 3.6 * 0.5) < 2.5
        assert abs((a.heading_deg - 92 + 180) % 360 - 180) < 12


def test_the_track_as_nmea_says_the_same(drive: DriveFiles) -> None:
    track = load_track(drive.track)
    sentences = [pynmea2.parse(line, check=True) for line in drive.nmea.read_text().splitlines()]
    rmc = [s for s in sentences if s.sentence_type == "RMC"]
    assert len(rmc) == len(track)
    for said, point in zip(rmc, track, strict=True):
        assert math.isclose(said.latitude, point.lat_deg, abs_tol=1e-6)
        assert math.isclose(said.longitude, point.lon_deg, abs_tol=1e-6)
        assert math.isclose(float(said.spd_over_grnd) * 1.852, point.speed_kmh, abs_tol=0.02)
        assert said.datetime.timestamp() * 1000 == pytest.approx(point.captured_ms, abs=11)


def test_the_same_order_gives_the_same_truth_and_track(drive: DriveFiles, tmp_path: Path) -> None:
    again = render_drive(SPEC, tmp_path, workers=1)
    assert again.truth.read_bytes() == drive.truth.read_bytes()
    assert again.track.read_bytes() == drive.track.read_bytes()
    assert again.nmea.read_bytes() == drive.nmea.read_bytes()


def test_a_track_may_start_now(drive: DriveFiles) -> None:
    moved = start_at(load_track(drive.track), 1_800_000_000_000)
    assert [p.captured_ms for p in moved] == [1_800_000_000_000 + 500 * n for n in range(5)]


@pytest.mark.parametrize(
    ("change", "reference"),
    [
        ({"seconds": 0.0}, "drive-length"),
        ({"width_px": 641}, "drive-size"),
        ({"height_px": 9000}, "drive-size"),
        ({"frames_per_s": 0.0}, "drive-rate"),
        ({"mount": "balloon"}, "drive-mount"),
        ({"area": "atlantis"}, "drive-area"),
        ({"start_m": 90_000.0}, "drive-length"),
    ],
)
def test_an_order_that_cannot_be_filmed_is_refused(tmp_path: Path, change: dict[str, object], reference: str) -> None:
    with pytest.raises(InputRefusedError) as refused:
        render_drive(msgspec.structs.replace(SPEC, **change), tmp_path)
    assert refused.value.reference == reference


def test_the_command_films_a_drive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(tmp_path / "d", seconds=0.5, size="320x180", light=Light.NIGHT, seed=3) == 0
    assert "vehicles with a plate in sight" in capsys.readouterr().out
    assert (tmp_path / "d" / "drive.mp4").stat().st_size > 1000


def test_the_demos_drive_ships_with_the_package() -> None:
    files = demo_drive()
    passes = load_truth(files.truth)
    readable = [item for item in passes if item.readable_frames]
    assert 18 <= len(readable) <= 60
    assert {"CZB5081", "NZH7715", "CYD0819", "TZM0388", "0935ZX", "CXW2637"} <= {item.plate for item in readable}
    assert len({item.series for item in readable}) >= 3
    assert files.video.stat().st_size < 6_500_000
    with av.open(str(files.video)) as film:
        assert film.streams.video[0].frames == 720
    track = load_track(files.track)
    assert track[-1].video_s == 60.0
    assert {point.road for point in track} == {"信義路三段"}
