"""The step from what a reader saw to a number that Taiwan issues."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.read import DOUBTFUL_PROB, Alternative
from guardian.domain.series import SERIES, series_of
from guardian.vision.ports import ReadChar, TextRead
from guardian.vision.series import fold_sign, number_of


def _read(raw: str, prob: float = 0.99) -> TextRead:
    return TextRead(tuple(ReadChar(s, prob, (i + 0.5) / len(raw)) for i, s in enumerate(raw)))


@pytest.mark.parametrize(
    ("raw", "text", "dash"),
    [
        ("ABC-1235", "ABC1235", 3),
        ("abc·1235", "ABC1235", 3),
        ("ABC1235", "ABC1235", None),
        ("3022-JM", "3022JM", 4),
        ("3E-0012", "3E0012", 2),
        ("366-TBM", "366TBM", 3),
        ("AÑE-9337", "ANE9337", 3),  # a scratch above the letter
        ("丨ABC-1235", "ABC1235", 3),  # the border
        ("ＡＢＣ－１２３５", "ABC1235", 3),
        ("MD-5678", "MD5678", 2),
    ],
)
def test_what_is_printed_becomes_the_normal_form_with_its_dash(raw: str, text: str, dash: int | None) -> None:
    number = number_of(_read(raw))
    assert number is not None
    assert (number.text, number.dash_after, number.raw_text) == (text, dash, raw)


@pytest.mark.parametrize(
    ("raw", "text", "fixed"),
    [
        ("ABC-I235", "ABC1235", (3,)),  # a digit place: I is 1
        ("ABC-123S", "ABC1235", (6,)),
        ("A8C-1235", "ABC1235", (1,)),  # a letter place: 8 is B
        ("AB0-1235", "ABD1235", (2,)),  # or Q: the likelier one, and doubtful
        ("5395-GO", "5395GQ", (5,)),  # the letter O does not occur
    ],
)
def test_the_place_decides_and_the_change_is_said(raw: str, text: str, fixed: tuple[int, ...]) -> None:
    number = number_of(_read(raw))
    assert number is not None
    assert len(number.text) == len(text)
    assert number.fixed == fixed
    assert number.raw_text == raw
    assert [a == b for i, (a, b) in enumerate(zip(number.text, text, strict=True)) if i not in fixed].count(False) == 0
    assert number.series.fits(number.text)


def test_what_the_reader_thought_of_second_comes_before_what_is_often_confused() -> None:
    chars = list(_read("ABC-1235").chars)
    chars[4] = ReadChar("I", 0.6, chars[4].place, (Alternative("7", 0.35),))
    number = number_of(TextRead(tuple(chars)))
    assert number is not None and number.text == "ABC7235"


@pytest.mark.parametrize(
    "raw",
    ["", "停車場", "P", "12", "中山路123號", "10:03:12", "25.0330N", "48km/h", "ABCDEFGHIJ", "1234567890", "A/BC1235"],
)
def test_text_that_is_no_number_gives_none_and_never_a_guess(raw: str) -> None:
    assert number_of(_read(raw) if raw else TextRead(())) is None


def test_a_character_cut_off_at_the_end_leaves_a_doubt_and_a_border_does_not() -> None:
    chars = list(_read("OKB-0781").chars)
    chars[0] = ReadChar("O", 0.4, chars[0].place, (Alternative("D", 0.05),))
    half, bordered = number_of(TextRead(tuple(chars))), number_of(_read("丨ABC-1235"))
    assert half is not None and bordered is not None
    assert half.text == "KB0781" and half.char_probs[0] < DOUBTFUL_PROB
    assert bordered.text == "ABC1235" and bordered.confidence_prob >= DOUBTFUL_PROB


def test_a_seen_dash_decides_between_two_series() -> None:
    car, motorcycle = number_of(_read("AB-1235")), number_of(_read("AB1-235"))
    assert car is not None and motorcycle is not None
    assert car.series.id == "1992-car-2+4"
    assert motorcycle.series.id == "1992-moto-3+3b"


@st.composite
def _numbers(draw: st.DrawFn) -> str:
    series = draw(st.sampled_from([s for s in SERIES if s.id != "1980-moto-3+4"]))
    text = draw(st.from_regex(series.pattern, fullmatch=True).filter(str.isascii))
    return series.display(text) if "O" not in text else draw(_numbers())


@settings(deadline=None)
@given(_numbers())
def test_every_number_of_a_series_that_is_read_surely_stays_what_it_is(shown: str) -> None:
    number = number_of(_read(shown))
    assert number is not None
    assert number.text == shown.replace("-", "")
    assert number.fixed == ()
    assert len(number.char_probs) == len(number.alternatives) == len(number.places) == len(number.text)
    assert all(0 < p <= 1 for p in number.char_probs)


@settings(deadline=None)
@given(st.text(alphabet="ABIOQ0158-· /台", max_size=12), st.floats(0.05, 0.999))
def test_whatever_was_read_the_result_fits_its_series_and_keeps_the_raw_text(raw: str, prob: float) -> None:
    number = number_of(_read(raw, prob) if raw else TextRead(()))
    if number is not None:
        assert number.series in series_of(number.text)
        assert number.raw_text == raw


@settings(deadline=None)
@given(st.characters())
def test_folding_twice_is_folding_once(sign: str) -> None:
    assert fold_sign(fold_sign(sign)) == fold_sign(sign)


@pytest.mark.parametrize(
    ("raw", "text", "place", "others"),
    [("ABO-1235", "ABQ1235", 2, {"D"}), ("OAB-1235", "QAB1235", 0, {"D"}), ("ABC-O235", "ABC0235", 3, set())],
)
def test_an_o_is_a_q_among_letters_and_a_nought_among_digits_and_always_doubtful(
    raw: str, text: str, place: int, others: set[str]
) -> None:
    number = number_of(_read(raw))
    assert number is not None
    assert (number.text, number.fixed) == (text, (place,))
    assert number.char_probs[place] < DOUBTFUL_PROB, "the officer sees that it was put in its place"
    assert {a.sign for a in number.alternatives[place]} >= others
    assert number.raw_text == raw
