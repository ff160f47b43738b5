"""`guardian evaluate`: how good an engine is on labelled pictures, with peers beside it, for people and for machines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

from guardian.domain.errors import InputRefusedError

if TYPE_CHECKING:
    from guardian.evaluation.labels import Labels
    from guardian.evaluation.ports import Subject
    from guardian.evaluation.report import Report
    from guardian.evaluation.run import Ran
    from guardian.evaluation.tables import Table

_EXAMPLES = """\
Examples:
  guardian evaluate plates                          the test split, as tables
  guardian evaluate plates --json > result.json     the same for a machine
  guardian evaluate plates --peer rapidocr          a peer, in the same run
  guardian evaluate plates --beside peers.json      peers of an earlier run
  guardian evaluate plates --stress --out seen      curves, and what was wrong
  guardian evaluate plates --split train --fold 0/5 --json > 0.json
  guardian evaluate --merge 0.json 1.json 2.json 3.json 4.json

The folder holds scenes_*.jsonl, crops_*.jsonl or videos.jsonl, and the pictures
they name. The contact sheets and plates.jsonl in OUT hold real plates: whoever
may see the pictures may see them, and they are not to be passed on. All else
(tables, JSON, diagrams, matrix) names no plate and no file. Ctrl-C gives what
has been done so far and says that it is partial.
"""

app = App(
    name="evaluate",
    usage="Usage: guardian evaluate FOLDER [--json] [--stress] [--peer NAME]… [--out OUT]",
    help_format="plaintext",
    help_epilogue=_EXAMPLES,
)


@app.default
def evaluate(
    paths: Annotated[tuple[Path, ...], Parameter(name="FOLDER", negative=())],
    /,
    *,
    split: Annotated[str, Parameter(name="--split")] = "",
    sets: Annotated[str, Parameter(name="--sets")] = "",
    fold: Annotated[str, Parameter(name="--fold")] = "",
    engine: Annotated[str, Parameter(name="--engine")] = "guardian",
    peer: Annotated[list[str] | None, Parameter(name="--peer", negative=())] = None,
    threads: Annotated[int, Parameter(name="--threads")] = 1,
    stress: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    stress_sample: Annotated[int, Parameter(name="--stress-sample")] = 40,
    seed: Annotated[int, Parameter(name="--seed")] = 2026,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    mends: Annotated[Path | None, Parameter(name="--mends")] = None,
    markdown: Annotated[Path | None, Parameter(name="--markdown")] = None,
    confusion: Annotated[Path | None, Parameter(name="--confusion")] = None,
    out: Annotated[Path | None, Parameter(name="--out")] = None,
    beside: Annotated[list[Path] | None, Parameter(name="--beside", negative=())] = None,
    merge: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Measure an engine on labelled pictures.

    Parameters
    ----------
    paths
        The labelled folder; with --merge, results that --json wrote.
    split
        The part that is shown: test, train, all; else all but train.
    sets
        Only these sets, as their files are called: carbook,twocr.
    fold
        One fold of the training split: 0/5 is the first of five.
    engine
        The engine that is evaluated.
    peer
        Another one beside it: rapidocr, tesseract, day-one. May be given again.
    threads
        Threads of each engine.
    stress
        Again under nine seeded corruptions, five levels each.
    stress_sample
        Pictures for --stress, always the same ones; 46 looks each. 0 is all.
    seed
        Another seed, other corruptions.
    json
        One JSON object: all figures, and the counts they come from.
    markdown
        A file for the tables.
    mends
        A file of labels put right; reports say how many there were.
    confusion
        A file for the matrix of signs mixed up, by series and light.
    out
        A folder for contact sheets of what was wrong, and the diagrams.
    beside
        Results of other engines on the same pictures, which --json wrote: they
        stand beside this one without being run again. May be given again.
    merge
        Lay results of several runs together instead, as if they were one.
    """
    from guardian.evaluation.confusion import write_confusion
    from guardian.evaluation.report import beside as lay_beside
    from guardian.evaluation.report import encode, join, load_report
    from guardian.evaluation.tables import as_markdown

    if out is not None:
        _make_folder(out)
    for file in (markdown, confusion):
        _check_place(file)
    ran: Ran | None = None
    others = [(path.name, load_report(path)) for path in beside or []]
    if merge:
        report = join([(path.name, load_report(path)) for path in paths])
    else:
        if len(paths) != 1:
            raise InputRefusedError(
                "Name one labelled folder." if not paths else "One folder at a time.",
                hint="guardian evaluate FOLDER; --merge lays results together.",
                reference="one-folder",
            )
        labels, mended = _labels(paths[0], split, sets, fold, mends)
        peers = [name for given in peer or [] for name in given.split(",") if name]
        subjects = _subjects(engine, peers, max(1, threads))
        report, ran = _run(labels, subjects, sets, fold, max(1, threads), stress_sample if stress else -1, seed, mended)
    report = lay_beside(report, others)
    if json:
        sys.stdout.buffer.write(encode(report) + b"\n")
        sys.stdout.flush()
    else:
        _show(report)
    if markdown is not None:
        markdown.write_text(as_markdown(report), "utf-8")
    if confusion is not None:
        write_confusion(report, confusion)
    if out is not None:
        _draw(report, ran, paths[0] if ran is not None else None, out)
    return _told(report, ran, [p for p in (markdown, confusion, out) if p is not None])


def _labels(folder: Path, split: str, sets: str, fold: str, mends: Path | None) -> tuple[Labels, int]:
    from guardian.evaluation.folds import only_fold, parse_fold
    from guardian.evaluation.labels import load_labels
    from guardian.evaluation.mends import load_mends, mended

    labels = load_labels(folder)
    if fold:
        if split not in ("", "train"):
            raise InputRefusedError(
                "Folds are cut from the training split.", hint="Leave --split out.", reference="fold"
            )
        # Folds hang on the whole training split, so they are cut before any set is chosen.
        labels = only_fold(labels, *parse_fold(fold))
        split = "train"
    labels = labels.part(split=split, sets=tuple(name for name in sets.split(",") if name))
    return mended(labels, load_mends(mends)) if mends is not None else (labels, 0)


def _subjects(engine: str, peers: list[str], threads: int) -> list[Subject]:
    import cv2

    from guardian.evaluation.subjects import EngineSubject, open_peer
    from guardian.vision.engine import open_engine

    cv2.setNumThreads(threads)  # it takes every core otherwise, and the times of nobody would compare
    subjects: list[Subject] = [EngineSubject(open_engine(engine, threads))]
    subjects += [open_peer(name, threads) for name in peers]
    names = [subject.name for subject in subjects]
    if len(set(names)) < len(names):
        raise InputRefusedError("An engine is named twice.", hint="Compare different ones.", reference="engine-twice")
    return subjects


def _run(
    labels: Labels,
    subjects: list[Subject],
    sets: str,
    fold: str,
    threads: int,
    stress_sample: int,
    seed: int,
    mended: int,
) -> tuple[Report, Ran]:
    from guardian.evaluation import run as running
    from guardian.evaluation.report import Report, facts_of
    from guardian.evaluation.stressed import evaluate_stress

    begun = time.monotonic()
    with _progress("pictures") as told:
        ran = running.evaluate(labels, subjects, progress=told)
    stressed = (0, 0)
    if stress_sample >= 0 and not ran.partial:
        with _progress("looks under stress") as told:
            stressed = evaluate_stress(labels, subjects, ran, number=stress_sample, seed=seed, progress=told)
    facts = facts_of(
        labels,
        ran,
        begun,
        sets=tuple(name for name in sets.split(",") if name),
        fold=fold,
        threads=threads,
        seed=seed,
        stress_pictures=stressed[0],
        stress_of=stressed[1],
        mends=mended,
    )
    return Report([facts], ran.notes), ran


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar with the time left on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}", style="dim"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None, now="")

        def told(done: int, of: int, now: str) -> None:
            bar.update(task, completed=done, total=of, now=now[-40:])

        yield told


def _show(report: Report) -> None:
    from guardian.evaluation.tables import head_of, tables_of

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 100  # a pipe or a file has no width of its own
    for said in head_of(report):
        console.print(Text(said, style="bold red" if said.startswith("PARTIAL") else ""))
    for table in tables_of(report):
        console.print()
        console.print(_rich(table))
        if table.note:
            console.print(Text(table.note, style="dim"))


def _rich(table: Table) -> RichTable:
    out = RichTable(title=Text(table.title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(table.header):
        out.add_column(name, justify="right" if number else "left", no_wrap=number > 0)
    for place, row in enumerate(table.rows):
        if len(row) == 1:
            if place:
                out.add_section()
            out.add_row(Text(row[0], style="bold"))
        else:
            out.add_row(*row)
    return out


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputRefusedError(
            f"The folder {folder.name} cannot be made: {error.strerror}. Nothing was evaluated.",
            hint="Name a folder that you may write to.",
            reference="out-folder",
        ) from error


def _check_place(file: Path | None) -> None:
    """Refused now, not after an hour's work."""
    if file is not None and (file.is_dir() or not file.resolve().parent.is_dir()):
        raise InputRefusedError(
            f"{file} cannot be written: {'it is a folder' if file.is_dir() else 'its folder is not there'}.",
            hint="Name a file in a folder that is there.",
            reference="out-file",
        )


def _draw(report: Report, ran: Ran | None, folder: Path | None, out: Path) -> None:
    """Diagrams always; contact sheets and `plates.jsonl` where the pictures were seen in this run."""
    import msgspec

    from guardian.evaluation.diagrams import curves_svg, reliability_svg
    from guardian.evaluation.report import encode
    from guardian.evaluation.sheet import write_sheets
    from guardian.evaluation.tables import as_markdown

    figures = report.figures()
    (out / "calibration.svg").write_text(reliability_svg([(f.name, f.calibration) for f in figures]), "utf-8")
    stress = report.stress()
    if stress:
        (out / "stress.svg").write_text(curves_svg(stress), "utf-8")
    (out / "result.json").write_bytes(encode(report) + b"\n")
    (out / "tables.md").write_text(as_markdown(report), "utf-8")
    if ran is None or folder is None:
        return
    for old in [path for what in ("wrong", "missed", "false") for path in out.glob(f"{what}-*.png")]:
        old.unlink()  # of an earlier run: its faults would be taken for those of this one
    write_sheets(folder, ran.findings[0], out, report.notes[0].name)
    with (out / "plates.jsonl").open("wb") as file:
        for notes, findings in zip(ran.notes, ran.findings, strict=True):
            for finding in findings:
                file.write(msgspec.json.encode({"engine": notes.name, **msgspec.to_builtins(finding)}) + b"\n")


def _told(report: Report, ran: Ran | None, written: list[Path]) -> int:
    """One line that says what came out, and the exit code."""
    talk = Console(stderr=True, highlight=False, soft_wrap=True)
    for trouble in (ran.troubles if ran is not None else [])[:10]:
        talk.print(Text(f"{trouble.file}: {trouble.sentence}", style="red"))
    said = f"{sum(run.done for run in report.runs):,} pictures and films evaluated"
    if written:
        said += f"; written: {', '.join(str(path) for path in written)}"
    else:
        said += "; --out OUT draws what was wrong, --json says all"
    partial = ran is not None and ran.partial
    talk.print(Text(f"partial, broken off: {said}." if partial else f"{said}."))
    if partial:
        return 130
    return 1 if ran is not None and ran.troubles else 0
