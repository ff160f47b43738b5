"""The figures as tables for people: what a terminal shows and what a Markdown file holds is the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from guardian.evaluation.figures import LEGIBLE_PX, Cell, Figures, Latency
from guardian.evaluation.labels import NO_SERIES
from guardian.evaluation.notes import Notes
from guardian.evaluation.report import Report, RunFacts
from guardian.evaluation.shares import Share
from guardian.evaluation.stress import LEVELS, MIDDLE
from guardian.evaluation.stressed import Stressed

NONE = "–"
PAIRS_SHOWN = 15


class Table(msgspec.Struct, frozen=True):
    """One table. A row of a single cell is a heading of the rows below it; the first column is text, the others figures."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def tables_of(report: Report) -> list[Table]:
    """All tables that a report bears, the most important first."""
    figures, stress = report.figures(), report.stress()
    out = _groups(figures[0])
    if len(figures) > 1:
        out.append(_peers(figures, same_run=not any(n.elsewhen for n in report.notes)))
    out.append(_summary(figures[0]))
    if stress:
        out.append(_stress(stress))
    if figures[0].latency is not None or figures[0].latency_crops is not None:
        out.append(_times(figures[0]))
    pairs = _confusion(report.notes[0])
    if pairs is not None:
        out.append(pairs)
    return out


def head_of(report: Report) -> list[str]:
    """What was evaluated, in sentences; a run that was broken off says so first."""
    figures = report.figures()
    said: list[str] = []
    for run in report.runs:
        if run.partial:
            said.append(
                f"PARTIAL: broken off after {run.done} of {run.of} pictures and films"
                + (f", {run.stress_pictures} of {run.stress_of} under stress" if run.stress_of else "")
                + ". The pictures come in an order by chance, so the figures are fair but less sure."
            )
        if run.troubles:
            said.append(
                f"{run.troubles} times a file of {run.folder} could not be opened, or an engine failed at it; "
                "a file that cannot be opened is counted nowhere, an engine that fails has read nothing."
            )
    first = figures[0]
    named = f"{first.name} {first.version}".strip()
    films = f", films of {first.videos.frames:,} frames" if first.videos is not None else ""
    said.append(
        f"{named}: {first.pictures:,} pictures with {first.plates:,} plates that a person can read{films}; "
        + "; ".join(_said(run) for run in report.runs)
        + "."
    )
    for day in dict.fromkeys(notes.elsewhen[:10] for notes in report.notes if notes.elsewhen):
        named = ", ".join(notes.name for notes in report.notes if notes.elsewhen[:10] == day)
        said.append(f"{named}: from a run of {day} on the same pictures; times do not compare and are left out.")
    return said


def _said(run: RunFacts) -> str:
    out = f"{run.folder}, split {run.split}"
    out += f", fold {run.fold}" if run.fold else ""
    out += f", sets {', '.join(run.sets)}" if run.sets else ""
    out += f", {run.mends} label{'s' * (run.mends != 1)} put right" if run.mends else ""
    return out + f", {run.threads} thread{'s' * (run.threads != 1)}"


def as_markdown(report: Report) -> str:
    """The report as Markdown."""
    out = ["\n\n".join(head_of(report))]
    for table in tables_of(report):
        lines = [f"### {table.title}", "", _row(table.header), _row(["---", *["---:"] * (len(table.header) - 1)])]
        for row in table.rows:
            lines.append(_row([f"**{row[0]}**", *[""] * (len(table.header) - 1)] if len(row) == 1 else row))
        if table.note:
            lines += ["", table.note]
        out.append("\n".join(lines))
    return "\n\n".join(out) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def percent(share: Share | None) -> str:
    """A share with one decimal; three nines are not rounded to a hundred."""
    if share is None or share.share is None:
        return NONE
    value = share.share * 100
    said = f"{value:.1f} %"
    return said if share.right == share.of or said != "100.0 %" else f"{value:.2f} %"


def interval(share: Share | None) -> str:
    """The interval beside a share."""
    return f"{share.low * 100:.1f}–{share.high * 100:.1f}" if share is not None and share.of else NONE


def _groups(f: Figures) -> list[Table]:
    """Two tables, each narrow enough for a terminal: what was read, and what was found."""
    whole = Cell(f.whole_plate_accuracy, f.whole_plates, f.recall, f.precision, f.signs)
    groups: list[tuple[str, dict[str, Cell]]] = [
        ("", {"all scenes": whole} if f.whole_plates.of else {}),
        ("by set", f.sets),
        (f"plates of {LEGIBLE_PX} px and more", f.target),
        ("by height of the plate", f.height),
        ("by light", f.light),
        ("by vehicle", f.vehicle),
        ("by series", f.series),
        ("by series, crops", f.crop_series),
    ]
    read: list[tuple[str, ...]] = []
    found: list[tuple[str, ...]] = []
    for title, cells in groups:
        looked_for = {name: cell for name, cell in cells.items() if cell.recall is not None}
        for rows, shown in ((read, cells), (found, looked_for)):
            if shown and title:
                rows.append((title,))
        for name, cell in cells.items():
            plates = cell.whole_plates
            read.append(
                (
                    name,
                    str(plates.right),
                    str(plates.of),
                    percent(plates),
                    interval(plates),
                    percent(cell.signs),
                    interval(cell.signs),
                )
            )
        for name, cell in looked_for.items():
            found.append(
                (
                    name,
                    _of(cell.recall),
                    percent(cell.recall),
                    interval(cell.recall),
                    percent(cell.precision),
                    interval(cell.precision),
                )
            )
    if not read:  # nothing but films
        return []
    out = [
        Table(
            f"{f.name}: plates read",
            ("plates", "right", "of", "whole", "95 %", "signs", "95 %"),
            tuple(read),
            "Whole: every character right, in one look at one picture, its box on the plate (IoU > 0.3). Plates that no "
            "person can read count neither way. Signs of a plate that was not read are wrong. Intervals: Wilson; signs of "
            "one plate hang together, so theirs are too narrow.",
        )
    ]
    if found:
        out.append(
            Table(
                f"{f.name}: plates found",
                ("plates", "found of", "found", "95 %", "precision", "95 %"),
                tuple(found),
                "Found: a box on the plate (IoU of 0.5 or more), after the engine's own refusals. Precision: boxes that are on "
                "a plate, in pictures that are labelled completely.",
            )
        )
    return out


def _of(share: Share | None) -> str:
    return f"{share.right} of {share.of}" if share is not None else NONE


def _summary(f: Figures) -> Table:
    c = f.calibration
    rows: list[tuple[str, ...]] = []
    if c.reads:
        rows += [
            (
                "whole plates, of those read at all",
                percent(f.whole_plates_of_read),
                _count(f.whole_plates_of_read),
            ),
            (
                "wrong and sure (≥ 0.9), of all judged reads",
                percent(c.wrong_and_sure),
                _count(c.wrong_and_sure),
            ),
            ("wrong and sure, of the sure reads", percent(c.wrong_when_sure), _count(c.wrong_when_sure)),
            ("calibration error, bins of equal width", f"{c.ece:.4f}", f"{c.reads} reads"),
            ("calibration error, bins of equal mass", f"{c.ece_equal_mass:.4f}", f"{c.reads} reads"),
        ]
    if f.false_reads is not None:
        rows.append(("reads where no plate is", str(f.false_reads), f"in {f.complete_pictures} complete pictures"))
    if f.unreadable_found is not None:
        rows.append(("found though no person can read them", percent(f.unreadable_found), _count(f.unreadable_found)))
    if f.corners is not None:
        rows += [
            (
                "corners off, plate heights: median / p95",
                f"{f.corners.error_median:.3f} / {f.corners.error_p95:.3f}",
                f"{f.corners.plates} fitted labels",
            ),
            ("overlap with the label, mean", f"{f.corners.overlap_mean:.3f}", ""),
        ]
    if f.videos is not None:
        v = f.videos
        rows += [
            ("films: vehicles with exactly one read", percent(v.exactly_one), _count(v.exactly_one)),
            ("films: vehicles with none / several", f"{v.none.right} / {v.several.right}", f"of {v.vehicles}"),
            ("films: reads of no vehicle", percent(v.wrong_extra), _count(v.wrong_extra)),
            ("films: processor time a frame", f"{v.cpu_ms_a_frame:.0f} ms", f"{v.frames} frames"),
        ]
    return Table(f"{f.name}: how far to trust it", ("figure", "value", "counted"), tuple(rows))


def _count(share: Share) -> str:
    return f"{share.right} of {share.of}, {interval(share)}"


def _peers(figures: Sequence[Figures], *, same_run: bool = True) -> Table:
    rows: list[tuple[str, ...]] = []

    def add(name: str, cells: Sequence[str]) -> None:
        rows.append((name, *cells))

    def whole(share: Share | None) -> str:
        return f"{share.right} of {share.of}, {percent(share)}" if share is not None and share.of else NONE

    if figures[0].whole_plates.of:
        add("whole plates, all scenes", [whole(f.whole_plates) for f in figures])
    for name in figures[0].sets:
        add(f"set {name}", [whole(f.sets[name].whole_plates) if name in f.sets else NONE for f in figures])
    for name in figures[0].target:
        add(
            f"{LEGIBLE_PX} px and more, {name}",
            [whole(f.target[name].whole_plates) if name in f.target else NONE for f in figures],
        )
    add("signs right, scenes", [percent(f.signs) for f in figures])
    add("found (IoU ≥ 0.5)", [percent(f.recall) for f in figures])
    add("precision (IoU ≥ 0.5)", [percent(f.precision) for f in figures])
    add("wrong and sure, of judged reads", [percent(f.calibration.wrong_and_sure) for f in figures])
    add("calibration error (ECE)", [f"{f.calibration.ece:.4f}" for f in figures])
    for title, costs in (
        ("a scene", [f.latency for f in figures]),
        ("a crop", [f.latency_crops for f in figures]),
    ):
        if costs[0] is None:
            continue
        add(f"processor ms {title}", [f"{c.cpu.mean:.1f}" if c is not None else NONE for c in costs])
        add(f"processor time {title}, ours = 1", [_ratio(c, costs[0]) for c in costs])
    return Table(
        f"Beside its peers: same pictures, {'same run, same number of threads' if same_run else 'other runs'}",
        ("figure", *(f"{f.name} {f.version}".strip() for f in figures)),
        tuple(rows),
        "A peer that reads every text and knows nothing of plates is right when the number stands anywhere in what it "
        "read; what it finds and reads beside the plates is not held against it (–).",
    )


def _ratio(cost: Latency | None, ours: Latency | None) -> str:
    if cost is None or ours is None or not ours.cpu.mean:
        return NONE
    return f"{cost.cpu.mean / ours.cpu.mean:.2f}"


def _stress(stress: Sequence[Stressed]) -> Table:
    names = [s.name for s in stress]
    rows: list[tuple[str, ...]] = []
    for kind in stress[0].curves:
        curves = [s.curves[kind] for s in stress]
        rows.append(
            (
                kind,
                *(f"{c.area:.3f}" for c in curves),
                *(f"{c.lost_at_middle} of {c.levels[MIDDLE].of}" for c in curves),
            )
        )
    rows.append(
        (
            "all kinds",
            *(f"{s.area_mean:.3f}" for s in stress),
            *(f"{s.lost_at_middle} of {sum(c.levels[MIDDLE].of for c in s.curves.values())}" for s in stress),
        )
    )
    return Table(
        f"Under stress: {stress[0].pictures} pictures, {len(LEVELS)} levels of each kind",
        ("kind", *(f"area, {name}" for name in names), *(f"lost at level {MIDDLE}, {name}" for name in names)),
        tuple(rows),
        "Area under the curve of whole plates right from level 0 (as it is) to 5; 1 is nothing lost. The same pixels for "
        "all. Plates that leave the picture when it is tilted do not count.",
    )


def _times(f: Figures) -> Table:
    rows: list[tuple[str, ...]] = []
    for title, cost in (("a scene", f.latency), ("a crop", f.latency_crops)):
        if cost is None:
            continue
        rows.append((f"{title} ({cost.clock.pictures} pictures)",))
        rows.append(
            (
                "whole",
                f"{cost.clock.median:.1f}",
                f"{cost.clock.p95:.1f}",
                f"{cost.cpu.median:.1f}",
                f"{cost.cpu.p95:.1f}",
            )
        )
        for stage in dict.fromkeys([*cost.stages, *cost.stages_cpu]):
            clock, cpu = cost.stages.get(stage), cost.stages_cpu.get(stage)
            rows.append(
                (
                    stage,
                    f"{clock.median:.1f}" if clock is not None else NONE,
                    f"{clock.p95:.1f}" if clock is not None else NONE,
                    f"{cpu.median:.1f}" if cpu is not None else NONE,
                    f"{cpu.p95:.1f}" if cpu is not None else NONE,
                )
            )
    return Table(
        f"{f.name}: time a picture, ms",
        ("stage", "clock, median", "clock, p95", "processor, median", "processor, p95"),
        tuple(rows),
        "Opening the picture file is left out. The clock counts what else the machine does, the processor's time does not.",
    )


def _confusion(notes: Notes) -> Table | None:
    total: dict[str, int] = {}
    pairs: dict[tuple[str, str], list[int]] = {}
    for note in notes.confusion:
        total[note.truth] = total.get(note.truth, 0) + note.count
        if note.truth != note.read:
            cell = pairs.setdefault((note.truth, note.read), [0, 0, 0])
            cell[0] += note.count
            cell[1] += note.count * (note.light == "dark")
            cell[2] += note.count * (note.series == NO_SERIES or note.series.startswith("19"))
    if not pairs:
        return None
    ordered = sorted(pairs.items(), key=lambda item: (-item[1][0], item[0]))
    rows = tuple(
        (
            f"{truth or 'nothing'} → {read or 'lost'}",
            str(counts[0]),
            str(total[truth]) if truth else NONE,
            str(counts[1]),
            str(counts[2]),
        )
        for (truth, read), counts in ordered[:PAIRS_SHOWN]
    )
    return Table(
        f"{notes.name}: signs mixed up",
        ("sign → read as", "times", "of", "in the dark", "on series before 2012"),
        rows,
        f"The commonest {len(rows)} of {len(ordered)} pairs; --confusion FILE writes all of them by series and light.",
    )
