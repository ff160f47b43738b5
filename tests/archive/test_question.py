"""What a question means and where it is refused: its bounds, to the millisecond and to the name."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from guardian.archive.area import box_region
from guardian.archive.question import (
    DAY_MS,
    MOMENT_MS_MAX,
    NAME_CHARS_MAX,
    NAMES_MAX,
    WINDOW_DAYS_MAX,
    Cursor,
    Question,
    QuestionTooWideError,
    place_units,
    region_of,
    understand,
)
from guardian.archive.views import Area, SearchRequest
from guardian.domain.errors import InputRefusedError
from guardian.domain.position import Position
from guardian.domain.read import VehicleLook
from tests.archive.builders import NOW_MS, held, make_read

WINDOW_MS = WINDOW_DAYS_MAX * DAY_MS
HSINCHU = {"lat_min": 24.7, "lat_max": 24.9, "lon_min": 120.9, "lon_max": 121.0}


def ask(plate: str = "ABC-1235", **more: Any) -> Question:
    request = SearchRequest(purpose="查尋失竊車輛", case_number="115-0832", plate=plate, **more)
    return understand(request, now_ms=NOW_MS)


def refusal(plate: str = "ABC-1235", **more: Any) -> str:
    with pytest.raises(InputRefusedError) as caught:
        ask(plate, **more)
    assert caught.value.sentence and caught.value.hint
    return caught.value.reference


@pytest.mark.parametrize("name", ["from_ms", "until_ms"])
def test_a_moment_lies_between_1970_and_2100(name: str) -> None:
    for moment in (-1, MOMENT_MS_MAX + 1, -(2**63), 2**63):
        assert refusal(**{name: moment}) == "time-range"
    for moment in (0, MOMENT_MS_MAX):
        assert getattr(ask(**{name: moment}), name) == moment


def test_a_time_ends_after_it_begins() -> None:
    assert refusal(from_ms=5, until_ms=5) == refusal(from_ms=6, until_ms=5) == "time-order"
    assert ask(from_ms=5, until_ms=6)


@pytest.mark.parametrize("name", ["device_ids", "units", "colours", "kinds"])
def test_names_are_bounded_in_number_and_length_and_can_be_printed(name: str) -> None:
    for names in (("x",) * (NAMES_MAX + 1), ("x" * (NAME_CHARS_MAX + 1),), ("good", "a\nb"), ("a\x00",)):
        assert refusal(**{name: names}) == "names-many"
    names = ("x" * NAME_CHARS_MAX,) * NAMES_MAX
    assert getattr(ask(**{name: names}), name) == names


@pytest.mark.parametrize("plate", ["", "*", "A*", "?", "A??????"])
def test_what_narrows_nothing_needs_a_time_of_at_most_a_month_counted_to_now(plate: str) -> None:
    for wide in ({}, {"until_ms": NOW_MS}, {"from_ms": NOW_MS - WINDOW_MS - 1},
                 {"from_ms": 0, "until_ms": WINDOW_MS + 1}):  # fmt: skip
        with pytest.raises(QuestionTooWideError) as caught:
            ask(plate, **wide)
        assert f"{WINDOW_DAYS_MAX} days" in caught.value.hint
    for short in ({"from_ms": NOW_MS - WINDOW_MS}, {"from_ms": 0, "until_ms": WINDOW_MS}):
        assert ask(plate, **short)


def test_two_characters_of_a_plate_narrow_enough() -> None:
    assert ask("AB*").normal == "AB*" and ask("A?B").normal == "A?B"


def test_a_star_alone_is_no_plate_and_question_marks_are_one() -> None:
    short = {"from_ms": NOW_MS - DAY_MS}
    assert ask("*", **short).pattern is None and ask("**", **short).pattern is None
    assert ask("*", lookalike=True, **short).lookalike is False
    shape = ask("???", **short)
    assert shape.fits("ABC") and not shape.fits("ABCD"), "so many characters are asked for"


def test_a_question_is_short_by_its_own_end_or_by_now() -> None:
    assert not ask().is_short(NOW_MS) and not ask(until_ms=NOW_MS).is_short(NOW_MS)
    assert ask(from_ms=NOW_MS - WINDOW_MS).is_short(NOW_MS) and not ask(from_ms=NOW_MS - WINDOW_MS - 1).is_short(NOW_MS)
    assert ask(from_ms=0, until_ms=WINDOW_MS).is_short(NOW_MS), "long ago, and short"
    assert not ask(from_ms=0, until_ms=WINDOW_MS + 1).is_short(NOW_MS)


def test_what_answers_only_by_looking_alike_is_told_from_what_answers_as_asked() -> None:
    question = ask("BKD-8869", lookalike=True)
    assert question.fits("BKD8869") and not question.is_lookalike("BKD8869")
    assert question.fits("8KD8869") and question.is_lookalike("8KD8869")
    assert not ask("BKD-8869").fits("8KD8869")
    wild = ask("BKD-88*", lookalike=True)
    assert wild.fits("8KD8869") and wild.is_lookalike("8KD8869") and not wild.is_lookalike("BKD8812")
    assert not ask("", from_ms=NOW_MS - 1).is_lookalike("BKD8869")


@pytest.mark.parametrize(
    ("asked", "yes", "no"),
    [
        ({"from_ms": NOW_MS}, {"captured_ms": NOW_MS}, {"captured_ms": NOW_MS - 1}),
        ({"until_ms": NOW_MS}, {"captured_ms": NOW_MS - 1}, {"captured_ms": NOW_MS}),
        ({"device_ids": ("car-1", "car-2")}, {"device_id": "car-2"}, {"device_id": "car-3"}),
        ({"units": ("信義 3",)}, {"unit": "信義 3"}, {"unit": ""}),
        ({"colours": ("white",)}, {"look": VehicleLook(colour="white")}, {"look": VehicleLook(kind="white")}),
        ({"kinds": ("car",)}, {"look": VehicleLook(kind="car")}, {"look": VehicleLook(colour="car")}),
        ({"area": Area(**HSINCHU)}, {"position": Position(24.8, 120.96, 0)}, {"position": None}),
        ({"area": Area(**HSINCHU)}, {"position": Position(24.9, 121.0, 0)}, {"position": Position(25.0, 120.96, 0)}),
    ],
)  # fmt: skip
def test_each_part_of_a_question_narrows_by_itself(
    asked: dict[str, Any], yes: dict[str, Any], no: dict[str, Any]
) -> None:
    question = ask(**asked)
    assert question.is_answered_by(held(make_read(**yes)))
    assert not question.is_answered_by(held(make_read(**no)))
    assert not ask("XYZ-9999", **asked).is_answered_by(held(make_read(**yes)))


def test_a_read_whose_time_cannot_be_true_is_asked_for_by_its_receipt() -> None:
    doubtful = held(make_read(captured_ms=5), received_ms=NOW_MS, time_doubtful=True)
    assert ask(from_ms=NOW_MS).is_answered_by(doubtful) and not ask(until_ms=NOW_MS).is_answered_by(doubtful)


def test_a_read_without_a_position_stands_in_no_area_not_even_at_zero() -> None:
    assert place_units(held(make_read(position=Position(24.8, 120.96, 0)))) == (12_096_000, 2_480_000)
    nowhere = place_units(held(make_read(position=None)))
    assert not box_region(-1.0, 25.0, -1.0, 121.0).contains(*nowhere), "a box over 0, 0"


@pytest.mark.parametrize(
    "area",
    [
        Area(24.7, 24.9, 120.9), Area(24.7, 24.9), Area(name=" "), Area(name="新竹市"),
        Area(**HSINCHU, polygon=((120.9, 24.7), (121.0, 24.7), (121.0, 24.9))),
        Area(lat_min=24.7, polygon=((120.9, 24.7), (121.0, 24.7), (121.0, 24.9))),
    ],
)  # fmt: skip
def test_an_area_is_one_thing_whole_or_it_is_none(area: Area) -> None:
    with pytest.raises(InputRefusedError) as caught:
        region_of(area)
    assert caught.value.reference == "area-form"


def test_a_name_beside_a_box_is_only_its_name_and_alone_it_is_the_area() -> None:
    class Names:
        def find(self, typed: str) -> tuple[tuple[tuple[float, float], ...], ...]:
            assert typed == "新竹市"
            return (((120.9, 24.7), (121.0, 24.7), (121.0, 24.9), (120.9, 24.9), (120.9, 24.7)),)

    inside, outside = (12_096_000, 2_480_000), (12_110_000, 2_480_000)
    named = region_of(Area(name="新竹市"), Names())
    assert named.contains(*inside) and not named.contains(*outside)
    assert region_of(Area(**HSINCHU, name="新竹市"), Names()).contains(*inside)
    with pytest.raises(InputRefusedError):
        region_of(Area(lat_min=24.7, name="新竹市"), Names())


def test_a_place_to_go_on_from_is_read_back_and_anything_else_is_refused() -> None:
    cursor = Cursor(NOW_MS, "car-1", 3, 2**40)
    assert Cursor.decode(cursor.encode()) == cursor and "=" not in cursor.encode()
    others = [base64.urlsafe_b64encode(msgspec.msgpack.encode(value)).decode() for value in (["x", 1, 2, 3], [1], 7)]
    for text in ("x", "!!!!!", "車", "AAAA", cursor.encode()[:-3], *others):
        with pytest.raises(InputRefusedError) as caught:
            Cursor.decode(text)
        assert caught.value.reference == "cursor-form"
