"""The outcome of one run, or of several joined: what machines read, and what later runs are joined from.

The JSON object holds the first subject's figures at its top (`whole_plate_accuracy`, `sets`, ...), those of the others under
`peers`, the curves under `stress`, how each run was made under `runs`, and under `notes` what all of it was counted from.
No text of a plate and no name of a file stands in it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.figures import Figures, figures_of
from guardian.evaluation.labels import Labels
from guardian.evaluation.notes import Notes, StressNote, join_confusion
from guardian.evaluation.run import Ran
from guardian.evaluation.stressed import Stressed, stressed_of

KIND = "guardian-evaluation"
VERSION = 1


class ReportError(InputRefusedError):
    """A result file cannot be joined with others."""

    reference = "evaluation-refused"


class RunFacts(msgspec.Struct, frozen=True):
    """How a run was made. `partial`: it was broken off after `done` of `of` pictures and films."""

    folder: str
    split: str
    sets: tuple[str, ...]
    fold: str
    threads: int
    made: str
    seconds: float
    done: int
    of: int
    partial: bool
    troubles: int = 0
    seed: int = 0
    stress_pictures: int = 0
    stress_of: int = 0
    mends: int = 0  # labels that were put right for this run


def facts_of(labels: Labels, ran: Ran, begun: float, **more: Any) -> RunFacts:
    """How a run was made: its pictures and its end, and what else the caller knows of it (fields of `RunFacts`).

    Args:
        begun: by `time.monotonic()`.
    """
    return RunFacts(
        folder=labels.folder.resolve().name,
        split=" + ".join(labels.splits),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begun, 1),
        done=ran.done,
        of=ran.of,
        partial=ran.partial,
        troubles=len(ran.troubles),
        **more,
    )


class Report(msgspec.Struct):
    """Everything that a run came to; the first subject is the one that is evaluated, the others are its peers."""

    runs: list[RunFacts]
    notes: list[Notes]

    @property
    def partial(self) -> bool:
        """Whether a run was broken off."""
        return any(run.partial for run in self.runs)

    def figures(self) -> list[Figures]:
        """The figures of each subject, in order."""
        return [figures_of(notes) for notes in self.notes]

    def stress(self) -> list[Stressed]:
        """The curves of each subject that has some, in order."""
        return [stressed_of(notes) for notes in self.notes if notes.stress]


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    figures = report.figures()
    first: dict[str, Any] = msgspec.to_builtins(figures[0])
    cpu = [f.latency.cpu.mean if f.latency is not None else None for f in figures]
    peers: dict[str, Any] = {}
    for peer, cost in zip(figures[1:], cpu[1:], strict=True):
        peers[peer.name] = msgspec.to_builtins(peer)
        peers[peer.name]["cpu_ratio"] = round(cost / cpu[0], 3) if cost is not None and cpu[0] else None
    return {
        "kind": KIND,
        "v": VERSION,
        "partial": report.partial,
        **first,
        "peers": peers,
        "stress": {curves.name: msgspec.to_builtins(curves) for curves in report.stress()},
        "runs": msgspec.to_builtins(report.runs),
        "notes": msgspec.to_builtins(report.notes),
    }


def encode(report: Report) -> bytes:
    """The report as one JSON object on one line."""
    return msgspec.json.encode(as_json(report))


class _Kept(msgspec.Struct):
    kind: str
    v: int
    runs: list[RunFacts]
    notes: list[Notes]


def load_report(path: Path) -> Report:
    """A report that `--json` wrote.

    Raises:
        ReportError: not there, or no such file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path.name} cannot be read: {error.strerror}.") from error
    try:
        kept = msgspec.json.decode(data, type=_Kept)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReportError(
            f"{path.name} is no result of an evaluation.", hint="guardian evaluate FOLDER --json > a.json makes one."
        ) from error
    if (kept.kind, kept.v) != (KIND, VERSION) or not kept.notes:
        raise ReportError(
            f"{path.name} is no result of an evaluation, or of another version.",
            hint="guardian evaluate FOLDER --json > a.json makes one.",
        )
    return Report(kept.runs, kept.notes)


def join(reports: Sequence[tuple[str, Report]]) -> Report:
    """Lay results together as if they had been one run; the first subject of each is taken for the same engine.

    Args:
        reports: each with a name to call it by in a refusal.

    Raises:
        ReportError: none, or a picture that counts twice.
    """
    if not reports:
        raise ReportError("No result was named.", hint="guardian evaluate --merge a.json b.json")
    seen: dict[tuple[str, str], str] = {}
    for name, report in reports:
        keys = [("picture", p.picture) for p in report.notes[0].pictures]
        keys += [("film", f.film) for f in report.notes[0].films]
        keys += [("stress", f"{s.picture} {s.corruption} {s.level}") for s in report.notes[0].stress]
        for key in keys:
            if key in seen:
                raise ReportError(
                    f"{name} and {seen[key]} have evaluated the same picture; it would count twice.",
                    hint="Join results of different folds, splits or folders.",
                )
        seen.update(dict.fromkeys(keys, name))
    mains = [report.notes[0] for _, report in reports]
    notes = [_joined(mains)]
    peers: dict[str, list[Notes]] = {}
    for _, report in reports:
        for peer in report.notes[1:]:
            peers.setdefault(peer.name, []).append(peer)
    notes += [_joined(parts) for parts in peers.values()]
    return Report([run for _, report in reports for run in report.runs], notes)


def beside(report: Report, others: Sequence[tuple[str, Report]]) -> Report:
    """Lay the subjects of earlier runs beside a run's own, as further peers on the same pictures: a slow peer need not be
    shown them anew each time. Subjects that the run has itself are left out; times are not compared.

    Args:
        others: each with a name to call it by in a refusal.

    Raises:
        ReportError: one of them has not seen all these pictures, or saw them under other corruptions.
    """
    notes = list(report.notes)
    pictures = {p.picture for p in notes[0].pictures}
    films = {f.film for f in notes[0].films}
    stressed = {_under(s) for s in notes[0].stress}
    for name, other in others:
        for peer in other.notes:
            if peer.name in {n.name for n in notes}:
                continue
            lacking = len(pictures - {p.picture for p in peer.pictures}) + len(films - {f.film for f in peer.films})
            if lacking:
                raise ReportError(
                    f"{peer.name} in {name} has not seen {lacking} of the {len(pictures) + len(films)} pictures and films.",
                    hint="Lay results of the same folder, split and sets beside one another.",
                )
            if stressed and ({run.seed for run in other.runs} != {run.seed for run in report.runs}):
                raise ReportError(f"{name} was made with other corruptions.", hint="The same --seed for all of them.")
            if stressed - {_under(s) for s in peer.stress}:
                raise ReportError(
                    f"{peer.name} in {name} was not put under stress with the same pictures.",
                    hint="The same --stress-sample, or a smaller one now.",
                )
            notes.append(_cut_to(peer, pictures, films, stressed, other.runs[0].made))
    return Report(report.runs, notes)


def _under(note: StressNote) -> tuple[str, str, int]:
    return note.picture, note.corruption, note.level


def _cut_to(peer: Notes, pictures: set[str], films: set[str], stressed: set[tuple[str, str, int]], made: str) -> Notes:
    """Only what was noted of these pictures. Signs mixed up are counted for all of them at once, so they cannot be cut."""
    same = pictures == {p.picture for p in peer.pictures}
    return msgspec.structs.replace(
        peer,
        plates=[p for p in peer.plates if p.picture in pictures],
        reads=[r for r in peer.reads if r.picture in pictures],
        pictures=[p for p in peer.pictures if p.picture in pictures],
        passes=[p for p in peer.passes if p.film in films],
        films=[f for f in peer.films if f.film in films],
        stress=[s for s in peer.stress if _under(s) in stressed],
        confusion=peer.confusion if same else [],
        compared=peer.compared if same else 0,
        elsewhen=peer.elsewhen or made,
    )


def _joined(parts: Sequence[Notes]) -> Notes:
    return Notes(
        " + ".join(dict.fromkeys(part.name for part in parts)),
        " + ".join(dict.fromkeys(part.version for part in parts if part.version)),
        all(part.tells_plates for part in parts),
        [note for part in parts for note in part.plates],
        [note for part in parts for note in part.reads],
        [note for part in parts for note in part.pictures],
        [note for part in parts for note in part.passes],
        [note for part in parts for note in part.films],
        [note for part in parts for note in part.stress],
        join_confusion([part.confusion for part in parts]),
        sum(part.compared for part in parts),
    )
