"""The evaluation once more under corruptions: which plates are still read, how the share falls, and the area beneath.

Every subject sees the same corrupted pixels. A sample of the pictures keeps the time bounded: those that come first in an
order that hangs on their names, so that the sample is the same on every machine and a larger one contains the smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from guardian.domain.errors import GuardianError
from guardian.evaluation.labels import Labels, Scene
from guardian.evaluation.notes import Notes, StressNote, picture_key
from guardian.evaluation.ports import Looked, Subject
from guardian.evaluation.run import Progress, Ran, by_chance, open_labelled, quiet
from guardian.evaluation.scoring import score_scene
from guardian.evaluation.shares import Share, share_of
from guardian.evaluation.stress import KINDS, LEVELS, MIDDLE, SEED, corrupt
from guardian.vision.picture import Picture

SAMPLE = 40
"""Pictures of a run under stress where nobody says how many: 1,840 looks for each subject."""
AS_IS = ""
"""The kind of the notes at level 0, common to all kinds."""


class Curve(msgspec.Struct, frozen=True):
    """Whole plates right at the levels 0 (as it is) to 5; `area` beneath, 0 to 1; plates lost at the middle level."""

    levels: tuple[Share, ...]
    area: float
    lost_at_middle: int


class Stressed(msgspec.Struct, frozen=True):
    """All curves of one subject, by kind, and the mean of their areas."""

    name: str
    pictures: int
    curves: dict[str, Curve]
    area_mean: float
    lost_at_middle: int


def sample_of(labels: Labels, number: int) -> list[Scene]:
    """So many pictures with plates that can be read; 0: all of them."""
    usable = [s for s in labels.scenes if any(p.text is not None for p in s.plates)]
    ordered = sorted(usable, key=lambda s: by_chance(s.file))
    return ordered[:number] if number else ordered


def evaluate_stress(
    labels: Labels,
    subjects: Sequence[Subject],
    ran: Ran,
    *,
    number: int = SAMPLE,
    seed: int = SEED,
    progress: Progress = quiet,
) -> tuple[int, int]:
    """Show a sample to every subject as it is and under every corruption; notes go into `ran`.

    A keyboard interrupt ends it; a picture that was begun is then not counted, so that every curve has the same ones.

    Returns:
        How many pictures were done, and of how many.
    """
    sample = sample_of(labels, number)
    steps = [(AS_IS, 0), *((kind, level) for kind in KINDS for level in LEVELS)]
    done = 0
    try:
        for place, scene in enumerate(sample):
            try:
                picture = open_labelled(labels, scene)
            except GuardianError:
                continue  # told already by the evaluation itself
            noted: list[list[StressNote]] = [[] for _ in subjects]
            for step, (kind, level) in enumerate(steps):
                progress(place * len(steps) + step, len(sample) * len(steps), f"{scene.file} {kind} {level or ''}")
                for notes, note in zip(noted, _step(picture, scene, kind, level, subjects, seed), strict=True):
                    notes.append(note)
            for notes_of, more in zip(ran.notes, noted, strict=True):
                notes_of.stress += more
            done += 1
    except KeyboardInterrupt:
        ran.partial = True
    progress(done * len(steps), len(sample) * len(steps), "")
    return done, len(sample)


def _step(
    picture: Picture, scene: Scene, kind: str, level: int, subjects: Sequence[Subject], seed: int
) -> list[StressNote]:
    as_decoded = _in_px_of(scene, picture)
    corrupted = corrupt(picture.frame, as_decoded, kind, level, seed=seed)
    out: list[StressNote] = []
    for subject in subjects:
        try:
            looked = subject.look(corrupted.frame.copy())
        except Exception:  # a subject that fails at such a picture has not read it, which is what is measured
            looked = Looked(())
        scored = score_scene(corrupted.scene, looked, tells_plates=subject.tells_plates)
        out.append(
            StressNote(picture_key(scene.file), kind, level, sum(p.right for p in scored.plates), len(scored.plates))
        )
    return out


def _in_px_of(scene: Scene, picture: Picture) -> Scene:
    """The label in px of the decoded frame; very large pictures are decoded smaller."""
    if picture.scale == 1:
        return scene
    plates = []
    for plate in scene.plates:
        a, b, c, d = ((x / picture.scale, y / picture.scale) for x, y in plate.corners)
        plates.append(msgspec.structs.replace(plate, corners=(a, b, c, d)))
    height, width = picture.frame.shape[:2]
    return msgspec.structs.replace(scene, width=int(width), height=int(height), plates=tuple(plates))


def stressed_of(notes: Notes) -> Stressed:
    """Curves out of notes. Level 0 is shared by all kinds."""
    counted: dict[tuple[str, int], list[int]] = {}
    for note in notes.stress:
        cell = counted.setdefault((note.corruption, note.level), [0, 0])
        cell[0] += note.right
        cell[1] += note.of
    curves: dict[str, Curve] = {}
    for kind in KINDS:
        levels = tuple(share_of(*counted.get((kind if level else AS_IS, level), [0, 0])) for level in (0, *LEVELS))
        middle = levels[MIDDLE]
        curves[kind] = Curve(levels, area_under([level.share or 0.0 for level in levels]), middle.of - middle.right)
    areas = [curve.area for curve in curves.values()]
    return Stressed(
        notes.name,
        len({note.picture for note in notes.stress}),
        curves,
        round(sum(areas) / len(areas), 4),
        sum(curve.lost_at_middle for curve in curves.values()),
    )


def area_under(shares: Sequence[float]) -> float:
    """The area under a curve whose points stand evenly from 0 to 1, by trapezia; 1 where nothing is ever lost."""
    steps = len(shares) - 1
    return round(sum((a + b) / 2 for a, b in pairwise(shares)) / steps, 4)
