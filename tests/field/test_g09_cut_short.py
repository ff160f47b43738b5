"""G09: a picture that is cut short says so, whatever was read from the part that is there."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.cli import main
from guardian.vision.picture import decode_picture


@pytest.fixture(scope="module")
def whole(draw: Any) -> tuple[bytes, Image.Image]:
    street = draw.street(1920, 1080)
    draw.car(street, "BKD8869", (960, 860), height=80)  # in the lower third
    out = io.BytesIO()
    street.save(out, "JPEG", quality=90)
    return out.getvalue(), street


@pytest.mark.parametrize("share", [0.40, 0.60, 0.80, 0.95, 0.99])
def test_every_cut_is_marked_and_nothing_is_read_from_grey(
    whole: tuple[bytes, Image.Image], share: float, engine: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, _ = whole
    file = tmp_path / "cut.jpg"
    file.write_bytes(data[: int(len(data) * share)])
    main(["read", str(file), "--json"])
    line = json.loads(capsys.readouterr().out)
    assert "cut short" in (line.get("warning", "") + line.get("error", ""))
    assert {p["text"] for p in line.get("plates", [])} <= {"BKD8869"}
    if share <= 0.80:  # at 0.80 the cut goes through the plate: half a plate reads as another number
        assert line.get("plates", []) == []
    if share >= 0.99:
        assert [p["text"] for p in line["plates"]] == ["BKD8869"]


def test_a_cut_of_the_end_mark_alone_is_marked_too(whole: tuple[bytes, Image.Image]) -> None:
    assert decode_picture(whole[0][:-2]).cut_short


def test_a_whole_picture_is_not_marked_and_bytes_behind_its_end_do_not_matter(whole: tuple[bytes, Image.Image]) -> None:
    assert not decode_picture(whole[0]).cut_short
    assert not decode_picture(whole[0] + b"phone maker's data" * 40).cut_short


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_cut_png_is_marked(draw: Any, share: float) -> None:
    out = io.BytesIO()
    draw.street(320, 180).save(out, "PNG")
    assert decode_picture(out.getvalue()[: int(len(out.getvalue()) * share)]).cut_short


def test_the_device_can_count_cut_frames(whole: tuple[bytes, Image.Image]) -> None:
    data, _ = whole
    pictures = [decode_picture(data[: int(len(data) * share)]) for share in (0.5, 1.0, 0.9)]
    assert [p.cut_short for p in pictures] == [True, False, True]
    assert all(p.frame.shape == (1080, 1920, 3) for p in pictures)
