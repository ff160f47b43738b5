"""Films and cameras through PyAV (FFmpeg).

A film is read once, in its own time or as fast as it goes. A camera is read for ever: when it hangs, is unplugged or
comes back with another size, the same thread opens it again after growing pauses (field case G11). FFmpeg's own
interrupt ends a call that hangs; no thread is started per try, so none is left behind. Why there is no picture is told
apart (`why_not`), because each cause has its own cure (`domain.camera`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import av.error
import numpy as np
import structlog

from guardian.device.frametime import FrameTimes
from guardian.device.source import Frame, SourceHealth, Speed
from guardian.domain.errors import InputRefusedError
from guardian.vision.ports import Frame as Image

log = structlog.get_logger("device.video")

OPEN_TIMEOUT_S = 8.0
READ_TIMEOUT_S = 5.0
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
PIXELS_MAX = 40_000_000
FILM_FAULTS_MAX = 200
"""So many damaged packets in a row and the rest of a film is given up."""
NOTHING_YET_S = 0.004
"""A USB camera that has no picture ready is asked again after this."""

av.logging.set_level(None)  # FFmpeg writes to stderr by itself; what matters is counted here


def _pictures(container: Any, health: SourceHealth, silent_s: float = READ_TIMEOUT_S) -> Iterator[tuple[Any, Image]]:
    """Decoded frames as BGR; damaged ones are counted and left out."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    is_jpeg = stream.codec_context.name == "mjpeg"
    faults = 0
    packets = iter(container.demux(stream))
    heard = time.monotonic()
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.BlockingIOError:
            # A USB camera without a picture just now. Its driver knows no interrupt, so the time is kept here.
            if time.monotonic() - heard > silent_s:
                raise av.error.TimeoutError(110, "no picture") from None
            time.sleep(NOTHING_YET_S)
            packets = iter(container.demux(stream))  # an error has ended the former one
            continue
        except av.error.InvalidDataError:
            faults += 1
            health.cut_short += 1
            if faults > FILM_FAULTS_MAX:
                return
            packets = iter(container.demux(stream))
            continue
        heard = time.monotonic()
        # USB cameras fill up with zeros after the end of a picture.
        if is_jpeg and packet.size and b"\xff\xd9" not in bytes(packet).rstrip(b"\0")[-64:]:
            # The decoder would fill the missing part with grey and say nothing (G09).
            health.cut_short += 1
            continue
        try:
            decoded = packet.decode()
        except av.error.InvalidDataError:
            faults += 1
            health.cut_short += 1
            if faults > FILM_FAULTS_MAX:
                return
            continue
        for frame in decoded:
            if frame.is_corrupt:
                health.cut_short += 1
                continue
            if frame.width * frame.height > PIXELS_MAX or frame.width < 16 or frame.height < 16:
                health.unreadable += 1
                continue
            faults = 0
            yield frame, _upright(frame)


def _upright(frame: Any) -> Image:
    """BGR, turned as the film's display matrix says (phones film upright and say so beside the picture)."""
    image = frame.to_ndarray(format="bgr24")
    turn = int(getattr(frame, "rotation", 0) or 0) % 360
    if turn in (90, 180, 270):
        # FFmpeg counts counter-clockwise, as numpy does.
        image = np.ascontiguousarray(np.rot90(image, turn // 90))
    return image  # type: ignore[no-any-return]


class FilmSource:
    """A film file."""

    def __init__(self, path: Path, *, mono_ms: Callable[[], int], speed: Speed = "real", loop: bool = False) -> None:
        self.name = path.name
        self.health = SourceHealth()
        self._path = path
        self._mono_ms = mono_ms
        self._speed = speed
        self.paced = speed == "real"
        self._loop = loop
        with self._open() as container:
            self.duration_ms = int((container.duration or 0) / 1000)

    def _open(self) -> Any:
        try:
            container = av.open(str(self._path), metadata_errors="ignore")
        except (av.error.FFmpegError, OSError) as error:
            raise InputRefusedError(
                f"'{self.name}' is no film that can be played.",
                hint="MP4, MKV, AVI, MOV and TS films are played. If it is one, it may be cut short: copy it again.",
                reference="film-unreadable",
            ) from error
        if not container.streams.video:
            container.close()
            raise InputRefusedError(
                f"'{self.name}' holds sound but no pictures.", hint="Name the film itself.", reference="film-unreadable"
            )
        return container

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        while True:
            before = self.health.frames
            yield from self._once(stop)
            if self.health.frames == 0 and not stop.is_set():
                self.health.unreadable += 1
                self.health.say(
                    f"{self.name}: not one picture could be decoded. Copy it again, or save it as MP4 (H.264)."
                )
            if stop.is_set() or not self._loop or self.health.frames == before:
                return

    def _once(self, stop: threading.Event) -> Iterator[Frame]:
        health = self.health
        health.openings += 1
        times = FrameTimes()
        wild_before = health.wild_stamps
        # Played fast, a film was recorded just now and ended this moment; in its own time it begins now. Either way no read
        # lies in the future.
        begun = self._mono_ms() - (self.duration_ms if self._speed == "fast" else 0)
        with self._open() as container, contextlib.suppress(av.error.EOFError):
            for decoded, image in _pictures(container, health):
                media_ms = round(times.time_s(decoded.time) * 1000)
                health.wild_stamps = wild_before + times.wild
                if self._speed == "real":
                    ahead_s = (begun + media_ms - self._mono_ms()) / 1000
                    if ahead_s > 0 and stop.wait(ahead_s):
                        return
                if stop.is_set():
                    return
                health.frames += 1
                health.last_frame_mono_ms = self._mono_ms()
                yield Frame(image, begun + media_ms, health.frames, media_ms=media_ms, name=self.name)


def why_not(error: BaseException, took_s: float, timeout_s: float) -> str:
    """The reason (a key of `CAMERA_WORDS`) behind an error of opening or reading a camera.

    FFmpeg's errors do not tell a hanging camera from one that refuses; the time that it took does.
    """
    if isinstance(error, PermissionError):
        return "camera-not-allowed"
    if isinstance(error, FileNotFoundError) or getattr(error, "errno", 0) in (errno.ENODEV, errno.ENXIO):
        return "camera-missing"
    if getattr(error, "errno", 0) == errno.EBUSY:
        return "camera-busy"
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return "camera-login"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "camera-no-such-stream"
    if isinstance(error, NoPictureError | av.error.DecoderNotFoundError):
        return "camera-no-picture"
    return "camera-hangs" if took_s >= 0.9 * timeout_s else "camera-unreachable"


class NoPictureError(Exception):
    """The stream holds no track of pictures, or one that nothing here decodes."""


# Half a second of looking before the first picture, and none for a rate that nobody asks for: first pictures after 1.1 s
# (H.264) and 0.2 s (JPEG) where FFmpeg's own choice took 2.9 and 1.4 s; each reconnection gains as much.
_NETWORK = {
    "rtsp_transport": "tcp", "fflags": "nobuffer", "analyzeduration": "500000", "fpsprobesize": "0",
    "probesize": "1000000",
}  # fmt: skip
# Without a size a USB camera stays at 640x480, where a plate across the road has no legible characters; raw pictures of
# more do not fit through USB 2.
_USB_WISHES: tuple[dict[str, str], ...] = (
    {"input_format": "mjpeg", "video_size": "1920x1080"},
    {"video_size": "1280x720"},
    {},
)


class CameraSource:
    """A camera by its address or device; never ends by itself."""

    paced = True

    def __init__(
        self,
        address: str,
        *,
        mono_ms: Callable[[], int],
        container: str | None = None,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self.name = camera_name(address)
        self.health = SourceHealth()
        self._address = address
        self._mono_ms = mono_ms
        self._container = container
        self._timeouts = (open_timeout_s, read_timeout_s)
        self._pauses_s = pauses_s

    def _open(self) -> Any:
        if self._container != "v4l2":
            return self._open_with(_NETWORK)
        for wishes in _USB_WISHES:
            try:
                container = self._open_with(wishes)
            except av.error.FFmpegError as error:
                # Only "invalid argument" says that it has not what is wished for.
                if error.errno != errno.EINVAL or wishes is _USB_WISHES[-1]:
                    raise
                continue
            never_wait_inside(self._address)
            return container
        raise AssertionError("unreachable")

    def _open_with(self, options: dict[str, str]) -> Any:
        return av.open(
            self._address, format=self._container, options=options, timeout=self._timeouts, metadata_errors="ignore"
        )

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        health = self.health
        while not stop.is_set():
            health.openings += 1
            seen = health.frames
            heard = time.monotonic()
            try:
                with self._open() as container:
                    if not container.streams.video or container.streams.video[0].codec_context is None:
                        raise NoPictureError
                    heard = time.monotonic()
                    for _, image in _pictures(container, health, self._timeouts[1]):
                        if stop.is_set():
                            return
                        if health.waiting and seen:
                            health.reconnects += 1
                        health.tries = 0
                        heard = time.monotonic()
                        health.waiting = ""
                        health.frames += 1
                        # A camera's stamps may lie hours off; what counts is when the picture came (G12).
                        now = self._mono_ms()
                        health.last_frame_mono_ms = now
                        yield Frame(image, now, health.frames, name=self.name)
                why = "camera-ended" if health.frames > seen else "camera-no-picture"
            except (av.error.FFmpegError, OSError, NoPictureError) as error:
                why = why_not(error, time.monotonic() - heard, min(self._timeouts))
            if health.frames == seen:
                health.failed_openings += 1
            health.waiting = why
            pause = self._pauses_s[min(health.tries, len(self._pauses_s) - 1)]
            health.tries += 1
            log.warning(why, tries=health.tries, pause_s=pause)
            if stop.wait(pause):
                return


def never_wait_inside(device: str) -> None:
    """Make reading an opened device come back at once when there is nothing.

    A driver that waits inside the kernel for the next picture hears no interrupt (libavdevice/v4l2.c, mmap_read_frame), and
    FFmpeg has no option for this.
    """
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(link.readlink()) == device:
                number = int(link.name)
                fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_NONBLOCK)


def camera_name(address: str) -> str:
    """How a camera is named on screens: its host or its device. The rest of an address may carry a password."""
    if "://" not in address:
        return address.rpartition("/")[2]
    host = urlsplit(address).hostname
    return f"camera {host}" if host else "camera"
