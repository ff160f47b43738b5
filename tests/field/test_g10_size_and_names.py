"""G10: one file that is too large, unreadable or strangely named must not end the run, and must be said by its name."""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.cli import main
from guardian.vision.picture import PictureError, load_picture


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def folder(draw: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "現場照片／第 1 次"
    folder.mkdir()
    street = draw.street(480, 270)
    draw.car(street, "BKD8869", (240, 160), height=40)
    for name in ("車牌 01.jpg", "🚓.jpg", "e\u0301.jpg", "長" * 82 + ".jpg"):  # the last has 250 bytes
        street.save(folder / name, "JPEG", quality=92)
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "empty.jpg").touch()
    (folder / "letter.jpg").write_text("Dear Sir, no picture enclosed.")
    Image.new("1", (20_000, 20_000)).save(folder / "huge.png")
    return folder


def test_all_good_pictures_are_read_once_and_each_failure_is_one_line(
    engine: Any, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.process_time()
    assert main(["read", str(folder), "--json", "--show", str(tmp_path / "out")]) == 1
    assert time.process_time() - started < 60
    lines = _lines(capsys)
    by_name = {Path(line["file"]).name: line for line in lines}
    assert len(by_name) == len(lines) == 7, "a file came twice: the link was followed more than once"
    good = ("車牌 01.jpg", "🚓.jpg", "e\u0301.jpg", "長" * 82 + ".jpg")
    for name in good:
        assert [p["text"] for p in by_name[name]["plates"]] == ["BKD8869"]
    for name in ("empty.jpg", "letter.jpg", "huge.png"):
        assert name in by_name[name]["error"]
        assert "plates" not in by_name[name]
    assert len(list((tmp_path / "out").iterdir())) == 4
    assert [line["file"] for line in lines] == sorted(line["file"] for line in lines)


def test_a_huge_picture_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(PictureError) as caught:
        load_picture(tmp_path / "huge.png")
    assert caught.value.reference == "picture-too-large"
    assert "20000 × 20000" in caught.value.sentence
    assert time.process_time() - started < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_a_file_that_may_not_be_opened_is_said_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret.jpg"
    file.write_bytes(b"x")
    file.chmod(0)
    if os.geteuid() == 0:  # root may read everything: let the system answer as it would for an officer
        real = Path.open

        def refuse(self: Path, *args: Any, **more: Any) -> Any:
            if self == file:
                raise PermissionError(13, "Permission denied", str(self))
            return real(self, *args, **more)

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PictureError, match=r"secret\.jpg") as caught:
        load_picture(file)
    assert caught.value.reference == "picture-not-allowed"


def test_a_name_that_is_no_text_at_all_does_not_stop_the_run(
    engine: Any, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw.street(320, 180).save(tmp_path / "good.jpg")
    (tmp_path / "good.jpg").rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xa8\xae\xb5P.jpg"))  # Big5 bytes
    assert main(["read", str(tmp_path), "--json"]) == 0
    assert len(_lines(capsys)) == 1


def test_a_link_to_nowhere_and_a_missing_file_are_one_line_each(
    engine: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert main(["read", str(tmp_path), str(tmp_path / "never.jpg"), "--json"]) == 1
    assert [("gone.jpg" in a["error"], "never.jpg" in b["error"]) for a, b in [_lines(capsys)]] == [(True, True)]


def test_a_pipe_does_not_hang_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PictureError, match=r"pipe\.jpg") as caught:
        load_picture(tmp_path / "pipe.jpg")
    assert caught.value.reference == "not-a-file"
