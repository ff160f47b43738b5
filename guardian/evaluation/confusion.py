"""The confusion matrix as a file: which sign is read as which, by series and light, for who needs the chance of truth.

Format, version 1, one JSON object:
- `kind`: "guardian-confusion"; `v`: 1; `engine`, `engine_version`: who was measured; `split`: on which part;
- `plates`: how many plates were compared (all that were read so that at least half of the signs are right);
- `counts`: objects with `series` (id of `guardian.domain.series`, or "no known series"), `light` ("day", "dark", "not
  said": crops say nothing), `truth` and `read` (one sign each; `truth` "" where a sign was read and none stands, `read`
  "" where one stands and was not read) and `count`. Signs that were read as they are stand there too, so the chance that
  a sign is read as another is its count over the sum of all counts with that `truth`. In order of these fields.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.notes import ConfusionNote, Notes
from guardian.evaluation.report import Report

KIND = "guardian-confusion"
VERSION = 1


class Count(msgspec.Struct, frozen=True):
    """One entry of `counts`."""

    series: str
    light: str
    truth: str
    read: str
    count: int


class Confusion(msgspec.Struct, frozen=True):
    """The file as a whole."""

    kind: str
    v: int
    engine: str
    engine_version: str
    split: str
    plates: int
    counts: tuple[Count, ...]


def confusion_of(report: Report) -> Confusion:
    """The matrix of a report's first subject."""
    notes: Notes = report.notes[0]
    counts = tuple(Count(n.series, n.light, n.truth, n.read, n.count) for n in sorted(notes.confusion, key=_order))
    split = " + ".join(dict.fromkeys(run.split for run in report.runs))
    return Confusion(KIND, VERSION, notes.name, notes.version, split, notes.compared, counts)


def _order(note: ConfusionNote) -> tuple[str, str, str, str]:
    return note.series, note.light, note.truth, note.read


def write_confusion(report: Report, path: Path) -> None:
    """Write the matrix, one count a line, so that two of them can be compared."""
    matrix = msgspec.to_builtins(confusion_of(report))
    counts = ",\n".join(f"  {msgspec.json.encode(count).decode()}" for count in matrix.pop("counts"))
    head = msgspec.json.encode(matrix).decode().rstrip("}")
    path.write_text(f'{head},"counts":[\n{counts}\n]}}\n' if counts else f'{head},"counts":[]}}\n', "utf-8")


def load_confusion(path: Path) -> Confusion:
    """Read what `write_confusion` wrote.

    Raises:
        InputRefusedError: another kind of file or version.
    """
    try:
        matrix = msgspec.json.decode(path.read_bytes(), type=Confusion)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputRefusedError(f"{path.name} is no confusion matrix.", reference="confusion-refused") from error
    if (matrix.kind, matrix.v) != (KIND, VERSION):
        raise InputRefusedError(
            f"{path.name} is no confusion matrix of version {VERSION}.", reference="confusion-refused"
        )
    return matrix
