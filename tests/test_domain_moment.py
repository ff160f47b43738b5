"""Moments and positions: spellings of one instant, days of the Republic, distances."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.errors import InputRefusedError
from guardian.domain.moment import TAIPEI, end_of_day_ms, format_instant, parse_day, parse_instant
from guardian.domain.position import Position, bearing_deg, distance_m

instants = st.integers(0, 4_102_444_799_999)


@given(instants, st.sampled_from([None, TAIPEI]))
def test_an_instant_written_is_read_back(ms: int, zone) -> None:  # type: ignore[no-untyped-def]
    text = format_instant(ms) if zone is None else format_instant(ms, zone=zone)
    assert parse_instant(text) == ms


def test_all_spellings_are_one_instant() -> None:
    want = parse_instant("2026-11-25T02:10:00Z")
    for text in ("2026-11-25T10:10:00+08:00", "2026-11-25 10:10:00.000+0800", "2026-11-25T02:10:00.000000000Z"):
        assert parse_instant(text) == want
    assert parse_instant("2026-11-25T10:10:00", zone=TAIPEI) == want
    with pytest.raises(InputRefusedError):
        parse_instant("2026-11-25T10:10:00")


def test_days_of_the_republic_are_understood() -> None:
    for text in ("113/02/29", "1130229", "民國113年2月29日"):
        assert parse_day(text) == date(2024, 2, 29)
    assert parse_day("99/12/31") == date(2010, 12, 31)
    assert parse_day("2026-12-31") == date(2026, 12, 31)
    for text, reference in (("115/02/29", "no-such-day"), ("12/31/2026", "unclear-date")):
        with pytest.raises(InputRefusedError) as caught:
            parse_day(text)
        assert caught.value.reference == reference


def test_a_day_counts_to_its_end_in_taipei() -> None:
    end = end_of_day_ms(date(2026, 12, 31))
    assert parse_instant("2026-12-31T23:30:00+08:00") <= end < parse_instant("2027-01-01T00:10:00+08:00")
    assert format_instant(end, zone=TAIPEI) == "2026-12-31T23:59:59.999+08:00"


coordinates = st.tuples(st.floats(21, 26), st.floats(118, 123))


@given(coordinates, coordinates)
def test_distance_is_symmetric_and_never_negative(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert distance_m(*a, *b) == pytest.approx(distance_m(*b, *a))
    assert distance_m(*a, *a) == 0
    assert 0 <= bearing_deg(*a, *b) < 360


def test_one_degree_of_latitude_is_111_km() -> None:
    assert distance_m(24, 121, 25, 121) == pytest.approx(111_195, rel=1e-3)


def test_no_fix_is_not_zero() -> None:
    assert Position(0.0, 0.0, 0).problem()
    assert Position(200.0, 121.0, 0).problem()
    assert Position(float("nan"), 121.0, 0).problem()
    assert Position(25.03, 121.54, 0).problem() is None
