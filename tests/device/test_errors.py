"""Every mistake that a person makes at the command line is answered: what happened, to which thing, and what to do now."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from guardian.cli import main

JPEG = bytes(cv2.imencode(".jpg", np.full((300, 400, 3), 90, np.uint8))[1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "none.jpg").touch()
    (tmp_path / "junk.jpg").write_bytes(bytes(range(1, 250)) * 12)
    (tmp_path / "good.jpg").write_bytes(JPEG)
    (tmp_path / "empty").mkdir()
    (tmp_path / "track.jsonl").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUARDIAN_DEVICE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "named", "cure"),
    [
        (["read", "note.txt"], 1, "note.txt is no picture", "JPEG, PNG"),
        (["read", "gone.jpg"], 1, "gone.jpg is not there", "spelling"),
        (["read", "none.jpg"], 1, "none.jpg is empty", "Copy it again"),
        (["read", "junk.jpg"], 1, "junk.jpg is no picture", "JPEG, PNG"),
        (["read", "empty"], 3, "no picture in empty", "Name a photo"),
        (["read", "good.jpg", "--show", "note.txt"], 3, "note.txt", "--show out"),
        (["read"], 2, "FILE_OR_FOLDER", "--help"),
        (["device", "run", "gone.mp4"], 3, "There is no 'gone.mp4'", "Name a film"),
        (["device", "run", "note.txt"], 3, "'note.txt' is no film", "MP4"),
        (["device", "run", "junk.jpg"], 3, "junk.jpg is no picture", "JPEG"),
        (["device", "run", "empty"], 3, "'empty' is empty", "folder with photos"),
        (["device", "run", "/dev/video97"], 3, "/dev/video97", "cable"),
        (["device", "run", "ftp://192.0.2.7/x"], 3, "ftp://", "rtsp://"),
        (["device", "run", "good.jpg", "--track", "gone.jsonl"], 3, "gone.jsonl", "--track"),
        (["device", "run", "good.jpg", "--track", "track.jsonl"], 3, "Line 1", "video_s"),
        (["device", "run", "good.jpg", "--gps", "foo"], 3, "'foo'", "gpsd://"),
        (["device", "run", "good.jpg", "--page", "70000"], 3, "70000", "--page 8710"),
        (["device", "run", "good.jpg", "--room-mb", "-1"], 3, "-1 MB", "--room-mb"),
        (["device", "run", "good.jpg", "--home", "note.txt"], 3, "note.txt cannot be written", "--home"),
        (["device", "run", "good.jpg", "--home", "/proc/none"], 3, "/proc/none cannot be written", "--home"),
        (["device", "status"], 1, "never run", "guardian device run SOURCE"),
        (["device", "enrol", "--cloud", "nonsense", "--code", "A", "--name", "n"], 3, "'nonsense'", "http://"),
        (
            ["device", "enrol", "--cloud", "http://127.0.0.1:9", "--code", "A", "--name", "n"],
            4,
            "http://127.0.0.1:9",
            "guardian serve",
        ),
    ],
)
def test_a_mistake_is_answered_with_what_happened_to_which_thing_and_what_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, named: str, cure: str
) -> None:
    assert main(arguments) == code
    said = " ".join("".join(capsys.readouterr()).split())
    assert named in said
    assert cure in said
    assert "Traceback" not in said and "internal-error" not in said


def test_a_film_of_which_nothing_can_be_decoded_says_so_at_the_end(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cut.mjpeg").write_bytes(JPEG[:400] * 3)
    code = main(["device", "run", "cut.mjpeg", "--page", "0", "--speed", "fast"])
    said = capsys.readouterr().err
    assert code == 3
    assert "cut.mjpeg" in said


def test_a_device_without_a_list_says_so_and_how_it_gets_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["device", "run", "good.jpg", "--page", "0"]) == 0
    said = capsys.readouterr().err
    assert "設備上沒有名單" in said and "guardian device enrol" in said
