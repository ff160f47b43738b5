"""G08: content decides, not the name; of a file with several pictures the first is read once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guardian.cli import main
from guardian.vision.picture import load_picture


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_phone_photos_with_a_second_picture_are_read_once_and_large(
    engine: Any, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    street = draw.street()
    draw.car(street, "BKD8869", (480, 320))
    file = tmp_path / "x.jpg"
    street.save(file, "MPO", save_all=True, append_images=[street.resize((160, 90))])
    assert main(["read", str(file), "--json"]) == 0
    (line,) = _lines(capsys)
    assert (line["width"], line["height"]) == (960, 540)
    assert [p["text"] for p in line["plates"]] == ["BKD8869"]
    assert "warning" not in line


@pytest.mark.parametrize(
    ("kind", "name"), [("JPEG", "a.png"), ("PNG", "b.JPG"), ("JPEG", "no-ending"), ("PNG", "c.txt")]
)
def test_a_wrong_ending_or_none_changes_nothing(draw: Any, tmp_path: Path, kind: str, name: str) -> None:
    street = draw.street(320, 180)
    street.save(tmp_path / name, kind)
    picture = load_picture(tmp_path / name)
    assert (picture.width, picture.height, picture.warnings) == (320, 180, ())


def test_of_several_pages_the_first_is_read_and_the_others_are_said(draw: Any, tmp_path: Path) -> None:
    pages = [draw.street(320, 180, seed=s) for s in (1, 2, 3)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    assert load_picture(tmp_path / "scan.tif").warnings == ("holds 3 pictures; the first was read",)
