"""What importing a file would do, row by row. Pure: a plan is a value that can be shown, confirmed, refused.

A row becomes one entry of the list it goes to, found again by its number: one number stands once in a list. Cells that
are wrong refuse their row and say why; nothing is guessed into the list. A refused row whose number can be read never
removes the entry of that number (replace mode).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from guardian.domain.csv_text import Cell, CsvRow, csv_bytes, decode_csv, parse_csv
from guardian.domain.plate import PlateTextError, display_of, parse_plate
from guardian.domain.watch import WatchEntry
from guardian.watch.csv_columns import COLUMN_WORDS, REQUIRED, fixed_cells, match_columns
from guardian.watch.drafts import (
    Drafted,
    EntryRefusedError,
    draft_entry,
    parse_priority,
    parse_silent,
    twin_texts,
)
from guardian.watch.views import EntryDraft, ImportRow

BYTES_MAX = 32 * 1024 * 1024
ROWS_MAX = 200_000
REPORT_ROWS_MAX = 500
RAW_CHARS_MAX = 200
_GROUP_ORDER = {"refused": 0, "updated": 1, "added": 2, "same": 3}


class Table(msgspec.Struct, frozen=True):
    """A file as rows: the header, which column holds which field, and all rows below."""

    encoding: str
    sample_line: str
    header: tuple[str, ...]
    columns: dict[str, int]
    rows: tuple[CsvRow, ...]
    problem: str = ""
    reference: str = ""
    fixed: dict[str, str] = {}  # field → the text that every row has


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was not taken, whole, for the file that goes back to its author."""

    line: int
    cells: tuple[str, ...]
    reason: str


class Planned(msgspec.Struct, frozen=True):
    """The outcome of planning: rows of the report, what applying does, and the rows that go back."""

    report: tuple[ImportRow, ...]
    put: tuple[WatchEntry, ...]
    remove: tuple[str, ...]
    refused: tuple[RefusedRow, ...]
    added: int
    updated: int
    same: int


def read_table(body: bytes, *, encoding: str = "", chosen: dict[str, str] | None = None, headed: bool = True) -> Table:
    """Decode a file and match its columns; `problem` (zh-TW) says why it cannot be imported at all.

    Args:
        headed: whether the first row names the columns; where it does not, they are called by their places.
    """
    text, found = decode_csv(body[:BYTES_MAX], encoding)
    rows = []
    for row in parse_csv(text):
        rows.append(row)
        if len(rows) > ROWS_MAX + 1:
            break
    if not rows:
        return Table(found, "", (), {}, (), "檔案是空的", "import-empty")
    header, below = rows[0], tuple(rows[1:])
    if not headed:
        width = max(len(row.cells) for row in rows[:100])
        names = tuple(f"第 {place} 欄" for place in range(1, width + 1))
        header, below = CsvRow(0, names, ""), tuple(rows)
    columns = match_columns(header.cells, chosen)
    sample = below[0].raw if below else header.raw
    problem = reference = ""
    fixed = {field: text for field, text in fixed_cells(chosen).items() if field not in columns}
    missing = [COLUMN_WORDS[field] for field in REQUIRED if field not in columns and field not in fixed]
    if len(body) > BYTES_MAX:
        problem = f"檔案超過 {BYTES_MAX // 1024 // 1024} MB；分成幾個檔案匯入"
        reference = "import-too-large"
    elif len(below) > ROWS_MAX:
        problem = f"檔案超過 {ROWS_MAX:,} 列；分成幾個檔案匯入"
        reference = "import-too-long"
    elif header.problem:
        problem = "第 1 列的引號沒有結束，看不出欄位"
        reference = "import-header"
    elif missing:
        problem = f"第 1 列找不到「{'」「'.join(missing)}」欄；找到的是「{'」「'.join(header.cells)[:RAW_CHARS_MAX]}」"
        reference = "import-columns-missing"
    return Table(found, sample[:RAW_CHARS_MAX], header.cells, columns, below, problem, reference, fixed)


def texts_of(table: Table) -> list[str]:
    """The numbers of a table that can be read, for looking up the entries that exist."""
    texts: dict[str, None] = {}
    place = table.columns.get("plate", 0)
    for row in table.rows:
        text = _readable(row.cells[place]) if place < len(row.cells) else None
        if text is not None:
            texts[text] = None
    return list(texts)


def cases_of(table: Table) -> list[str]:
    """The case numbers of a table."""
    place = table.columns.get("case_number")
    if place is None:
        return []
    return list({row.cells[place].strip(): None for row in table.rows if place < len(row.cells) and row.cells[place]})


@lru_cache(maxsize=65_536)
def _readable(typed: str) -> str | None:
    try:
        return parse_plate(typed).text
    except PlateTextError:
        return None


class _RowRefusedError(EntryRefusedError):
    """A row that is wrong as a row."""


def plan_rows(
    table: Table,
    existing: Mapping[str, WatchEntry],
    same_case: Sequence[WatchEntry],
    *,
    all_ids: Mapping[str, str] | None,
    now_ms: int,
    new_id: Callable[[], str],
) -> Planned:
    """Compare each row with the list.

    Args:
        existing: entries of the list by text, for the texts of the table.
        same_case: entries in force, of any list, under the case numbers of the table (G24).
        all_ids: in replace mode, all entries of the list: id → text; None when rows are only added and updated.
    """
    report: list[ImportRow] = []
    put: dict[str, WatchEntry] = {}
    refused: list[RefusedRow] = []
    line_of: dict[str, int] = {}
    kept_texts: set[str] = set()
    counts = {"added": 0, "updated": 0, "same": 0, "refused": 0}
    cases = {entry.case_number for entry in same_case if entry.case_number}
    by_case = {(entry.text, entry.case_number) for entry in same_case}
    for row in table.rows:
        named = {field: row.cells[place] for field, place in table.columns.items() if place < len(row.cells)}
        cells = {**table.fixed, **named}
        plate = cells.get("plate", "")
        text = _readable(plate)
        try:
            drafted, former = _draft_row(row, table, cells, existing.get(text or ""), now_ms, new_id)
            entry = drafted.entry
            if entry.text in line_of:
                raise _repeated(entry, line_of[entry.text])
            for twin in twin_texts(entry.text) if entry.case_number in cases else ():
                if (twin, entry.case_number) in by_case:
                    raise _twin(entry, twin)
        except EntryRefusedError as error:
            if text is not None:
                kept_texts.add(text)
            report.append(_refused_row(row, plate, cells, error))
            refused.append(RefusedRow(row.line, row.cells, f"{error.zh}。{error.zh_hint}"))
            counts["refused"] += 1
            continue
        line_of[entry.text] = row.line
        kept_texts.add(entry.text)
        if entry.case_number:
            cases.add(entry.case_number)
            by_case.add((entry.text, entry.case_number))
        group = "added" if former is None else "same" if entry == former else "updated"
        counts[group] += 1
        if group != "same":
            put[entry.id] = entry
        if group != "same" or drafted.warning:
            report.append(
                ImportRow(
                    row.line, group, display_of(entry.text), entry.text, raw=plate, sentence=drafted.warning_zh,
                    reference="entry-odd" if drafted.warning else "", sentence_en=drafted.warning,
                )
            )  # fmt: skip
    remove = () if all_ids is None else tuple(i for i, text in all_ids.items() if text not in kept_texts)
    report.sort(key=lambda line: (_GROUP_ORDER[line.group], not line.sentence, line.line))
    return Planned(
        tuple(report[:REPORT_ROWS_MAX]), tuple(put.values()), remove, tuple(refused),
        counts["added"], counts["updated"], counts["same"],
    )  # fmt: skip


def _draft_row(
    row: CsvRow,
    table: Table,
    cells: dict[str, str],
    former: WatchEntry | None,
    now_ms: int,
    new_id: Callable[[], str],
) -> tuple[Drafted, WatchEntry | None]:
    """The entry of one row; fields that the file has no column for stay as they are on the list."""
    if row.problem == "open-quote":
        raise _RowRefusedError(
            "", f"Line {row.line} opens a quotation mark that is never closed.", reference="row-open-quote",
            hint="Close it, or take it off.", zh=f"第 {row.line} 列有一個引號 \" 沒有結束", zh_hint="補上結尾的引號，或刪掉引號",
        )  # fmt: skip
    if row.problem:
        raise _RowRefusedError(
            "",
            "A cell is far too long.",
            reference="row-too-long",
            zh="有一格的文字太長",
            zh_hint="檢查這一列的引號和逗號",
        )
    if row.cells == table.header:
        raise _RowRefusedError(
            "", "The header stands here again (files that were joined).", reference="row-header-again",
            hint="Nothing to do.", zh="這一列又是標題（合併的檔案）", zh_hint="不必處理",
        )  # fmt: skip
    if any("\ufffd" in cell for cell in row.cells):
        raise _RowRefusedError(
            "", f"Characters of this line cannot be read as {table.encoding}.", reference="row-undecodable",
            hint="Choose another encoding, or type the line again.",
            zh=f"有些字無法以 {table.encoding} 讀出", zh_hint="改選編碼，或重新輸入這一列",
        )  # fmt: skip
    if len(row.cells) > len(table.header) and any(row.cells[len(table.header) :]):
        raise _RowRefusedError(
            "", f"The line has {len(row.cells)} cells; the header has {len(table.header)}.", reference="row-cells",
            hint="Put cells that hold a comma into quotation marks.",
            zh=f"這一列有 {len(row.cells)} 格，標題有 {len(table.header)} 格", zh_hint="有逗號的文字要加引號",
        )  # fmt: skip
    priority = parse_priority(cells["priority"]) if "priority" in cells else None
    silent = parse_silent(cells["silent"]) if "silent" in cells else False
    draft = EntryDraft(
        plate=cells.get("plate", ""),
        category=cells.get("category", ""),
        priority=None if priority is None else int(priority),
        expires=cells.get("expires", ""),
        silent=silent,
        **{
            field: cells.get(field, "")
            for field in ("reason", "case_number", "source", "colour", "kind", "make", "warning", "remark")
        },
    )
    drafted = draft_entry(draft, entry_id=former.id if former is not None else new_id(), now_ms=now_ms)
    if former is None:
        return drafted, None
    kept = {
        field: getattr(former, ours)
        for field, ours in (
            ("case_number", "case_number"), ("reason", "reason"), ("expires", "expires_ms"), ("source", "source"),
            ("silent", "silent"), ("colour", "colour"), ("kind", "kind"), ("make", "make"), ("warning", "warning"),
            ("remark", "remark"),
        )
        if field not in cells
    }  # fmt: skip
    if "expires" in kept:
        kept["expires_ms"] = kept.pop("expires")
    if priority is None and former.category == drafted.entry.category:
        kept["priority"] = former.priority
    return replace(drafted, entry=replace(drafted.entry, **kept)), former


def _repeated(entry: WatchEntry, line: int) -> EntryRefusedError:
    return EntryRefusedError(
        "plate", f"{display_of(entry.text)} stands in line {line} already.", reference="row-repeated",
        hint="Keep one of the two lines.", zh=f"與第 {line} 列的車牌重複", zh_hint="留下一列",
    )  # fmt: skip


def _twin(entry: WatchEntry, twin: str) -> EntryRefusedError:
    return EntryRefusedError(
        "plate",
        f"{display_of(entry.text)} and {display_of(twin)} of the same case differ in one character that readers mix up.",
        reference="twins-under-one-case",
        hint="Look-alikes are found by the matcher. If both vehicles are meant, add this one in the editor.",
        zh=f"與同一案號的 {display_of(twin)} 只差一個容易看錯的字",
        zh_hint="看錯的可能由比對處理，不必登錄；若真有兩輛車，到名單裡單獨新增",
        suggestions=(twin,),
    )


def _refused_row(row: CsvRow, plate: str, cells: dict[str, str], error: EntryRefusedError) -> ImportRow:
    raw = cells.get(error.column, "") if error.column else row.raw
    return ImportRow(
        line=row.line,
        group="refused",
        plate=plate[:RAW_CHARS_MAX],
        cell=error.column,
        raw=raw[:RAW_CHARS_MAX],
        sentence=error.zh,
        hint=error.zh_hint,
        reference=error.reference,
        sentence_en=error.sentence,
        hint_en=error.hint,
    )


def refused_csv(header: tuple[str, ...], refused: Iterable[RefusedRow]) -> bytes:
    """The rows that were not taken: the same columns, then the line they had and the reason."""
    width = len(header)
    rows: Iterable[tuple[Cell, ...]] = (
        (*row.cells[:width], *("",) * (width - len(row.cells)), row.line, row.reason) for row in refused
    )
    return b"".join(csv_bytes((*header, "原列號", "退回原因"), rows))
