"""`guardian read`: what a newcomer and a buyer's script see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.cli import main


@pytest.fixture
def photo(draw: Any, tmp_path: Path) -> Path:
    street = draw.street()
    draw.car(street, "BKD8869", (300, 330))
    draw.car(street, "MHD0012", (720, 330), height=48)
    street.save(tmp_path / "photo.jpg", quality=92)
    return tmp_path / "photo.jpg"


def test_json_has_exactly_the_promised_fields(engine: Any, photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(photo), "--json"]) == 0
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert list(line) == ["file", "width", "height", "plates", "elapsed_ms"]
    assert [list(plate) for plate in line["plates"]] == [
        ["text", "display", "confidence_prob", "char_probs", "corners", "series", "vehicle_classes", "raw_text"]
    ] * 2
    first, second = line["plates"]
    assert (first["text"], first["display"], first["series"]) == ("BKD8869", "BKD-8869", "2012-3+4")
    assert first["vehicle_classes"] == ["car"] and second["vehicle_classes"] == ["motorcycle"]
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = first["corners"]
    assert ax < bx and dx < cx and ay < dy and by < cy, "clockwise from the top left"


def test_a_file_that_is_no_picture_gives_an_error_and_the_others_go_on(
    engine: Any, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photo.parent / "a-letter.txt").write_text("no picture")
    assert main(["read", str(photo.parent), "--json"]) == 1
    bad, good = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert "a-letter.txt" in bad["error"] and "plates" not in bad
    assert len(good["plates"]) == 2


def test_crops_are_whole_plates(engine: Any, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plate = draw.plate("BKD8869", height=90)
    plate.save(tmp_path / "crop.png")
    assert main(["read", str(tmp_path / "crop.png"), "--crops", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    (seen,) = line["plates"]
    width, height = plate.size
    assert seen["text"] == "BKD8869"
    assert seen["corners"] == [[0, 0], [width, 0], [width, height], [0, height]]


def test_people_see_the_number_with_its_dash_and_how_sure(
    engine: Any, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", str(photo)]) == 0
    said = capsys.readouterr()
    assert "BKD-8869" in said.out and "MHD-0012" in said.out and " %" in said.out
    assert "1 picture, 2 plates" in said.err


def test_show_writes_a_picture_for_each_and_never_over_another(
    engine: Any, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        draw.street(480, 270).save(tmp_path / folder / "same.jpg")
    assert main(["read", str(tmp_path / "a"), str(tmp_path / "b"), "--show", str(tmp_path / "out"), "--json"]) == 0
    drawn = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert drawn == ["same-2.jpg", "same.jpg"]
    assert Image.open(tmp_path / "out" / "same.jpg").size == (480, 270)


def test_a_picture_without_a_plate_is_read_and_says_so(
    engine: Any, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw.street(480, 270).save(tmp_path / "street.jpg")
    assert main(["read", str(tmp_path / "street.jpg"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plates"] == []
    assert main(["read", str(tmp_path / "street.jpg")]) == 0
    assert "no plate found" in capsys.readouterr().out
