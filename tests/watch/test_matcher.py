"""The matcher: two strengths, twins with a reason, entries that have ended."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.plate import ALPHABET, CONFUSABLE, pack_plate
from guardian.domain.read import DOUBTFUL_PROB, Alternative
from guardian.domain.watch import Category, MatchStrength, Priority, WatchEntry
from guardian.watch.matcher import LIKELIHOOD_MIN, MATCHES_MAX, Matcher, differing_places
from guardian.watch.packing import pack_texts

texts = st.text(ALPHABET, min_size=2, max_size=10)


def entry(text: str, id: str = "", *, expires_ms: int | None = None, priority: Priority = Priority.HIGH) -> WatchEntry:
    return WatchEntry(id=id or text, text=text, category=Category.STOLEN, expires_ms=expires_ms, priority=priority)


def found(matcher: Matcher, text: str, probs: tuple[float, ...] = (), alternatives=(), at_ms: int = 0):
    return [(m.entry_id, m.strength.value) for m in matcher.match(text, probs, alternatives, at_ms=at_ms)]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(max_codepoint=0x2FF), max_size=14), max_size=30))
def test_many_texts_pack_as_one_text_does(many: list[str]) -> None:
    expected = [pack_plate(t) if t and len(t) <= 12 and all(s in ALPHABET for s in t) else 0 for t in many]
    assert pack_texts(many).tolist() == expected


@settings(deadline=None)
@given(st.sets(texts, min_size=1, max_size=40), st.lists(texts, max_size=20))
def test_exact_finds_every_entry_and_nothing_else(listed: set[str], others: list[str]) -> None:
    entries = [entry(t) for t in sorted(listed)]
    matcher = Matcher(entries)
    asked = [*(e.text for e in entries), *others]
    rows = matcher.match_exact(asked, at_ms=0)
    assert [None if row < 0 else entries[row].text for row in rows] == [t if t in listed else None for t in asked]


def test_the_most_urgent_entry_of_a_text_is_found_first_and_all_are_told() -> None:
    matcher = Matcher(
        [entry("ABC1235", "a", priority=Priority.NOTICE), entry("ABC1235", "b", priority=Priority.URGENT)]
    )
    assert matcher.entry_at(int(matcher.match_exact(["ABC1235"], at_ms=0)[0])).id == "b"
    assert found(matcher, "ABC1235") == [("b", "exact"), ("a", "exact")]


def test_an_entry_counts_to_its_last_millisecond_and_the_next_one_of_its_text_takes_over() -> None:
    matcher = Matcher([entry("ABC1235", "a", expires_ms=100, priority=Priority.URGENT), entry("ABC1235", "b")])
    assert found(matcher, "ABC1235", at_ms=100) == [("a", "exact"), ("b", "exact")]
    assert found(matcher, "ABC1235", at_ms=101) == [("b", "exact")]
    assert matcher.match_exact(["ABC1235"], at_ms=100).tolist() == [0]
    assert matcher.match_exact(["ABC1235"], at_ms=101).tolist() == [1]


def test_the_same_text_on_a_doubtful_character_is_a_look_alike() -> None:
    matcher = Matcher([entry("BKD8869")])
    assert found(matcher, "BKD8869", (0.99,) * 7) == [("BKD8869", "exact")]
    assert found(matcher, "BKD8869", (0.99, 0.99, 0.99, 0.31, 0.99, 0.99, 0.99)) == [("BKD8869", "lookalike")]
    assert found(matcher, "BKD8869", (*(DOUBTFUL_PROB,) * 7, 0.0, 0.0)) == [("BKD8869", "exact")], "padding counted"


def test_a_read_that_is_sure_of_itself_has_no_look_alikes() -> None:
    matcher = Matcher([entry("BKD8869")])
    assert found(matcher, "8KD8869", (0.999,) * 7) == []
    assert found(matcher, "8KD8869", (0.9, *(0.999,) * 6)) == [("BKD8869", "lookalike")]


def test_a_place_in_doubt_does_not_make_another_place_doubtful() -> None:
    assert found(Matcher([entry("BKD8869")]), "8KD8869", (*(0.999,) * 6, 0.3)) == []


def test_the_readers_own_alternative_counts_with_its_own_figure() -> None:
    alternatives = ((), (), (), (Alternative("7", 0.47),), (), (), ())
    matches = Matcher([entry("BKD7012")]).match("BKD2012", (1.0,) * 7, alternatives, at_ms=0)
    assert [(m.likelihood_prob, m.differing) for m in matches] == [(0.47, (3,))]


def test_two_characters_wrong_need_doubt_at_both() -> None:
    matcher = Matcher([entry("BKD8869")])
    assert found(matcher, "8KD8B69", (0.4, 0.99, 0.99, 0.99, 0.4, 0.99, 0.99)) == [("BKD8869", "lookalike")]
    assert found(matcher, "8KD8B69", (0.4, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99)) == []


@pytest.mark.parametrize(
    ("read", "listed", "differing"),
    [("BKDD8869", "BKD8869", (3,)), ("1BKD8869", "BKD8869", (0,)), ("BKD88695", "BKD8869", (6,)),
     ("AAB1A", "AAB11A", (4,)), ("KD88A", "KD88AB", (5,))],
)  # fmt: skip
def test_a_text_of_no_series_may_have_lost_or_gained_a_character(
    read: str, listed: str, differing: tuple[int, ...]
) -> None:
    matches = Matcher([entry(listed)]).match(read, at_ms=0)
    assert [(m.strength, m.differing) for m in matches] == [(MatchStrength.LOOKALIKE, differing)]


def test_a_good_old_number_is_not_taken_for_a_shortened_new_one() -> None:
    assert found(Matcher([entry("BKD8869")]), "BKD869", (0.99,) * 6) == []


@settings(deadline=None)
@given(texts, st.data())
def test_every_twin_that_is_told_is_likely_enough_and_names_where_it_differs(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    others = CONFUSABLE[text[place]]
    if not others:
        return
    other = data.draw(st.sampled_from(sorted(others)))
    twin = text[:place] + other + text[place + 1 :]
    prob = data.draw(st.floats(0.0, 1.0))
    probs = tuple(prob if i == place else 1.0 for i in range(len(text)))
    matches = Matcher([entry(twin)]).match(text, probs, at_ms=0)
    likelihood = max(1 - prob, 0.01) * others[other]
    if likelihood > LIKELIHOOD_MIN * 1.001:
        assert [(m.entry_text, m.differing) for m in matches] == [(twin, (place,))]
        assert matches[0].likelihood_prob == pytest.approx(likelihood, abs=2e-4)
    elif likelihood < LIKELIHOOD_MIN * 0.999:
        assert matches == []


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=30), st.lists(texts, max_size=30, unique=True))
def test_a_batch_says_what_one_by_one_says(asked: list[str], listed: list[str]) -> None:
    matcher = Matcher([entry(t) for t in listed], likelihood_min=0.005)
    assert matcher.match_texts(asked, at_ms=0) == [matcher.match(t, at_ms=0) for t in asked]


def test_what_one_read_may_mean_is_bounded() -> None:
    alternatives = (*[()] * 3, tuple(Alternative(s, 0.1) for s in "012356789" if s != "8"), *[()] * 3)
    matcher = Matcher([entry(f"BKD{a}869", f"{a}-{n}") for a in "012356789" for n in range(3)])
    matches = matcher.match("BKD8869", (1.0,) * 7, alternatives, at_ms=0)
    assert len(matches) == MATCHES_MAX
    assert [m.strength.value for m in matches[:4]] == ["exact"] * 3 + ["lookalike"]


def test_an_empty_list_and_broken_input_match_nothing() -> None:
    assert Matcher([]).match("ABC1235", at_ms=0) == []
    matcher = Matcher([entry("ABC1235")])
    for text in ("", "ABC-1235", "abc1235", "ＡＢＣ１２３５", "A" * 40, "ABC\n1235"):
        assert matcher.match(text, at_ms=0) == []
    assert found(matcher, "ABC1235", (float("nan"),) * 7) == [("ABC1235", "lookalike")]
    assert found(matcher, "ABC1235", (0.99,) * 3) == [("ABC1235", "exact")]


def test_the_arrays_take_at_most_24_bytes_an_entry() -> None:
    rng = np.random.default_rng(1)
    signs = np.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ"))
    count = 70_000  # just above a power of two: the worst case of the bit table
    letters = ["".join(row) for row in rng.choice(signs, (count, 3))]
    entries = [entry(f"{a}{n:04d}", str(i), expires_ms=10**12) for i, (a, n) in enumerate(
        zip(letters, rng.integers(0, 10_000, count), strict=True))]  # fmt: skip
    assert Matcher(entries).array_bytes / count <= 24
    assert differing_places("ABC", "ABD") == (2,)
