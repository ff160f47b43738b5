"""A film and a device's pipeline over it, for the figures of `alarm` and `pipeline`.

The film is drawn here in seconds, at 1080p, with vehicles that come nearer one after the other; every number that is read is
on the list, so that each read alarms.
"""

from __future__ import annotations

import os
import threading
from fractions import Fraction
from pathlib import Path
from time import perf_counter, process_time

import av
import msgspec
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.device.alarm import AlarmDesk
from guardian.device.clock import DeviceClock
from guardian.device.disk import RealDisk
from guardian.device.follow import FilmFollower
from guardian.device.gaze import Looking
from guardian.device.listcopy import ListInForce
from guardian.device.page import CardPictures
from guardian.device.pipeline import Pipeline
from guardian.device.position import PositionKeeper
from guardian.device.screen import FONT
from guardian.device.seal import Sealer
from guardian.device.source import open_source
from guardian.device.spool import Spool
from guardian.device.stage import Stages
from guardian.domain.watch import Category, Match, MatchStrength, WatchEntry

PLATES = ("BKD-8869", "MXB-8063", "RBK-2189", "AGT-7152", "TDK-8823", "MAR-2025")


class EveryNumber:
    """In place of the matcher, so that every read alarms: the cost of an exact match of one plate is kept in."""

    def match(self, text: str, *_: object, at_ms: int, **__: object) -> list[Match]:
        return [Match("e", text, MatchStrength.EXACT, 0.9)]


def draw_film(path: Path, *, seconds: float, fps: int = 12, size: tuple[int, int] = (1920, 1080)) -> None:
    """Vehicles that come nearer one after the other on a grey street, each with a plate."""
    width, height = size
    rng = np.random.default_rng(5)
    small = rng.integers(60, 130, (27, 48, 3), dtype=np.uint8)
    street = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    frames = int(seconds * fps)
    each = max(8, frames // len(PLATES))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 8_000_000
        for number in range(frames):
            plate, part = PLATES[number // each % len(PLATES)], (number % each) / each
            picture = street.copy()
            draw = ImageDraw.Draw(picture)
            w = int(130 + 170 * part)
            h = int(w * 0.42)
            x, y = int(width * (0.30 + 0.3 * part)), int(height * (0.45 + 0.2 * part))
            draw.rectangle((x - w, y - 2 * h, x + 2 * w, y + 2 * h), fill=(38, 40, 46))
            draw.rounded_rectangle(
                (x, y, x + w, y + h), radius=h // 10, fill=(228, 230, 228), outline=(30, 30, 30), width=2
            )
            font = ImageFont.truetype(str(FONT), int(w / 5.1))
            font.set_variation_by_axes([700])
            draw.text((x + w / 2, y + h / 2), plate, font=font, fill=(20, 22, 26), anchor="mm")
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


def decode_alone(film: Path) -> tuple[int, float]:
    """Frames and seconds of reading the film into BGR and nothing else."""
    source = open_source(str(film), mono_ms=lambda: 0, speed="fast")
    begun = perf_counter()
    frames = sum(1 for _ in source.frames(threading.Event()))
    return frames, perf_counter() - begun


class Run(msgspec.Struct):
    """What a run of the pipeline over a film came to."""

    stages: Stages
    reads: int
    wall_s: float
    cpu_s: float


def run_pipeline(film: Path, home: Path, engine: Looking) -> Run:
    """Every frame of the film through the whole pipeline."""
    clock, stages = DeviceClock(), Stages()
    held = ListInForce(1, 0, "", {"e": WatchEntry("e", "AAA0000", Category.STOLEN)}, EveryNumber())  # type: ignore[arg-type]
    line = Pipeline(
        source=open_source(str(film), mono_ms=clock.mono_ms, speed="fast"),
        engine=engine,
        follower=FilmFollower(),
        in_force=lambda: held,
        desk=AlarmDesk(clock.mono_ms),
        spool=Spool(RealDisk(home), Sealer(os.urandom(32))),
        pictures=CardPictures(),
        clock=clock,
        positions=PositionKeeper(clock),
        device_id="bench",
        boot=1,
        every_frame=True,
        stages=stages,
    )
    cpu, begun = process_time(), perf_counter()
    line.run(threading.Event())
    return Run(stages, line.reads, perf_counter() - begun, process_time() - cpu)
