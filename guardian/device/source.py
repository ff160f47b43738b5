"""Where frames come from: a folder of photos, a film, a USB camera, a network camera. One kind of frame for all.

A source is an iterator that a thread of its own pulls; it comes to an end for photos and films and never for cameras.
It counts what it could not use (cut-short pictures, wild stamps, failed openings), so that silence can be told from an
empty street.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from guardian.domain.errors import InputRefusedError
from guardian.vision.picture import PictureError, load_picture
from guardian.vision.ports import Frame as Image

Speed = Literal["real", "fast"]
SAYINGS_MAX = 20
"""So many bad files are named; more are only counted."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a source.

    `mono_ms` is its moment on the device's monotonic clock; `media_ms` the film's own time, for films that bring a
    track. A `still` stands alone: it is not followed over to the next frame.
    """

    image: Image
    mono_ms: int
    number: int
    media_ms: int | None = None
    still: bool = False
    name: str = ""


@dataclass(slots=True)
class SourceHealth:
    """What a source has to say about itself; written by its thread, read by the screen and the heartbeat."""

    frames: int = 0
    last_frame_mono_ms: int | None = None
    cut_short: int = 0
    unreadable: int = 0
    wild_stamps: int = 0
    openings: int = 0
    failed_openings: int = 0
    reconnects: int = 0  # times that a camera which had shown pictures came back
    tries: int = 0  # openings since the last picture, without success
    waiting: str = ""  # why there is no picture just now (`domain.camera`); empty while there is one
    sayings: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """Name a thing that went wrong, within bounds."""
        if len(self.sayings) < SAYINGS_MAX:
            self.sayings.append(sentence)


class Source(Protocol):
    """Pulled by one thread."""

    name: str
    paced: bool
    """Frames come in their own time, as from a camera: those that come while vision is busy are dropped, not kept."""
    health: SourceHealth

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Frames until the end or until `stop` is set; comes back within seconds of `stop`."""
        ...


class FolderSource:
    """Photos in a folder and below, in order of name; what is no picture is counted and named. Links are not followed."""

    paced = False

    def __init__(self, path: Path, *, mono_ms: Callable[[], int]) -> None:
        self.name = path.name
        self._path = path
        self._mono_ms = mono_ms
        self.health = SourceHealth()

    def _files(self) -> Iterator[Path]:
        if self._path.is_file():
            yield self._path
            return
        for folder, folders, names in os.walk(self._path, followlinks=False):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                if path.is_file() and not name.startswith("."):
                    yield path

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        self.health.openings = 1
        for path in self._files():
            if stop.is_set():
                return
            try:
                picture = load_picture(path)
            except PictureError as error:
                self.health.unreadable += 1
                self.health.say(f"{error.sentence} {error.hint}".rstrip())
                continue
            if picture.cut_short:
                self.health.cut_short += 1
                self.health.say(f"{path.name} is cut short; it was not used.")
                continue
            now = self._mono_ms()
            self.health.frames += 1
            self.health.last_frame_mono_ms = now
            yield Frame(picture.frame, now, self.health.frames, still=True, name=path.name)


_PICTURE_NAMES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".heic")
_PICTURE_HEADS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")


_SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "tcp")
_DEVICES, _DEVICE_NAMES = Path("/dev"), Path("/sys/class/video4linux")


def usb_cameras(devices: Path = _DEVICES, names: Path = _DEVICE_NAMES) -> list[tuple[str, str]]:
    """The USB cameras of this machine: device and what it calls itself, in order of number.

    The kernel gives most cameras a second node for their metadata; it has an index above 0 and is left out.
    """
    found = []
    for node in devices.glob("video[0-9]*"):
        about = names / node.name
        try:
            index = (about / "index").read_text().strip()
            name = (about / "name").read_text().strip()
        except OSError:
            index, name = "0", ""
        if index == "0":
            found.append((str(node), name))
    return sorted(found, key=lambda one: int("".join(c for c in one[0] if c.isdigit())))


def _usb_camera(text: str) -> str:
    """The device that a person means by `camera`, `camera:N` or `/dev/videoN`.

    Raises:
        InputRefusedError: it is not plugged in, or may not be opened; says what is there.
    """
    there = usb_cameras()
    listed = "; ".join(f"{device} ({name})" if name else device for device, name in there)
    what = f"There is {listed}." if there else "No USB camera is plugged into this machine."
    if text == "camera":
        if not there:
            raise InputRefusedError(
                "No USB camera is plugged into this machine.",
                hint="Plug one in (ls /dev/video*), or name a film, a folder or an address (rtsp://…).",
                reference="camera-missing",
            )
        text = there[0][0]
    elif text.startswith("camera:"):
        number = text.removeprefix("camera:")
        if not number.isdigit():
            raise InputRefusedError(
                f"'{text}' names no camera.", hint=f"Write camera:0 or /dev/video0. {what}", reference="camera-missing"
            )
        text = f"/dev/video{number}"
    path = Path(text)
    if not path.exists():
        raise InputRefusedError(
            f"There is no camera {text}.", hint=f"{what} Check the cable, then try again.", reference="camera-missing"
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise InputRefusedError(
            f"This user may not open {text}.",
            hint="Add the user to the group video (sudo usermod -aG video $USER), then sign in again.",
            reference="camera-not-allowed",
        )
    return text


def open_source(text: str, *, mono_ms: Callable[[], int], speed: Speed = "real", loop: bool = False) -> Source:
    """The source that a person named.

    Args:
        text: a folder, a picture, a film, a USB camera (`camera`, `camera:1`, `/dev/video0`), or an address (`rtsp://…`).
        mono_ms: the device's monotonic clock.
        speed: films only: in their own time, or as fast as they can be read.
        loop: films only: begin again at the end.

    Raises:
        InputRefusedError: nothing is there, it is empty, or it is none of these; the hint says what to do.
    """
    from guardian.device.video import CameraSource, FilmSource

    if "://" in text:
        scheme = text.partition("://")[0].lower()
        if scheme not in _SCHEMES:
            raise InputRefusedError(
                f"No camera is reached by {scheme}://.",
                hint=f"Cameras' addresses begin with {', '.join(f'{s}://' for s in _SCHEMES)}; files are named by their path.",
                reference="no-such-scheme",
            )
        return CameraSource(text, mono_ms=mono_ms)
    path = Path(text)
    if text.startswith("/dev/video") or (text.split(":")[0] == "camera" and not path.exists()):
        return CameraSource(_usb_camera(text), mono_ms=mono_ms, container="v4l2")
    try:
        if path.is_dir():
            if next(path.iterdir(), None) is None:
                raise InputRefusedError(
                    f"The folder '{path.name}' is empty: nothing was read.",
                    hint="Name a folder with photos.",
                    reference="folder-empty",
                )
            return FolderSource(path, mono_ms=mono_ms)
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError:
        raise InputRefusedError(
            f"There is no '{text}' here.",
            hint="Name a film, a photo, a folder, a camera (camera, /dev/video0) or an address (rtsp://…).",
            reference="no-such-source",
        ) from None
    except PermissionError as error:
        raise InputRefusedError(
            f"This user may not read '{path.name}'.",
            hint="Give the user read access to it, or run as one who has it.",
            reference="source-not-allowed",
        ) from error
    if not head:
        raise InputRefusedError(
            f"'{path.name}' is empty (0 bytes): no film.",
            hint="Copy it again; the copy or the recording was cut off.",
            reference="film-empty",
        )
    if head.startswith(_PICTURE_HEADS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return FolderSource(path, mono_ms=mono_ms)
    if path.suffix.lower() in _PICTURE_NAMES:
        load_picture(path)  # says what it is, if it is none
        return FolderSource(path, mono_ms=mono_ms)
    return FilmSource(path, mono_ms=mono_ms, speed=speed, loop=loop)
