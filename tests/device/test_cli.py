"""`guardian device`: joining, running over photos, and saying how it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from guardian.cli import main
from guardian.device.identity import Identity
from guardian.device.run import Device, Options
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import NOW_MS, ScriptedEngine, entry, plate_seen


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    cloud = FakeCloud()
    yield cloud
    cloud.stop()


def enrol(home: Path, cloud: FakeCloud, code: str = "") -> int:
    code = code or cloud.code
    return main(
        ["device", "enrol", "--cloud", cloud.address, "--code", code, "--name", "大安 3 號", "--home", str(home)]
    )


def test_a_device_joins_with_its_code_and_a_wrong_one_is_exit_code_five(tmp_path: Path, cloud: FakeCloud) -> None:
    assert enrol(tmp_path, cloud, "WRONG") == 5
    assert enrol(tmp_path, cloud) == 0
    assert Identity(tmp_path).file.device_id == "car-1"
    key = tmp_path / "keys" / "device.key"
    assert key.stat().st_mode & 0o077 == 0, "nobody else may read the key"


def test_a_device_that_has_never_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["device", "status", "--home", str(tmp_path)]) == 1
    assert "never run" in capsys.readouterr().err


@pytest.mark.parametrize(("source", "code"), [("nowhere.mp4", 3), ("empty.mp4", 3)])
def test_a_source_that_is_none_is_exit_code_three(tmp_path: Path, source: str, code: int) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    arguments = ["device", "run", str(tmp_path / source), "--page", "0", "--home", str(tmp_path / "home")]
    assert main(arguments) == code


def test_photos_go_from_the_folder_to_the_cloud_with_their_pictures_and_the_alarm(
    tmp_path: Path, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole device but for the engine: list fetched, alarm raised, read and pictures delivered, status written."""
    import threading

    home, photos = tmp_path / "home", tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(bytes(cv2.imencode(".jpg", np.full((300, 400, 3), 90, np.uint8))[1]))
    assert enrol(home, cloud) == 0
    cloud.give_list(7, [entry("BKD8869")])
    device = Device(
        Options(str(photos), home, muted=True, drain_s=20),
        engine=ScriptedEngine([[plate_seen("BKD8869")]], delay=lambda: wait_for_list(device)),  # type: ignore[arg-type]
    )
    summary = device.run(threading.Event())
    assert (summary.reads, summary.alarms, summary.waiting, summary.photos_waiting) == (1, 1, 0, 0)
    (read,) = cloud.reads.values()
    assert read.hits[0].list_version == 7
    assert len(cloud.photos) == 2
    assert cloud.heartbeats[-1].unit == "大安 3 號"
    assert abs(read.captured_ms - NOW_MS) < 10**12
    assert main(["device", "status", "--home", str(home)]) == 0
    assert "全部已傳" in capsys.readouterr().out


def wait_for_list(device: Device) -> None:
    import time

    until = time.monotonic() + 10
    while device.lists.in_force.version == 0 and time.monotonic() < until:
        time.sleep(0.01)
