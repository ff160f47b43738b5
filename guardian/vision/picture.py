"""Opening pictures that people hand us: by content and not by name, upright, eight bits, and never silently wrong.

What a viewer shows is what comes out: the orientation mark is applied (field case G06), 16 bits are scaled and print
colours converted (G07), of a file with several pictures the first is taken (G08). A picture that is cut short is read as
far as it goes and says so (G09). Sizes are bounded before anything is decoded (G10).
"""

from __future__ import annotations

import io
import os
import stat
import threading
import warnings
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from guardian.domain.errors import InputRefusedError
from guardian.domain.read import Corners
from guardian.vision.ports import Frame

FILE_BYTES_MAX = 256 * 1024 * 1024
PIXELS_MAX = 100_000_000
"""Decoded size, refused above: about 0.7 GB of memory at the peak. JPEG files are decoded at a half, a quarter or an
eighth of their size to stay below it, so photos of 200 megapixels are read."""
_DECLARED_PIXELS_MAX = 2_000_000_000

_pillow_lock = threading.Lock()  # two of Pillow's settings are global; they are changed for one call and put back


class PictureError(InputRefusedError):
    """A file could not be opened as a picture. The reference says which kind of trouble, and so what to do."""

    reference = "picture-unreadable"

    def __init__(self, sentence: str, *, hint: str = "", reference: str | None = None) -> None:
        super().__init__(sentence, hint=hint or _HINTS.get(reference or self.reference, ""), reference=reference)


_HINTS = {
    "picture-not-there": "Check the spelling and the folder that you are in.",
    "picture-not-allowed": "Give this user read access to it (chmod +r), or run as one who has it.",
    "picture-empty": "Copy it again: the copy was cut off before it began.",
    "picture-damaged": "Copy it again from the camera; if it is damaged there too, open and save it with another program.",
    "picture-unreadable": "Copy it to this machine's own disk and try again.",
    "picture-kind": "Save it as JPEG or PNG.",
    "picture-too-small": "Take the original photo instead of its thumbnail.",
    "picture-too-large": "Save it smaller, as JPEG.",
    "not-a-picture": "JPEG, PNG, TIFF, WebP, BMP and GIF are read; films are played by guardian device run.",
    "not-a-file": "Name a file or a folder.",
}


class Picture(msgspec.Struct, frozen=True):
    """One upright picture.

    `frame` is (H, W, 3) uint8 BGR. `width` and `height` are those of the upright picture as a viewer shows it;
    `scale` leads from pixels of `frame` to those (1 except for very large JPEG files, which are decoded smaller).
    `cut_short` is true when the file ends before the picture does; `intact` is then the part of `frame` that is
    there for certain (left, top, right, bottom).
    """

    frame: Frame
    width: int
    height: int
    scale: float = 1.0
    warnings: tuple[str, ...] = ()
    cut_short: bool = False
    intact: tuple[int, int, int, int] | None = None

    def holds(self, corners: Corners) -> bool:
        """Whether a place (pixels of `frame`) lies wholly in the part of the picture that is there.

        A plate at the edge of what is missing is half a plate, and half a plate reads as another number.
        """
        if self.intact is None:
            return True
        left, top, right, bottom = self.intact
        return all(left <= x <= right and top <= y <= bottom for x, y in corners)


def load_picture(path: Path | str) -> Picture:
    """Open one picture file.

    Raises:
        PictureError: not there, not readable, empty, no picture, too large; the sentence names the file.
    """
    path = Path(path)
    name = path.name
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            # Opening a pipe waits for somebody to write into it, perhaps for ever.
            raise PictureError(f"{name} is a pipe or a device, not a file.", reference="not-a-file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > FILE_BYTES_MAX:
                raise PictureError(
                    f"{name} has {size // 1_000_000} MB; pictures of up to {FILE_BYTES_MAX // 1_000_000} MB are read.",
                    reference="picture-too-large",
                )
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise PictureError(f"{name} is not there.", reference="picture-not-there") from error
    except PermissionError as error:
        raise PictureError(
            f"{name} may not be read by this user.", hint="Change its permissions.", reference="picture-not-allowed"
        ) from error
    except OSError as error:
        raise PictureError(f"{name} cannot be opened: {error.strerror}.") from error
    return decode_picture(data, name=name)


def decode_picture(data: bytes, *, name: str = "the picture") -> Picture:
    """Open a picture from its bytes.

    Raises:
        PictureError: see `load_picture`.
    """
    if not data:
        raise PictureError(f"{name} is empty (0 bytes).", reference="picture-empty")
    with _pillow_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image: Image.Image = Image.open(io.BytesIO(data))
        except UnidentifiedImageError as error:
            raise PictureError(
                f"{name} is no picture that can be read{_kind_of(data)}.", reference="not-a-picture"
            ) from error
        except Exception as error:  # Pillow's parsers raise many kinds for a broken head
            raise PictureError(f"{name} is a damaged picture: {error}.", reference="picture-damaged") from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    declared_w, declared_h = image.size
    _bound(image, name)
    said: list[str] = []
    pages = getattr(image, "n_frames", 1) if image.format in ("TIFF", "GIF", "WEBP") else 1
    if pages > 1:
        said.append(f"holds {pages} pictures; the first was read")
    image, cut_short = _decode(image, data, name)
    if image.format == "JPEG" or data[:2] == b"\xff\xd8":
        cut_short = cut_short or not _jpeg_ends(data)
    if cut_short:
        said.append("cut short: the file ends before the picture does; only the part that is there was read")
    scale = declared_w / image.size[0]
    turned = _upright(image)
    if (turned.size[0] > turned.size[1]) != (image.size[0] > image.size[1]):
        declared_w, declared_h = declared_h, declared_w
    frame = _as_bgr(turned, name)
    intact = _intact(frame) if cut_short else None
    return Picture(frame, declared_w, declared_h, scale, tuple(said), cut_short, intact)


def _bound(image: Image.Image, name: str) -> None:
    """Refuse by the declared size, or ask a JPEG decoder for less."""
    width, height = image.size
    if width < 8 or height < 8:
        raise PictureError(
            f"{name} has {width} × {height} px: too small to hold a plate.", reference="picture-too-small"
        )
    if width * height <= PIXELS_MAX:
        return
    if image.format in ("JPEG", "MPO") and width * height <= _DECLARED_PIXELS_MAX:
        for part in (2, 4, 8):
            if (width // part) * (height // part) <= PIXELS_MAX:
                image.draft("RGB", (width // part, height // part))
                break
        if image.size[0] * image.size[1] <= PIXELS_MAX:
            return
    raise PictureError(
        f"{name} has {width} × {height} px; pictures of up to {PIXELS_MAX // 1_000_000} megapixels are read.",
        hint="Save it smaller.",
        reference="picture-too-large",
    )


def _decode(image: Image.Image, data: bytes, name: str) -> tuple[Image.Image, bool]:
    """Decode; a second, forgiving try for files that are cut short."""
    try:
        image.load()
        return image, False
    except Exception as error:
        first: Exception = error
    with _pillow_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        forgiving, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
        try:
            again = Image.open(io.BytesIO(data))
            if image.size != again.size:
                again.draft("RGB", image.size)
            again.load()
        except Exception as error:
            raise PictureError(
                f"{name} is a damaged {image.format} picture: {first}.", reference="picture-damaged"
            ) from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit
            ImageFile.LOAD_TRUNCATED_IMAGES = forgiving
    return again, True


def _jpeg_ends(data: bytes) -> bool:
    """Whether the first picture of a JPEG file has its end mark (EOI) after its scan began.

    Source: ITU-T T.81, B.1.1: inside a scan FF is followed by 00 or a restart mark, so FF D9 there is the end.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return True  # not a sequence of segments that we know; the decoder has judged
        mark = data[at + 1]
        if mark == 0xFF:
            at += 1
            continue
        if mark == 0xDA:
            return data.find(b"\xff\xd9", at) >= 0
        if mark == 0xD9:
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _intact(frame: Frame) -> tuple[int, int, int, int]:
    """What is left when the even lines at each side, which the decoder has filled in, are taken off.

    Where some were taken off, two more rows of blocks (32 px) go: the last one may be there in part.
    """
    height, width = frame.shape[:2]
    grey = frame[:, :, 1].astype(np.int16)

    def even(lines: npt.NDArray[np.int16]) -> int:
        flat = np.ptp(lines, axis=1) <= 2
        return int(np.argmin(flat)) if not flat.all() else len(flat)

    top, bottom = even(grey), even(grey[::-1])
    left, right = even(grey.T), even(grey.T[::-1])

    def off(lines: int) -> int:
        return lines + 32 if lines else 0

    return off(left), off(top), width - off(right), height - off(bottom)


def _upright(image: Image.Image) -> Image.Image:
    """Apply the orientation mark; a broken one is as good as none."""
    try:
        turned = ImageOps.exif_transpose(image)
    except Exception:
        return image
    return turned if turned is not None else image


def _as_bgr(image: Image.Image, name: str) -> Frame:
    """Eight bits, three channels, as a viewer would show it."""
    mode = image.mode
    if mode.startswith(("I", "F")):
        return _grey_to_bgr(_eight_bits(np.asarray(image)))
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return _on_ground(image.convert("RGBA"))
    try:
        rgb = np.asarray(image.convert("RGB"))
    except (ValueError, OSError) as error:
        raise PictureError(
            f"{name} is a {image.format} picture of the kind {mode}, which is not read.", reference="picture-kind"
        ) from error
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _eight_bits(deep: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """16- or 32-bit grey to 8 bits: full range by 257, and what uses only a part of it (12-bit cameras) stretched."""
    figures = np.nan_to_num(deep.astype(np.float32))
    low, high = float(figures.min()), float(figures.max())
    if low >= 0 and high <= 1 and np.issubdtype(deep.dtype, np.floating):
        top = 1.0
    elif low >= 0 and high <= 255:
        top = 255.0
    elif low >= 0 and 16_384 <= high <= 65_535:
        top = 65_535.0
    else:
        figures, top = figures - low, max(1e-6, high - low)
    return np.asarray(np.clip(figures * (255 / top) + 0.5, 0, 255), dtype=np.uint8)


def _grey_to_bgr(grey: npt.NDArray[np.uint8]) -> Frame:
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))


def _on_ground(image: Image.Image) -> Frame:
    """A picture with transparency on white, or on black where what it shows is itself nearly white."""
    rgba = np.asarray(image).astype(np.float32)
    alpha = rgba[:, :, 3:] / 255
    weight = float(alpha.sum())
    light = float((rgba[:, :, :3].mean(axis=2, keepdims=True) * alpha).sum() / weight) if weight > 0 else 0.0
    ground = 0.0 if light > 200 and float(alpha.mean()) < 0.7 else 255.0
    rgb = rgba[:, :, :3] * alpha + ground * (1 - alpha)
    return np.ascontiguousarray(np.clip(rgb + 0.5, 0, 255).astype(np.uint8)[:, :, ::-1])


def _kind_of(data: bytes) -> str:
    """A word on what the bytes are, where that can be told; starts with a space or a colon."""
    head = data[:64]
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
            return ": it is an HEIC photo (save it as JPEG)"
        return ": it is a video (guardian device run plays those)"
    if head[:4] == b"%PDF":
        return ": it is a PDF document"
    if head[:4] in (b"RIFF", b"\x1aE\xdf\xa3"):
        return ": it is a video (guardian device run plays those)"
    if head.lstrip()[:5].lower() in (b"<svg ", b"<?xml", b"<!doc", b"<html"):
        return ": it is a text document"
    if not data.strip(b"\0"):
        return ": it holds nothing but zeros"
    return ""
