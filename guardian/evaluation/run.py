"""Showing pictures to subjects: each picture is opened once and every subject sees the same pixels, in the same run.

Pictures come in an order that hangs on their names and not on their sets, so that a run which is broken off has seen a
fair part of each. A picture that cannot be opened is told and counted nowhere: that is a fault of the folder. A subject
that fails at a picture is told, and has seen nothing there: that is its own fault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from guardian.domain.errors import GuardianError
from guardian.evaluation.clock import Clocked
from guardian.evaluation.films import evaluate_film
from guardian.evaluation.labels import CropPicture, Film, LabelError, Labels, Scene
from guardian.evaluation.notes import ConfusionCount, Notes, PictureNote, picture_key
from guardian.evaluation.ports import Looked, Subject
from guardian.evaluation.scoring import Finding, Scored, score_crop, score_scene
from guardian.vision.picture import Picture, load_picture

Progress = Callable[[int, int, str], None]
"""Told before each piece of work: how many are done, of how many, what comes now."""


def quiet(done: int, of: int, what: str) -> None:
    """No progress."""


class Trouble(msgspec.Struct, frozen=True):
    """A picture that could not be opened, or at which a subject failed, and why."""

    file: str
    sentence: str


class Ran(msgspec.Struct):
    """What a run came to: notes and findings of each subject, in their order."""

    notes: list[Notes]
    findings: list[list[Finding]]
    troubles: list[Trouble] = []
    done: int = 0
    of: int = 0
    partial: bool = False


def by_chance(file: str) -> str:
    """A key that orders files as if by chance, and always the same."""
    return hashlib.sha256(b"order:" + file.encode()).hexdigest()


def begin(subjects: Sequence[Subject]) -> Ran:
    """Empty notes."""
    return Ran([Notes(s.name, s.version, s.tells_plates) for s in subjects], [[] for _ in subjects])


def evaluate(labels: Labels, subjects: Sequence[Subject], ran: Ran | None = None, progress: Progress = quiet) -> Ran:
    """Show every picture and film to every subject.

    A keyboard interrupt ends the run; what was done until then is given back, marked as partial.
    """
    ran = ran or begin(subjects)
    work: list[Scene | CropPicture | Film] = [
        *sorted(labels.scenes, key=lambda s: by_chance(s.file)),
        *sorted(labels.films, key=lambda f: by_chance(f.file)),
        *sorted(labels.crops, key=lambda c: by_chance(c.file)),
    ]
    ran.of += len(work)
    confusion = [ConfusionCount() for _ in subjects]
    warm = False
    try:
        for item in work:
            progress(ran.done, ran.of, item.file)
            if isinstance(item, Film):
                _film(labels, item, subjects, ran)
            else:
                picture = _opened(labels, item, ran)
                if picture is not None:
                    if not warm:  # the first look also loads and plans, which no later picture pays for
                        for subject in subjects:
                            with suppress(Exception):  # where it fails it fails again below, and is told
                                subject.look(picture.frame.copy())
                        warm = True
                    # Noted when everybody has seen it, so that a run that is broken off is fair to all.
                    seen = [look_at(item, picture, subject) for subject in subjects]
                    for number, (scored, note, failure) in enumerate(seen):
                        if failure:
                            ran.troubles.append(Trouble(item.file, f"{subjects[number].name} failed: {failure}"))
                        _note(ran, number, scored, note, confusion[number], item.light)
            ran.done += 1
    except KeyboardInterrupt:
        ran.partial = True
    progress(ran.done, ran.of, "")
    for notes, counted in zip(ran.notes, confusion, strict=True):
        notes.confusion = counted.notes()
    return ran


def look_at(item: Scene | CropPicture, picture: Picture, subject: Subject) -> tuple[Scored, PictureNote, str]:
    """One picture, one subject: looked at under the clock, and scored.

    A subject that fails has seen nothing; the last of the three says how, and is empty otherwise.
    """
    frame = picture.frame.copy()
    failure = ""
    with Clocked() as clocked:
        try:
            looked = subject.look(frame) if isinstance(item, Scene) else subject.look_at_crop(frame)
        except Exception as error:  # peers are other people's programs, and one picture must not end an hour's run
            looked, failure = Looked(()), f"{type(error).__name__}: {error}"
    looked = scaled(looked, picture.scale)
    if isinstance(item, Scene):
        scored = score_scene(item, looked, tells_plates=subject.tells_plates)
    else:
        scored = score_crop(item, looked, tells_plates=subject.tells_plates)
    note = PictureNote(
        picture_key(item.file),
        "scene" if isinstance(item, Scene) else "crop",
        item.set,
        item.light,
        scored.hits,
        scored.false_finds,
        scored.false_reads,
        scored.unreadable_found,
        scored.unreadable,
        round(clocked.wall_ms, 3),
        round(clocked.cpu_ms, 3),
        {stage: round(ms, 3) for stage, ms in looked.stages_ms.items()},
        {stage: round(ms, 3) for stage, ms in looked.cpu_ms.items()},
    )
    return scored, note, failure


def scaled(looked: Looked, scale: float) -> Looked:
    """Corners in px of the picture; very large pictures are decoded smaller."""
    if scale == 1:
        return looked
    plates = []
    for read in looked.plates:
        a, b, c, d = ((x * scale, y * scale) for x, y in read.corners)
        plates.append(msgspec.structs.replace(read, corners=(a, b, c, d)))
    return msgspec.structs.replace(looked, plates=tuple(plates))


def open_labelled(labels: Labels, item: Scene | CropPicture) -> Picture:
    """A picture whose size is the one that its label speaks of.

    Raises:
        PictureError: it cannot be opened.
        LabelError: its label was made for a picture of another size.
    """
    picture = load_picture(labels.folder / item.file)
    if (picture.width, picture.height) != (item.width, item.height):
        raise LabelError(
            f"{item.file} is {picture.width}x{picture.height} px, its label says {item.width}x{item.height}.",
            hint="Corners of another size would count every find as a miss.",
            reference="label-size",
        )
    return picture


def _opened(labels: Labels, item: Scene | CropPicture, ran: Ran) -> Picture | None:
    try:
        return open_labelled(labels, item)
    except GuardianError as error:
        ran.troubles.append(Trouble(item.file, f"{error.sentence} {error.hint}".strip()))
        return None


def _note(ran: Ran, number: int, scored: Scored, note: PictureNote, confusion: ConfusionCount, light: str) -> None:
    notes = ran.notes[number]
    notes.plates += scored.plates
    notes.reads += scored.reads
    notes.pictures.append(note)
    ran.findings[number] += scored.findings
    notes.compared += len(scored.pairs)
    for series, pairs in scored.pairs:
        confusion.add(series, light, pairs)


def _film(labels: Labels, film: Film, subjects: Sequence[Subject], ran: Ran) -> None:
    for number, subject in enumerate(subjects):
        try:
            passes, noted = evaluate_film(labels.folder, film, subject)
        except GuardianError as error:
            ran.troubles.append(Trouble(film.file, f"{subject.name}: {error.sentence} {error.hint}".strip()))
            continue
        if noted is not None:
            ran.notes[number].passes += passes
            ran.notes[number].films.append(noted)
