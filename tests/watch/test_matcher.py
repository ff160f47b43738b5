"""The matcher: two strengths, twins with a reason, entries that have ended."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.plate import ALPHABET, CONFUSABLE, pack_plate
from guardian.domain.read import DOUBTFUL_PROB, Alternative, Read
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


def test_no_reader_is_surer_than_one_in_a_hundred() -> None:
    (match,) = Matcher([entry("BKD8869")], likelihood_min=0.001).match("8KD8869", (1.0,) * 7, at_ms=0)
    assert match.likelihood_prob == pytest.approx(0.01 * CONFUSABLE["8"]["B"], abs=1e-4)


def test_what_counts_is_what_stands_where_this_was_read_and_not_the_other_way_round() -> None:
    one, other = max(
        ((a, b) for a in CONFUSABLE for b in CONFUSABLE[a] if CONFUSABLE[b][a] > 0),
        key=lambda pair: CONFUSABLE[pair[0]][pair[1]] - CONFUSABLE[pair[1]][pair[0]],
    )
    assert CONFUSABLE[one][other] > 1.3 * CONFUSABLE[other][one], "the measured table is not symmetric"
    for read, true in ((one, other), (other, one)):
        matcher = Matcher([entry(f"{true}KD8869")], likelihood_min=0.0001)
        (match,) = matcher.match(f"{read}KD8869", (0.5, *(1.0,) * 6), at_ms=0)
        assert match.likelihood_prob == pytest.approx(0.5 * CONFUSABLE[read][true], abs=1e-4)


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


def test_the_likelihood_of_the_same_text_is_that_of_all_its_characters_together() -> None:
    matcher = Matcher([entry("ABC1235")])

    def likelihood(*probs: float) -> float:
        (match,) = matcher.match("ABC1235", probs, at_ms=0)
        return match.likelihood_prob

    assert likelihood(0.9, 0.9, *(1.0,) * 5) == pytest.approx(0.81)
    assert likelihood(0.9, 0.9, *(1.0,) * 5, 0.1, 0.1) == pytest.approx(0.81), "padding counted"
    assert likelihood(*(1.5,) * 7) == 1.0 and likelihood() == 1.0
    assert likelihood(-0.5, *(1.0,) * 6) == 0.0 and likelihood(float("nan"), *(1.0,) * 6) == 0.0


def test_exact_comes_before_look_alike_and_the_likelier_look_alike_first() -> None:
    alternatives = ((), (), (), (Alternative("7", 0.3), Alternative("1", 0.95)), (), (), ())
    matcher = Matcher([entry("BKD7012"), entry("BKD1012"), entry("BKD2012")])
    assert found(matcher, "BKD2012", (0.85,) * 7, alternatives) == [
        ("BKD2012", "exact"), ("BKD1012", "lookalike"), ("BKD7012", "lookalike"),
    ]  # fmt: skip


def test_a_twin_that_can_be_made_in_two_ways_has_the_greater_likelihood() -> None:
    matcher = Matcher([entry("BKD7012")])
    doubtful = (1.0, 1.0, 1.0, 0.1, 1.0, 1.0, 1.0)
    by_confusion = 0.9 * CONFUSABLE["2"]["7"]
    for own, told in ((0.05, by_confusion), (0.47, 0.47)):
        (match,) = matcher.match("BKD2012", doubtful, ((), (), (), (Alternative("7", own),)), at_ms=0)
        assert match.likelihood_prob == pytest.approx(told, abs=1e-4)


def test_a_figure_that_is_no_number_is_doubt_not_certainty() -> None:
    assert found(Matcher([entry("BKD8869")]), "8KD8869", (float("nan"), *(1.0,) * 6)) == [("BKD8869", "lookalike")]


def test_a_good_new_number_has_not_gained_a_character() -> None:
    assert found(Matcher([entry("BKD886")]), "BKD8869", (0.99,) * 7) == []


def test_an_entry_whose_text_is_no_plate_is_never_found() -> None:
    matcher = Matcher([entry("ABC-1235"), entry("A" * 13), entry("BKD8869")])
    for text in ("abc1235", "ABC-1235", "A" * 13, "?"):
        assert matcher.match(text, at_ms=0) == [] and matcher.match_exact([text], at_ms=0).tolist() == [-1]
    assert found(matcher, "BKD8869") == [("BKD8869", "exact")]


def test_the_next_entry_of_a_text_that_is_in_force_is_the_most_urgent_of_those() -> None:
    matcher = Matcher(
        [entry("ABC1235", "gone", expires_ms=99, priority=Priority.URGENT), entry("ABC1235", "b", expires_ms=100),
         entry("ABC1235", "c", priority=Priority.NOTICE)]
    )  # fmt: skip
    rows = [int(matcher.match_exact(["ABC1235"], at_ms=at_ms)[0]) for at_ms in (99, 100, 101)]
    assert [matcher.entry_at(row).id for row in rows] == ["gone", "b", "c"]


def test_each_read_of_a_batch_is_matched_by_its_own_moment_its_own_figures_and_its_own_alternatives() -> None:
    def read(text: str, captured_ms: int, probs: tuple[float, ...] = (0.99,) * 7, alternatives=()) -> Read:
        return Read(
            device_id="car-1", boot=1, sequence=1, captured_ms=captured_ms, text=text, raw_text=text,
            char_probs=probs, confidence_prob=min(probs), alternatives=alternatives,
        )  # fmt: skip

    matcher = Matcher([entry("ABC1235", expires_ms=100), entry("BKD8869")])
    reads = [
        read("ABC1235", 100), read("ABC1235", 101), read("BKD8869", 0, (0.99, 0.99, 0.99, 0.31, 0.99, 0.99, 0.99)),
        read("BKD8069", 0, alternatives=((), (), (), (), (Alternative("8", 0.4),))), read("BKD8869", 0),
    ]  # fmt: skip
    told = [[(m.entry_id, m.strength.value) for m in matches] for matches in matcher.match_many(reads)]
    assert told == [
        [("ABC1235", "exact")],
        [],
        [("BKD8869", "lookalike")],
        [("BKD8869", "lookalike")],
        [("BKD8869", "exact")],
    ]


def test_lists_and_batches_longer_than_one_piece_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.watch.matcher._CHUNK_EXACT", 3)
    monkeypatch.setattr("guardian.watch.matcher._CHUNK", 2)
    listed = [f"BKD{n}869" for n in range(8)]
    matcher = Matcher([entry(text) for text in listed])
    assert matcher.match_exact(listed, at_ms=0).tolist() == list(range(8))
    assert [matches[0].entry_id for matches in matcher.match_texts(listed, at_ms=0)] == listed
    reads = [
        Read(device_id="car-1", boot=1, sequence=n, captured_ms=0, text=text, raw_text=text, char_probs=(0.999,) * 7,
             confidence_prob=0.999)
        for n, text in enumerate(listed)
    ]  # fmt: skip
    assert [[m.entry_id for m in matches] for matches in matcher.match_many(reads)] == [[text] for text in listed]


@pytest.mark.parametrize(
    ("place", "alternative", "listed"),
    [
        (3, Alternative("7", LIKELIHOOD_MIN * 0.9), "BKD7869"),  # less likely than an ordinary misreading
        (0, Alternative("-", 0.5), "KD8869"),  # no sign of a plate: nothing instead of a character is a shorter text
        (3, Alternative("", 0.5), "BKD0869"),
        (3, Alternative("70", 0.5), "BKD7869"),
    ],
)
def test_an_alternative_that_is_unlikely_or_no_sign_of_a_plate_is_left_out(
    place: int, alternative: Alternative, listed: str
) -> None:
    alternatives = (*[()] * place, (alternative,))
    assert found(Matcher([entry(listed)]), "BKD8869", (1.0,) * 7, alternatives) == []


def test_an_alternative_counts_at_most_whole_and_none_counts_past_the_text() -> None:
    matcher = Matcher([entry("BKD7869")])
    (match,) = matcher.match("BKD8869", (1.0,) * 7, (*[()] * 3, (Alternative("7", 1.7),)), at_ms=0)
    assert match.likelihood_prob == 1.0
    assert matcher.match("BKD8869", (1.0,) * 7, (*[()] * 30, (Alternative("7", 0.5),)), at_ms=0) == []


def test_two_characters_of_one_read_are_changed_together_whatever_stands_beside_it_in_the_batch() -> None:
    read = Read(
        device_id="car-1", boot=1, sequence=1, captured_ms=0, text="8KD8B69", raw_text="8KD8B69",
        char_probs=(1.0, 1.0, 1.0, 1.0, 0.4, 1.0, 1.0), confidence_prob=0.4, alternatives=((Alternative("B", 0.5),),),
    )  # fmt: skip
    for told in Matcher([entry("BKD8869")]).match_many([read] * 5):
        assert [(m.entry_id, m.differing) for m in told] == [("BKD8869", (0, 4))]


A_HALF = (Alternative("A", 0.5),)


def test_two_changes_are_told_with_both_chances_together_and_only_where_that_is_enough() -> None:
    matcher = Matcher([entry("AAD8869")])
    (match,) = matcher.match("BKD8869", (1.0,) * 7, (A_HALF, A_HALF), at_ms=0)
    assert (match.likelihood_prob, match.differing) == (0.25, (0, 1))
    a_tenth = (Alternative("A", 0.1),)
    assert matcher.match("BKD8869", (1.0,) * 7, (a_tenth, a_tenth), at_ms=0) == [], "0.01 of both is too little"


def test_two_alternatives_of_one_place_or_of_two_reads_never_add_up_to_a_third_text() -> None:
    matcher = Matcher([entry("BKDH869"), entry("AAD8869")])
    a_and_c = (Alternative("A", 0.5), Alternative("C", 0.5))  # 5 → A and 5 → C, both steps at once, would be H
    assert matcher.match("BKD5869", (1.0,) * 7, ((), (), (), a_and_c), at_ms=0) == []

    def read(*alternatives: tuple[Alternative, ...]) -> Read:
        return Read(
            device_id="car-1", boot=1, sequence=1, captured_ms=0, text="BKD8869", raw_text="BKD8869",
            char_probs=(1.0,) * 7, confidence_prob=1.0, alternatives=alternatives,
        )  # fmt: skip

    assert matcher.match_many([read(A_HALF), read((), A_HALF, A_HALF)]) == [[], []]


@pytest.mark.parametrize(
    ("read", "listed", "likelihood", "doubtful_place"),
    [
        ("BKD88695", "BKD8869", 0.03, None),  # something at the end taken for a character
        ("1BKD8869", "BKD8869", 0.03, None),  # or at the front
        ("BKD88569", "BKD8869", 0.02, None),  # or inside
        ("BKDD8869", "BKD8869", 0.10, None),  # one character read twice
        ("BKD88695", "BKD8869", 0.09, 7),  # a character in doubt is the likelier to be none
        ("BKD88569", "BKD8869", 0.06, 5),
        ("BKDD8869", "BKD8869", 0.30, 2),
        ("BKD88695", "BKD8869", 0.03, 3),  # a doubt elsewhere says nothing of this place
        ("BK886", "BK8869", 0.0, None),  # fits a series and has rarely lost one
        ("BKDA86", "BKDAA86", 0.10, None),  # of two alike one was read
        ("BKDA86", "BKDA869", 0.03, None),
        ("BKDA86", "1BKDA86", 0.03, None),
        ("BKDA86", "BKDAZ86", 0.02, None),
        ("B1K", "B1", 0.03, None),
        ("B1", "B1K", 0.03, None),
        ("B1", "B", 0.0, None),  # one character is no plate
        ("B", "B1", 0.0, None),
    ],
)
def test_a_lost_or_gained_character_is_as_likely_as_its_place_and_its_doubt_make_it(
    read: str, listed: str, likelihood: float, doubtful_place: int | None
) -> None:
    probs = tuple(0.5 if place == doubtful_place else 0.9 for place in range(len(read)))
    matches = Matcher([entry(listed)]).match(read, probs, at_ms=0)
    assert [m.likelihood_prob for m in matches] == ([pytest.approx(likelihood, abs=1e-4)] if likelihood else [])


def test_a_text_that_only_falls_into_a_taken_place_of_the_table_is_not_found() -> None:
    matcher = Matcher([entry(f"ABC{n:04d}") for n in range(1000)])
    others = [f"XYZ{n:04d}" for n in range(5000)]  # one in sixteen of them passes the table
    assert set(matcher.match_exact(others, at_ms=0).tolist()) == {-1}
    assert not any(matcher.match_texts(others[:500], at_ms=0))
