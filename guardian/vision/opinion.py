"""The second opinion on a would-be hit: a different reader looks at the read's best pictures, and its text is set beside
the first one's, character by character.

Different means: other weights, trained by others, on another alphabet, and other cutting, so that the two do not err
together. Each picture is read by itself and goes through the step that knows the series; the pictures' readings are joined
by probability (`vote.fuse`), as the first reader's were. What the first reader saw is not told to the second.
"""

from __future__ import annotations

from collections.abc import Sequence

from guardian.domain.opinion import NotAsked, SecondOpinion, not_asked, opinion_on
from guardian.vision.crop import DegenerateQuadError, sharpness
from guardian.vision.ports import Crop, Detector, Reader, SecondReader
from guardian.vision.series import SeriesRead, number_of
from guardian.vision.vote import Ballot, fuse, weight_of

CROPS_MAX = 5
"""The best picture and four that voted; what a read keeps. Some 30 ms of one core each."""
LINES_MAX = 4
"""Of one plate: its number, perhaps a legend, a dealer's frame above and below."""
CROP_SIDE_MIN_PX = 8
DAY_ONE = "day-one"


class OtherReader:
    """A `SecondReader` made of a finder of text lines and a reader that are not the first engine's.

    Args:
        detector: finds the line of characters inside a plate's crop; a legend above it would be read along otherwise
            (119 of 120 training crops are read right by it, 106 without).
    """

    def __init__(self, detector: Detector, reader: Reader, *, name: str, version: str) -> None:
        self._detector = detector
        self._reader = reader
        self.name = name
        self.version = version

    def opinion(self, read_text: str, crops: Sequence[Crop]) -> SecondOpinion:
        """See `SecondReader.opinion`."""
        usable = [crop for crop in crops if min(crop.shape[:2]) >= CROP_SIDE_MIN_PX][:CROPS_MAX]
        if not usable:
            return not_asked(NotAsked.NO_PICTURE, reader=self.name, reader_version=self.version)
        ballots: list[Ballot] = []
        raw = ""
        for crop in usable:
            number, raw_text = self._number(crop)
            raw = raw or raw_text
            if number is not None:
                ballots.append(Ballot(number, weight_of(float(crop.shape[0]), sharpness(crop))))
        fused = fuse(ballots)
        return opinion_on(
            read_text,
            fused.text if fused is not None else "",
            raw_text=fused.raw_text if fused is not None else raw,
            char_probs=fused.char_probs if fused is not None else (),
            reader=self.name,
            reader_version=self.version,
            crops=len(usable),
        )

    def _number(self, crop: Crop) -> tuple[SeriesRead | None, str]:
        """The likeliest number among the lines of one crop, the whole crop counted as a line; and the raw text."""
        lines = [crop]
        for found in self._detector.detect(crop)[:LINES_MAX]:
            try:
                lines.append(self._reader.cut(crop, self._reader.view(found)))
            except DegenerateQuadError:
                continue
        texts = self._reader.read(lines)
        numbers = [number for text in texts if (number := number_of(text)) is not None]
        raw = max((text.raw_text for text in texts), key=len, default="")
        return max(numbers, key=lambda number: number.score, default=None), raw


def reader_beside(first_engine: str) -> str:
    """The name of the reader that may give a second opinion on an engine's reads; empty where that would be its own."""
    return "" if first_engine.startswith(DAY_ONE) else "ppocr"


def open_second_reader(threads: int = 1) -> SecondReader:
    """Load the day-one finder and reader as the second one: about half a second and 150 MB.

    Raises:
        EngineMissingError: its weights are not installed.
    """
    from guardian.vision.ppocr import PPOCRDetector, PPOCRReader, Settings

    settings = Settings(side_max_px=640, side_min_px=32)
    return OtherReader(
        PPOCRDetector(threads=threads, settings=settings),
        PPOCRReader(threads=threads, settings=settings),
        name="ppocr",
        version="v6-small",
    )
