"""What was noted of each picture and each plate: enough for every figure, and no text of a plate.

Notes of several runs may be laid together (`report.join`); every figure is counted from them anew. A picture is named by
a digest of its file's name, so that one that was counted twice is seen without naming it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Literal

import msgspec

Kind = Literal["scene", "crop"]
Verdict = Literal["right", "wrong", "false"]


def picture_key(file: str) -> str:
    """A picture's name in the notes."""
    return hashlib.sha256(b"picture:" + file.encode()).hexdigest()[:12]


class PlateNote(msgspec.Struct, frozen=True, array_like=True):
    """One labelled plate that a person can read, and what came of it.

    `found`: a read's box overlaps it by half or more; None for subjects that find texts and not plates. `read`: something
    was read there. `right`: the whole text is right. `overlap` and `corner_error` (shares of the plate's height) are
    those of the best box; the latter only for labels whose corners are fitted.
    """

    picture: str
    kind: Kind
    set: str
    light: str
    vehicle: str
    series: str
    height_px: float
    found: bool | None
    read: bool
    right: bool
    signs_right: int
    signs: int
    overlap: float = 0.0
    corner_error: float | None = None


class ReadNote(msgspec.Struct, frozen=True, array_like=True):
    """One read that could be judged: its confidence and whether it is right, wrong, or of no plate at all (`false`)."""

    picture: str
    kind: Kind
    set: str
    light: str
    confidence_prob: float
    verdict: Verdict


class PictureNote(msgspec.Struct, frozen=True, array_like=True):
    """One picture as a whole.

    `hits` and `false_finds` (boxes on a plate, by half or more, and the others) are counted on complete pictures only;
    None on others and for subjects that find texts. `false_reads` touch no labelled plate at all. `unreadable_found`
    of `unreadable` plates that no person can read were found.
    """

    picture: str
    kind: Kind
    set: str
    light: str
    hits: int | None
    false_finds: int | None
    false_reads: int | None
    unreadable_found: int
    unreadable: int
    wall_ms: float
    cpu_ms: float
    stages_ms: dict[str, float] = {}
    stages_cpu_ms: dict[str, float] = {}


class PassNote(msgspec.Struct, frozen=True, array_like=True):
    """One vehicle that passed in a film, and how many reads it made with the right text."""

    film: str
    light: str
    vehicle: str
    reads: int


class FilmNote(msgspec.Struct, frozen=True, array_like=True):
    """One film: its reads, those that belong to no vehicle (None where not all vehicles are labelled), frames, time."""

    film: str
    reads: int
    wrong_extra: int | None
    frames: int
    seconds: float
    cpu_ms: float


class StressNote(msgspec.Struct, frozen=True, array_like=True):
    """One picture under one corruption at one level (0: as it is): plates right of those wholly in the picture."""

    picture: str
    corruption: str
    level: int
    right: int
    of: int


class ConfusionNote(msgspec.Struct, frozen=True, array_like=True):
    """How often a sign was read as another (or itself) on plates of one series in one light; empty: lost, or added."""

    series: str
    light: str
    truth: str
    read: str
    count: int


class Notes(msgspec.Struct):
    """All notes of one subject. `elsewhen`: when they were made, where it was not in this run; times do not compare then."""

    name: str
    version: str
    tells_plates: bool = True
    plates: list[PlateNote] = []
    reads: list[ReadNote] = []
    pictures: list[PictureNote] = []
    passes: list[PassNote] = []
    films: list[FilmNote] = []
    stress: list[StressNote] = []
    confusion: list[ConfusionNote] = []
    compared: int = 0  # plates whose signs are in `confusion`
    elsewhen: str = ""


class ConfusionCount:
    """Counts pairs while a run goes on."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str, str]] = Counter()

    def add(self, series: str, light: str, pairs: list[tuple[str, str]]) -> None:
        """The aligned signs of one plate."""
        for truth, read in pairs:
            self._counts[series, light, truth, read] += 1

    def notes(self) -> list[ConfusionNote]:
        """In a fixed order."""
        return [ConfusionNote(*key, count) for key, count in sorted(self._counts.items())]


def join_confusion(parts: list[list[ConfusionNote]]) -> list[ConfusionNote]:
    """The counts of several runs as one."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for part in parts:
        for note in part:
            counts[note.series, note.light, note.truth, note.read] += note.count
    return [ConfusionNote(*key, count) for key, count in sorted(counts.items())]
