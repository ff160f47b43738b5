"""Plates: parsing what people type, display, series, patterns, packing, speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.plate import (
    ALPHABET,
    CONFUSABLE,
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


def test_confusable_is_symmetric_and_never_names_itself() -> None:
    for sign, others in CONFUSABLE.items():
        assert sign not in others
        for other, weight in others.items():
            assert 0 < weight < 1
            assert CONFUSABLE[other][sign] == weight


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
