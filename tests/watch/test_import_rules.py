"""What a file would do to a list, row by row: pure, without a store."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from guardian.domain.watch import Category, Priority, WatchEntry
from guardian.watch import import_plan
from guardian.watch.csv_columns import COLUMN_WORDS, export_cells, fixed_cells, match_columns
from guardian.watch.import_plan import Planned, cases_of, plan_rows, read_table, refused_csv, texts_of

NOW_MS = 1_795_600_000_000
FULL = WatchEntry(
    id="e1", text="ABC1235", category=Category.STOLEN, reason="侵入住宅", case_number="A1130001", priority=Priority.URGENT,
    expires_ms=1_806_595_199_999, source="大安分局", silent=True, colour="紅", kind="汽車", make="Toyota",
    warning="曾拒檢逃逸", remark="車頂架",
)  # fmt: skip


def plan(
    text: str,
    existing: Sequence[WatchEntry] = (),
    *,
    same_case: Sequence[WatchEntry] = (),
    replacing: bool = False,
) -> Planned:
    table = read_table(text.encode())
    assert not table.problem, table.problem
    ids = (f"new-{n}" for n in itertools.count())
    return plan_rows(
        table, {entry.text: entry for entry in existing}, same_case,
        all_ids={entry.id: entry.text for entry in existing} if replacing else None,
        now_ms=NOW_MS, new_id=lambda: next(ids),
    )  # fmt: skip


def reasons(planned: Planned) -> list[tuple[int, str, str]]:
    return [(row.line, row.group, row.reference) for row in planned.report]


# ── the file as a table ──────────────────────────────────────────────────────────────────────────────────────────────


def test_files_out_of_all_measure_are_refused_at_their_bound_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_plan, "ROWS_MAX", 3)
    head = "車號,類別\n"
    assert read_table((head + "ABC-1235,失竊\n" * 3).encode()).problem == ""
    assert read_table((head + "ABC-1235,失竊\n" * 4).encode()).reference == "import-too-long"
    assert read_table(b"ABC-1235\n" * 3, chosen={"plate": "#1", "category": "=失竊"}, headed=False).problem == ""
    body = (head + "ABC-1235,失竊\n").encode()
    monkeypatch.setattr(import_plan, "BYTES_MAX", len(body))
    assert read_table(body).problem == ""
    assert read_table(body + b"\n").reference == "import-too-large"


def test_a_file_without_a_row_or_with_a_broken_header_says_so() -> None:
    assert read_table(b"").reference == read_table(b"\n \r\n").reference == "import-empty"
    assert read_table('車號,"類別\nABC-1235,失竊\n'.encode()).reference == "import-header"
    assert read_table("車號,備註\nABC-1235,x\n".encode()).reference == "import-columns-missing"


def test_a_file_without_headers_is_as_wide_as_its_widest_row() -> None:
    table = read_table(
        b"ABC-1235\nABC-1236,x,y\n", headed=False, chosen={"plate": "#1", "remark": "#3", "category": "=失竊"}
    )
    assert table.header == ("第 1 欄", "第 2 欄", "第 3 欄") and table.columns == {"plate": 0, "remark": 2}
    assert len(table.rows) == 2 and table.problem == ""


def test_numbers_and_cases_are_looked_up_once_each_and_short_rows_break_nothing() -> None:
    table = read_table(
        "類別,車號,案號\n失竊\n失竊,abc-1235, A1 \n失竊,ABC1235,A1\n失竊,無牌,\n失竊,ABC-1236,B2\n".encode()
    )
    assert texts_of(table) == ["ABC1235", "ABC1236"]
    assert cases_of(table) == ["A1", "B2"]
    assert cases_of(read_table("車號,類別\nABC-1235,失竊\n".encode())) == []


@pytest.mark.parametrize(
    ("cell", "field"),
    [("\ufeff車號 ", "plate"), ("車牌（含英文）", "plate"), ("PLATE (number)", "plate"), ("Color", "colour"),
     (" 到期日", "expires"), ("案件編號", "case_number"), ("Note", "remark")],
)  # fmt: skip
def test_headers_are_known_in_any_case_with_a_mark_or_a_remark_in_brackets(cell: str, field: str) -> None:
    assert match_columns(("x", cell)) == {field: 1}


def test_the_first_of_two_columns_of_one_meaning_is_taken_and_no_column_serves_twice() -> None:
    assert match_columns(("車號", "車牌", "類別")) == {"plate": 0, "category": 2}
    assert match_columns(("車號", "類別"), {"remark": "車號"}) == {"remark": 0, "category": 1}
    header = ("a", "b")
    assert match_columns(header, {"plate": "#1", "category": "#2"}) == {"plate": 0, "category": 1}
    for none in ("#0", "#3", "#", "#x", "#²", "c", ""):
        assert match_columns(header, {"plate": none}) == {}
    assert match_columns(header, {"colours": "a"}) == {}, "no field of ours"


def test_what_is_given_for_every_row_is_a_text_of_a_known_field_and_never_a_plate() -> None:
    assert fixed_cells({"category": "= 失竊 ", "plate": "=ABC-1235", "x": "=y", "remark": "= ", "source": "b"}) == {
        "category": "失竊"
    }
    assert fixed_cells(None) == {}


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_fields_that_the_file_has_no_column_for_stay_as_they_are() -> None:
    planned = plan("車號,類別\nABC-1235,失竊\n", [FULL])
    assert (planned.same, planned.put, planned.report) == (1, (), ())


@pytest.mark.parametrize(
    ("field", "cell", "after"),
    [
        ("reason", "", ""), ("case_number", "", ""), ("expires", "", None), ("source", "", ""), ("silent", "", False),
        ("colour", "", ""), ("kind", "", ""), ("make", "", ""), ("warning", "", ""), ("remark", "", ""),
        ("remark", "新", "新"), ("priority", "一般", Priority.NOTICE), ("priority", "", Priority.URGENT),
    ],
)  # fmt: skip
def test_a_column_that_the_file_has_changes_its_field_and_no_other(field: str, cell: str, after: object) -> None:
    planned = plan(f"車號,類別,{COLUMN_WORDS[field]}\nABC-1235,失竊,{cell}\n", [FULL])
    wanted = replace(FULL, **{"expires_ms" if field == "expires" else field: after})
    assert planned.put == (() if wanted == FULL else (wanted,))


def test_a_new_category_brings_its_own_priority() -> None:
    (entry,) = plan("車號,類別\nABC-1235,註銷\n", [FULL]).put
    assert (entry.id, entry.category, entry.priority) == ("e1", Category.PLATE_CANCELLED, Priority.NOTICE)


def test_rows_that_are_wrong_as_rows_say_what_is_wrong_with_them() -> None:
    planned = plan(
        '車號,類別,備註\nABC-1235,失竊,x,y\nABC-1236,失竊,,,\nABC-1237,失竊,"open\n車號,類別,備註\n失竊\nABC-1238,失竊\n'
        "ABC-1239,失竊," + "x" * 10_001 + "\n"
    )
    assert reasons(planned) == [
        (2, "refused", "row-cells"), (4, "refused", "row-open-quote"), (5, "refused", "row-header-again"),
        (6, "refused", "plate-other-script"), (8, "refused", "row-too-long"),
        (3, "added", ""), (7, "added", ""),
    ]  # fmt: skip
    assert (planned.added, len(planned.refused)) == (2, 5)


def test_a_number_that_stands_twice_in_a_file_is_taken_once_and_the_line_of_the_first_is_named() -> None:
    planned = plan("車號,類別\nABC-1235,失竊\nABC-1236,失竊\nabc1235,通緝\n")
    assert reasons(planned)[0] == (4, "refused", "row-repeated") and "第 2 列" in planned.report[0].sentence
    assert [(entry.text, entry.category) for entry in planned.put] == [
        ("ABC1235", Category.STOLEN), ("ABC1236", Category.STOLEN),
    ]  # fmt: skip


def test_a_twin_is_refused_under_the_same_case_only() -> None:
    head = "車號,類別,案號\n"
    rows = f"{head}ABC-1238,失竊,A1130001\nABC-1233,失竊,%s\n"
    assert reasons(plan(rows % "A1130001"))[0] == (3, "refused", "twins-under-one-case")
    assert plan(rows % "A1130002").added == plan(rows % "").added == 2
    listed = replace(FULL, text="ABC1238", id="e9")
    assert reasons(plan(f"{head}ABC-1233,失竊,A1130001\n", same_case=[listed])) == [
        (2, "refused", "twins-under-one-case")
    ]
    assert plan(f"{head}ABC-1233,失竊,\n", same_case=[replace(listed, case_number="")]).added == 1, (
        "no case is no same case"
    )


def test_replacing_removes_what_the_file_does_not_name_and_keeps_what_a_refused_row_names() -> None:
    held = [replace(FULL, id=f"e{n}", text=f"ABC{n}235") for n in (1, 2, 3, 5)]
    planned = plan("車號,類別\nABC-1235,失竊\nABC-2235,不知道\nABC-6235,失竊\n", held, replacing=True)
    assert planned.remove == ("e3", "e5")
    assert (planned.added, planned.same, len(planned.refused)) == (1, 1, 1)
    assert plan("車號,類別\nABC-1235,失竊\n", held).remove == ()


def test_the_report_begins_with_what_was_refused_then_what_is_odd_and_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = [FULL, replace(FULL, id="e2", text="WN51ABX", expires_ms=None)]
    text = "車號,類別,事由\nABC-2235,失竊,\nWN52ABX,失竊,\nABC-1235,失竊,新\n無牌,失竊,\nWN51ABX,失竊,侵入住宅\n"
    assert reasons(plan(text, held)) == [
        (5, "refused", "plate-none"), (4, "updated", ""), (3, "added", "entry-odd"), (2, "added", ""),
        (6, "same", "entry-odd"),
    ]  # fmt: skip
    monkeypatch.setattr(import_plan, "REPORT_ROWS_MAX", 2)
    cut = plan(text, held)
    assert len(cut.report) == 2 and (cut.added, cut.updated, cut.same) == (2, 1, 1)


def test_the_report_shows_the_cell_at_fault_or_the_whole_line_cut_to_what_a_screen_shows() -> None:
    planned = plan("車號,類別\nABC-1235," + "x" * 300 + "\n" + "ABC-1236,失竊,多,多\n")
    cell, line = planned.report
    assert (cell.cell, cell.raw) == ("category", "x" * 200)
    assert (line.cell, line.raw) == ("", "ABC-1236,失竊,多,多")


def test_refused_rows_go_back_under_their_own_columns_whatever_their_width() -> None:
    planned = plan("車號,類別,備註\n無牌\nABC-1235,失竊,x,y\n")
    rows = list(
        csv.reader(io.StringIO(refused_csv(("車號", "類別", "備註"), planned.refused).decode("utf-8-sig"), newline=""))
    )
    assert rows[0] == ["車號", "類別", "備註", "原列號", "退回原因"]
    assert [row[:4] for row in rows[1:]] == [["無牌", "", "", "2"], ["ABC-1235", "失竊", "x", "3"]]
    assert all(len(row) == 5 and row[4] for row in rows[1:])


def test_an_entry_leaves_with_every_field_under_its_own_word() -> None:
    assert dict(zip(COLUMN_WORDS, export_cells(FULL), strict=True)) == {
        "plate": "ABC-1235", "category": "失竊", "case_number": "A1130001", "reason": "侵入住宅", "priority": "緊急",
        "expires": "2027-04-01", "source": "大安分局", "silent": "是", "colour": "紅", "kind": "汽車", "make": "Toyota",
        "warning": "曾拒檢逃逸", "remark": "車頂架",
    }  # fmt: skip
    assert dict(zip(COLUMN_WORDS, export_cells(replace(FULL, silent=False)), strict=True))["silent"] == ""
