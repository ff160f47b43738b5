"""What a person may name as a source, and what is said where it cannot be opened: what happened, to which, what to do."""

from __future__ import annotations

import os
from pathlib import Path

import av.error
import pytest

from guardian.device import source as sources
from guardian.device.source import FolderSource, open_source, usb_cameras
from guardian.device.video import CameraSource, NoPictureError, camera_name, never_wait_inside, why_not
from guardian.domain.camera import CAMERA_WORDS
from guardian.domain.errors import InputRefusedError


def refusal(text: str) -> InputRefusedError:
    with pytest.raises(InputRefusedError) as caught:
        open_source(text, mono_ms=lambda: 0)
    assert caught.value.hint, "a sentence without a next step helps nobody"
    return caught.value


def test_what_cannot_be_opened_is_named_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no film at all, only words")
    (tmp_path / "nothing").mkdir()
    expected = {
        "gone.mp4": "no-such-source",
        "empty.mp4": "film-empty",
        "text.mp4": "film-unreadable",
        "nothing": "folder-empty",
    }
    for name, reference in expected.items():
        error = refusal(str(tmp_path / name))
        assert (error.reference, name in error.sentence) == (reference, True)
    assert refusal("ftp://192.0.2.7/a").reference == "no-such-scheme"


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x")

    def refuse(*_: object) -> None:  # as for any user but root, who runs the tests
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    error = refusal(str(tmp_path / "film.mp4"))
    assert error.reference == "source-not-allowed" and "film.mp4" in error.sentence


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with two cameras: the kernel's folders as they are, with ordinary files for the devices."""
    devices, names = tmp_path / "dev", tmp_path / "sys"
    devices.mkdir()
    for node, index, name in (
        ("video0", "0", "Dash Cam 4K"),
        ("video1", "1", "Dash Cam 4K"),
        ("video10", "0", "Rear"),
        ("video2", "0", "Cabin"),
    ):
        (devices / node).touch()
        (names / node).mkdir(parents=True)
        (names / node / "index").write_text(f"{index}\n")
        (names / node / "name").write_text(f"{name}\n")
    (devices / "null").touch()
    monkeypatch.setattr(sources, "usb_cameras", lambda: usb_cameras(devices, names))
    return devices


def test_the_cameras_of_a_machine_are_listed_in_order_without_their_metadata_nodes(machine: Path) -> None:
    found = sources.usb_cameras()
    assert [(Path(device).name, name) for device, name in found] == [
        ("video0", "Dash Cam 4K"),
        ("video2", "Cabin"),
        ("video10", "Rear"),
    ]


def test_the_first_camera_needs_no_number_and_a_wrong_one_lists_what_is_there(machine: Path) -> None:
    opened = open_source("camera", mono_ms=lambda: 0)
    assert isinstance(opened, CameraSource) and opened.name == "video0"
    for text in ("camera:77", "/dev/video77"):
        error = refusal(text)
        assert error.reference == "camera-missing" and "/dev/video77" in error.sentence
        assert "video0 (Dash Cam 4K)" in error.hint and "video10 (Rear)" in error.hint
    assert refusal("camera:front").reference == "camera-missing"


def test_a_machine_without_a_camera_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "usb_cameras", list)
    for text in ("camera", "camera:0", "/dev/video99"):
        error = refusal(text)
        assert error.reference == "camera-missing"
        assert "No USB camera is plugged" in error.sentence + error.hint


def test_a_folder_that_is_called_camera_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "camera").mkdir()
    (tmp_path / "camera" / "a.jpg").touch()
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_source("camera", mono_ms=lambda: 0), FolderSource)


def test_a_camera_is_named_by_its_host_or_device_never_by_its_password() -> None:
    assert camera_name("rtsp://root:secret@192.0.2.7:554/main?token=1") == "camera 192.0.2.7"
    assert camera_name("/dev/video2") == "video2"


@pytest.mark.parametrize(
    ("error", "took_s", "why"),
    [
        (av.error.FileNotFoundError(2, "x"), 0.0, "camera-missing"),
        (av.error.OSError(19, "x"), 0.0, "camera-missing"),
        (av.error.PermissionError(13, "x"), 0.0, "camera-not-allowed"),
        (av.error.OSError(16, "x"), 0.0, "camera-busy"),
        (av.error.HTTPUnauthorizedError(1, "x"), 0.0, "camera-login"),
        (av.error.HTTPNotFoundError(1, "x"), 0.0, "camera-no-such-stream"),
        (av.error.ConnectionRefusedError(111, "x"), 0.0, "camera-unreachable"),
        (av.error.ExitError(1, "x"), 5.0, "camera-hangs"),
        (av.error.TimeoutError(110, "x"), 5.0, "camera-hangs"),
        (NoPictureError(), 0.1, "camera-no-picture"),
    ],
)
def test_each_cause_has_its_own_name_and_each_name_its_words(error: Exception, took_s: float, why: str) -> None:
    assert why_not(error, took_s, 5.0) == why
    cause, cure = CAMERA_WORDS[why]
    assert cause and cure


def test_reading_an_opened_device_never_waits_inside_the_kernel(tmp_path: Path) -> None:
    pipe = tmp_path / "video0"
    os.mkfifo(pipe)
    number = os.open(pipe, os.O_RDWR)
    try:
        never_wait_inside(str(pipe))
        with pytest.raises(BlockingIOError):
            os.read(number, 1)
    finally:
        os.close(number)
