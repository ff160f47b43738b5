"""Following plates over frames, so that one passing vehicle makes one read.

A single read joins a track when it is near the place where the track should be *and* says something that the same plate
could say. Both are needed: boxes jump from a leaving car to the one behind it (field case G03), and one plate is read in
many ways (G02). So no vote ever runs over two vehicles, and the pictures of a read come from frames in which its own
text was read.

A track decides once: when its frames agree surely, or when it has been watched long enough, or when it ends. What a
later track says again within seconds is the same pass and is folded into the first. Text that stands at the same pixels
while the scene moves is the camera's own (G04) and never becomes a read.

Time is the frames' own, in milliseconds, and may stand still or jump; nothing here looks at a clock.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
import numpy as np

from guardian.domain.plate import CONFUSABLE
from guardian.domain.read import DOUBTFUL_PROB, Alternative, Corners, FrameVote
from guardian.domain.series import classes_of
from guardian.vision import crop as cutting
from guardian.vision.judge import PlateSeen, overlap
from guardian.vision.overlay import RING_CHANGE_MIN, Ring, change, ring_of, stands_still
from guardian.vision.place import Span, carried
from guardian.vision.ports import Frame
from guardian.vision.series import SeriesRead
from guardian.vision.vote import Ballot, fuse, weight_of


class TrackSettings(msgspec.Struct, frozen=True):
    """The rule of several frames.

    A read is decided when `frames_min` frames support it and either its weakest character reaches `sure_prob` with
    `sure_frames` in support (and the plate has been at least `sure_height_px` high: far ones are waited for, they read
    differently as they come nearer), or the track is `decide_ms` old, or it ends (`gap_ms` without a sight). The same number is
    the same pass for `same_pass_ms`. Bounds: `tracks_max` tracks are followed at once (the one unseen longest is ended
    early and decided), `ballots_max` reads vote in each (the lightest goes), `pictures_max` texts of a track keep a
    picture (about 1.7 MB each), `vote_crops_max` single reads a small crop (29 kB each).
    """

    frames_min: int = 2
    sure_frames: int = 3
    sure_prob: float = 0.95
    sure_height_px: float = 16.0
    decide_ms: int = 1500
    gap_ms: int = 1000
    single_prob: float = 0.97  # with frames_min 1 in force at the end of a track that was seen only once
    same_pass_ms: int = 30_000
    tracks_max: int = 48
    ballots_max: int = 60
    pictures_max: int = 3
    vote_crops_max: int = 5


class Sight(msgspec.Struct, frozen=True):
    """Where and when a text was read best, with what a read keeps of that frame: both pictures from the same one.

    `crop` and `overview` are BGR uint8, already small; `overview_corners` are the plate's corners in the overview's px.
    `spans` are the edges of the characters read there, in shares of the crop's width; empty where not known.
    """

    frame_index: int
    frame_ms: int
    corners: Corners
    quality: float
    crop: Frame | None = None
    overview: Frame | None = None
    overview_corners: Corners | None = None
    spans: tuple[Span, ...] = ()

    def crop_jpeg(self) -> bytes:
        """The plate alone as JPEG; empty where frames were not given."""
        return cutting.jpeg(self.crop, cutting.CROP_QUALITY) if self.crop is not None else b""

    def overview_jpeg(self) -> bytes:
        """The scene as JPEG; empty where frames were not given."""
        return cutting.jpeg(self.overview, cutting.OVERVIEW_QUALITY) if self.overview is not None else b""


class TrackResult(msgspec.Struct, frozen=True):
    """All that a device needs for one domain `Read` of one vehicle's pass.

    `sight` is the best frame in which `text` itself was read. `votes` are the single reads in order of time;
    `vote_crops` has for each of them its plate, 48 px high, or None: only the best of them keep one.
    `frames_seen` counts every frame with the plate, also those that read something else.
    """

    track_id: int
    text: str
    raw_text: str
    char_probs: tuple[float, ...]
    alternatives: tuple[tuple[Alternative, ...], ...]
    dash_after: int | None
    series: str
    vehicle_classes: tuple[str, ...]
    votes: tuple[FrameVote, ...]
    raw_texts: tuple[str, ...]
    sight: Sight
    frames_seen: int
    first_ms: int
    last_ms: int
    vote_crops: tuple[Frame | None, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        """Where each character of `text` stands in the crop; empty where the crop's frame read another number of them."""
        return self.sight.spans if len(self.sight.spans) == len(self.text) else ()

    @property
    def confidence_prob(self) -> float:
        """The weakest character decides."""
        return min(self.char_probs, default=0.0)

    @property
    def doubtful(self) -> tuple[int, ...]:
        """Places (from 0) whose character is doubtful."""
        return tuple(i for i, p in enumerate(self.char_probs) if p < DOUBTFUL_PROB)


class TrackCounts(msgspec.Struct):
    """What the tracker did with the single reads; for `--stats`."""

    frames: int = 0
    plates_seen: int = 0
    tracks_begun: int = 0
    reads_made: int = 0
    frames_folded: int = 0  # single reads that went into a read beyond the first
    passes_folded: int = 0  # tracks that were the same pass again
    too_short: int = 0  # tracks that ended before the rule of several frames was met
    overlays: int = 0  # texts that were the camera's own
    ended_early: int = 0  # tracks given up for the bound on tracks


class _Seen(msgspec.Struct, frozen=True):
    plate: PlateSeen
    frame_index: int
    frame_ms: int
    weight: float


class _Track:
    """One plate being followed."""

    def __init__(self, track_id: int) -> None:
        self.id = track_id
        self.seen: list[_Seen] = []
        self.frames = 0
        self.first_ms = self.last_ms = 0
        self.last_index = -1
        self.corners: Corners = ((0.0, 0.0),) * 4
        self.velocity = np.zeros(2)
        self.sights: dict[str, Sight] = {}
        self.vote_crops: dict[int, tuple[float, Frame]] = {}  # by number of frame, with its quality
        self.fused: SeriesRead | None = None
        self.decided = False
        self.result_of: str | None = None
        self.anchor: Corners | None = None
        self.ring: Ring | None = None
        self.still_moved = 0  # frames at the same pixels while the ring moved
        self.height_px_max = 0.0
        self.strayed = 0  # frames at other pixels than the anchor

    @property
    def suspect(self) -> bool:
        """Whether this may yet turn out to be the camera's own text."""
        return self.still_moved > 0 and self.strayed <= self.still_moved // 4

    @property
    def overlay(self) -> bool:
        """Whether this is the camera's own text."""
        return self.suspect and self.still_moved >= 3

    def predicted(self, frame_ms: int) -> Corners:
        step = self.velocity * min(1000, max(0, frame_ms - self.last_ms))
        a, b, c, d = ((x + float(step[0]), y + float(step[1])) for x, y in self.corners)
        return (a, b, c, d)


def _centre(corners: Corners) -> tuple[float, float]:
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


AGREE_MIN = 0.6


class Tracker:
    """Makes reads out of single reads. One for each camera; not thread-safe."""

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self.settings = settings or TrackSettings()
        self.counts = TrackCounts()
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._frame_index = -1
        self._now_ms = 0
        self._recent: list[tuple[str, float, int]] = []  # text, confidence, last seen: reads made within same_pass_ms
        self._zones: list[tuple[Corners, int]] = []  # where the camera writes, and when that was last seen

    def update(
        self, plates: Sequence[PlateSeen], *, frame_ms: int, frame: Frame | None = None, frame_index: int | None = None
    ) -> list[TrackResult]:
        """Take one frame's plates; gives the reads that were decided by it.

        Args:
            plates: what the engine saw in this frame, in pixels of `frame`.
            frame_ms: the frame's time.
            frame: the frame itself, for the pictures and for telling burnt-in text; may be left out in rules' tests.
            frame_index: the frame's number; counted where left out. The same number again brings more of the same frame.
        """
        index = self._frame_index + 1 if frame_index is None else frame_index
        self.counts.frames += index != self._frame_index
        self._frame_index = index
        self.counts.plates_seen += len(plates)
        out = self.expire(frame_ms)
        # A frame may come in parts: first what was expected, then what else was found. No track has two sights in one frame.
        free = [t for t in self._tracks if t.last_index != index]
        touched: list[_Track] = []
        for plate in sorted(plates, key=lambda p: -p.confidence_prob):
            if self._in_zone(plate.corners):
                continue
            track = self._nearest(plate, free)
            if track is None:
                track = self._begin()
            else:
                free.remove(track)
            self._join(track, plate, frame)
            touched.append(track)
        for track in touched:
            if track.overlay:
                self._tracks.remove(track)
                self.counts.overlays += 1
                self._zones.append((track.corners, frame_ms))
            elif not track.decided and self._sure(track):
                out.extend(self._decide(track))
        while len(self._tracks) > self.settings.tracks_max:
            self.counts.ended_early += 1
            out.extend(self._end(min(self._tracks, key=lambda t: t.last_ms)))
        self._recent = [r for r in self._recent if frame_ms - r[2] <= self.settings.same_pass_ms]
        return out

    def expire(self, frame_ms: int) -> list[TrackResult]:
        """Decide the tracks that have been out of sight for too long at this moment; `update` does so too."""
        self._now_ms = frame_ms
        out: list[TrackResult] = []
        for gone in [t for t in self._tracks if frame_ms - t.last_ms > self.settings.gap_ms]:
            out.extend(self._end(gone))
        return out

    def expected(self, frame_ms: int, limit: int) -> list[Corners]:
        """Where the plates should be now that are not yet decided; those nearest to a decision first, `limit` at most."""
        open_tracks = [t for t in self._tracks if not t.decided and frame_ms - t.last_ms <= self.settings.gap_ms]
        open_tracks.sort(key=lambda t: (-min(t.frames, self.settings.sure_frames), -t.last_ms, t.id))
        return [t.predicted(frame_ms) for t in open_tracks[:limit]]

    def finish(self) -> list[TrackResult]:
        """The source has ended: decide what is left."""
        out: list[TrackResult] = []
        for track in list(self._tracks):
            out.extend(self._end(track))
        return out

    def _begin(self) -> _Track:
        track = _Track(self._next_id)
        self._next_id += 1
        self._tracks.append(track)
        self.counts.tracks_begun += 1
        return track

    def _nearest(self, plate: PlateSeen, free: Sequence[_Track]) -> _Track | None:
        """The track that this single read continues: near enough, of a like size, and saying what the plate could say."""
        best: tuple[float, _Track] | None = None
        width, height = cutting.quad_size(plate.corners)
        x, y = _centre(plate.corners)
        for track in free:
            agree = max(
                texts_agree(plate.number.text, track.fused.text if track.fused else ""),
                texts_agree(plate.number.text, track.seen[-1].plate.number.text) if track.seen else 0.0,
            )
            if agree < AGREE_MIN:
                continue
            gap_s = max(0, self._now_ms - track.last_ms) / 1000
            px, py = _centre(track.predicted(self._now_ms))
            w, h = cutting.quad_size(track.corners)
            if not 0.4 < height / max(1.0, h) < 2.5:
                continue
            # A plate may move by some of its own widths between sights, more when it was out of sight for longer.
            reach = max(w, width) * (2.5 + 4 * gap_s)
            distance = ((x - px) ** 2 + (y - py) ** 2) ** 0.5
            if distance > reach and agree < 1.0:
                continue
            score = agree - 0.5 * min(2.0, distance / reach)
            if best is None or score > best[0]:
                best = (score, track)
        return best[1] if best else None

    def _join(self, track: _Track, plate: PlateSeen, frame: Frame | None) -> None:
        _, height = cutting.quad_size(plate.corners)
        weight = weight_of(height, plate.sharpness_score)
        if track.frames:
            elapsed = self._now_ms - track.last_ms
            if 0 < elapsed <= self.settings.gap_ms:
                (ax, ay), (bx, by) = _centre(track.corners), _centre(plate.corners)
                track.velocity = 0.5 * track.velocity + 0.5 * np.array([bx - ax, by - ay]) / elapsed
        else:
            track.first_ms = self._now_ms
        track.seen.append(_Seen(plate, self._frame_index, self._now_ms, weight))
        if len(track.seen) > self.settings.ballots_max:
            track.seen.remove(min(track.seen, key=lambda s: s.weight * s.plate.confidence_prob))
        track.frames += 1
        track.height_px_max = max(track.height_px_max, height)
        track.last_ms, track.last_index = self._now_ms, self._frame_index
        if frame is not None:
            self._watch_ring(track, plate, frame)
        track.corners = plate.corners
        if not track.decided:
            track.fused = fuse([Ballot(s.plate.number, s.weight) for s in track.seen])
            self._keep_sight(track, plate, frame, weight * plate.confidence_prob)
            self._keep_vote_crop(track, plate, frame, weight * plate.confidence_prob)
        else:
            self.counts.frames_folded += 1
            self._touch_recent(track)

    def _watch_ring(self, track: _Track, plate: PlateSeen, frame: Frame) -> None:
        if track.anchor is None:
            track.anchor, track.ring = plate.corners, ring_of(frame, plate.corners)
            return
        if not stands_still(track.anchor, plate.corners):
            track.strayed += 1
            if track.strayed > 2 * (track.still_moved + 1):
                track.anchor, track.ring = plate.corners, ring_of(frame, plate.corners)
                track.strayed = track.still_moved = 0
            return
        # Around the anchor, not around this sight: a box that is found a little larger shows other surroundings although
        # nothing has moved.
        ring = ring_of(frame, track.anchor)
        if track.ring is not None and change(track.ring, ring) > RING_CHANGE_MIN:
            track.still_moved += 1
            track.ring = ring

    def _keep_sight(self, track: _Track, plate: PlateSeen, frame: Frame | None, quality: float) -> None:
        """Keep the picture of each text's best frame, for the texts seen best."""
        text = plate.number.text
        old = track.sights.get(text)
        if old is not None and quality <= old.quality * 1.05:
            return
        if old is None and len(track.sights) >= self.settings.pictures_max:
            spare = [t for t in track.sights if track.fused is None or t != track.fused.text]
            weakest = min(spare, key=lambda t: track.sights[t].quality)
            wanted = track.fused is not None and text == track.fused.text
            if not wanted and track.sights[weakest].quality >= quality:
                return
            del track.sights[weakest]
        track.sights[text] = take_sight(frame, plate, self._frame_index, self._now_ms, quality)

    def _keep_vote_crop(self, track: _Track, plate: PlateSeen, frame: Frame | None, quality: float) -> None:
        """Keep what was read, small, for those who check the read: of the best single reads, whatever they say."""
        kept = track.vote_crops
        if frame is None or self.settings.vote_crops_max <= 0:
            return
        if len(kept) >= self.settings.vote_crops_max:
            weakest = min(kept, key=lambda index: kept[index][0])
            if kept[weakest][0] >= quality:
                return
            del kept[weakest]
        crop = cutting.cut_plate(
            frame, plate.corners, height_px=cutting.VOTE_HEIGHT_PX, width_max_px=cutting.VOTE_WIDTH_MAX_PX
        )
        kept[self._frame_index] = (quality, crop)

    def _support(self, track: _Track) -> int:
        """Frames that bear the vote out: those that read it, and, where one does, those that are off by one character."""
        if track.fused is None:
            return 0
        wanted = track.fused.text
        texts = [s.plate.number.text for s in track.seen]
        if wanted not in texts:
            return 0
        return sum(len(text) == len(wanted) and texts_agree(text, wanted) >= 0.83 for text in texts)

    def _sure(self, track: _Track) -> bool:
        s = self.settings
        if track.fused is None or track.suspect or self._support(track) < s.frames_min:
            return False
        if self._now_ms - track.first_ms >= s.decide_ms:
            return True
        if s.frames_min == 1 and track.fused.confidence_prob >= s.single_prob:
            return True
        # Reads that still change as the plate comes nearer are waited for.
        last = [x.plate.number.text for x in track.seen[-s.sure_frames :]]
        return (
            len(last) >= s.sure_frames
            and track.height_px_max >= s.sure_height_px
            and all(text == track.fused.text for text in last)
            and track.fused.confidence_prob >= s.sure_prob
        )

    def _end(self, track: _Track) -> list[TrackResult]:
        self._tracks.remove(track)
        if track.decided:
            return []
        if track.suspect and track.frames >= 3:
            self.counts.overlays += 1
            return []
        if track.fused is None or self._support(track) < self.settings.frames_min:
            self.counts.too_short += 1
            return []
        return self._decide(track)

    def _decide(self, track: _Track) -> list[TrackResult]:
        fused = track.fused
        track.decided = True
        if fused is None:
            return []
        sight = track.sights.get(fused.text)
        if sight is None:
            # The vote is a number that no single frame read: there is no picture that shows it as read. The frame read
            # nearest to it stands in, and the weakest place stays doubtful.
            nearest = max(track.sights, key=lambda t: (texts_agree(t, fused.text), track.sights[t].quality))
            sight = track.sights[nearest]
        if self._same_pass(fused, track):
            self.counts.passes_folded += 1
            self.counts.frames_folded += len(track.seen)
            return []
        self.counts.reads_made += 1
        self.counts.frames_folded += len(track.seen) - 1
        track.result_of = fused.text
        self._recent.append((fused.text, fused.confidence_prob, track.last_ms))
        crops = {index: crop for index, (_, crop) in track.vote_crops.items()}
        track.vote_crops.clear()
        return [result_of(track.id, fused, track.seen, sight, track.frames, track.first_ms, track.last_ms, crops)]

    def _same_pass(self, fused: SeriesRead, track: _Track) -> bool:
        """Whether this vehicle made a read within the last seconds: the same number, or a worse reading of it."""
        for i, (text, confidence, last_ms) in enumerate(self._recent):
            if track.first_ms - last_ms > self.settings.same_pass_ms:
                continue
            again = text == fused.text
            worse = (
                not again
                and fused.confidence_prob < min(DOUBTFUL_PROB, confidence)
                and texts_agree(text, fused.text) >= 0.85
            )
            if again or worse:
                self._recent[i] = (text, confidence, track.last_ms)
                track.result_of = text
                return True
        return False

    def _touch_recent(self, track: _Track) -> None:
        for i, (text, confidence, _) in enumerate(self._recent):
            if text == track.result_of:
                self._recent[i] = (text, confidence, self._now_ms)

    def _in_zone(self, corners: Corners) -> bool:
        for i, (zone, _) in enumerate(self._zones):
            if stands_still(zone, corners) or (overlap(zone, corners) > 0.8 and _same_height(zone, corners)):
                self._zones[i] = (zone, self._now_ms)
                return True
        self._zones = [z for z in self._zones if self._now_ms - z[1] < 60_000]
        return False


def _same_height(a: Corners, b: Corners) -> bool:
    _, ha = cutting.quad_size(a)
    _, hb = cutting.quad_size(b)
    return 0.8 < ha / max(1e-6, hb) < 1.25


def take_sight(frame: Frame | None, plate: PlateSeen, frame_index: int, frame_ms: int, quality: float) -> Sight:
    """What a read keeps of one frame: the plate alone and the scene, made small at once so that no frame is held."""
    if frame is None:
        return Sight(frame_index, frame_ms, plate.corners, quality)
    overview, factor = cutting.shrink(frame, cutting.OVERVIEW_SIDE_MAX_PX)
    a, b, c, d = ((round(x * factor, 1), round(y * factor, 1)) for x, y in plate.corners)
    crop = cutting.cut_plate(frame, plate.corners)
    spans = carried(plate.spans, plate.corners, cutting.with_margin(plate.corners))
    return Sight(frame_index, frame_ms, plate.corners, quality, crop, overview, (a, b, c, d), spans)


def result_of(
    track_id: int,
    fused: SeriesRead,
    seen: Sequence[_Seen],
    sight: Sight,
    frames_seen: int,
    first_ms: int,
    last_ms: int,
    vote_crops: Mapping[int, Frame] = MappingProxyType({}),
) -> TrackResult:
    """Put a result together from the vote and the single reads; `vote_crops` by number of frame."""
    ordered = sorted(seen, key=lambda s: (s.frame_ms, s.frame_index))
    return TrackResult(
        track_id=track_id,
        text=fused.text,
        raw_text=fused.raw_text,
        char_probs=fused.char_probs,
        alternatives=fused.alternatives,
        dash_after=fused.dash_after,
        series=fused.series.id,
        vehicle_classes=tuple(str(c) for c in classes_of(fused.text, fused.series.dash_after)),
        votes=tuple(FrameVote(s.plate.number.text, round(s.plate.confidence_prob, 4), s.frame_ms) for s in ordered),
        raw_texts=tuple(s.plate.raw_text for s in ordered),
        sight=sight,
        frames_seen=frames_seen,
        first_ms=first_ms,
        last_ms=last_ms,
        vote_crops=tuple(vote_crops.get(s.frame_index) for s in ordered),
    )


def results_of_photo(
    plates: Sequence[PlateSeen], frame: Frame, *, frame_ms: int, frame_index: int = 0
) -> list[TrackResult]:
    """Reads of a single photo: each plate stands alone, there is nothing to vote."""
    out: list[TrackResult] = []
    for number, plate in enumerate(plates, 1):
        seen = _Seen(plate, frame_index, frame_ms, 1.0)
        sight = take_sight(frame, plate, frame_index, frame_ms, plate.confidence_prob)
        out.append(result_of(number, plate.number, [seen], sight, 1, frame_ms, frame_ms))
    return out
