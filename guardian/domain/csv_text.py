"""CSV as spreadsheets in Taiwan write and open it: UTF-8 or Big5 in, UTF-8 with a mark out, and nothing that runs.

Rules kept here (field cases G18, G20, G42, G61):
- a cell that a spreadsheet would run as a formula, or turn into a number or a date, is written with an apostrophe
  before it, and the apostrophe is taken off on the way in: out and in again changes nothing;
- every cell is text; nothing guesses types;
- rows carry the true number of their line in the file; one quotation mark that is never closed costs its own line only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

BOM = "\ufeff"
QUOTED_LINES_MAX = 50
"""A quoted cell over more lines than this was never closed."""
CELL_CHARS_MAX = 10_000

_RUNS = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")
# What Excel and LibreOffice read as something else: 3E-0012 and 1E5, MAR-2025 and 5-MAR, 0480580.
_MONTH = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|SEPT|OCT|NOV|DEC"
_TURNS = re.compile(
    rf"\d+(?:\.\d+)?E[+-]?\d+|(?:{_MONTH})[- ]?\d{{1,4}}|\d{{1,4}}[- ]?(?:{_MONTH})|0\d+|\d{{1,4}}[-/]\d{{1,2}}(?:[-/]\d{{1,4}})?",
    re.IGNORECASE,
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Cell = str | int | float | None


def _needs_armour(text: str) -> bool:
    if not text:
        return False
    if text[0] == "'":
        return _needs_armour(text[1:])
    if _RUNS.match(text):
        return True
    # A day as we write it comes back as a day in every spreadsheet; as text it would not sort.
    return _TURNS.fullmatch(text) is not None and _DAY.fullmatch(text) is None


def armour(text: str) -> str:
    """The text as a cell that no spreadsheet runs or changes."""
    return "'" + text if _needs_armour(text) else text


def unarmour(cell: str) -> str:
    """The text that `armour` was given; also takes off what Excel users write themselves (`="0480580"`)."""
    if cell.startswith("'") and _needs_armour(cell[1:]):
        return cell[1:]
    wrapped = re.fullmatch(r'="([^"]*)"', cell)
    return wrapped[1] if wrapped is not None else cell


def csv_row(cells: Iterable[Cell]) -> str:
    """One row with its line end. Text is armoured, numbers are written as they are, None is empty."""
    out: list[str] = []
    for cell in cells:
        if cell is None:
            text = ""
        elif isinstance(cell, str):
            text = armour(cell)
        else:
            text = str(cell)
        if any(sign in text for sign in ',"\r\n\t;'):
            text = '"' + text.replace('"', '""') + '"'
        out.append(text)
    return ",".join(out) + "\r\n"


def csv_bytes(header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Iterator[bytes]:
    """A file for a spreadsheet, piece by piece: the mark that tells Excel UTF-8, the header, the rows."""
    yield (BOM + csv_row(header)).encode()
    for row in rows:
        yield csv_row(row).encode()


class CsvRow(msgspec.Struct, frozen=True):
    """One row of a file. `line` is where it begins, from 1; `problem` is `open-quote` or `cell-too-long`, or empty."""

    line: int
    cells: tuple[str, ...]
    raw: str
    problem: str = ""


def decode_csv(body: bytes, encoding: str = "") -> tuple[str, str]:
    """The text of a file and the name of the encoding that was found (`UTF-8`, `Big5`, `UTF-16`).

    Big5 means what Windows writes (cp950), then with the signs of HKSCS; what neither knows becomes U+FFFD, and the
    reader of the rows refuses those.

    Args:
        encoding: taken instead of a guess, where the person has chosen one.
    """
    chosen = encoding.lower().replace("_", "-")
    if chosen in ("", "utf-16") and body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace"), "UTF-16"
    if chosen in ("", "utf-8"):
        try:
            return body.decode("utf-8"), "UTF-8"
        except UnicodeDecodeError:
            if chosen:
                return body.decode("utf-8", "replace"), "UTF-8"
    for codec in ("cp950", "big5hkscs"):
        try:
            return body.decode(codec), "Big5"
        except UnicodeDecodeError:
            continue
    return body.decode("cp950", "replace"), "Big5"


_LINE_END = re.compile(r"\r\n|\n|\r")


def _split_quoted(text: str, delimiter: str) -> tuple[list[str], bool]:
    """Cells of one row that has quotation marks, and whether it ended inside one or broke the rules after one."""
    cells: list[str] = []
    place, end = 0, len(text)
    while True:
        if text.startswith('"', place):
            parts: list[str] = []
            place += 1
            while True:
                close = text.find('"', place)
                if close < 0:
                    return cells, True
                parts.append(text[place:close])
                if text.startswith('"', close + 1):
                    parts.append('"')
                    place = close + 2
                    continue
                place = close + 1
                break
            cells.append("".join(parts))
            if place < end and not text.startswith(delimiter, place):
                return cells, True
        else:
            stop = text.find(delimiter, place)
            stop = end if stop < 0 else stop
            cells.append(text[place:stop])
            place = stop
        if place >= end:
            return cells, False
        place += len(delimiter)
        if place == end:
            cells.append("")
            return cells, False


def _delimiter_of(first_line: str) -> str:
    counts = {sign: first_line.count(sign) for sign in ",\t;"}
    best = max(counts, key=lambda sign: counts[sign])
    return best if counts[best] else ","


def parse_csv(text: str) -> Iterator[CsvRow]:
    """Rows of a file; empty lines are left out, marks (BOM) are taken off wherever a line begins with one.

    A quoted cell may hold line breaks. It was left open if it runs to the end, over more than QUOTED_LINES_MAX lines,
    or its row comes out with another number of cells than the header: then its first line alone is given with the
    problem `open-quote`, and reading goes on with the next line.
    """
    lines = [line.lstrip(BOM) for line in _LINE_END.split(text)]
    filled = next((line for line in lines if line.strip()), "")
    delimiter = _delimiter_of(filled)
    width = 0
    index = 0
    while index < len(lines):
        first, line = index, lines[index]
        index += 1
        if not line.strip():
            continue
        problem = ""
        if '"' not in line:
            cells = line.split(delimiter)
        else:
            cells, is_open = _split_quoted(line, delimiter)
            joined, last = line, first
            while is_open and last + 1 < len(lines) and last - first < QUOTED_LINES_MAX:
                last += 1
                joined = f"{joined}\n{lines[last]}"
                if '"' in lines[last]:
                    cells, is_open = _split_quoted(joined, delimiter)
            if is_open or (last > first and width and len(cells) != width):
                cells, problem = line.split(delimiter), "open-quote"
            else:
                line, index = joined, last + 1
        if any(len(cell) > CELL_CHARS_MAX for cell in cells):
            cells, problem = [cell[:CELL_CHARS_MAX] for cell in cells], problem or "cell-too-long"
        width = width or len(cells)
        yield CsvRow(
            first + 1, tuple(unarmour(cell.strip(" \u3000")) for cell in cells), line[:CELL_CHARS_MAX], problem
        )
