"""What is measured: anything that finds and reads plates, behind one small protocol.

A subject answers with the plates that it would tell a person about, after its own refusals. `anywhere` is for programs that
read every text in a picture and do not know which is a plate: a number that stands anywhere in there counts in their favour.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from guardian.domain.read import Corners
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import Frame


class PlateRead(msgspec.Struct, frozen=True):
    """A plate that a subject tells of: its text in normal form, how sure (0 to 1), where (px of the frame)."""

    text: str
    confidence_prob: float
    corners: Corners


class Looked(msgspec.Struct, frozen=True):
    """What a subject saw in one picture.

    `stages_ms` is the time by the clock of each stage, `cpu_ms` the processor time of those that are known apart; both
    are empty where the subject does not say. `anywhere` holds every text of the picture in normal form, or nothing.
    """

    plates: tuple[PlateRead, ...]
    anywhere: tuple[str, ...] = ()
    stages_ms: dict[str, float] = {}
    cpu_ms: dict[str, float] = {}


class Subject(Protocol):
    """Something that is measured. Not thread-safe."""

    @property
    def name(self) -> str:
        """As people call it."""
        ...

    @property
    def version(self) -> str:
        """Which make of it; empty where it does not say."""
        ...

    @property
    def tells_plates(self) -> bool:
        """Whether it tells plates from other texts; precision and calibration are not measured where it does not."""
        ...

    def look(self, frame: Frame) -> Looked:
        """All plates of one picture; `frame` is (H, W, 3) uint8 BGR and may be written to."""
        ...

    def look_at_crop(self, frame: Frame) -> Looked:
        """The plate of a picture that is one plate, cut out: one at most."""
        ...


@runtime_checkable
class Watching(Protocol):
    """A subject whose single reads can be followed over the frames of a film."""

    def watch(self, frame: Frame) -> list[PlateSeen]:
        """All plates of one frame of a film, as the tracker takes them."""
        ...
