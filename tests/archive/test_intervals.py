"""Interval sets: any order and any duplication of numbers give the same set, and each number is fresh once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardian.archive.intervals import IntervalSet

Numbers = st.lists(st.integers(0, 60), max_size=40)


@given(st.lists(Numbers, max_size=8))
def test_each_number_is_fresh_exactly_once(groups: list[list[int]]) -> None:
    spans, given_fresh = IntervalSet(), []
    for group in groups:
        given_fresh += sorted(spans.add(group))
    every = {number for group in groups for number in group}
    assert sorted(given_fresh) == sorted(every)
    assert {n for n in range(-1, 62) if n in spans} == every
    assert len(spans) == len(every)


@given(st.lists(Numbers, max_size=8), st.randoms())
def test_order_and_borders_do_not_matter(groups: list[list[int]], rng) -> None:  # type: ignore[no-untyped-def]
    one, two = IntervalSet(), IntervalSet()
    for group in groups:
        one.add(group)
    flat = [number for group in groups for number in group]
    rng.shuffle(flat)
    for number in flat:
        two.add([number])
    assert one.spans == two.spans
    assert IntervalSet(one.spans).spans == one.spans


@given(st.lists(Numbers, max_size=8))
def test_spans_are_sorted_and_apart(groups: list[list[int]]) -> None:
    spans = IntervalSet()
    for group in groups:
        spans.add(group)
    for (_, last), (first, _) in zip(spans.spans, spans.spans[1:], strict=False):
        assert first > last + 1


def test_a_year_without_gaps_is_one_interval() -> None:
    spans = IntervalSet()
    for first in range(0, 100_000, 1000):
        spans.add(range(first, first + 1000))
    assert spans.spans == [(0, 99_999)]
