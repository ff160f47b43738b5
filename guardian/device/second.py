"""The second opinion on this device: asked about each would-be hit after its alarm, by a thread of its own.

The alarm never waits for it (docs/decisions/0009-second-opinion.md). Rules:
- the reader is loaded when the first would-be hit comes, not at the start: half a second once, against 150 MB and a slower
  start in every shift that has no hit;
- at most WAITING_MAX reads wait; one more and the oldest is told to be too late: it fails open, the hit stands as it is;
- whatever the reader does, each read that was asked about gets one answer, also when the device stops.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec
import structlog

from guardian.device.stage import Stage
from guardian.domain.errors import GuardianError
from guardian.domain.opinion import NotAsked, SecondOpinion, not_asked
from guardian.vision.passing import TrackResult
from guardian.vision.ports import Crop, SecondReader

log = structlog.get_logger("device.second")

WAITING_MAX = 8
"""At 30 to 150 ms for each read about a second: what is older has left the officer's eye."""

Key = tuple[int, int]


class Asked(msgspec.Struct, frozen=True):
    """One read that somebody is asked about; `key` is its boot and sequence."""

    key: Key
    read_id: str
    text: str
    crops: tuple[Crop, ...]


def crops_of(result: TrackResult) -> tuple[Crop, ...]:
    """The pictures of a pass that a second reader gets, the best first: the read's own, then those that voted."""
    best = result.sight
    votes = zip(result.votes, result.vote_crops, strict=False)
    # The vote of the best frame shows what the read's own picture shows, only smaller.
    others = [crop for vote, crop in votes if crop is not None and vote.frame_ms != best.frame_ms]
    return ((best.crop,) if best.crop is not None else ()) + tuple(others)


class SecondOpinions:
    """Asks the second reader, one read after the other.

    Args:
        open_reader: loads it; None where there is none beside the first (`why_none` says why).
        tell: gets each answer; called in the thread that runs, or in that of `finish`.
    """

    def __init__(
        self,
        open_reader: Callable[[], SecondReader] | None,
        tell: Callable[[Asked, SecondOpinion], None],
        *,
        why_none: NotAsked = NotAsked.NO_READER,
        stage: Stage | None = None,
    ) -> None:
        self._open_reader = open_reader
        self._tell = tell
        self._why_none = why_none
        self._stage = stage or Stage("second")
        self._reader: SecondReader | None = None
        self._changed = threading.Condition()
        self._waiting: deque[Asked] = deque()
        self._late: deque[Asked] = deque()
        self._now: Asked | None = None
        self._telling = False
        self._closed = False

    @property
    def there(self) -> bool:
        """Whether there is a reader to ask, as far as is known yet."""
        return self._open_reader is not None

    def ask(self, asked: Asked) -> None:
        """Ask about one read; comes back at once."""
        with self._changed:
            if self._closed:
                return
            while len(self._waiting) >= WAITING_MAX:
                self._late.append(self._waiting.popleft())
                self._stage.dropped += 1
            self._waiting.append(asked)
            self._changed.notify_all()

    def run(self, stop: threading.Event) -> None:
        """Answer until `stop` or `finish`."""
        while not stop.is_set():
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting or self._late) or self._closed, 0.5)
                late = [self._late.popleft() for _ in range(len(self._late))]
                asked = self._now = self._waiting.popleft() if self._waiting else None
                if self._closed and asked is None and not late:
                    return
                self._telling = bool(late)
            self._tell_all([(one, not_asked(NotAsked.TOO_LATE)) for one in late])
            if asked is None:
                continue
            opinion = self._opinion(asked)
            with self._changed:
                if self._now is not asked:  # `finish` has given up on it, and told so
                    continue
                self._now, self._telling = None, True
            self._tell_all([(asked, opinion)])

    def _tell_all(self, answers: list[tuple[Asked, SecondOpinion]]) -> None:
        try:
            for asked, opinion in answers:
                self._tell(asked, opinion)
        finally:
            with self._changed:
                self._telling = False
                self._changed.notify_all()

    def finish(self, timeout_s: float) -> None:
        """Nothing more comes: wait a little for what is being answered, tell the rest that it is too late."""
        until = time.monotonic() + timeout_s
        with self._changed:
            self._changed.wait_for(
                lambda: not (self._waiting or self._late or self._now or self._telling),
                max(0.0, until - time.monotonic()),
            )
            self._closed = True
            left = [*self._late, *([self._now] if self._now is not None else []), *self._waiting]
            self._late.clear()
            self._waiting.clear()
            self._now = None
            self._changed.notify_all()
        for one in left:
            self._tell(one, not_asked(NotAsked.TOO_LATE))

    def _opinion(self, asked: Asked) -> SecondOpinion:
        reader = self._reader_now()
        if reader is None:
            return not_asked(self._why_none)
        try:
            with self._stage.timed():
                return reader.opinion(asked.text, asked.crops)
        except Exception as error:  # of a library over any picture: the hit stands, and the next read is asked about
            log.error("second-reader-broken", read_id=asked.read_id, error=type(error).__name__)
            return not_asked(NotAsked.BROKEN, reader=reader.name, reader_version=reader.version)

    def _reader_now(self) -> SecondReader | None:
        if self._reader is None and self._open_reader is not None:
            try:
                self._reader = self._open_reader()
            except Exception as error:
                reference = error.reference if isinstance(error, GuardianError) else type(error).__name__
                log.error("second-reader-not-loaded", reference=reference)
                self._open_reader = None  # a file that is not there will not be there for the next hit
                self._why_none = NotAsked.NO_READER
        return self._reader
