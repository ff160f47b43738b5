"""One plate while it is being followed: what was seen of it so far, and what it would be read as now.

A track gathers and judges itself; which single read belongs to which track, and when it is decided, is `track`'s.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable

import numpy as np

from guardian.domain.plate import CONFUSABLE
from guardian.domain.read import Corners
from guardian.vision import crop as cutting
from guardian.vision.judge import PlateSeen
from guardian.vision.overlay import RING_CHANGE_MIN, Ring, change, ring_of, stands_still
from guardian.vision.passing import Sight, SingleRead, take_sight
from guardian.vision.ports import Frame
from guardian.vision.series import SeriesRead
from guardian.vision.vote import Ballot, fuse, weight_of

OFF_BY_ONE = 0.83
"""A reading that agrees so well bears the vote out: one character of six or seven differs."""


def centre_of(corners: Corners) -> tuple[float, float]:
    """The middle of a plate."""
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4


def texts_agree(a: str, b: str) -> float:
    """How well two readings could be one plate, 0 to 1: shared characters in order, look-alikes counted half.

    `BKVL98` and `BKV8898` agree (0.77), `ABC1235` and `BKD8869` do not (0.14).
    """
    if not a or not b:
        return 0.0
    if len(a) == len(b):
        same = sum(1.0 if x == y else 0.5 if y in CONFUSABLE.get(x, {}) else 0.0 for x, y in zip(a, b, strict=True))
        if same / len(a) >= 0.5:
            return same / len(a)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    shared = sum(block.size for block in matcher.get_matching_blocks())
    return 2 * shared / (len(a) + len(b))


class Track:
    """One plate being followed.

    Args:
        ballots_max, pictures_max, vote_crops_max: see `TrackSettings`.
    """

    def __init__(self, track_id: int, *, ballots_max: int, pictures_max: int, vote_crops_max: int) -> None:
        self.id = track_id
        self._ballots_max = ballots_max
        self._pictures_max = pictures_max
        self._vote_crops_max = vote_crops_max
        self.seen: list[SingleRead] = []
        self.frames = 0
        self.first_ms = self.last_ms = 0
        self.last_index = -1
        self.corners: Corners = ((0.0, 0.0),) * 4
        self._velocity = np.zeros(2)  # px each ms
        self._sights: dict[str, Sight] = {}  # by text
        self._vote_crops: dict[int, tuple[float, Frame]] = {}  # by number of frame, with its quality
        self.fused: SeriesRead | None = None
        self.decided = False
        self.settled = False  # decided, and surely: nothing more is learnt of its number
        self._asked: tuple[str, tuple[float, ...]] | None = None
        self._answer = False
        self.result_of: str | None = None  # the text of the read that its pass went into
        self._anchor: Corners | None = None
        self._ring: Ring | None = None
        self._still_moved = 0  # frames at the same pixels while the ring moved
        self.height_px_max = 0.0
        self.plate_prob = 0.0  # of the finder, when it was surest
        self._strayed = 0  # frames at other pixels than the anchor

    @property
    def suspect(self) -> bool:
        """Whether this may yet turn out to be the camera's own text."""
        return self._still_moved > 0 and self._strayed <= self._still_moved // 4

    @property
    def overlay(self) -> bool:
        """Whether this is the camera's own text."""
        return self.suspect and self._still_moved >= 3

    @property
    def support(self) -> int:
        """Frames that bear the vote out: those that read it, and, where one does, those that are off by one character."""
        if self.fused is None:
            return 0
        wanted = self.fused.text
        texts = [single.plate.number.text for single in self.seen]
        if wanted not in texts:
            return 0
        return sum(len(text) == len(wanted) and texts_agree(text, wanted) >= OFF_BY_ONE for text in texts)

    def predicted(self, frame_ms: int) -> Corners:
        """Where the plate should be at a moment, by its last movement; at most a second's way from its last sight."""
        step = self._velocity * min(1000, max(0, frame_ms - self.last_ms))
        a, b, c, d = ((x + float(step[0]), y + float(step[1])) for x, y in self.corners)
        return (a, b, c, d)

    def could_say(self, text: str) -> float:
        """How well a reading agrees with the vote or with the last reading, 0 to 1."""
        voted = texts_agree(text, self.fused.text) if self.fused is not None else 0.0
        return max(voted, texts_agree(text, self.seen[-1].plate.number.text) if self.seen else 0.0)

    def take(self, plate: PlateSeen, frame: Frame | None, *, frame_index: int, frame_ms: int, gap_ms: int) -> None:
        """One more sight. After a sure decision it only keeps the track's place and time.

        Args:
            gap_ms: after a longer time out of sight nothing is learnt of its speed.
        """
        _, height = cutting.quad_size(plate.corners)
        weight = weight_of(height, plate.sharpness_score)
        if self.frames:
            elapsed = frame_ms - self.last_ms
            if 0 < elapsed <= gap_ms:
                (ax, ay), (bx, by) = centre_of(self.corners), centre_of(plate.corners)
                self._velocity = 0.5 * self._velocity + 0.5 * np.array([bx - ax, by - ay]) / elapsed
        else:
            self.first_ms = frame_ms
        self.seen.append(SingleRead(plate, frame_index, frame_ms, weight))
        if len(self.seen) > self._ballots_max:
            self.seen.remove(min(self.seen, key=lambda s: s.weight * s.plate.confidence_prob))
        self.frames += 1
        self.height_px_max = max(self.height_px_max, height)
        self.plate_prob = max(self.plate_prob, plate.detector_prob)
        self.last_ms, self.last_index = frame_ms, frame_index
        if frame is not None:
            self._watch_ring(plate, frame)
        self.corners = plate.corners
        if not self.settled:
            self.fused = fuse([Ballot(single.plate.number, single.weight) for single in self.seen])
            self._keep_sight(plate, frame, weight * plate.confidence_prob)
            self._keep_vote_crop(plate, frame, weight * plate.confidence_prob)

    def asks(self, wanted: Callable[[SeriesRead], bool]) -> bool:
        """Whether what is read now is wanted; asked again only when it has changed."""
        if self.fused is None:
            return False
        said = (self.fused.text, tuple(round(p, 1) for p in self.fused.char_probs))
        if said != self._asked:
            self._asked, self._answer = said, wanted(self.fused)
        return self._answer

    def best_sight(self, text: str) -> Sight:
        """The picture of a text's best frame.

        Where the vote is a number that no single frame read there is no picture that shows it as read. The frame read
        nearest to it stands in, and the weakest place stays doubtful.
        """
        sight = self._sights.get(text)
        if sight is None:
            nearest = max(self._sights, key=lambda t: (texts_agree(t, text), self._sights[t].quality))
            sight = self._sights[nearest]
        return sight

    def give_vote_crops(self) -> dict[int, Frame]:
        """The small crops by number of frame; the track holds none after it."""
        crops = {index: crop for index, (_, crop) in self._vote_crops.items()}
        self._vote_crops.clear()
        return crops

    def _watch_ring(self, plate: PlateSeen, frame: Frame) -> None:
        if self._anchor is None:
            self._anchor, self._ring = plate.corners, ring_of(frame, plate.corners)
            return
        if not stands_still(self._anchor, plate.corners):
            self._strayed += 1
            if self._strayed > 2 * (self._still_moved + 1):
                self._anchor, self._ring = plate.corners, ring_of(frame, plate.corners)
                self._strayed = self._still_moved = 0
            return
        # Around the anchor, not around this sight: a box that is found a little larger shows other surroundings although
        # nothing has moved.
        ring = ring_of(frame, self._anchor)
        if self._ring is not None and change(self._ring, ring) > RING_CHANGE_MIN:
            self._still_moved += 1
            self._ring = ring

    def _keep_sight(self, plate: PlateSeen, frame: Frame | None, quality: float) -> None:
        """Keep the picture of each text's best frame, for the texts seen best."""
        text = plate.number.text
        old = self._sights.get(text)
        if old is not None and quality <= old.quality * 1.05:
            return
        if old is None and len(self._sights) >= self._pictures_max:
            spare = [t for t in self._sights if self.fused is None or t != self.fused.text]
            weakest = min(spare, key=lambda t: self._sights[t].quality)
            wanted = self.fused is not None and text == self.fused.text
            if not wanted and self._sights[weakest].quality >= quality:
                return
            del self._sights[weakest]
        self._sights[text] = take_sight(frame, plate, self.last_index, self.last_ms, quality)

    def _keep_vote_crop(self, plate: PlateSeen, frame: Frame | None, quality: float) -> None:
        """Keep what was read, small, for those who check the read: of the best single reads, whatever they say."""
        kept = self._vote_crops
        if frame is None or self._vote_crops_max <= 0:
            return
        if len(kept) >= self._vote_crops_max:
            weakest = min(kept, key=lambda index: kept[index][0])
            if kept[weakest][0] >= quality:
                return
            del kept[weakest]
        crop = cutting.cut_plate(
            frame, plate.corners, height_px=cutting.VOTE_HEIGHT_PX, width_max_px=cutting.VOTE_WIDTH_MAX_PX
        )
        kept[self.last_index] = (quality, crop)
