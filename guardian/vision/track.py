"""Following plates over frames, so that one passing vehicle makes one read.

A single read joins a track when it is near the place where the track should be *and* says something that the same plate
could say. Both are needed: boxes jump from a leaving car to the one behind it (field case G03), and one plate is read in
many ways (G02). So no vote ever runs over two vehicles, and the pictures of a read come from frames in which its own
text was read.

A track decides once: when its frames agree surely, or when it has been watched long enough, or when it ends. What is
still doubtful then is watched on while it is in sight, since it will mostly be read better as it comes nearer; only what
somebody is looking for is told at once (`Wanted`), and told again where it becomes sure of another number. What its frames
together leave a guess is not told at all. What a later track says again within seconds is the same pass and is folded into
the first. Text that stands at the same pixels while the scene moves is the camera's own (G04) and never becomes a read.

Time is the frames' own, in milliseconds, and may stand still or jump; nothing here looks at a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from guardian.domain.read import DOUBTFUL_PROB, Corners
from guardian.vision import crop as cutting
from guardian.vision.followed import Track, centre_of, texts_agree
from guardian.vision.judge import PLATE_PROB_SURE, PlateSeen, overlap
from guardian.vision.overlay import stands_still
from guardian.vision.passing import TrackResult, result_of
from guardian.vision.ports import Frame
from guardian.vision.series import SeriesRead

AGREE_MIN = 0.6
"""A reading that agrees less with what a track says is another plate's."""
SAME_PLACE_MIN, SAME_PLACE_MS = 0.5, 350
"""A reading that lies on the place where a plate should be, by so much, within so short a time, is of that plate whatever it
says, unless both are sure: another vehicle's plate is not there a few frames later, and one that cannot be read says something
else in each frame."""
GUESSED_SIGNS = 0.5
"""Where so many signs besides the worst one are wrong by their own probabilities, a number is a guess. One hidden sign among sure
ones stays a read with a doubt (G05)."""
GUESSED_PROB = 0.5
"""What is more likely wrong than right is a guess where the finder never was sure of a plate either: of 21 such numbers in
training scenes, made so small that they are hardly read, two were right
(of twelve between 0.5 and 0.7 nine)."""
ZONE_MS = 60_000
"""A place where the camera wrote is forgotten when it has written nothing there for so long."""


Wanted = Callable[[SeriesRead], bool]
"""Whether somebody would be told of this number at once. Asked about doubtful ones only, when what is read has changed."""


def nobody(_number: SeriesRead) -> bool:
    """Nothing is looked for."""
    return False


def guessed(number: SeriesRead, plate_prob: float) -> bool:
    """Whether a number is more a guess than a reading. `plate_prob`: how sure the finder was of the plate when it was surest."""
    if plate_prob < PLATE_PROB_SURE and number.confidence_prob < GUESSED_PROB:
        return True
    return sum(1.0 - p for p in number.char_probs) - (1.0 - number.confidence_prob) >= GUESSED_SIGNS


class TrackSettings(msgspec.Struct, frozen=True):
    """The rule of several frames.

    A read is decided when `frames_min` frames support it and either its weakest character reaches `sure_prob` with
    `sure_frames` in support (and the plate has been at least `sure_height_px` high: far ones are waited for, they read
    differently as they come nearer), or the track is `decide_ms` old and its number without a doubt and seen that high, or is
    wanted, or the track is `doubt_ms` old, or it ends (`gap_ms` without a sight). The same number is
    the same pass for `same_pass_ms`. Bounds: `tracks_max` tracks are followed at once (the one unseen longest is ended
    early and decided), `ballots_max` reads vote in each (the lightest goes), `pictures_max` texts of a track keep a
    picture (about 1.7 MB each), `vote_crops_max` single reads a small crop (29 kB each).
    """

    frames_min: int = 2
    sure_frames: int = 3
    sure_prob: float = 0.95
    sure_height_px: float = 16.0
    decide_ms: int = 1500
    doubt_ms: int = 30_000
    gap_ms: int = 1000
    single_prob: float = 0.97  # with frames_min 1 in force at the end of a track that was seen only once
    same_pass_ms: int = 30_000
    tracks_max: int = 48
    ballots_max: int = 60
    pictures_max: int = 3
    vote_crops_max: int = 5


class TrackCounts(msgspec.Struct):
    """What the tracker did with the single reads; for `--stats`."""

    frames: int = 0
    plates_seen: int = 0
    tracks_begun: int = 0
    reads_made: int = 0
    frames_folded: int = 0  # single reads that went into a read beyond the first
    passes_folded: int = 0  # tracks that were the same pass again
    guesses: int = 0  # tracks that ended with no more than a guess
    too_short: int = 0  # tracks that ended before the rule of several frames was met
    overlays: int = 0  # texts that were the camera's own
    ended_early: int = 0  # tracks given up for the bound on tracks


class Tracker:
    """Makes reads out of single reads. One for each camera; not thread-safe.

    Args:
        wanted: see `Wanted`; left out, nothing is looked for.
    """

    def __init__(self, settings: TrackSettings | None = None, wanted: Wanted = nobody) -> None:
        self.settings = settings or TrackSettings()
        self._wanted = wanted
        self.counts = TrackCounts()
        self._tracks: list[Track] = []
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
        touched: list[Track] = []
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
            elif not track.settled and self._sure(track):
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
        """Where the plates should be now that are not yet decided; those nearest to a decision first, `limit` at most.

        One that is watched on because it is doubtful has time: it is seen again whenever the whole frame is looked at.
        """
        open_tracks = [
            t
            for t in self._tracks
            if not t.decided
            and frame_ms - t.last_ms <= self.settings.gap_ms
            and frame_ms - t.first_ms < self.settings.decide_ms
        ]
        open_tracks.sort(key=lambda t: (-min(t.frames, self.settings.sure_frames), -t.last_ms, t.id))
        return [t.predicted(frame_ms) for t in open_tracks[:limit]]

    def finish(self) -> list[TrackResult]:
        """The source has ended: decide what is left."""
        out: list[TrackResult] = []
        for track in list(self._tracks):
            out.extend(self._end(track))
        return out

    def _begin(self) -> Track:
        s = self.settings
        track = Track(
            self._next_id,
            ballots_max=s.ballots_max,
            pictures_max=s.pictures_max,
            vote_crops_max=s.vote_crops_max,
        )
        self._next_id += 1
        self._tracks.append(track)
        self.counts.tracks_begun += 1
        return track

    def _nearest(self, plate: PlateSeen, free: Sequence[Track]) -> Track | None:
        """The track that this single read continues: near enough, of a like size, and saying what the plate could say."""
        best: tuple[float, Track] | None = None
        width, height = cutting.quad_size(plate.corners)
        x, y = centre_of(plate.corners)
        for track in free:
            agree = track.could_say(plate.number.text)
            if agree < AGREE_MIN:
                if self._stands_there(plate, track):
                    score = overlap(track.predicted(self._now_ms), plate.corners) - 1.0
                    if best is None or score > best[0]:
                        best = (score, track)
                continue
            gap_s = max(0, self._now_ms - track.last_ms) / 1000
            px, py = centre_of(track.predicted(self._now_ms))
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

    def _stands_there(self, plate: PlateSeen, track: Track) -> bool:
        """Whether a reading that says something else is of a track's plate by its place alone."""
        if not 0 <= self._now_ms - track.last_ms <= SAME_PLACE_MS or track.fused is None:
            return False
        if min(plate.confidence_prob, track.fused.confidence_prob) >= DOUBTFUL_PROB:
            return False
        there = track.predicted(self._now_ms)
        return _same_height(there, plate.corners) and overlap(there, plate.corners) >= SAME_PLACE_MIN

    def _join(self, track: Track, plate: PlateSeen, frame: Frame | None) -> None:
        track.take(
            plate,
            frame,
            frame_index=self._frame_index,
            frame_ms=self._now_ms,
            gap_ms=self.settings.gap_ms,
        )
        if track.decided:
            self.counts.frames_folded += 1
            self._touch_recent(track)

    def _sure(self, track: Track) -> bool:
        s = self.settings
        if track.fused is None or track.suspect or track.support < s.frames_min:
            return False
        if track.decided:  # it was told while it was doubtful, and may yet be surely another one
            return track.fused.text != track.result_of and self._surely(track)
        age_ms = self._now_ms - track.first_ms
        if age_ms >= s.decide_ms and (self._well_seen(track) or track.asks(self._wanted)):
            return True
        if age_ms >= s.doubt_ms:
            return not guessed(track.fused, track.plate_prob)
        if s.frames_min == 1 and track.fused.confidence_prob >= s.single_prob:
            return True
        return self._surely(track)

    def _well_seen(self, track: Track) -> bool:
        """Whether nothing better is to be waited for: no sign is in doubt, the plate has been near, and was last read so."""
        if track.fused is None or track.fused.confidence_prob < DOUBTFUL_PROB:
            return False
        near = track.height_px_max >= self.settings.sure_height_px
        return near and track.seen[-1].plate.number.text == track.fused.text

    def _surely(self, track: Track) -> bool:
        """Reads that still change as the plate comes nearer are waited for."""
        s = self.settings
        last = [x.plate.number.text for x in track.seen[-s.sure_frames :]]
        return (
            track.fused is not None
            and len(last) >= s.sure_frames
            and track.height_px_max >= s.sure_height_px
            and all(text == track.fused.text for text in last)
            and track.fused.confidence_prob >= s.sure_prob
        )

    def _end(self, track: Track) -> list[TrackResult]:
        self._tracks.remove(track)
        if track.decided:
            return []
        if track.suspect and track.frames >= 3:
            self.counts.overlays += 1
            return []
        if track.fused is None or track.support < self.settings.frames_min:
            self.counts.too_short += 1
            return []
        if guessed(track.fused, track.plate_prob) and not track.asks(self._wanted):
            self.counts.guesses += 1
            return []
        return self._decide(track)

    def _decide(self, track: Track) -> list[TrackResult]:
        fused = track.fused
        track.decided = True
        track.settled = fused is None or self._well_seen(track)
        if fused is None:
            return []
        if self._same_pass(fused, track):
            self.counts.passes_folded += 1
            self.counts.frames_folded += len(track.seen)
            return []
        self.counts.reads_made += 1
        self.counts.frames_folded += len(track.seen) - 1
        track.result_of = fused.text
        self._recent.append((fused.text, fused.confidence_prob, track.last_ms))
        return [
            result_of(
                track.id,
                fused,
                track.seen,
                track.best_sight(fused.text),
                track.frames,
                track.first_ms,
                track.last_ms,
                track.give_vote_crops(),
            )
        ]

    def _same_pass(self, fused: SeriesRead, track: Track) -> bool:
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

    def _touch_recent(self, track: Track) -> None:
        for i, (text, confidence, _) in enumerate(self._recent):
            if text == track.result_of:
                self._recent[i] = (text, confidence, self._now_ms)

    def _in_zone(self, corners: Corners) -> bool:
        for i, (zone, _) in enumerate(self._zones):
            if stands_still(zone, corners) or (overlap(zone, corners) > 0.8 and _same_height(zone, corners)):
                self._zones[i] = (zone, self._now_ms)
                return True
        self._zones = [z for z in self._zones if self._now_ms - z[1] < ZONE_MS]
        return False


def _same_height(a: Corners, b: Corners) -> bool:
    _, ha = cutting.quad_size(a)
    _, hb = cutting.quad_size(b)
    return 0.8 < ha / max(1e-6, hb) < 1.25
