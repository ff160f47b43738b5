"""Films: one passing vehicle should make exactly one read, and nothing else should make any.

Every frame is looked at, as a device does where every frame counts, and `vision.track` makes reads of what was seen. A
read belongs to a vehicle when it has its text and the vehicle's time touches the track's, `SLACK_S` allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.clock import Clocked
from guardian.evaluation.labels import Film, Passed
from guardian.evaluation.notes import FilmNote, PassNote, picture_key
from guardian.evaluation.ports import Subject, Watching
from guardian.vision.ports import Frame
from guardian.vision.track import Tracker

SLACK_S = 1.0
"""By so much a label's seconds may be off."""


class FilmError(InputRefusedError):
    """A film could not be played."""

    reference = "film-unreadable"


class FilmRead(msgspec.Struct, frozen=True):
    """One read of a film: its text, and the seconds in which its plate was in sight."""

    text: str
    from_s: float
    to_s: float


def evaluate_film(folder: Path, film: Film, subject: Subject) -> tuple[list[PassNote], FilmNote | None]:
    """Play one film to a subject; nothing where its single reads cannot be followed (peers that read any text).

    Raises:
        FilmError: the film cannot be played.
    """
    if not isinstance(subject, Watching):
        return [], None
    tracker = Tracker()
    reads: list[FilmRead] = []
    frames = 0
    last_s = 0.0
    with Clocked() as clocked:
        for at_s, frame in frames_of(folder / film.file):
            found = tracker.update(subject.watch(frame), frame_ms=round(at_s * 1000), frame=frame, frame_index=frames)
            reads += [FilmRead(r.text, r.first_ms / 1000, r.last_ms / 1000) for r in found]
            frames, last_s = frames + 1, at_s
        reads += [FilmRead(r.text, r.first_ms / 1000, r.last_ms / 1000) for r in tracker.finish()]
    counts, extra = reads_of(film.vehicles, reads)
    key = picture_key(film.file)
    passes = [
        PassNote(key, film.light, passed.vehicle, count)
        for passed, count in zip(film.vehicles, counts, strict=True)
        if passed.text is not None and passed.readable
    ]
    wrong = len(extra) if film.complete else None
    return passes, FilmNote(key, len(reads), wrong, frames, round(last_s, 3), round(clocked.cpu_ms, 3))


def reads_of(vehicles: Sequence[Passed], reads: Sequence[FilmRead]) -> tuple[list[int], list[FilmRead]]:
    """How many reads each vehicle made, and the reads that belong to none.

    A read of the right text goes to the vehicle whose time it shares longest. What is read while a vehicle passes that
    no person can read belongs to that one when no other claims it: its text cannot be judged.
    """
    counts = [0] * len(vehicles)
    extra: list[FilmRead] = []
    for read in reads:
        shared = [
            min(v.to_s + SLACK_S, read.to_s) - max(v.from_s - SLACK_S, read.from_s) if v.text == read.text else -1.0
            for v in vehicles
        ]
        best = max(range(len(vehicles)), key=lambda i: shared[i], default=None)
        if best is not None and shared[best] >= 0:
            counts[best] += 1
        elif not any(v.text is None and v.from_s <= read.to_s and read.from_s <= v.to_s for v in vehicles):
            extra.append(read)
    return counts, extra


def frames_of(path: Path) -> Iterator[tuple[float, Frame]]:
    """The frames of a film with their seconds from its start; a frame without a time of its own follows the rate.

    Raises:
        FilmError: no film, or one that breaks off.
    """
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 25)
            first: float | None = None
            for number, frame in enumerate(container.decode(stream)):
                at = float(frame.time) if frame.time is not None else number / rate
                first = at if first is None else first
                yield at - first, np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    except (av.FFmpegError, IndexError, OSError) as error:
        raise FilmError(f"{path.name} cannot be played.", hint="Play it with another program first.") from error
