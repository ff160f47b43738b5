"""What a vehicle's pass leaves behind: the agreed text, the single reads that voted, and the pictures that show it.

Pictures are made small at once, so that no frame is held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from guardian.domain.read import DOUBTFUL_PROB, Alternative, Corners, FrameVote
from guardian.domain.series import classes_of
from guardian.vision import crop as cutting
from guardian.vision.judge import PlateSeen
from guardian.vision.place import Span, carried
from guardian.vision.ports import Frame
from guardian.vision.series import SeriesRead


class SingleRead(msgspec.Struct, frozen=True):
    """A plate as one frame showed it, and how much it weighs in the vote."""

    plate: PlateSeen
    frame_index: int
    frame_ms: int
    weight: float


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
    seen: Sequence[SingleRead],
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
        seen = SingleRead(plate, frame_index, frame_ms, 1.0)
        sight = take_sight(frame, plate, frame_index, frame_ms, plate.confidence_prob)
        out.append(result_of(number, plate.number, [seen], sight, 1, frame_ms, frame_ms))
    return out
