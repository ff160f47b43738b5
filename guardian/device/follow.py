"""From the plates of single frames to one passing of a vehicle: the tracker for films and cameras, one by one for photos."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from guardian.device.source import Frame
from guardian.domain.read import Corners, PhotoRef
from guardian.vision import crop as cutting
from guardian.vision.judge import PlateSeen
from guardian.vision.passing import TrackResult, results_of_photo
from guardian.vision.track import Tracker, TrackSettings, Wanted, nobody

VOTE_PICTURES_MAX = 4
"""Of a hit, besides its crop and overview: about 1.5 kB each."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG with its content's name. `mono_ms` is the moment of its frame."""

    jpeg: bytes
    sha256: str
    width_px: int
    height_px: int
    mono_ms: int

    def ref(self, frame_ms: int) -> PhotoRef:
        """As the read carries it."""
        return PhotoRef(self.sha256, frame_ms, self.width_px, self.height_px)


@dataclass(frozen=True, slots=True)
class Passing:
    """What was agreed on a vehicle. Moments in `result` are monotonic; the pipeline dates them.

    `media_ms` is the film's own time of the best frame, for films that bring a track.
    """

    result: TrackResult
    media_ms: int | None

    @property
    def x_share(self) -> float | None:
        """Middle of the plate across the picture, 0 at the left edge."""
        sight = self.result.sight
        if sight.overview is None or sight.overview_corners is None:
            return None
        return sum(x for x, _ in sight.overview_corners) / 4 / max(1, int(sight.overview.shape[1]))

    def pictures(self) -> tuple[Picture | None, Picture | None]:
        """Crop and overview, both of the frame in which the text was read. Costs some milliseconds: they are encoded here."""
        sight = self.result.sight
        made: list[Picture | None] = []
        for image, encode in ((sight.crop, sight.crop_jpeg), (sight.overview, sight.overview_jpeg)):
            if image is None:
                made.append(None)
                continue
            jpeg = encode()
            made.append(
                Picture(
                    jpeg, hashlib.sha256(jpeg).hexdigest(), int(image.shape[1]), int(image.shape[0]), sight.frame_ms
                )
            )
        return made[0], made[1]

    def vote_pictures(self) -> list[Picture | None]:
        """For each vote the plate as it was read, small, `VOTE_PICTURES_MAX` at most; None where there is none.

        The vote of the best frame has none of its own: the read's crop is of that frame. Costs a millisecond.
        """
        made: list[Picture | None] = []
        for vote, crop in zip(self.result.votes, self.result.vote_crops, strict=False):
            full = sum(p is not None for p in made) >= VOTE_PICTURES_MAX
            if crop is None or full or vote.frame_ms == self.result.sight.frame_ms:
                made.append(None)
                continue
            jpeg = cutting.jpeg(crop, cutting.VOTE_QUALITY)
            sha256 = hashlib.sha256(jpeg).hexdigest()
            made.append(Picture(jpeg, sha256, int(crop.shape[1]), int(crop.shape[0]), vote.frame_ms))
        return made


class Follower(Protocol):
    """Follows vehicles over frames. Used by one thread."""

    def see(self, frame: Frame, plates: Sequence[PlateSeen]) -> list[Passing]:
        """Take plates of a frame, all of it or a part; gives the passings that are decided by them."""
        ...

    def expire(self, frame: Frame) -> list[Passing]:
        """Decide, before a frame is looked at, what has been out of sight for too long."""
        ...

    def expected(self, frame: Frame, limit: int) -> list[Corners]:
        """Where in this frame the plates should be on which nothing is decided yet, in its pixels."""
        ...

    def finish(self) -> list[Passing]:
        """The source has ended or changed: decide what is still being followed."""
        ...


class StillFollower:
    """Each photo stands alone: every plate in it is a passing of its own."""

    def see(self, frame: Frame, plates: Sequence[PlateSeen]) -> list[Passing]:
        results = results_of_photo(plates, frame.image, frame_ms=frame.mono_ms, frame_index=frame.number)
        return [Passing(result, frame.media_ms) for result in results]

    def expire(self, frame: Frame) -> list[Passing]:
        return []

    def expected(self, frame: Frame, limit: int) -> list[Corners]:
        return []

    def finish(self) -> list[Passing]:
        return []


class FilmFollower:
    """`vision.track` over the frames of one source; begins anew where the picture's size changes or the film starts again.

    Args:
        wanted: whether a number would be a hit: such a one is told at once, however doubtful; left out, nothing is looked for.
    """

    def __init__(self, settings: TrackSettings | None = None, wanted: Wanted = nobody) -> None:
        self._settings = settings
        self._wanted = wanted
        self._tracker = Tracker(settings, wanted)
        self._shape: tuple[int, ...] | None = None
        self._media_ms: int | None = None
        self._media_shift_ms: int | None = None  # film's time minus monotonic time

    def see(self, frame: Frame, plates: Sequence[PlateSeen]) -> list[Passing]:
        out = self._turn_to(frame)
        results = self._tracker.update(plates, frame_ms=frame.mono_ms, frame=frame.image, frame_index=frame.number)
        return out + [self._passing(result) for result in results]

    def expire(self, frame: Frame) -> list[Passing]:
        return self._turn_to(frame) + [self._passing(r) for r in self._tracker.expire(frame.mono_ms)]

    def expected(self, frame: Frame, limit: int) -> list[Corners]:
        return self._tracker.expected(frame.mono_ms, limit)

    def _turn_to(self, frame: Frame) -> list[Passing]:
        """Where places and times of before mean nothing in this frame, begin anew."""
        out: list[Passing] = []
        begins_again = self._media_ms is not None and frame.media_ms is not None and frame.media_ms < self._media_ms
        if begins_again or (self._shape is not None and self._shape != frame.image.shape):
            out = self.finish()
        self._shape = frame.image.shape
        self._media_ms = frame.media_ms
        self._media_shift_ms = None if frame.media_ms is None else frame.media_ms - frame.mono_ms
        return out

    def _passing(self, result: TrackResult) -> Passing:
        shift = self._media_shift_ms
        return Passing(result, None if shift is None else result.sight.frame_ms + shift)

    def finish(self) -> list[Passing]:
        found = [self._passing(result) for result in self._tracker.finish()]
        self._tracker = Tracker(self._settings, self._wanted)
        return found
