"""The engine as a whole: find, straighten, read, judge. One place chooses which detector and reader that is."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np

from guardian.domain.errors import InputRefusedError
from guardian.domain.read import DOUBTFUL_PROB, Corners
from guardian.vision.crop import grow, quad_size
from guardian.vision.finder import SAME_PLACE_SHARE, PlateFinder, Sizes
from guardian.vision.judge import (
    CUT_SHARE,
    PLATE_PROB_SURE,
    PlateSeen,
    judge,
    overlap,
    plausible_line,
    within,
    without_doubles,
    without_its_dash,
)
from guardian.vision.place import carried, spans_of
from guardian.vision.ports import Crop, Detection, Detector, Frame, Reader, TextRead
from guardian.vision.series import number_of
from guardian.vision.window import PLATE_HEIGHT_PX, detect_near

if TYPE_CHECKING:
    from guardian.vision.ppocr import Settings

READING_HEIGHT_PX = 48
NEAR_HEIGHT_PX = 28.0
CROP_MARGIN = 0.25
CUT_OUT_SIDE_MAX_PX = 400
"""A picture no larger than this is hardly more than a plate that somebody cut out."""
CUT_OUT_SHARE = 0.2
"""Corners of such a plate may lie so far outside, in its widths: whoever cut it out saw a whole one, and cut closely."""


class StageTimes(msgspec.Struct):
    """How long each stage of one look took, in milliseconds."""

    detect_ms: float = 0.0
    rectify_ms: float = 0.0
    read_ms: float = 0.0
    judge_ms: float = 0.0


class Engine:
    """A detector and a reader, and the steps between them. Not thread-safe: one engine for each working thread.

    `near_detector` looks at small cut-outs and must not enlarge them; left out, it is the detector itself. A window brings the
    expected plate to about `near_height_px`. A finder of plates wants some ground around a plate that was cut out: pictures of
    single plates, and those that are no larger, get `crop_margin` of their shorter side all around. `tries_again`: what was read
    doubtfully is read within other corners as well, for engines that have the time.
    """

    def __init__(
        self,
        detector: Detector,
        reader: Reader,
        *,
        name: str,
        near_detector: Detector | None = None,
        near_height_px: float = PLATE_HEIGHT_PX,
        crop_margin: float = 0.0,
        tries_again: bool = False,
    ) -> None:
        self.near_height_px = near_height_px
        self.crop_margin = crop_margin
        self.tries_again = tries_again
        self.detector = detector
        self.near_detector = near_detector or detector
        self.reader = reader
        self.name = name

    def detect(self, frame: Frame) -> list[Detection]:
        """Places that may be plates by their shape."""
        return self._detect(frame, alone=_cut_out(frame))

    def _detect(self, frame: Frame, *, alone: bool) -> list[Detection]:
        """`alone`: the picture is one plate and little else."""
        frame, room = with_ground(frame, self.crop_margin if alone else 0.0)
        found = [_shifted(d, -room) for d in self.detector.detect(frame)]
        return [d for d in found if plausible_line(d)]

    def rectify(self, frame: Frame, detections: Sequence[Detection]) -> list[Crop]:
        """The reader's crops, one for each detection."""
        return [self.reader.cut(frame, self.reader.view(d)) for d in detections]

    def read(self, crops: Sequence[Crop]) -> list[TextRead]:
        """The text of each crop, raw."""
        return self.reader.read(crops)

    def judge(
        self, detections: Sequence[Detection], crops: Sequence[Crop], texts: Sequence[TextRead]
    ) -> list[PlateSeen]:
        """The plates among what was read, from left to right."""
        seen = (judge(d, c, t, self.reader.view(d)) for d, c, t in zip(detections, crops, texts, strict=True))
        return without_doubles([plate for plate in seen if plate is not None])

    def look(self, frame: Frame, times: StageTimes | None = None, *, known: Sequence[Corners] = ()) -> list[PlateSeen]:
        """All plates of one upright picture, except those at places that are `known` already: they are not read again."""
        begun = time.perf_counter()
        detections = [d for d in self.detect(frame) if _apart(d.corners, known)]
        return self._look(frame, detections, begun, times)

    def near(self, frame: Frame, expected: Sequence[Corners], times: StageTimes | None = None) -> list[PlateSeen]:
        """The plates around places where some are expected: a small part of the cost of a whole look for each place."""
        begun = time.perf_counter()
        detections: list[Detection] = []
        for corners in expected:
            for found in detect_near(self.near_detector, frame, corners, self.near_height_px):
                if plausible_line(found) and _apart(found.corners, [d.corners for d in detections]):
                    detections.append(found)
        return self._look(frame, detections, begun, times)

    def _look(
        self, frame: Frame, detections: Sequence[Detection], begun: float, times: StageTimes | None
    ) -> list[PlateSeen]:
        times = times if times is not None else StageTimes()
        t1 = time.perf_counter()
        crops = self.rectify(frame, detections)
        t2 = time.perf_counter()
        texts = self.read(crops)
        if self.tries_again:
            detections, crops, texts = self._again(frame, detections, crops, texts)
        t3 = time.perf_counter()
        height, width = frame.shape[:2]
        share = CUT_OUT_SHARE if self.crop_margin and _cut_out(frame) else CUT_SHARE
        cut = (within(plate, width, height, share) for plate in self.judge(detections, crops, texts))
        plates = [plate for plate in cut if plate is not None]
        t4 = time.perf_counter()
        times.detect_ms, times.rectify_ms = (t1 - begun) * 1000, (t2 - t1) * 1000
        times.read_ms, times.judge_ms = (t3 - t2) * 1000, (t4 - t3) * 1000
        return plates

    def _again(
        self, frame: Frame, detections: Sequence[Detection], crops: Sequence[Crop], texts: Sequence[TextRead]
    ) -> tuple[list[Detection], list[Crop], list[TextRead]]:
        """What is surely a plate and was read doubtfully, read within other corners; the reading counts that bears a number best."""
        best = list(zip(detections, crops, texts, strict=True))
        for place, (detection, _, text) in enumerate(tuple(best)):
            number = number_of(text)
            if detection.prob < PLATE_PROB_SURE or (number is not None and number.confidence_prob >= DOUBTFUL_PROB):
                continue
            others = [msgspec.structs.replace(detection, corners=c) for c in near_corners(detection.corners)]
            cut = self.rectify(frame, others)
            for candidate in zip(others, cut, self.read(cut), strict=True):
                again = number_of(candidate[2])
                if again is not None and (number is None or again.score > number.score):
                    number, best[place] = again, candidate
        return [d for d, _, _ in best], [c for _, c, _ in best], [t for _, _, t in best]

    def look_at_crop(self, frame: Frame) -> PlateSeen | None:
        """The plate of a picture that is one plate already cut out; its corners are those of the picture."""
        height, width = frame.shape[:2]
        whole = _box(0, 0, width, height)
        detections = [*self._detect(frame, alone=True), Detection(whole, 1.0)]
        texts = self.read(self.rectify(frame, detections))
        best: PlateSeen | None = None
        for detection, text in zip(detections, texts, strict=True):
            number = number_of(text)
            if number is not None and text.calibrated and not number.dash_agrees:
                number = without_its_dash(number)
            if number is not None and (best is None or number.score > best.number.score):
                spans = carried(
                    spans_of(number.places, number.series.dash_after, number.hole), self.reader.view(detection), whole
                )
                best = PlateSeen(number, whole, detection.prob, text.raw_text, spans=spans)
        return best


TILT_DEG = 4.0
GROWN = (0.08, 0.05)
"""To the sides and up and down, in heights of the plate."""


def near_corners(corners: Corners) -> list[Corners]:
    """Other corners that the plate may have: its line of text rising and falling by `TILT_DEG`, and a little more around it.

    Of 774 plates of the training scenes, as they are and spoilt in five ways, 705 are read right where doubtful ones get these as
    well, 703 without. For plates that were cut out it bought nothing: 473 of 482 either way, and one more was wrong and sure.
    """
    width, height = quad_size(corners)
    rise = math.tan(math.radians(TILT_DEG)) * width / 2
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    tilted: list[Corners] = [((ax, ay - s), (bx, by + s), (cx, cy + s), (dx, dy - s)) for s in (rise, -rise)]
    side, up = GROWN[0] * height, GROWN[1] * height
    return [*tilted, grow(corners, left=side, right=side, top=up, bottom=up)]


def _box(left: float, top: float, right: float, bottom: float) -> Corners:
    a, b, c, d = (float(n) for n in (left, top, right, bottom))
    return ((a, b), (c, b), (c, d), (a, d))


def with_ground(frame: Frame, share: float) -> tuple[Frame, int]:
    """The picture with `share` of its shorter side added all around, and how many px that is. The ground is dark: a plate whose
    own edge is repeated seems to go on."""
    room = round(min(frame.shape[:2]) * share)
    if not room:
        return frame, 0
    return np.asarray(cv2.copyMakeBorder(frame, room, room, room, room, cv2.BORDER_CONSTANT), np.uint8), room


def _cut_out(frame: Frame) -> bool:
    return bool(max(frame.shape[:2]) <= CUT_OUT_SIDE_MAX_PX)


def _shifted(detection: Detection, by_px: float) -> Detection:
    def moved(corners: Corners) -> Corners:
        a, b, c, d = ((x + by_px, y + by_px) for x, y in corners)
        return (a, b, c, d)

    text = detection.text_corners
    return msgspec.structs.replace(
        detection, corners=moved(detection.corners), text_corners=None if text is None else moved(text)
    )


def _apart(corners: Corners, others: Sequence[Corners]) -> bool:
    return all(overlap(corners, other) < SAME_PLACE_SHARE for other in others)


OWN = "guardian"
"""Our own models; what the product reads with."""


def open_engine(name: str = OWN, threads: int = 1) -> Engine:
    """Load an engine.

    Args:
        name: `guardian` (photos: looks three times, so that plates which fill the picture are found too), `guardian-video` (films of
            which every frame counts) or `guardian-fast` (cameras: what is found is followed in windows). The same three of the
            engine of day one, a peer and a second opinion: `day-one`, `day-one-video`, `day-one-fast`.
        threads: threads of each model, at least 1.

    Raises:
        InputRefusedError: no engine has that name.
        WeightsError: a file of our models is missing or not the listed one.
        EngineMissingError: the weights of the day-one engine are not installed.
    """
    own = own_sizes()
    if name in own:
        return _open_own(name, own[name], threads)
    day_one = _day_one_settings()
    if name in day_one:
        return _open_day_one(name, day_one[name], threads)
    raise InputRefusedError(
        f"There is no engine '{name}'.", hint=f"Known: {', '.join([*own, *day_one])}.", reference="no-such-engine"
    )


def own_sizes() -> dict[str, Sizes]:
    """How our engines look, by their names."""
    return {
        OWN: Sizes(side_max_px=1280, halves=2, far_px=10.0),
        f"{OWN}-video": Sizes(side_max_px=960, halves=1),
        # The second look is for plates that come close: of 130 plates of parked cars and motorcycles 130 are read, 112 by one
        # look at 832 px, which costs more. Far ones lose little: 52 of 53 from a dashcam (53), 74 reads of the shipped drive (77).
        f"{OWN}-fast": Sizes(side_max_px=704, halves=1),
    }


def _open_own(name: str, sizes: Sizes, threads: int) -> Engine:
    from guardian.vision.plate_reader import PlateReader

    return engine_of(PlateFinder(threads=threads, sizes=sizes), PlateReader(threads=threads), name=name)


def engine_of(finder: PlateFinder, reader: Reader, *, name: str = OWN) -> Engine:
    """An engine of these models that does all else as ours of that name does; how the finder looks is its own matter."""
    return Engine(
        finder,
        reader,
        name=name,
        near_detector=finder.seeing(Sizes(side_max_px=640, side_min_px=32)),
        near_height_px=NEAR_HEIGHT_PX,
        crop_margin=CROP_MARGIN,
        tries_again=name == OWN,
    )


def _day_one_settings() -> dict[str, Settings]:
    from guardian.vision.ppocr import Settings

    return {
        "day-one": Settings(),
        "day-one-video": Settings(side_max_px=1280),
        # On the shipped drive, 90 frames by their truth: 164 plates right of 220 and 28 wrong single reads at 361 ms of one
        # core, against 161 and 33 at 561 ms with 1280 (and 156 and 17 at 226 ms with 736).
        "day-one-fast": Settings(side_max_px=960),
    }


def _open_day_one(name: str, settings: Settings, threads: int) -> Engine:
    from guardian.vision.ppocr import PPOCRDetector, PPOCRReader, Settings

    detector = PPOCRDetector(threads=threads, settings=settings)
    return Engine(
        detector,
        PPOCRReader(threads=threads, settings=settings),
        name=name,
        near_detector=detector.seeing(Settings(side_max_px=640, side_min_px=32)),
    )
