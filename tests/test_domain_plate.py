"""Plates: parsing what people type, display, series, patterns, packing, speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.plate import (
    ALPHABET,
    LENGTH_MAX,
    Plate,
    PlateTextError,
    display_of,
    inspect_plate,
    pack_plate,
    parse_pattern,
    parse_plate,
    spoken_plate,
    unpack_plate,
)
from guardian.domain.series import SERIES, VehicleClass, classes_of, series_of

plate_texts = st.one_of([st.from_regex(s.pattern, fullmatch=True).filter(str.isascii) for s in SERIES]).filter(
    lambda text: set(text) not in ({"0"}, {"X"})
)
any_texts = st.text(alphabet=ALPHABET, min_size=1, max_size=12)


@given(plate_texts)
def test_display_parses_back_to_the_same_normal_form(text: str) -> None:
    assert parse_plate(display_of(text)).text == text


@given(plate_texts, st.sampled_from(["-", "－", "–", "—", "−", "‐", "ー", "‧", " ", "　", "\u200b-"]))
def test_every_dash_and_width_gives_the_same_plate(text: str, dash: str) -> None:
    shown = display_of(text)
    wide = "".join(chr(ord(c) + 0xFEE0) if c != "-" else dash for c in shown)
    assert parse_plate(wide).text == text
    assert parse_plate(f"  {shown.lower()}\u00a0").text == text


@given(plate_texts)
def test_normalising_twice_is_once(text: str) -> None:
    once = parse_plate(text)
    assert parse_plate(once.text) == once


@given(any_texts)
def test_packing_is_a_bijection(text: str) -> None:
    assert unpack_plate(pack_plate(text)) == text


@given(st.lists(any_texts, max_size=20, unique=True))
def test_packing_never_makes_two_plates_one(texts: list[str]) -> None:
    assert len({pack_plate(t) for t in texts}) == len(texts)


@pytest.mark.parametrize("series", SERIES, ids=lambda s: s.id)
def test_each_series_holds_its_own_example(series) -> None:  # type: ignore[no-untyped-def]
    plate = parse_plate(series.example)
    assert series.fits(plate.text)
    assert series.display(plate.text) == series.example


@given(plate_texts)
def test_every_plate_of_a_series_implies_a_vehicle(text: str) -> None:
    assert series_of(text)
    assert classes_of(text)


def test_a_seen_dash_decides_between_two_series() -> None:
    assert Plate("AB1235", 2).display == "AB-1235"
    assert Plate("MR2771", 3).display == "MR2-771"
    assert VehicleClass.MOTORCYCLE in Plate("MR2771", 3).vehicle_classes


def test_first_letter_of_todays_series_tells_the_class() -> None:
    assert classes_of("MXB8063") == (VehicleClass.MOTORCYCLE,)
    assert classes_of("EPA0001") == (VehicleClass.ELECTRIC_CAR, VehicleClass.ELECTRIC_MOTORCYCLE)


@given(plate_texts, st.data())
def test_a_pattern_made_from_a_plate_finds_it(text: str, data: st.DataObject) -> None:
    places = data.draw(st.sets(st.integers(0, len(text) - 1)))
    asked = "".join("?" if i in places else sign for i, sign in enumerate(text))
    assert parse_pattern(asked).matches(text)
    cut = data.draw(st.integers(0, len(text)))
    assert parse_pattern(text[:cut] + "*").matches(text)


def test_only_question_mark_and_star_are_special() -> None:
    for typed in ("AB_-1235%", "AB[CD]1235", "AB\\_", "ABC1235'--", "AB%"):
        with pytest.raises(PlateTextError) as caught:
            parse_pattern(typed)
        assert caught.value.reference == "plate-sign"
    assert parse_pattern("ab？-1235").text == "AB?1235"


def test_impossible_characters_name_the_nearest_right_form() -> None:
    for typed, nearest in (("ABO-1235", "ABQ1235"), ("AB0-1235", "ABD1235"), ("ABC-1245", "ABC1295")):
        inspection = inspect_plate(typed)
        assert inspection.refusal is not None
        assert inspection.suggestions == (nearest,)


def test_a_foreign_plate_is_read_and_flagged() -> None:
    inspection = inspect_plate("WN 51 ABX")
    assert inspection.plate is not None and inspection.plate.series is None
    assert inspection.refusal is None and inspection.warning


def test_numbers_are_spoken_sign_by_sign() -> None:
    assert spoken_plate("MXB8063") == "M、X、B、八、洞、六、三"
    assert spoken_plate("1E1110", numerals="plain") == "一、E、一、一、一、零"


def refusal(typed: str, parse=parse_plate) -> tuple[str, tuple[str, ...]]:  # type: ignore[no-untyped-def]
    with pytest.raises(PlateTextError) as caught:
        parse(typed)
    assert caught.value.sentence and caught.value.hint
    return caught.value.reference, caught.value.suggestions


@pytest.mark.parametrize(
    "typed",
    ['="ABC1235"', "=ABC1235", "'ABC-1235", "’ABC-1235", "\t'ABC-1235 ", "ABC\u00ad-1235\u2060", "\ufeffABC·1235", "ABC_1235",
     "ＡＢＣ＿１２３５", "abc - 1235", "ABC\u200d1235", "ABC•1235", "ABC・1235", "ABC･1235", "ABC﹣1235", "ABC╴1235", "ABC─1235"],
)  # fmt: skip
def test_armour_invisible_signs_and_every_dash_are_taken_off(typed: str) -> None:
    assert parse_plate(typed).text == "ABC1235"


@pytest.mark.parametrize(
    ("typed", "reference", "suggestions"),
    [
        ("", "plate-empty", ()), (" - ", "plate-empty", ()), ('=""', "plate-empty", ()),
        ("0000", "plate-none", ()), ("X-X", "plate-none", ()), ("n/a", "plate-none", ()), ("無牌", "plate-none", ()),
        ("no-plate", "plate-none", ()), ("Test", "plate-none", ()),
        ("3E+12", "plate-spreadsheet", ("3E0012",)), ("3.00E-12", "plate-spreadsheet", ("3E0012",)),
        ("480580", "plate-spreadsheet", ("0480580",)),
        ("ABC-12３五", "plate-other-script", ()), ("АBC-1235", "plate-other-script", ()),
        ("ABC/1235", "plate-sign", ()), ("ABC?1235", "plate-sign", ()),
        ("A", "plate-length", ()), ("A" * (LENGTH_MAX + 1), "plate-length", ()),
    ],
)  # fmt: skip
def test_what_is_no_plate_is_refused_by_its_reason(typed: str, reference: str, suggestions: tuple[str, ...]) -> None:
    assert refusal(typed) == (reference, suggestions)


@pytest.mark.parametrize("typed", ["3E-0012", "3E12", "48-0580", "A1", "A" * LENGTH_MAX, "0X", "048-0580"])
def test_what_only_looks_like_damage_is_a_plate(typed: str) -> None:
    assert parse_plate(typed).text == typed.replace("-", "")


def test_every_dash_of_a_file_in_big5_is_one() -> None:
    for code in (b"-", b"\xa1\xd0", b"\xa1\xdf", b"\xa1\x56", b"\xa1\x58", b"\xa1\x5a", b"\xa2\x77", b"\xa1\x45"):
        assert parse_plate((b"ABC" + code + b"1235").decode("cp950")) == Plate("ABC1235", 3)


def test_the_dash_is_kept_where_one_was_typed_between_two_parts() -> None:
    typed = {"AB-1235": 2, "ABC--1235": 3, "AB1235": None, "-AB1235": None, "AB1235-": None, "AB-12-35": None}
    assert {text: parse_plate(text).dash_after for text in typed} == typed


def test_a_foreign_plate_is_shown_with_its_own_dash_and_an_impossible_dash_is_not() -> None:
    assert Plate("WN51ABX", 4).display == "WN51-ABX" and Plate("WN51ABX").display == "WN51ABX"
    assert Plate("WN51ABX", 0).display == Plate("WN51ABX", 7).display == "WN51ABX"


@pytest.mark.parametrize(
    ("typed", "reference", "suggestions"),
    [
        ("1BC-1235", "plate-impossible", ("JBC1235",)), ("ABC-123S", "plate-impossible", ("ABC1235",)),
        ("AB8-12B5", "plate-impossible", ("ABB1285",)), ("018-1235", None, ()), ("IOI-1235", "plate-impossible", ("JQJ1235",)),
        ("AB9-1235", "plate-impossible", ()),  # nothing looks like a 9 that is a letter
        ("ABC-12X5", "plate-impossible", ()), ("ABC-1244", "plate-impossible", ("ABC1299",)),
        ("ABC-SSSS", None, ()),  # four faults: it is something else, and odd
        ("AB-01235", None, ()), ("AB01235", None, ()),
    ],
)  # fmt: skip
def test_an_impossible_sign_of_todays_series_is_refused_with_the_nearest_form_where_there_is_one(
    typed: str, reference: str | None, suggestions: tuple[str, ...]
) -> None:
    inspection = inspect_plate(typed)
    assert (inspection.reference, inspection.suggestions) == (reference, suggestions)
    assert (inspection.refusal is None) == (reference is None) == (inspection.plate is not None)


def test_the_places_at_fault_are_named_from_one() -> None:
    said = inspect_plate("AB0-1245").refusal or ""
    assert "'0' at place 3 stands in a letter place" in said and "'4' at place 6 does not occur" in said
    assert "ABD-1295" in said
    assert "'I' at place 1 does not occur" in (inspect_plate("IBC-1235").refusal or "")
    assert "'B' at place 7 stands in a digit place" in (inspect_plate("ABC-123B").refusal or "")


def test_a_pattern_counts_what_is_given_and_has_the_same_bounds_as_a_plate() -> None:
    assert [parse_pattern(typed).literals for typed in ("ABC-1235", "A?C*", "***", "??")] == [7, 2, 0, 0]
    assert [parse_pattern(typed).exact for typed in ("ABC-1235", "ABC?235", "ABC*")] == [True, False, False]
    assert parse_pattern("＊a**b＊").text == "*A*B*"
    assert parse_pattern("?" * LENGTH_MAX + "*") and refusal("?" * (LENGTH_MAX + 1), parse_pattern)[0] == "plate-length"
    assert refusal("", parse_pattern)[0] == refusal(" - ", parse_pattern)[0] == "plate-empty"
    assert refusal("車*", parse_pattern)[0] == "plate-other-script"


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("A?C", "ABC", "AC"),
        ("A?C", "A1C", "ABBC"),
        ("A*C", "AC", "ACX"),
        ("A*C", "ABBC", "XAC"),
        ("ABC", "ABC", "ABC1"),
    ],
)
def test_a_question_mark_is_one_sign_and_a_star_any_number(pattern: str, yes: str, no: str) -> None:
    assert parse_pattern(pattern).matches(yes) and not parse_pattern(pattern).matches(no)


def test_packed_numbers_are_ordered_by_length_and_take_twelve_signs_at_most() -> None:
    assert pack_plate("0") == 1 and pack_plate("Z") == 36 and pack_plate("00") == 38
    assert pack_plate("ZZ") < pack_plate("000") and pack_plate("Z" * 12) < 2**63
    for text in ("A" * 13, "a", "A-1", "Ａ"):
        with pytest.raises(ValueError):
            pack_plate(text)


@pytest.mark.parametrize(
    ("first", "classes"),
    [
        ("A", ["car"]), ("B", ["car"]), ("C", ["car"]), ("R", ["rental"]), ("T", ["taxi"]),
        ("E", ["electric_car", "electric_motorcycle"]), ("M", ["motorcycle"]), ("N", ["motorcycle"]),
        ("L", ["large_motorcycle"]), ("Q", ["light_motorcycle"]), ("W", ["accessible"]),
        *((letter, ["heavy"]) for letter in "KFPHJ"),
    ],
)  # fmt: skip
def test_the_first_letter_of_todays_series_says_the_class(first: str, classes: list[str]) -> None:
    assert [one.value for one in classes_of(f"{first}BC1235")] == classes


def test_a_letter_that_no_source_names_leaves_every_class_but_the_small_electric_ones() -> None:
    assert set(classes_of("DBC1235")) == set(VehicleClass) - {VehicleClass.MICRO_ELECTRIC}


def test_without_a_dash_an_ambiguous_number_may_be_all_that_it_fits_and_a_dash_leaves_what_it_says() -> None:
    assert series_of("AB0123")[0].id == "1992-car-2+4"
    assert series_of("MR2771", 3)[0].dash_after == 3 and series_of("MR2771")[0].dash_after == 2
    both = classes_of("MR2771")
    assert VehicleClass.CAR in both and VehicleClass.MOTORCYCLE in both
    assert VehicleClass.CAR not in classes_of("MR2771", 3) and VehicleClass.MOTORCYCLE not in classes_of("MR2771", 2)
    assert classes_of("MR2771", 5) == series_of("MR2771")[0].classes, "a dash where none can be says nothing"
    assert series_of("????") == classes_of("????") == ()


@pytest.mark.parametrize("text", ["ABO1235", "ABI1235", "ABC1234", "IBC1235", "A1C1235"])
def test_signs_that_todays_series_leaves_out_do_not_fit_it(text: str) -> None:
    assert not SERIES[0].fits(text)
