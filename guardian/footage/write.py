"""A drive on disk: the film (H.264 in MP4), its truth, and the track as JSON lines and as NMEA sentences.

Files of a drive called `out`: `out/drive.mp4`, `truth.jsonl` (one vehicle a line, model.Pass), `track.jsonl` (one fix
a line, model.TrackPoint), `track.nmea` (RMC and GGA), `spec.json`. The film is written beside its name and moved when it
is whole, so that a player never finds half of it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import cv2
import msgspec
import numpy as np

from guardian.domain.plate import Plate
from guardian.domain.position import Position
from guardian.footage.model import READABLE_PX, SHOWN_MIN, DriveFiles, DriveSpec, Pass, PlateView, TrackPoint
from guardian.footage.plate_art import Picture
from guardian.footage.render import FrameTruth, Studio, lay_way
from guardian.footage.shipped import files_in
from guardian.footage.shown import with_shown

_FIX_EVERY_S = 0.5
_CHUNK = 12
_studio: Studio | None = None

Progress = Callable[[int, int], None]
"""Hears how many frames are done, of how many."""


def build_studio(spec: DriveSpec) -> Studio:
    """Everything that a drive needs before its first frame."""
    way, crossings = lay_way(spec)
    return Studio(spec, way, crossings)


def _open_worker(spec: DriveSpec) -> None:
    global _studio
    cv2.setNumThreads(1)
    _studio = build_studio(spec)


def _film_chunk(first: int, last: int) -> list[tuple[Picture, FrameTruth]]:
    if _studio is None:  # pragma: no cover - the pool always opens its workers first
        raise RuntimeError("worker without a studio")
    return [_studio.film(number) for number in range(first, last)]


def film_drive(spec: DriveSpec, studio: Studio, workers: int) -> Iterator[tuple[Picture, FrameTruth]]:
    """Frames in order; with more than one worker they are made side by side, at most a few chunks ahead."""
    frames = studio.frames
    if workers <= 1 or frames < 48:
        for number in range(frames):
            yield studio.film(number)
        return
    spans = [(first, min(first + _CHUNK, frames)) for first in range(0, frames, _CHUNK)]
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_open_worker, initargs=(spec,)
    ) as pool:
        ahead = workers + 1
        waiting = [pool.submit(_film_chunk, *span) for span in spans[:ahead]]
        for index in range(len(spans)):
            done = waiting.pop(0).result()
            if index + ahead < len(spans):
                waiting.append(pool.submit(_film_chunk, *spans[index + ahead]))
            yield from done


def render_drive(
    spec: DriveSpec,
    out: Path,
    progress: Progress = lambda _done, _all: None,
    *,
    workers: int | None = None,
    coder: tuple[str, int] = ("veryfast", 25),
) -> DriveFiles:
    """Film a drive into a folder.

    Args:
        spec: what to film.
        out: the folder; made if it is not there, files in it are replaced.
        progress: hears frames done and all, after each frame.
        coder: x264's preset and quality (crf); the film of the demo in the package was made with ("slow", 31).
        workers: processes that draw; by default one for each core, two at most (memory: about 200 MB each).

    Raises:
        InputRefusedError: an order that cannot be filmed.
    """
    import av

    spec.check()
    out.mkdir(parents=True, exist_ok=True)
    files = files_in(out)
    studio = build_studio(spec)
    seen: dict[int, list[PlateView]] = {}
    part = out / "drive.part.mp4"
    lanes = workers if workers is not None else min(2, os.cpu_count() or 1)
    with av.open(str(part), "w", options={"movflags": "faststart"}) as film:
        stream = film.add_stream(
            "libx264", rate=round(spec.frames_per_s * 1000) if spec.frames_per_s % 1 else int(spec.frames_per_s)
        )
        stream.width, stream.height, stream.pix_fmt = spec.width_px, spec.height_px, "yuv420p"
        stream.options = {
            "preset": coder[0],
            "crf": str(coder[1]),
            "g": str(round(spec.frames_per_s * 4)),
            "threads": "2",
        }
        for number, (picture, truth) in enumerate(film_drive(spec, studio, lanes)):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            film.mux(stream.encode(frame))
            for vehicle, view in truth.views.items():
                seen.setdefault(vehicle, []).append(view)
            progress(number + 1, studio.frames)
        film.mux(stream.encode())
    part.replace(files.video)
    seen = as_coded(studio, files.video, seen)
    _write_lines(files.truth, (_pass(studio, vehicle, views) for vehicle, views in sorted(seen.items())))
    track = list(track_of(studio))
    _write_lines(files.track, iter(track))
    files.nmea.write_text(
        "".join(sentence + "\r\n" for point in track for sentence in nmea_of(point)), encoding="ascii"
    )
    files.spec.write_bytes(msgspec.json.format(msgspec.json.encode(spec), indent=2) + b"\n")
    return files


def as_coded(studio: Studio, film: Path, seen: Mapping[int, Sequence[PlateView]]) -> dict[int, list[PlateView]]:
    """The views of each vehicle with what the finished film shows of their plates."""
    import av

    by_frame: dict[int, dict[int, PlateView]] = {}
    for vehicle, views in seen.items():
        for view in views:
            by_frame.setdefault(view.frame, {})[vehicle] = view
    actors = {vehicle: studio.traffic.actors[vehicle] for vehicle in seen}
    drawn = {vehicle: (studio.plate(actor), actor.plate) for vehicle, actor in actors.items()}
    out: dict[int, list[PlateView]] = {vehicle: [] for vehicle in seen}
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in by_frame:
                picture = frame.to_ndarray(format="bgr24")
                for vehicle, view in with_shown(picture, by_frame[number], drawn).items():
                    out[vehicle].append(view)
    return out


def _write_lines(path: Path, things: Iterator[Pass] | Iterator[TrackPoint]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(thing) + b"\n" for thing in things))


def is_readable(view: PlateView) -> bool:
    """Whether a person would read the plate in that frame: high enough, in the open, not smeared, not too aslant, not lost in
    coding."""
    (ax, ay), (bx, by), _, _ = view.corners
    wide = math.hypot(bx - ax, by - ay)
    return (
        view.height_px >= READABLE_PX
        and view.hidden_share < 0.05
        and view.blur_px < 5.0
        and wide > 1.45 * view.height_px
        and view.shown_share >= SHOWN_MIN
    )


def _pass(studio: Studio, vehicle: int, views: list[PlateView]) -> Pass:
    actor = studio.traffic.actors[vehicle]
    plate = Plate(actor.plate)
    readable = [view for view in views if is_readable(view)]
    spec = studio.spec
    return Pass(
        vehicle=vehicle,
        plate=actor.plate,
        display=plate.display,
        series=plate.series.id if plate.series else "",
        vehicle_classes=tuple(str(c) for c in plate.vehicle_classes),
        body=str(actor.body),
        colour=actor.colour,
        parked=actor.parked,
        first_frame=views[0].frame,
        last_frame=views[-1].frame,
        height_px_max=max(view.height_px for view in views),
        readable_frames=len(readable),
        readable_from_ms=spec.start_ms + round(readable[0].frame / spec.frames_per_s * 1000) if readable else None,
        views=tuple(views),
    )


def track_of(studio: Studio) -> Iterator[TrackPoint]:
    """Fixes every half second, with the small errors of a receiver in a street."""
    spec = studio.spec
    dice = np.random.default_rng((spec.seed, 6))
    drift = np.zeros(2)
    for step in range(int(spec.seconds / _FIX_EVERY_S) + 1):
        t = step * _FIX_EVERY_S
        s = studio.traffic.ego(t)
        drift = drift * 0.92 + dice.normal(0, 0.35, 2)
        lon, lat = studio.way.lonlat(s)
        yield TrackPoint(
            captured_ms=spec.start_ms + round(t * 1000),
            video_s=round(t, 3),
            lat_deg=round(lat + float(drift[1]) / 111_195, 7),
            lon_deg=round(lon + float(drift[0]) / (111_195 * math.cos(math.radians(lat))), 7),
            heading_deg=round(studio.way.heading_deg(s), 1),
            speed_kmh=round(studio.traffic.ego_speed(t) * 3.6, 1),
            accuracy_m=round(float(3.0 + np.hypot(*drift)), 1),
            road=studio.way.name(s),
        )


def position_of(point: TrackPoint) -> Position:
    """A fix as the domain's position."""
    return Position(
        lat_deg=point.lat_deg, lon_deg=point.lon_deg, fixed_ms=point.captured_ms, accuracy_m=point.accuracy_m,
        heading_deg=point.heading_deg if point.speed_kmh > 2 else None, speed_kmh=point.speed_kmh, source="track",
    )  # fmt: skip


def nmea_of(point: TrackPoint) -> tuple[str, str]:
    """A fix as RMC and GGA (NMEA 0183), with checksums."""
    when = datetime.fromtimestamp(point.captured_ms / 1000, tz=UTC)
    clock = when.strftime("%H%M%S.") + f"{when.microsecond // 10000:02d}"

    def angle(value: float, digits: int) -> str:
        whole = int(abs(value))
        return f"{whole:0{digits}d}{(abs(value) - whole) * 60:08.5f}"

    place = f"{angle(point.lat_deg, 2)},{'N' if point.lat_deg >= 0 else 'S'},{angle(point.lon_deg, 3)},{'E' if point.lon_deg >= 0 else 'W'}"
    rmc = f"GPRMC,{clock},A,{place},{point.speed_kmh / 1.852:.2f},{point.heading_deg:.1f},{when.strftime('%d%m%y')},,,A"
    gga = f"GPGGA,{clock},{place},1,11,{point.accuracy_m / 4:.1f},12.0,M,16.0,M,,"
    return _checked(rmc), _checked(gga)


def _checked(body: str) -> str:
    total = 0
    for sign in body:
        total ^= ord(sign)
    return f"${body}*{total:02X}"
