"""Areas by the name that people type."""

from __future__ import annotations

import pytest

from guardian.domain.errors import InputRefusedError
from guardian.roads.areas import NamedArea, NamedAreas, default_areas

SQUARE = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)),)
OTHER = (((5.0, 5.0), (6.0, 5.0), (6.0, 6.0), (5.0, 5.0)),)


def test_both_ways_to_write_tai_and_a_county_before_the_name_mean_one_area() -> None:
    areas = default_areas()
    own = areas.find("大安區")
    assert areas.find("台北市大安區") == areas.find(" 臺北市 大安區 ") == own
    assert areas.find("臺北市") == areas.find("台北市") != own


def test_a_name_that_several_have_is_refused_with_their_whole_names() -> None:
    areas = NamedAreas([NamedArea("東區", "甲市", "town", SQUARE), NamedArea("東區", "乙市", "town", OTHER)])
    with pytest.raises(InputRefusedError) as refused:
        areas.find("東區")
    assert (refused.value.reference, "乙市東區, 甲市東區" in refused.value.hint) == ("area-ambiguous", True)
    assert areas.find("乙市東區") == OTHER


def test_the_larger_area_of_a_name_comes_first() -> None:
    areas = NamedAreas([NamedArea("中興", "甲市", "village", SQUARE), NamedArea("中興", "甲市", "town", OTHER)])
    assert areas.find("中興") == OTHER


def test_an_unknown_name_says_what_to_do() -> None:
    with pytest.raises(InputRefusedError) as refused:
        default_areas().find("亞特蘭提斯")
    assert refused.value.reference == "area-unknown"
