"""The chance that a hit is true: the base rate decides, what was read and who agrees move it, nobody is certain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.chance import (
    RARITY,
    Checked,
    calibration_of,
    chance_of,
    evidence_of,
    rarity_from,
    right_prob,
    tenths_of,
    truth_prob,
    words_of,
)
from guardian.domain.confused import MEASURED, SURE_EDGES, Group, Measured, Stage, Sure
from guardian.domain.opinion import NotAsked, OpinionVerdict, SecondOpinion, not_asked, opinion_on
from guardian.domain.watch import MatchStrength

EXACT, LOOKALIKE = MatchStrength.EXACT, MatchStrength.LOOKALIKE
READ, LISTED = "BKD2012", "BKD7012"
probs = st.floats(0.0, 1.0)
anything = st.floats(allow_nan=True, allow_infinity=True)
strengths = st.sampled_from(list(MatchStrength))
rarities = st.floats(1e-4, 1e3)


def said(text: str) -> SecondOpinion:
    return opinion_on(READ, text, char_probs=(0.9,) * len(text), reader="ppocr", reader_version="v6-small", crops=1)


def test_the_plans_figures_come_out_of_the_rule() -> None:
    # 28,800 wrong texts a day of which 0.2 % are listed by chance, beside 16 true finds: 16 of 16 + 57.6.
    odds = RARITY * 0.98 / 0.02
    assert odds / (1 + odds) == pytest.approx(16 / (16 + 57.6), abs=0.005)
    assert chance_of(LOOKALIKE, 0.98) == pytest.approx(odds / (1 + odds))


@given(strengths, anything, rarities, st.sampled_from(["", READ, LISTED, "ABC1235"]), st.one_of(st.none(), anything))
def test_it_is_always_a_chance_and_never_certain(
    strength: MatchStrength, likelihood: float, rarity: float, text: str, text_prob: float | None
) -> None:
    chance = chance_of(strength, likelihood, rarity=rarity, opinion=said(text), entry_text=LISTED, text_prob=text_prob)
    assert 0 < chance < 1 and 1 <= tenths_of(chance) <= 9


@given(strengths, probs, probs, rarities)
def test_who_was_surer_is_never_believed_less(strength: MatchStrength, a: float, b: float, rarity: float) -> None:
    less, more = sorted((a, b))
    assert chance_of(strength, less, rarity=rarity) <= chance_of(strength, more, rarity=rarity) + 1e-12


@given(strengths, probs, rarities, rarities)
def test_the_commoner_listed_vehicles_are_the_likelier_is_one(
    strength: MatchStrength, likelihood: float, a: float, b: float
) -> None:
    less, more = sorted((a, b))
    assert chance_of(strength, likelihood, rarity=less) <= chance_of(strength, likelihood, rarity=more) + 1e-12


@given(probs, probs, rarities)
def test_a_look_alike_is_never_likelier_than_the_text_as_it_was_read(
    text: float, likelihood: float, rarity: float
) -> None:
    as_read = chance_of(EXACT, text, rarity=rarity)
    assert chance_of(LOOKALIKE, likelihood, rarity=rarity, text_prob=text) <= as_read + 1e-12


@given(strengths, probs, rarities)
def test_a_second_reader_that_read_the_entry_raises_and_one_that_read_another_lowers(
    strength: MatchStrength, likelihood: float, rarity: float
) -> None:
    entry = READ if strength is EXACT else LISTED

    def chance(opinion: SecondOpinion | None) -> float:
        return chance_of(strength, likelihood, rarity=rarity, opinion=opinion, entry_text=entry)

    others = [said("BKD3012"), said("ABC1235"), *([said(READ)] if strength is LOOKALIKE else [])]
    for other in others:
        assert chance(other) <= chance(None) <= chance(said(entry))
    for silent in (said(""), not_asked(NotAsked.NO_READER), SecondOpinion("a word of tomorrow")):
        assert chance(silent) == chance(None)


def test_both_readers_agreeing_on_another_number_tell_against_a_look_alike() -> None:
    assert evidence_of(LOOKALIKE, said(READ), LISTED) < 0.5 < 1 < evidence_of(LOOKALIKE, said(LISTED), LISTED)
    assert evidence_of(EXACT, said(LISTED), READ) < 0.5 < 1 < evidence_of(EXACT, said(READ), READ)
    assert said(READ).known is OpinionVerdict.AGREES


def _measured(right: dict[float, int], wrong: dict[float, int]) -> Measured:
    def bins(counts: dict[float, int]) -> tuple[int, ...]:
        return tuple(counts.get(edge, 0) for edge in SURE_EDGES)

    stage = Stage({}, {}, {}, Sure(bins({}), bins({})), Sure(bins(right), bins(wrong)))

    return Measured("", 1, "", "", "", "", 1, 1, (Group("rendered", "day", "new", 1, 0, 0, 1, stage, stage),))


def test_what_a_reader_says_is_set_right_by_what_was_counted() -> None:
    points = dict(calibration_of(_measured({0.5: 98, 0.8: 998}, {0.5: 900, 0.8: 0})))
    assert points[0.55] == pytest.approx((98 + 1.1) / 1000)
    assert points[1.0] == pytest.approx(0.999), "nobody is surer than was measured"


def test_where_counts_fall_neighbours_are_pooled() -> None:
    points = calibration_of(_measured({0.2: 8, 0.3: 2, 0.9: 50}, {0.2: 2, 0.3: 8, 0.9: 0}))
    shares = [y for _, y in points]
    assert shares == sorted(shares)
    assert dict(points)[0.25] == dict(points)[0.35] == pytest.approx((10 + 0.5 + 0.7) / 24)


def test_nothing_measured_leaves_the_readers_own_word() -> None:
    assert calibration_of(Measured("", 1, "", "", "", "", 0, 0, ())) == ((0.0, 0.001), (1.0, 0.999), (1.0, 0.999))


@given(probs)
def test_the_shipped_curve_holds_its_bounds(prob: float) -> None:
    assert 0.001 <= right_prob(prob) <= 0.999
    assert right_prob(float("nan")) == right_prob(0.0) == right_prob(-3.0)
    assert truth_prob(EXACT, 1.7) == truth_prob(EXACT, 1.0)


def test_a_text_that_our_reader_is_sure_of_is_right_as_often_as_measured() -> None:
    k = SURE_EDGES.index(0.95)  # seven characters of 0.997 each, what the series' rules allow at most: 0.979
    right = sum(group.told.text_sure.right[k] for group in MEASURED.groups)
    wrong = sum(group.told.text_sure.wrong[k] for group in MEASURED.groups)
    assert right + wrong > 500
    assert right_prob(0.965) == pytest.approx(right / (right + wrong), abs=0.01)


@given(strengths, st.lists(st.tuples(probs, st.integers(1, 50), probs), min_size=1, max_size=8))
def test_checks_move_the_base_rate_to_what_people_confirmed(
    strength: MatchStrength, rows: list[tuple[float, int, float]]
) -> None:
    checks = [Checked(p, 10 * n, round(10 * n * share)) for p, n, share in rows]
    rarity = rarity_from(checks, strength)
    wanted = sum(check.confirmed for check in checks)
    plan = sum(check.decided * chance_of(strength, check.likelihood_prob) for check in checks)
    expected = sum(check.decided * chance_of(strength, check.likelihood_prob, rarity=rarity) for check in checks)
    low, high = sorted((wanted, plan))
    assert low - 0.02 * sum(c.decided for c in checks) <= expected <= high + 0.02 * sum(c.decided for c in checks)
    more = [Checked(c.likelihood_prob, c.decided, c.decided) for c in checks]
    assert rarity_from(more, strength) >= rarity * 0.999


def test_nothing_checked_leaves_the_plan_and_much_checked_overrules_it() -> None:
    assert rarity_from([], EXACT) == rarity_from([Checked(0.8, 0, 0)], EXACT) == RARITY
    rarity = rarity_from([Checked(0.8, 1000, 900)], EXACT)
    assert chance_of(EXACT, 0.8, rarity=rarity) == pytest.approx(0.9, abs=0.005)
    all_true = rarity_from([Checked(0.8, 20, 20)], EXACT)
    assert 0.85 < chance_of(EXACT, 0.8, rarity=all_true) < 0.99


def test_the_words_are_a_frequency_and_never_all_or_nothing() -> None:
    assert words_of(0.34) == ("10 次約 3 次為真", "true in about 3 of 10")
    assert words_of(0.999) == ("10 次逾 9 次為真", "true in more than 9 of 10")
    assert words_of(0.001) == ("10 次不到 1 次為真", "true in less than 1 of 10")
    assert [tenths_of(chance) for chance in (0.0, 0.14, 0.16, 0.9, 1.0)] == [1, 1, 2, 9, 9]
