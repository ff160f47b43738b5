"""A film and a device's pipeline over it, for the figures of `alarm` and `pipeline`.

The film is the shipped drive at 1080p; every number that is read is on the list, so that each read alarms.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import av
import av.video.frame
import msgspec

from guardian.device.alarm import AlarmDesk
from guardian.device.clock import DeviceClock
from guardian.device.disk import RealDisk
from guardian.device.follow import FilmFollower, Passing
from guardian.device.gaze import Looking
from guardian.device.listcopy import ListInForce
from guardian.device.page import CardPictures
from guardian.device.pipeline import Pipeline
from guardian.device.position import PositionKeeper
from guardian.device.seal import Sealer
from guardian.device.source import Frame, open_source
from guardian.device.spool import Spool
from guardian.device.stage import Stages
from guardian.domain.watch import Category, Match, MatchStrength, WatchEntry
from guardian.footage.shipped import demo_drive


class EveryNumber:
    """In place of the matcher, so that every read alarms: the cost of an exact match of one plate is kept in."""

    def match(self, text: str, *_: object, at_ms: int, **__: object) -> list[Match]:
        return [Match("e", text, MatchStrength.EXACT, 0.9)]


def enlarge_film(path: Path, *, seconds: float, size: tuple[int, int] = (1920, 1080)) -> None:
    """The shipped drive, or its beginning, at another size: a real street's worth of plates and of other text."""
    with av.open(str(demo_drive().video)) as film, av.open(str(path), "w") as out:
        shown = film.streams.video[0]
        stream = out.add_stream("libx264", rate=shown.average_rate, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for frame in film.decode(video=0):
            if frame.time is not None and frame.time > seconds:
                break
            larger = frame.reformat(width=size[0], height=size[1], format="yuv420p", interpolation="BICUBIC")
            larger.pts, larger.time_base = frame.pts, frame.time_base
            larger.pict_type = av.video.frame.PictureType.NONE
            for packet in stream.encode(larger):
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
    looked_at: int
    wall_s: float
    cpu_s: float
    alarm_cpu_ms: list[float]


class Clocked(Pipeline):
    """Notes the processor time between taking a deciding frame and its alarm: on a shared machine the wall says little.

    It is that of the whole process: decoding and writing, which run beside, are in it.
    """

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.alarm_cpu_ms: list[float] = []
        self._taken_s = 0.0

    def _see(self, frame: Frame, decoded: float) -> None:
        self._taken_s = process_time()
        super()._see(frame, decoded)

    def _handle(self, passings: list[Passing], decoded: float) -> None:
        before = self.stages.latency.items
        super()._handle(passings, decoded)
        new = self.stages.latency.items - before
        self.alarm_cpu_ms += [(process_time() - self._taken_s) * 1000] * new


def run_pipeline(film: Path, home: Path, engine: Looking, *, real_time: bool = False) -> Run:
    """A film through the whole pipeline: every frame wholly, or as a camera's frames in their own time."""
    clock, stages = DeviceClock(), Stages()
    held = ListInForce(1, 0, "", {"e": WatchEntry("e", "AAA0000", Category.STOLEN)}, EveryNumber(), 1)  # type: ignore[arg-type]
    line = Clocked(
        source=open_source(str(film), mono_ms=clock.mono_ms, speed="real" if real_time else "fast"),
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
        every_frame=not real_time,
        stages=stages,
    )
    cpu, begun = process_time(), perf_counter()
    line.run(threading.Event())
    wall_s, cpu_s = perf_counter() - begun, process_time() - cpu
    return Run(stages, line.reads, line.frames, wall_s, cpu_s, line.alarm_cpu_ms)
