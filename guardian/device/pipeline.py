"""The one pipeline of the device, in the order in which it runs:

    source → frames → detect → rectify → read → judge → track and vote → match → alarm → spool → uplink
                                                                                  └→ second opinion

Three threads: one decodes, one looks (from detect to alarm), one writes. Between the first two the newest frame wins when
a camera is faster than vision, and what is dropped is counted; photos, and films with `every_frame`, lose nothing.
Between the last two nothing is ever dropped. The uplink is not called from here: it empties the spool on its own.

The alarm comes before the spool's durable write, so that a slow disk never delays an officer; the read follows within
milliseconds. A second reader is asked after the alarm too, and answers by itself (`second.py`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
import structlog

from guardian.device.alarm import AlarmDesk
from guardian.device.card import PENDING, make_card
from guardian.device.clock import DeviceClock, Stamp
from guardian.device.follow import Follower, Passing, Picture
from guardian.device.gaze import EveryLook, Gaze, Looking, Manner
from guardian.device.listcopy import ListInForce
from guardian.device.look import Onlooker, look_of
from guardian.device.photos import NO_PICTURES
from guardian.device.position import PositionKeeper
from guardian.device.second import Asked, SecondOpinions, crops_of
from guardian.device.source import Frame, Source
from guardian.device.stage import Handover, Stages
from guardian.domain.errors import GuardianError
from guardian.domain.read import DeviceHit, Read, pack_places
from guardian.domain.watch import Category, Match, WatchEntry

log = structlog.get_logger("device.pipeline")

FRAMES_WAITING_LIVE = 1
FRAMES_WAITING = 4
READS_WAITING = 256
UNREADABLE = "名單內容讀取失敗，向勤務指揮中心查證"


class Keeping(Protocol):
    """Where reads are kept; `Spool` is one."""

    def put(
        self,
        read: Read,
        stamp: Stamp,
        *,
        crop: bytes | None = None,
        overview: bytes | None = None,
        votes: Mapping[str, bytes] = NO_PICTURES,
    ) -> None:
        """Comes back when the read is durable."""
        ...


class Pictures(Protocol):
    """Where the alarm page finds the pictures of a card."""

    def keep(self, sha256: str, jpeg: bytes) -> None:
        """Keep one for a while, in memory."""
        ...


class Written(msgspec.Struct, frozen=True):
    """What the writing thread gets."""

    read: Read
    stamp: Stamp
    crop: bytes | None
    overview: bytes | None
    votes: Mapping[str, bytes] = NO_PICTURES


class Pipeline:
    """Wired once, run once.

    Args:
        device_id, boot, unit: who reads.
        every_frame: nothing is dropped between source and vision.
        on_read: told each read as it goes to the spool (screen, counters); called in the writing thread.
        second: asked about would-be hits; left out, nobody is.
        onlooker: says what carries a plate; left out, only the number speaks of it.
    """

    def __init__(
        self,
        *,
        source: Source,
        engine: Looking,
        follower: Follower,
        in_force: Callable[[], ListInForce],
        desk: AlarmDesk,
        spool: Keeping,
        pictures: Pictures,
        clock: DeviceClock,
        positions: PositionKeeper,
        device_id: str,
        boot: int,
        unit: str = "",
        every_frame: bool = False,
        stages: Stages | None = None,
        on_read: Callable[[Read], None] = lambda _read: None,
        second: SecondOpinions | None = None,
        onlooker: Onlooker | None = None,
    ) -> None:
        self.stages = stages if stages is not None else Stages()
        self._source = source
        self._newest_wins = not every_frame and source.paced
        self._manner: Manner = Gaze(engine) if self._newest_wins else EveryLook(engine)
        self._follower = follower
        self._in_force = in_force
        self._desk = desk
        self._spool = spool
        self._pictures = pictures
        self._clock = clock
        self._positions = positions
        self._device_id, self._boot, self._unit = device_id, boot, unit
        self._on_read = on_read
        self._second = second
        self._onlooker = onlooker or Onlooker()
        newest_wins = self._newest_wins
        self._frames: Handover[tuple[Frame, float]] = Handover(
            FRAMES_WAITING_LIVE if newest_wins else FRAMES_WAITING,
            newest_wins=newest_wins,
            stage=self.stages["source"],
        )
        self._written: Handover[Written] = Handover(READS_WAITING, newest_wins=False, stage=self.stages["spool"])
        self._sequence = 0
        self.ended = False
        self.failure: BaseException | None = None
        self.frames = 0
        self.reads = 0
        self.chars = 0

    # ---- threads -----------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Run until the source ends or `stop` is set; every read that was made is in the spool when this comes back.

        Raises:
            whatever broke one of the threads: a broken invariant of ours stops the device loudly.
        """
        threads = [
            threading.Thread(target=self._guarded, args=(self._decode, stop), name="decode", daemon=True),
            threading.Thread(target=self._guarded, args=(self._look, stop), name="vision", daemon=True),
            threading.Thread(target=self._guarded, args=(self._write, stop), name="write", daemon=True),
        ]
        for thread in threads:
            thread.start()
        # A camera that hangs may hold the decoding thread for its timeout; reads are safe before that.
        threads[1].join()
        threads[2].join()
        threads[0].join(timeout=10)
        if self.failure is not None:
            raise self.failure

    def _guarded(self, work: Callable[[threading.Event], None], stop: threading.Event) -> None:
        try:
            work(stop)
        except BaseException as error:
            self.failure = self.failure or error
            log.error("pipeline-broken", error=type(error).__name__)
            stop.set()
        finally:
            if work == self._decode:
                self.ended = True
                self._frames.close()
            elif work == self._look:
                self._frames.close()
                self._written.close()
            elif work == self._write:
                self._written.close()  # who gives to a queue that nobody empties would wait for ever

    def _decode(self, stop: threading.Event) -> None:
        begun = time.perf_counter()
        for frame in self._source.frames(stop):
            now = time.perf_counter()
            self.stages["source"].took((now - begun) * 1000)
            if frame.media_ms is not None:
                self._positions.at(frame.mono_ms, frame.media_ms)  # a film's track moves the unit frame by frame
            self._frames.give((frame, now))
            if stop.is_set():
                return
            begun = time.perf_counter()

    def _look(self, stop: threading.Event) -> None:
        self._onlooker.warm()
        while True:
            item = self._frames.take()
            if item is None:
                break
            frame, decoded = item
            if not stop.is_set():
                # Where every frame is looked at, a frame's wait in the queue says nothing about the alarm.
                self._see(frame, decoded if self._newest_wins else time.perf_counter())
        self._handle(self._follower.finish(), time.perf_counter())

    def _write(self, stop: threading.Event) -> None:
        while (item := self._written.take()) is not None:
            with self.stages["spool"].timed():
                self._spool.put(item.read, item.stamp, crop=item.crop, overview=item.overview, votes=item.votes)
            self.reads += 1
            self.chars += len(item.read.text)
            self._on_read(item.read)

    # ---- one frame ---------------------------------------------------------------------------------------------------

    def _see(self, frame: Frame, decoded: float) -> None:
        self.frames += 1
        for passings in self._manner.see(frame, self._follower, self.stages):
            self._handle(passings, decoded)

    def _handle(self, passings: list[Passing], decoded: float) -> None:
        for passing in passings:
            # The identity is given before anything is written.
            self._sequence += 1
            with self.stages["encode"].timed():
                crop, overview = passing.pictures()
            read = self._read(passing, self._sequence, crop, overview)
            with self.stages["match"].timed():
                held = self._in_force()
                # A clock that was never set must not make an entry out of date (G14).
                at_ms = read.captured_ms if self._clock.plausible else 0
                found = held.matcher.match(read.text, read.char_probs, read.alternatives, at_ms=at_ms)
                # An entry that is not there any more was removed in this instant.
                matches = [(match, entry) for match in found if (entry := entry_of(match, held)) is not None]
            votes: Mapping[str, bytes] = NO_PICTURES
            if matches:
                read = self._alarm(read, passing, (crop, overview), matches, held)
                self.stages.latency.took((time.perf_counter() - decoded) * 1000)
                if self._second is not None:
                    key = (read.boot, read.sequence)
                    self._second.ask(Asked(key, read.id, read.text, crops_of(passing.result)))
                read, votes = show_votes(read, passing)
            self._written.give(
                Written(
                    read,
                    Stamp(passing.result.sight.frame_ms, self._clock.kernel),
                    crop.jpeg if crop is not None else None,
                    overview.jpeg if overview is not None else None,
                    votes,
                )
            )

    def _read(self, passing: Passing, sequence: int, crop: Picture | None, overview: Picture | None) -> Read:
        result = passing.result
        at = self._clock.at
        best = result.sight.frame_ms
        captured_ms, clock = at(best)
        with self.stages["vehicle"].timed():
            seen = self._onlooker.seen(result.sight.overview, result.sight.overview_corners)
        return Read(
            device_id=self._device_id,
            boot=self._boot,
            sequence=sequence,
            captured_ms=captured_ms,
            text=result.text,
            raw_text=result.raw_text,
            char_probs=result.char_probs,
            confidence_prob=result.confidence_prob,
            dash_after=result.dash_after,
            series=result.series,
            vehicle_classes=result.vehicle_classes,
            alternatives=result.alternatives,
            clock=clock,
            position=self._positions.at(best, passing.media_ms),
            unit=self._unit,
            look=look_of(result.text, result.dash_after, result.char_probs, seen),
            crop=crop.ref(captured_ms) if crop is not None else None,
            overview=overview.ref(captured_ms) if overview is not None else None,
            corners=result.sight.overview_corners,
            frames_seen=result.frames_seen,
            votes=tuple(msgspec.structs.replace(v, frame_ms=at(v.frame_ms)[0]) for v in result.votes),
            places=pack_places(result.spans) if crop is not None else b"",
        )

    def _alarm(
        self,
        read: Read,
        passing: Passing,
        pictures: tuple[Picture | None, Picture | None],
        matches: list[tuple[Match, WatchEntry]],
        held: ListInForce,
    ) -> Read:
        """Tell the officer, and write into the read what was told."""
        with self.stages["alarm"].timed():
            now_ms = self._clock.now_ms()
            hits = tuple(
                DeviceHit(m.entry_id, str(m.strength), held.version, held.issued_ms, now_ms, m.likelihood_prob)
                for m, _ in matches
            )
            read = msgspec.structs.replace(read, hits=hits)
            for picture in pictures:
                if picture is not None:
                    self._pictures.keep(picture.sha256, picture.jpeg)
            cards = [
                make_card(
                    read,
                    match,
                    entry,
                    list_version=held.version,
                    list_issued_ms=held.issued_ms,
                    x_share=passing.x_share,
                    clock_set=self._clock.plausible,
                    opinion=PENDING if self._second is not None and self._second.there else None,
                )
                for match, entry in matches
            ]
            # The most urgent first, so that it is the one that sounds.
            for card in sorted(cards, key=lambda c: c.rank):
                self._desk.raise_card(card)
        return read


def entry_of(match: Match, held: ListInForce) -> WatchEntry | None:
    """What the list says of a match; None where the entry was removed in this instant.

    A disk that does not give the entry back takes its words away, not the alarm.
    """
    try:
        return held.entries.get(match.entry_id)
    except GuardianError as error:
        log.error("entry-unreadable", entry_id=match.entry_id, reference=error.reference)
        return WatchEntry(match.entry_id, match.entry_text, Category.OTHER, reason=UNREADABLE)


def show_votes(read: Read, passing: Passing) -> tuple[Read, dict[str, bytes]]:
    """The read with a picture named in its votes, as far as there is one; and those pictures (JPEG by SHA-256).

    The vote of the best frame names the read's own crop.
    """
    own = read.crop.sha256 if read.crop is not None else ""
    pictures = passing.vote_pictures()
    votes = []
    for place, vote in enumerate(read.votes):
        picture = pictures[place] if place < len(pictures) else None
        best = passing.result.votes[place].frame_ms == passing.result.sight.frame_ms
        sha256 = own if best else picture.sha256 if picture is not None else ""
        votes.append(msgspec.structs.replace(vote, crop_sha256=sha256))
    return msgspec.structs.replace(read, votes=tuple(votes)), {p.sha256: p.jpeg for p in pictures if p is not None}
