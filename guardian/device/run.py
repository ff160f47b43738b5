"""The composition root of the device: a home folder, a source and a few options become a running device.

Threads: the pipeline's three, two of the uplink, the position feed, the voice, the page's, and one that lets time pass.
All stop within seconds of `stop`; what was read is in the spool by then. What breaks the pipeline stops the device loudly; any
other thread that breaks is said on the screen and begun again, because reading and alarms go on without it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

import guardian
from guardian.device.alarm import AlarmDesk, Answer
from guardian.device.card import AlarmCard
from guardian.device.clock import DeviceClock
from guardian.device.clockruns import ClockRuns
from guardian.device.cloudline import CloudLine
from guardian.device.disk import RealDisk
from guardian.device.follow import FilmFollower, StillFollower
from guardian.device.identity import Identity
from guardian.device.listcopy import ListCopy
from guardian.device.opinionbook import OpinionBook
from guardian.device.page import AlarmPage, CardPictures
from guardian.device.pipeline import Pipeline
from guardian.device.position import PositionFeed, PositionKeeper
from guardian.device.seal import Sealer
from guardian.device.second import Asked, SecondOpinions
from guardian.device.sound import Speaker
from guardian.device.source import FolderSource, Source, Speed, open_source
from guardian.device.spool import Spool
from guardian.device.spooled import SpoolState
from guardian.device.stage import Stages
from guardian.device.status import DeviceStatus
from guardian.device.trackfile import SilentFeed, TrackKeeper, load_track
from guardian.device.uplink import Uplink
from guardian.domain.camera import CAMERA_WORDS
from guardian.domain.errors import DiskFullError, frames_of
from guardian.domain.moment import CLOCK_FLOOR_MS
from guardian.domain.opinion import NotAsked, SecondOpinion
from guardian.domain.read import Read
from guardian.domain.wire import DeviceAnswer, Heartbeat
from guardian.vision.engine import Engine, open_engine
from guardian.vision.opinion import open_second_reader, reader_beside
from guardian.vision.ports import SecondReader

log = structlog.get_logger("device.run")

TICK_S = 0.25
STATUS_EVERY_S = 2.0
NO_PICTURE_MS = 10_000
"""A camera that is silent for so long is said to be silent (field case G11)."""
CAUSE_KNOWN_MS = 2_000
LIST_OLD_MS = 24 * 3_600_000
DRAIN_S = 30.0
SECOND_S = 3.0
"""After the last frame so long for second opinions that are being formed."""
HOUR_MS = 3_600_000
STATUS_FILE = "status.json"
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


@dataclass(slots=True)
class Summary:
    """What a run came to, for its last line."""

    frames: int = 0
    frames_dropped: int = 0
    reads: int = 0
    alarms: int = 0
    alarm_ms_p99: float = 0.0
    waiting: int = 0
    photos_waiting: int = 0
    cut_short: int = 0
    unreadable: int = 0
    reads_lost: int = 0
    reads_in_memory: int = 0  # not on disk, which is full: they end with the program
    elapsed_s: float = 0.0
    sayings: list[str] = field(default_factory=list)


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
        self._read_moments: list[int] = []
        engine = engine or open_engine(engine_for(self.source, every_frame=every_frame), options.threads)
        if second_reader is None and reader_beside(engine.name):
            second_reader = open_second_reader
        self.second = SecondOpinions(
            second_reader, self._opined, why_none=NotAsked.SAME_READER, stage=self.stages["second"]
        )
        self.pipeline = Pipeline(
            source=self.source,
            engine=engine,
            follower=StillFollower() if stills else FilmFollower(),
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
        )
        self.speaker = Speaker(muted=options.muted)
        self.page = (
            AlarmPage(self.desk, self.pictures, self.status, port=options.page_port)
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
                heartbeat=self.heartbeat,
                say=self.desk.say,
                stage=self.stages["uplink"],
                opinions=self.opinions,
            )
        self._begun = time.monotonic()
        self._fps: tuple[float, int, float | None] = (self._begun, 0, None)

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
            self._write_status()
            self.lists.close()
        return self.summary()

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
            self._watch()
            if time.monotonic() >= next_status:
                next_status = time.monotonic() + STATUS_EVERY_S
                if not self.clock.verified:
                    self.clock.ask_system()
                self.clock.note()
                self._write_status()
            if stop.wait(TICK_S):
                return

    def _watch(self) -> None:
        """States that last, said in words until they are gone."""
        health = self.source.health
        now = self.clock.mono_ms()
        last = health.last_frame_mono_ms
        silent_ms = now - last if last is not None else None
        sentence = ""
        if self.source.paced and not self.pipeline.ended:
            # A cause that is known is said soon; a silence without one may be a pause.
            patience_ms = CAUSE_KNOWN_MS if health.waiting else NO_PICTURE_MS
            if last is None and (health.waiting or (time.monotonic() - self._begun) * 1000 > NO_PICTURE_MS):
                sentence = f"尚無畫面{camera_words(health.waiting)}；持續重試，其餘照常"
            elif silent_ms is not None and silent_ms > patience_ms:
                since = _clock_text(self.clock.at(last or 0)[0])
                sentence = f"{since} 起沒有畫面{camera_words(health.waiting)}；持續重試，其餘照常"
        self.desk.say("no-picture", sentence)
        self.desk.say("clock-unset", "" if self.clock.plausible else "時鐘未校正：判讀與告警照常，取得時間後補正")
        held = self.lists.in_force
        if held.version == 0:
            cure = "連上雲端後自動下載" if self.uplink is not None else "先以 guardian device enrol 加入雲端"
            self.desk.say("list-old", f"設備上沒有名單：只記錄，不會告警；{cure}")
        elif self.clock.plausible and self.clock.now_ms() - held.issued_ms > LIST_OLD_MS:
            days = (self.clock.now_ms() - held.issued_ms) // LIST_OLD_MS
            self.desk.say("list-old", f"名單第 {held.version} 版已 {days} 天未更新")
        else:
            self.desk.say("list-old", "")

    def _spool_says(self, reference: str, sentence: str) -> None:
        if reference == "spool-relaxed":
            self.desk.say("spool-pressed", "")
        elif reference == "spool-room-again":
            self.desk.say("spool-full", "")
        else:
            self.desk.say(reference, sentence)

    def _kept(self, read: Read) -> None:
        now = self.clock.mono_ms()
        self._read_moments.append(now)
        if len(self._read_moments) > 20_000 or self._read_moments[0] < now - HOUR_MS:
            self._read_moments = [m for m in self._read_moments[-20_000:] if m >= now - HOUR_MS]
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

    # ---- telling -----------------------------------------------------------------------------------------------------

    def _frames_per_s(self) -> float | None:
        since, frames, rate = self._fps
        now = time.monotonic()
        looked_at = self.pipeline.frames
        if now - since >= 2.0:
            rate = round((looked_at - frames) / (now - since), 1)
            self._fps = (now, looked_at, rate)
        return rate

    def status(self) -> DeviceStatus:
        """One look at everything."""
        spool: SpoolState = self.spool.state()
        held = self.lists.in_force
        health = self.source.health
        last = health.last_frame_mono_ms
        file = self.identity.file
        uplink = self.uplink
        return DeviceStatus(
            at_ms=self.clock.now_ms(),
            device_id=file.device_id,
            name=file.name,
            unit=file.unit,
            cloud=file.cloud,
            source=self.source.name,
            picture_ms=self.clock.at(last)[0] if last is not None else None,
            waiting=health.waiting,
            tries=health.tries,
            reconnects=health.reconnects,
            frames=health.frames,
            frames_per_s=self._frames_per_s(),
            frames_dropped=self.stages["source"].dropped,
            cut_short=health.cut_short,
            list_version=held.version,
            list_issued_ms=held.issued_ms,
            list_entries=held.count,
            list_digest=held.digest,
            reads=self.pipeline.reads,
            alarms=self.desk.raised,
            alarms_repeated=self.desk.suppressed,
            spool_reads=spool.reads,
            spool_oldest_ms=spool.oldest_ms,
            spool_photos=spool.photos,
            spool_bytes=spool.bytes,
            spool_bytes_max=spool.bytes_max,
            photos_given_up=spool.given_up_overviews + spool.given_up_crops,
            reads_lost=spool.reads_lost,
            reads_missing=self.spool.recovery.numbers_missing,
            reads_in_memory=spool.reads_in_memory,
            reads_refused=spool.reads_refused_by_cloud,
            uplink=uplink.state if uplink is not None else "off",
            uplink_since_ms=self.clock.at(uplink.state_since_ms)[0] if uplink is not None else None,
            clock_source=self.clock.source,
            clock_offset_ms=self.clock.offset_ms(),
            clock_set=self.clock.plausible,
            position=self.positions.at(self.clock.mono_ms()),
            alarm_ms_p99=round(self.stages.latency.quantile_ms(0.99), 1) if self.stages.latency.items else None,
            sound=self.speaker.silence,
            notice=uplink.notice if uplink is not None else "",
            page=self.page.address if self.page is not None else "",
            stages=self.stages.health(),
        )

    def heartbeat(self) -> Heartbeat:
        """The same look, as the cloud is told it."""
        now = self.status()
        hour_ago = self.clock.mono_ms() - HOUR_MS
        reads = self.pipeline.reads
        return Heartbeat(
            device_id=now.device_id,
            sent_ms=now.at_ms,
            position=now.position,
            unit=now.unit,
            list_version=now.list_version,
            list_issued_ms=now.list_issued_ms,
            list_digest=now.list_digest,
            backlog_items=now.spool_reads,
            backlog_oldest_ms=now.spool_oldest_ms,
            spool_bytes=now.spool_bytes,
            spool_bytes_max=now.spool_bytes_max,
            photos_given_up=now.photos_given_up,
            clock_offset_ms=now.clock_offset_ms,
            clock_source=now.clock_source,
            picture_since_ms=now.picture_ms,
            source=now.source,
            frames_per_s=now.frames_per_s,
            temperature_c=temperature_c(),
            reads_last_hour=sum(m >= hour_ago for m in list(self._read_moments)),
            chars_per_read=round(self.pipeline.chars / reads, 2) if reads else None,
            stages=now.stages,
            software=guardian.__version__,
            waiting=now.waiting,
            reconnects=now.reconnects,
            reads_lost=now.reads_lost,
            reads_missing=now.reads_missing,
            reads_in_memory=now.reads_in_memory,
            reads_refused=now.reads_refused,
        )

    def _write_status(self) -> None:
        # Only a convenience for `guardian device status`: no sync, and a full disk does not matter.
        unfinished = self.options.home / "status.json.part"
        with contextlib.suppress(OSError):
            unfinished.write_bytes(msgspec.json.encode(self.status()))
            unfinished.replace(self.options.home / STATUS_FILE)

    def summary(self) -> Summary:
        """What the run came to."""
        health, spool = self.source.health, self.spool.state()
        return Summary(
            frames=health.frames,
            frames_dropped=self.stages["source"].dropped,
            reads=self.pipeline.reads,
            alarms=self.desk.raised,
            alarm_ms_p99=self.stages.latency.quantile_ms(0.99),
            waiting=spool.reads,
            photos_waiting=spool.photos,
            cut_short=health.cut_short,
            unreadable=health.unreadable,
            reads_lost=spool.reads_lost,
            reads_in_memory=spool.reads_in_memory,
            elapsed_s=time.monotonic() - self._begun,
            sayings=list(health.sayings),
        )


def engine_for(source: Source, *, every_frame: bool) -> str:
    """Photos are looked at as closely as possible, films of which every frame counts closely, cameras often."""
    if isinstance(source, FolderSource):
        return "day-one"
    return "day-one-fast" if source.paced and not every_frame else "day-one-video"


def temperature_c() -> float | None:
    """The hottest sensor that the machine names, or None."""
    hottest: float | None = None
    for zone in Path("/sys/class/thermal").glob("thermal_zone*/temp"):
        try:
            value = int(zone.read_text()) / 1000
        except (OSError, ValueError):
            continue
        if 0 < value < 150 and (hottest is None or value > hottest):
            hottest = value
    return hottest


def camera_words(reason: str) -> str:
    """Cause and cure after a sentence that there is no picture; empty where the cause is not known."""
    cause, cure = CAMERA_WORDS.get(reason, (reason, ""))
    return f"：{cause}，{cure}" if cure else f"：{cause}" if cause else ""


def _clock_text(ms: int) -> str:
    from datetime import datetime

    from guardian.domain.moment import TAIPEI

    return datetime.fromtimestamp(ms / 1000, TAIPEI).strftime("%H:%M:%S")
