"""From notes to figures: shares with their intervals, for all pictures and for each group of them. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import msgspec

from guardian.evaluation.calibration import Calibration, calibrate
from guardian.evaluation.notes import Notes, PictureNote, PlateNote
from guardian.evaluation.shares import Share, share_of

BANDS = (0, 12, 16, 24, 40, 80)
"""Lower edges of the bands of plate height, px. Below 16 px the goal of the product does not hold."""
LEGIBLE_PX = 16


class Cell(msgspec.Struct, frozen=True):
    """The figures of one group of plates. None: not measured here (crops are not looked for; some peers find texts).

    `signs` are characters: those of a plate that was not read at all are wrong. Signs of one plate hang together, so
    their interval is narrower than it should be.
    """

    whole_plate_accuracy: float | None
    whole_plates: Share
    recall: Share | None
    precision: Share | None
    signs: Share


class Corners(msgspec.Struct, frozen=True):
    """How well the corners sit, on found plates whose labels were fitted; errors in shares of the plate's height."""

    plates: int
    error_mean: float
    error_median: float
    error_p95: float
    overlap_mean: float


class Spread(msgspec.Struct, frozen=True):
    """Times in ms over pictures."""

    pictures: int
    median: float
    p95: float
    mean: float


class Latency(msgspec.Struct, frozen=True):
    """What a picture costs: by the clock, on the processor, and by stage where the subject says it."""

    clock: Spread
    cpu: Spread
    stages: dict[str, Spread]
    stages_cpu: dict[str, Spread]


class Films(msgspec.Struct, frozen=True):
    """Reads of passing vehicles: how many made exactly one with the right text, none, several; reads of no vehicle.

    `wrong_extra` is counted among all reads of films whose vehicles are all labelled.
    """

    vehicles: int
    exactly_one: Share
    none: Share
    several: Share
    reads: int
    wrong_extra: Share
    frames: int
    cpu_ms_a_frame: float


class Figures(msgspec.Struct, frozen=True):
    """All figures of one subject.

    `whole_plate_accuracy` is over all scenes, films and crops left out. `whole_plates_of_read` has another
    denominator: of the plates at which something was read. `false_reads` stand where no plate is, in pictures whose labels
    are complete.
    """

    name: str
    version: str
    pictures: int
    plates: int
    whole_plate_accuracy: float | None
    whole_plates: Share
    whole_plates_of_read: Share
    signs: Share
    recall: Share | None
    precision: Share | None
    complete_pictures: int
    false_reads: int | None
    pictures_with_false_reads: Share | None
    unreadable_found: Share | None
    corners: Corners | None
    sets: dict[str, Cell]
    height: dict[str, Cell]
    light: dict[str, Cell]
    vehicle: dict[str, Cell]
    series: dict[str, Cell]
    crop_series: dict[str, Cell]
    target: dict[str, Cell]
    calibration: Calibration
    calibration_scenes: Calibration
    latency: Latency | None
    latency_crops: Latency | None
    videos: Films | None


def figures_of(notes: Notes) -> Figures:
    """Count everything that the notes bear."""
    scenes = [p for p in notes.plates if p.kind == "scene"]
    crops = [p for p in notes.plates if p.kind == "crop"]
    pictures = [p for p in notes.pictures if p.kind == "scene"]
    whole = cell_of(scenes, pictures)
    judged = [(r.confidence_prob, r.verdict == "right") for r in notes.reads]
    judged_scenes = [(r.confidence_prob, r.verdict == "right") for r in notes.reads if r.kind == "scene"]
    read = [p for p in scenes if p.read]
    false_reads = [p.false_reads for p in pictures if p.false_reads is not None]
    unreadable = sum(p.unreadable for p in pictures)
    return Figures(
        name=notes.name,
        version=notes.version,
        pictures=len(notes.pictures),
        plates=len(notes.plates),
        whole_plate_accuracy=whole.whole_plate_accuracy,
        whole_plates=whole.whole_plates,
        whole_plates_of_read=share_of(sum(p.right for p in read), len(read)),
        signs=whole.signs,
        recall=whole.recall,
        precision=whole.precision,
        complete_pictures=len(false_reads),
        false_reads=sum(false_reads) if false_reads else None,
        pictures_with_false_reads=share_of(sum(n > 0 for n in false_reads), len(false_reads)) if false_reads else None,
        unreadable_found=share_of(sum(p.unreadable_found for p in pictures), unreadable)
        if unreadable and notes.tells_plates
        else None,
        corners=_corners(scenes),
        sets=_sets(notes),
        height=_grouped(scenes, lambda p: band_of(p.height_px), [band_of(edge) for edge in BANDS]),
        light=_grouped(scenes, lambda p: p.light, pictures=pictures),
        vehicle=_grouped(scenes, lambda p: p.vehicle),
        series=_grouped(scenes, lambda p: p.series),
        crop_series=_grouped(crops, lambda p: p.series),
        target=_target(scenes),
        calibration=calibrate(judged),
        calibration_scenes=calibrate(judged_scenes),
        latency=None if notes.elsewhen else _latency(pictures),
        latency_crops=None if notes.elsewhen else _latency([p for p in notes.pictures if p.kind == "crop"]),
        videos=_films(notes),
    )


def cell_of(plates: Sequence[PlateNote], pictures: Sequence[PictureNote] = ()) -> Cell:
    """The figures of some plates, and of the pictures that precision is counted on."""
    whole = share_of(sum(p.right for p in plates), len(plates))
    looked_for = [p.found for p in plates if p.found is not None]
    hits = sum(p.hits for p in pictures if p.hits is not None)
    false = sum(p.false_finds for p in pictures if p.false_finds is not None)
    return Cell(
        whole.share,
        whole,
        share_of(sum(looked_for), len(looked_for)) if looked_for else None,
        share_of(hits, hits + false) if hits + false else None,
        share_of(sum(p.signs_right for p in plates), sum(p.signs for p in plates)),
    )


def band_of(height_px: float) -> str:
    """The name of the band that a plate's height falls into."""
    for low, high in pairwise(BANDS):
        if height_px < high:
            return f"{low}-{high} px" if low else f"below {high} px"
    return f"{BANDS[-1]} px and more"


def _grouped(
    plates: Sequence[PlateNote],
    by: Callable[[PlateNote], str],
    order: Iterable[str] = (),
    pictures: Sequence[PictureNote] = (),
) -> dict[str, Cell]:
    groups: dict[str, list[PlateNote]] = {}
    for plate in plates:
        groups.setdefault(by(plate), []).append(plate)
    listed = [name for name in order if name in groups] or sorted(groups, key=lambda name: (-len(groups[name]), name))
    return {name: cell_of(groups[name], [p for p in pictures if p.light == name]) for name in listed}


def _sets(notes: Notes) -> dict[str, Cell]:
    names = dict.fromkeys([*(p.set for p in notes.pictures), *(p.set for p in notes.plates)])
    kinds = {p.set: p.kind for p in notes.pictures}
    return {
        name: cell_of([p for p in notes.plates if p.set == name], [p for p in notes.pictures if p.set == name])
        for name in sorted(names, key=lambda name: (kinds.get(name, "scene") == "crop", name))
    }


def _target(scenes: Sequence[PlateNote]) -> dict[str, Cell]:
    """Plates of `LEGIBLE_PX` and more, by light, and cars and motorcycles apart: what the product's goal speaks of."""
    legible = [p for p in scenes if p.height_px >= LEGIBLE_PX]
    out: dict[str, Cell] = {}
    for light in sorted({p.light for p in legible}, key=lambda light: (light != "day", light)):
        lit = [p for p in legible if p.light == light]
        out[light] = cell_of(lit)
        motorcycles = [p for p in lit if p.vehicle == "motorcycle"]
        others = [p for p in lit if p.vehicle != "motorcycle"]
        if motorcycles and others:
            out[f"{light}, cars and trucks"] = cell_of(others)
            out[f"{light}, motorcycles"] = cell_of(motorcycles)
    return out


def _corners(scenes: Sequence[PlateNote]) -> Corners | None:
    measured = [(p.corner_error, p.overlap) for p in scenes if p.corner_error is not None]
    if not measured:
        return None
    errors = sorted(error for error, _ in measured)
    return Corners(
        len(errors),
        round(statistics.fmean(errors), 4),
        round(statistics.median(errors), 4),
        round(quantile(errors, 0.95), 4),
        round(statistics.fmean(overlap for _, overlap in measured), 4),
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of all lies; of the values themselves, never between two."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _spread(values: Sequence[float]) -> Spread:
    return Spread(
        len(values),
        round(statistics.median(values), 3),
        round(quantile(values, 0.95), 3),
        round(statistics.fmean(values), 3),
    )


def _latency(pictures: Sequence[PictureNote]) -> Latency | None:
    if not pictures:
        return None
    stages = dict.fromkeys(stage for p in pictures for stage in p.stages_ms)
    stages_cpu = dict.fromkeys(stage for p in pictures for stage in p.stages_cpu_ms)
    return Latency(
        _spread([p.wall_ms for p in pictures]),
        _spread([p.cpu_ms for p in pictures]),
        {stage: _spread([p.stages_ms.get(stage, 0.0) for p in pictures]) for stage in stages},
        {stage: _spread([p.stages_cpu_ms.get(stage, 0.0) for p in pictures]) for stage in stages_cpu},
    )


def _films(notes: Notes) -> Films | None:
    if not notes.films:
        return None
    vehicles = len(notes.passes)
    known = [f for f in notes.films if f.wrong_extra is not None]
    frames = sum(f.frames for f in notes.films)
    return Films(
        vehicles,
        share_of(sum(p.reads == 1 for p in notes.passes), vehicles),
        share_of(sum(p.reads == 0 for p in notes.passes), vehicles),
        share_of(sum(p.reads > 1 for p in notes.passes), vehicles),
        sum(f.reads for f in notes.films),
        share_of(sum(f.wrong_extra for f in known if f.wrong_extra is not None), sum(f.reads for f in known)),
        frames,
        round(sum(f.cpu_ms for f in notes.films) / max(1, frames), 3),
    )
