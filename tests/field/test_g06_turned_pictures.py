"""G06: width, height, corners and drawings all speak of the upright picture."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from guardian.cli import main
from guardian.vision.picture import decode_picture

TURNS = {3: 180, 6: 90, 8: 270}  # how the pixels were turned before the mark was written


def _turned(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.rotate(TURNS[orientation], expand=True).save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("orientation", sorted(TURNS))
def test_the_plate_is_found_upright_and_where_it_is(
    engine: Any, draw: Any, orientation: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    street = draw.street(1600, 900)
    box = draw.car(street, "BKD8869", (1100, 520), height=70)
    file = tmp_path / "turned.jpg"
    file.write_bytes(_turned(street, orientation))
    assert main(["read", str(file), "--json", "--show", str(tmp_path / "out")]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["width"], line["height"]) == (1600, 900)
    (plate,) = line["plates"]
    assert plate["text"] == "BKD8869"
    corners = np.array(plate["corners"])
    assert np.abs(corners.min(axis=0) - box[:2]).max() < 20
    assert np.abs(corners.max(axis=0) - box[2:]).max() < 20
    shown = Image.open(tmp_path / "out" / "turned.jpg")
    assert shown.size == (1600, 900)
    # The drawn box lies on the plate: what changed in the picture is around the plate and its label.
    changed = np.abs(np.asarray(shown, dtype=int) - np.asarray(street, dtype=int)).max(axis=2) > 100
    ys, xs = np.nonzero(changed)
    assert xs.min() > box[0] - 80 and xs.max() < box[2] + 80
    assert ys.min() > box[1] - 120 and ys.max() < box[3] + 60


def test_mirrored_and_broken_marks_do_not_stop_the_reading(draw: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    out = io.BytesIO()
    draw.street(320, 180).save(out, "JPEG", exif=exif)
    picture = decode_picture(out.getvalue())
    assert picture.frame.shape == (180, 320, 3)
