"""From what is typed to an entry: words, bounds, days, and what is odd about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from guardian.domain.moment import end_of_day_ms, parse_day
from guardian.domain.watch import CATEGORY_WORDS, DEFAULT_PRIORITY, Category, Priority
from guardian.watch.drafts import (
    LONG_CHARS_MAX,
    SHORT_CHARS_MAX,
    EntryRefusedError,
    draft_entry,
    is_twin,
    parse_category,
    parse_priority,
    parse_silent,
)
from guardian.watch.views import EntryDraft

NOW_MS = 1_795_600_000_000


def draft(plate: str = "ABC-1235", category: str = "失竊", *, now_ms: int = NOW_MS, **more: object):  # type: ignore[no-untyped-def]
    return draft_entry(EntryDraft(plate, category, **more), entry_id="e1", now_ms=now_ms)  # type: ignore[arg-type]


def refusal(attempt: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(EntryRefusedError) as caught:
        attempt()
    assert caught.value.zh and caught.value.zh_hint and caught.value.sentence
    return caught.value.column, caught.value.reference


@pytest.mark.parametrize("category", list(Category))
def test_a_category_is_known_by_each_of_its_words_in_any_case(category: Category) -> None:
    for word in (*CATEGORY_WORDS[category], category.value, category.value.upper(), category.value.lower()):
        assert parse_category(f" {word} ") is category


def test_what_is_no_category_priority_or_yes_is_refused_and_never_guessed() -> None:
    assert (
        refusal(lambda: parse_category(""))
        == refusal(lambda: parse_category("不知道"))
        == ("category", "entry-category")
    )
    assert refusal(lambda: parse_priority("4")) == ("priority", "entry-priority")
    assert refusal(lambda: parse_silent("也許")) == ("silent", "entry-silent")
    assert refusal(lambda: draft(priority=7)) == ("priority", "entry-priority")


def test_priorities_and_yes_and_no_are_read_as_people_write_them() -> None:
    said = {"緊急": 1, "優先": 2, "一般": 3, "1": 1, "2": 2, "3": 3, " URGENT ": 1, "High": 2, "notice": 3}
    assert {word: int(parse_priority(word) or 0) for word in said} == said
    assert parse_priority(" ") is None
    assert all(parse_silent(word) for word in ("是", "靜默", "y", "Yes", " TRUE ", "1", "V"))
    assert not any(parse_silent(word) for word in ("", " ", "否", "N", "no", "False", "0"))


@pytest.mark.parametrize("category", list(Category))
def test_without_a_priority_of_its_own_an_entry_has_that_of_its_category(category: Category) -> None:
    assert draft(category=category.value).entry.priority is DEFAULT_PRIORITY[category]
    assert draft(category=category.value, priority=3).entry.priority is Priority.NOTICE


@pytest.mark.parametrize(
    ("field", "chars_max"),
    [("reason", LONG_CHARS_MAX), ("remark", LONG_CHARS_MAX)]
    + [(name, SHORT_CHARS_MAX) for name in ("case_number", "source", "colour", "kind", "make", "warning")],
)
def test_each_text_has_its_bound_and_is_kept_without_spaces_around_it(field: str, chars_max: int) -> None:
    assert getattr(draft(**{field: f"  {'字' * chars_max} "}).entry, field) == "字" * chars_max
    assert getattr(draft(**{field: " \u3000"}).entry, field) == ""
    assert refusal(lambda: draft(**{field: "字" * (chars_max + 1)})) == (field, "text-too-long")
    assert refusal(lambda: draft(**{field: "a\x00b"})) == (field, "text-has-nul")
    assert refusal(lambda: draft(**{field: "a\ud800b"})) == (field, "text-not-unicode")


def test_an_entry_counts_through_its_last_day_and_is_odd_only_after_it() -> None:
    last_ms = end_of_day_ms(parse_day("2026-11-25"))
    drafted = draft(expires="115/11/25", now_ms=last_ms)
    assert (drafted.entry.expires_ms, drafted.warning) == (last_ms, "")
    ended = draft(expires="2026-11-25", now_ms=last_ms + 1)
    assert "2026-11-25" in ended.warning and "2026-11-25" in ended.warning_zh
    assert draft().entry.expires_ms is None
    assert refusal(lambda: draft(expires="2026-02-30")) == ("expires", "no-such-day")
    assert refusal(lambda: draft(expires="12/31/2026")) == ("expires", "unclear-date")


def test_a_foreign_plate_is_entered_and_said_to_be_odd() -> None:
    drafted = draft("WN51ABX")
    assert drafted.entry.text == "WN51ABX" and drafted.warning and "WN51ABX" in drafted.warning_zh
    assert draft().warning == draft().warning_zh == ""


def test_twins_differ_in_exactly_one_character_that_readers_mix_up() -> None:
    assert is_twin("ABC1238", "ABC123B")
    assert not is_twin("ABC1238", "ABC1238"), "the same is no twin"
    assert not is_twin("ABC1238", "ABC1234"), "nobody takes 8 for 4"
    assert not is_twin("8BC1238", "BBC123B"), "two differ"
    assert not is_twin("ABC1238", "ABC123"), "one is shorter"
