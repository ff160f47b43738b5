"""What the vision room needs from an engine: somebody who finds plates, and somebody who reads them.

An engine is a pair of these. Ours of day one stands in `ppocr.py`; our own models take its place behind the same two
protocols, and `engine.open_engine` is the only place that knows which is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from guardian.domain.opinion import SecondOpinion
from guardian.domain.read import Alternative, Corners

Frame: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, BGR, upright."""

Crop: TypeAlias = npt.NDArray[np.uint8]
"""(h, w, 3) uint8, BGR, one line of text, upright."""


Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1 in px of the frame."""


class Detection(msgspec.Struct, frozen=True):
    """A place where a plate may be.

    `corners` enclose the plate; `text_corners` only its line of characters, for detectors that find text. The reader's
    crop is cut from `text_corners` where they are known.
    """

    corners: Corners
    prob: float
    text_corners: Corners | None = None

    @property
    def reading_corners(self) -> Corners:
        """What the reader should see."""
        return self.text_corners or self.corners


class ReadChar(msgspec.Struct, frozen=True):
    """One character as the reader saw it.

    `alternatives` are the other signs that may stand here, likeliest first. `place` is the character's middle along
    the crop, 0 at the left edge, 1 at the right.
    """

    sign: str
    prob: float
    place: float
    alternatives: tuple[Alternative, ...] = ()


class TextRead(msgspec.Struct, frozen=True):
    """The text of one crop before any rule: every sign counts, padding does not (field case G05).

    `calibrated`: the reader's probabilities were measured to be right as often as they say; otherwise it is taken to be surer
    than it is right.
    """

    chars: tuple[ReadChar, ...]
    calibrated: bool = False

    @property
    def raw_text(self) -> str:
        """All signs in order, as they were read."""
        return "".join(c.sign for c in self.chars)


class VehicleSeen(msgspec.Struct, frozen=True):
    """One vehicle in one picture. An empty word is an answer: cannot tell the colour, body, make or model not known.

    `kind` is car, motorcycle, truck or bus; `colour` one of the registry's dozen words (`colours.COLOURS`); `body` one of
    `vehicles.BODIES`. The probability beside a word is that word's, also where it is empty.
    """

    box: Box
    kind: str
    kind_prob: float
    colour: str = ""
    colour_prob: float = 0.0
    body: str = ""
    body_prob: float = 0.0
    make: str = ""
    make_prob: float = 0.0
    model: str = ""
    model_prob: float = 0.0


class Detector(Protocol):
    """Finds plates in a frame. Bounded: never gives more than `Settings.detections_max`; the least likely go first."""

    def detect(self, frame: Frame) -> list[Detection]:
        """Places where a plate may be, likeliest first; an empty list where there is none."""
        ...


class Reader(Protocol):
    """Reads crops of one plate each, cut as this reader wants them."""

    def view(self, detection: Detection) -> Corners:
        """The quadrangle of the frame that the reader should see for a detection; places of characters lie along it."""
        ...

    def cut(self, frame: Frame, corners: Corners) -> Crop:
        """That quadrangle straightened. Raises DegenerateQuadError where the corners enclose nothing."""
        ...

    def read(self, crops: Sequence[Crop]) -> list[TextRead]:
        """One result for each crop, in the same order; a crop without text gives a `TextRead` without characters."""
        ...


class VehicleLooker(Protocol):
    """Says which vehicles stand in a frame and what they look like. Asked only where somebody wants to know."""

    def vehicles(self, frame: Frame, plates: Sequence[Corners] = ()) -> list[VehicleSeen]:
        """Vehicles of a frame, likeliest first; `plates` are the corners of those found in the same frame."""
        ...


class SecondReader(Protocol):
    """Somebody other than the first reader, asked about would-be hits only (`opinion.py`). Used by one thread.

    Fails open: whatever it cannot do, the hit stands as it is, and the opinion says that nobody looked.
    """

    @property
    def name(self) -> str:
        """Whose opinion it is, as the hit shows it; with `version` it names the weights."""
        ...

    @property
    def version(self) -> str:
        """Of its weights."""
        ...

    def opinion(self, read_text: str, crops: Sequence[Crop]) -> SecondOpinion:
        """What it reads on these pictures of one vehicle, set beside `read_text` (normal form).

        Args:
            crops: the plate with a little margin, straightened, any height; the best first. None of them: not asked.
        """
        ...
