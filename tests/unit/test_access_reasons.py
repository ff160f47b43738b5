"""Each bound of a reason by itself: what stands just on this side of it, and what just on the other."""

from __future__ import annotations

import pytest

from guardian.access.reasons import ReasonError, check_case_number, check_purpose, visible

LONGEST = "追查肇事逃逸車輛".ljust(200, "甲")


@pytest.mark.parametrize("blank", ["\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u200b", "\t", "　", "  "])
def test_what_shows_as_nothing_counts_as_one_space(blank: str) -> None:
    assert visible(f"{blank}追查{blank}{blank}竊嫌{blank}") == "追查 竊嫌"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("追查竊嫌", "four Chinese characters, all different"),
        ("追查ABC竊案", "mostly Chinese"),
        ("㐂㛢㐁尋", "names have rare characters"),
        ("hit a bike", "eight letters"),
        ("robbery 24", "figures count as letters do"),
        (LONGEST, "as long as may be"),
    ],
)
def test_a_purpose_that_says_just_enough_passes(typed: str, why: str) -> None:
    assert check_purpose(typed) == typed, why


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("追查竊", "three characters"),
        ("甲乙丙甲乙乙", "only three different ones"),
        ("hit a car", "seven letters"),
        ("rob, 24.", "few letters, however many signs"),
        ("hitandrundriver", "one word"),
        ("Official Use", "a vague one, however it is written"),
        ("追查竊嫌追查竊嫌", "the same twice"),
        (LONGEST + "甲", "too long"),
    ],
)
def test_a_purpose_that_says_just_too_little_is_refused(typed: str, why: str) -> None:
    with pytest.raises(ReasonError) as caught:
        check_purpose(typed)
    assert caught.value.reference == "purpose-vague", why


@pytest.mark.parametrize("typed", ["1132", "A-1132", "11-23456", "X" * 56 + "1132"])
def test_a_case_number_of_four_figures_and_at_most_sixty_characters_passes(typed: str) -> None:
    assert check_case_number(typed) == typed


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("X" * 57 + "1132", "61 characters"),
        ("A-110", "three figures"),
        ("1111", "one figure alone"),
        ("2345", "counting up"),
        ("67890", "counting up over nine"),
        ("8765", "counting down"),
        ("113-2;", "signs of another trade"),
        ("1132?", "signs that are no number's"),
    ],
)
def test_a_case_number_that_says_just_too_little_is_refused(typed: str, why: str) -> None:
    with pytest.raises(ReasonError) as caught:
        check_case_number(typed)
    assert caught.value.reference == "case-form", why
