"""The composition root of the device: a home folder, a source and a few options become a running device.

Threads: the pipeline's three, two of the uplink, the position feed, the voice, the page's, and one that lets time pass.
All stop within seconds of `stop`; what was read is in the spool by then. What breaks the pipeline stops the device loudly; any
other thread that breaks is said on the screen and begun again, because reading and alarms go on without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from guardian.device.alarm import AlarmDesk, Answer
from guardian.device.card import AlarmCard
from guardian.device.clock import DeviceClock
from guardian.device.clockruns import ClockRuns
from guardian.device.cloudline import CloudLine
from guardian.device.disk import RealDisk
from guardian.device.follow import FilmFollower, StillFollower
from guardian.device.identity import Identity
from guardian.device.lasting import say_what_lasts
from guardian.device.listcopy import ListCopy
from guardian.device.look import Onlooker
from guardian.device.opinionbook import OpinionBook
from guardian.device.page import AlarmPage, CardPictures
from guardian.device.pipeline import Pipeline
from guardian.device.position import PositionFeed, PositionKeeper
from guardian.device.seal import Sealer
from guardian.device.second import Asked, SecondOpinions
from guardian.device.sound import Speaker
from guardian.device.source import FolderSource, Source, Speed, open_source
from guardian.device.spool import Spool
from guardian.device.stage import Stages
from guardian.device.telling import Summary, Telling
from guardian.device.trackfile import SilentFeed, TrackKeeper, load_track
from guardian.device.uplink import Uplink
from guardian.domain.errors import DiskFullError, frames_of
from guardian.domain.moment import CLOCK_FLOOR_MS
from guardian.domain.opinion import NotAsked, SecondOpinion
from guardian.domain.read import Read
from guardian.domain.wire import DeviceAnswer
from guardian.vision.engine import OWN, Engine, open_engine
from guardian.vision.opinion import open_second_reader, reader_beside
from guardian.vision.ports import SecondReader
from guardian.vision.series import SeriesRead
from guardian.vision.vehicles import VehicleFinder

log = structlog.get_logger("device.run")

TICK_S = 0.25
STATUS_EVERY_S = 2.0
DRAIN_S = 30.0
SECOND_S = 3.0
"""After the last frame so long for second opinions that are being formed."""
BEGIN_AGAIN_S = (1.0, 5.0, 30.0)
BESIDE = {
    "ticks": "狀態更新",
    "positions": "定位",
    "voice": "語音",
    "uplink": "上傳",
    "list": "名單更新",
    "second": "第二判讀",
}
"""What runs beside the pipeline, as the screen calls it."""


@dataclass(slots=True)
class Options:
    """What a person chose on the command line."""

    source: str
    home: Path
    track: Path | None = None
    feed: PositionFeed | None = None
    speed: Speed = "real"
    loop: bool = False
    every_frame: bool = False
    page_port: int | None = 0
    muted: bool = False
    room_bytes: int = 2 << 30
    numerals: str = "radio"
    threads: int = 2
    drain_s: float = DRAIN_S


class Device:
    """Put together, not yet running.

    Args:
        engine, clock: in place of the real ones, for tests.
        second_reader: opens the reader that gives second opinions; left out, the one that stands beside the engine.
        on_read: told each read when it is durable.
    """

    def __init__(
        self,
        options: Options,
        *,
        engine: Engine | None = None,
        clock: DeviceClock | None = None,
        on_read: Callable[[Read], None] = lambda _read: None,
        uplink: bool = True,
        second_reader: Callable[[], SecondReader] | None = None,
    ) -> None:
        self.options = options
        self.telling = Telling(self)
        self.clock = clock or DeviceClock()
        self.clock.ask_system()
        self.identity = Identity(options.home)
        self.clock.remember(ClockRuns(options.home))
        file = self.identity.file
        key = self.identity.keys.at_rest
        self.desk = AlarmDesk(self.clock.mono_ms, on_answer=self._answered, numerals=options.numerals)
        self.lists = ListCopy(options.home / "list" / "list.db", key=key, list_key=file.list_key)
        # A disk of its own: one file open for appending belongs to one lock.
        self.spool = Spool(RealDisk(options.home), Sealer(key), room_bytes=options.room_bytes, say=self._spool_says)
        self.boot = self._next_boot()
        self.source: Source = open_source(
            options.source, mono_ms=self.clock.mono_ms, speed=options.speed, loop=options.loop
        )
        stills = isinstance(self.source, FolderSource)
        every_frame = options.every_frame or options.speed == "fast"
        points = load_track(options.track) if options.track is not None else None
        self.positions = TrackKeeper(self.clock, points) if points is not None else PositionKeeper(self.clock)
        self.feed: PositionFeed = options.feed or SilentFeed()
        self.stages = Stages()
        self.pictures = CardPictures()
        self.opinions = OpinionBook(RealDisk(options.home), Sealer(key))
        self._on_read = on_read
        engine = engine or open_engine(engine_for(self.source, every_frame=every_frame), options.threads)
        if second_reader is None and reader_beside(engine.name):
            second_reader = open_second_reader
        self.second = SecondOpinions(
            second_reader, self._opined, why_none=NotAsked.SAME_READER, stage=self.stages["second"]
        )
        self.pipeline = Pipeline(
            source=self.source,
            engine=engine,
            follower=StillFollower() if stills else FilmFollower(wanted=self._would_hit),
            in_force=lambda: self.lists.in_force,
            desk=self.desk,
            spool=self.spool,
            pictures=self.pictures,
            clock=self.clock,
            positions=self.positions,
            device_id=file.device_id,
            boot=self.boot,
            unit=file.unit,
            every_frame=every_frame,
            stages=self.stages,
            on_read=self._kept,
            second=self.second,
            onlooker=Onlooker(VehicleFinder if engine.name.startswith(OWN) else None),
        )
        self.speaker = Speaker(muted=options.muted)
        self.page = (
            AlarmPage(self.desk, self.pictures, self.telling.status, port=options.page_port)
            if options.page_port is not None
            else None
        )
        self.uplink: Uplink | None = None
        self._line: CloudLine | None = None
        if self.identity.enrolled and uplink:
            # By the machine's own clock: TLS knows no other.
            self._line = CloudLine(self.identity, clock_set=time.time() * 1000 >= CLOCK_FLOOR_MS)
            self.uplink = Uplink(
                self._line,
                identity=self.identity,
                spool=self.spool,
                lists=self.lists,
                clock=self.clock,
                heartbeat=self.telling.heartbeat,
                say=self.desk.say,
                stage=self.stages["uplink"],
                opinions=self.opinions,
            )
        self._begun = time.monotonic()

    def _would_hit(self, number: SeriesRead) -> bool:
        """Whether the list in force would alarm on a number that is still being watched."""
        at_ms = self.clock.now_ms() if self.clock.plausible else 0
        return bool(self.lists.in_force.matcher.match(number.text, number.char_probs, number.alternatives, at_ms=at_ms))

    def _next_boot(self) -> int:
        """This start's number; on a disk without room for a name, a picture goes for it."""
        while True:
            try:
                return self.identity.next_boot(seen=self.spool.highest_boot)
            except DiskFullError:
                if not self.spool.give_up_one():
                    raise

    # ---- running -----------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> Summary:
        """Run until the source ends and the spool is sent (or `drain_s` is over), or until `stop`.

        Raises:
            whatever broke the pipeline.
        """
        works: list[tuple[str, Callable[[threading.Event], None]]] = [
            ("ticks", self._let_time_pass),
            ("positions", lambda s: self.feed.run(self.positions, s)),
            ("voice", lambda s: self.speaker.run(self.desk, s)),
            ("second", self.second.run),
        ]
        if self.uplink is not None:
            works += [("uplink", self.uplink.run), ("list", self.uplink.run_list)]
        ended = threading.Event()
        threads = [
            threading.Thread(target=self._beside, args=(name, work, ended), name=name, daemon=True)
            for name, work in works
        ]
        if self.page is not None:
            self.page.start()
        for thread in threads:
            thread.start()
        try:
            try:
                self.pipeline.run(stop)
            finally:
                self.second.finish(SECOND_S)
            self._drain(stop)
        finally:
            ended.set()
            self.spool.changed.set()
            if self._line is not None:
                self._line.close()
            if self.page is not None:
                self.page.stop()
            for thread in threads:
                thread.join(timeout=5)
            self.telling.write()
            self.lists.close()
        return self.telling.summary()

    def _beside(self, name: str, work: Callable[[threading.Event], None], stop: threading.Event) -> None:
        """Run `work` until `stop`; where it breaks, say so and begin it again: a dead thread looks like a quiet one (G39)."""
        broken = 0
        while not stop.is_set():
            begun = time.monotonic()
            try:
                work(stop)
                return
            except Exception as error:
                if stop.is_set():  # what it used has been closed
                    return
                broken = broken + 1 if time.monotonic() - begun < max(BEGIN_AGAIN_S) else 1
                log.error(
                    "thread-broken", name=name, error=type(error).__name__, at=frames_of(error)[-3:], times=broken
                )
                self.desk.say(
                    f"broken-{name}", f"{BESIDE[name]}中斷（{type(error).__name__}），自動重啟中；判讀與告警照常"
                )
                stop.wait(BEGIN_AGAIN_S[min(broken, len(BEGIN_AGAIN_S)) - 1])
                self.desk.say(f"broken-{name}", "")

    def _drain(self, stop: threading.Event) -> None:
        """After the last frame: send what waits, while there is a line and patience."""
        if self.uplink is None:
            return
        until = time.monotonic() + self.options.drain_s
        while (
            time.monotonic() < until and not stop.is_set() and not (self.spool.state().all_sent and not self.opinions)
        ):
            if self.uplink.state == "revoked":
                return
            stop.wait(0.1)

    def _let_time_pass(self, stop: threading.Event) -> None:
        next_status = 0.0
        while True:
            self.desk.tick()
            say_what_lasts(self, time.monotonic() - self._begun)
            if time.monotonic() >= next_status:
                next_status = time.monotonic() + STATUS_EVERY_S
                if not self.clock.verified:
                    self.clock.ask_system()
                self.clock.note()
                self.telling.write()
            if stop.wait(TICK_S):
                return

    def _spool_says(self, reference: str, sentence: str) -> None:
        if reference == "spool-relaxed":
            self.desk.say("spool-pressed", "")
        elif reference == "spool-room-again":
            self.desk.say("spool-full", "")
        else:
            self.desk.say(reference, sentence)

    def _kept(self, read: Read) -> None:
        self.telling.count_read(self.clock.mono_ms())
        self._on_read(read)

    def _answered(self, card: AlarmCard, answer: Answer) -> None:
        log.info("card-answered", read_id=card.read_id, answer=answer)
        if self.uplink is not None:
            self.uplink.tell_answer(DeviceAnswer(card.read_id, card.entry_id, answer, self.clock.now_ms()))

    def _opined(self, asked: Asked, opinion: SecondOpinion) -> None:
        """A second reader has answered: the officer first, then the disk, then the cloud."""
        self.desk.opine(asked.read_id, opinion)
        self.opinions.put(asked.key, opinion)
        log.info("second-opinion", read_id=asked.read_id, verdict=opinion.verdict, reason=opinion.reason)
        if self.uplink is not None:
            self.uplink.hurry()


def engine_for(source: Source, *, every_frame: bool) -> str:
    """Photos are looked at as closely as possible, films of which every frame counts closely, cameras often."""
    if isinstance(source, FolderSource):
        return OWN
    return f"{OWN}-fast" if source.paced and not every_frame else f"{OWN}-video"
