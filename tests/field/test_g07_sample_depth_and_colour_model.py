"""G07: what a viewer shows is what is read: 16 bits, print colours, transparency, one bit."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from guardian.vision.picture import decode_picture


def _grey16(image: Image.Image, out: io.BytesIO) -> None:
    Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(out, "PNG")


def _grey12(image: Image.Image, out: io.BytesIO) -> None:
    Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 16).save(out, "TIFF")


def _cmyk(image: Image.Image, out: io.BytesIO) -> None:
    image.convert("CMYK").save(out, "JPEG", quality=92)


def _rgba_clear_ground(image: Image.Image, out: io.BytesIO) -> None:
    ink = 255 - np.asarray(image.convert("L")).astype(int)
    alpha = np.where(ink > 128, 255, 0).astype(np.uint8)
    black = np.zeros_like(alpha)
    Image.fromarray(np.dstack([black, black, black, alpha]), "RGBA").save(out, "PNG")


def _white_on_clear(image: Image.Image, out: io.BytesIO) -> None:
    # A white plate cut out of its surroundings, which are clear.
    alpha = np.full(image.size[::-1], 255, np.uint8)
    alpha[:4] = 0
    Image.fromarray(np.dstack([np.asarray(image), alpha]), "RGBA").save(out, "PNG")


def _palette_with_clear_index(image: Image.Image, out: io.BytesIO) -> None:
    grey = np.asarray(image.convert("L"))
    indexed = Image.fromarray(np.where(grey < 110, 1, 0).astype(np.uint8), "P")
    indexed.putpalette([0, 0, 0, 10, 10, 10])
    indexed.save(out, "PNG", transparency=0)


def _one_bit(image: Image.Image, out: io.BytesIO) -> None:
    image.convert("1", dither=Image.Dither.NONE).save(out, "TIFF")


def _float(image: Image.Image, out: io.BytesIO) -> None:
    Image.fromarray(np.asarray(image.convert("L")).astype(np.float32) / 255).save(out, "TIFF")


def _webp(image: Image.Image, out: io.BytesIO) -> None:
    image.save(out, "WEBP", quality=85)


KINDS: list[Callable[[Image.Image, io.BytesIO], None]] = [
    _grey16, _grey12, _cmyk, _rgba_clear_ground, _white_on_clear, _palette_with_clear_index, _one_bit, _float, _webp,
]  # fmt: skip


@pytest.mark.parametrize("save", KINDS, ids=lambda f: f.__name__.strip("_"))
def test_the_plate_is_read_in_every_kind_of_picture(
    engine: Any, draw: Any, save: Callable[[Image.Image, io.BytesIO], None]
) -> None:
    picture = Image.new("RGB", (640, 320), (214, 216, 214))
    plate = draw.plate("BKD8869", height=150)
    picture.paste(plate, (140, 85))
    out = io.BytesIO()
    save(picture, out)
    frame = decode_picture(out.getvalue()).frame
    assert frame.dtype == np.uint8 and frame.shape == (320, 640, 3)
    assert [p.number.text for p in engine.look(frame)] == ["BKD8869"]


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 640 * 64).astype(np.uint16).reshape(64, 640)
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, "PNG")
    frame = decode_picture(out.getvalue()).frame
    assert np.abs(frame[:, :, 0].astype(int) - np.round(ramp / 257).astype(int)).max() <= 1


def test_print_colours_are_not_a_negative(draw: Any) -> None:
    out = io.BytesIO()
    _cmyk(draw.plate("BKD8869"), out)
    frame = decode_picture(out.getvalue()).frame
    assert frame.mean() > 140, "a white plate has become a dark one"
