"""Joining single reads: by probability, weighted, never by counting."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.read import DOUBTFUL_PROB, Alternative
from guardian.vision.ports import ReadChar, TextRead
from guardian.vision.series import SeriesRead, number_of
from guardian.vision.vote import Ballot, fuse, weight_of

SIGNS = "ABDMNHW"


def _number(raw: str, prob: float = 0.97, doubt: tuple[int, str, float, float] | None = None) -> SeriesRead:
    chars = [ReadChar(s, prob, (i + 0.5) / len(raw)) for i, s in enumerate(raw)]
    if doubt is not None:
        place, other, p, q = doubt
        chars[place] = ReadChar(raw[place], p, chars[place].place, (Alternative(other, q),))
    number = number_of(TextRead(tuple(chars)))
    assert number is not None
    return number


def test_one_clear_look_outweighs_many_blurred_ones() -> None:
    blurred = [Ballot(_number("BKD-8669", 0.9, (5, "8", 0.55, 0.40)), weight_of(14, 50)) for _ in range(9)]
    clear = Ballot(_number("BKD-8869", 0.99), weight_of(48, 600))
    fused = fuse([*blurred, clear])
    assert fused is not None and fused.text == "BKD8869"


def test_unsure_reads_that_agree_make_a_surer_one_but_never_a_certainty() -> None:
    one = _number("BKD-8869", 0.85)
    few, many = fuse([Ballot(one, 1.0)] * 3), fuse([Ballot(one, 1.0)] * 300)
    assert few is not None and many is not None
    assert one.confidence_prob < few.confidence_prob < 1
    assert abs(many.confidence_prob - few.confidence_prob) < 0.001, "three hundred blurred frames are no proof"


def test_three_reads_of_little_more_than_even_odds_stay_in_doubt() -> None:
    fused = fuse([Ballot(_number("BKD-8869", 0.97, (5, "6", 0.55, 0.3)), 1.0)] * 3)
    assert fused is not None
    assert 0.55 < fused.confidence_prob < DOUBTFUL_PROB, "of 110 such votes 65 % were right"


def test_the_second_thoughts_of_several_reads_can_win() -> None:
    a = _number("BKH-8869", 0.95, (2, "M", 0.50, 0.45))
    b = _number("BKN-8869", 0.95, (2, "M", 0.50, 0.45))
    fused = fuse([Ballot(a, 1.0), Ballot(b, 1.0)])
    assert fused is not None and fused.text == "BKM8869", "counting strings would never have found it"
    assert {"H", "N"} <= {alternative.sign for alternative in fused.alternatives[2]}


def test_a_shorter_part_speaks_for_the_longer_number() -> None:
    part, whole = _number("BKD-886", 0.97), _number("BKD-8869", 0.9)
    fused = fuse([Ballot(part, 1.0), Ballot(part, 1.0), Ballot(whole, 0.6)])
    assert fused is not None and fused.text == "BKD8869"


def test_reads_without_weight_and_no_reads_give_none() -> None:
    assert fuse([]) is None
    assert fuse([Ballot(_number("BKD-8869"), 0.0)]) is None


_reads = st.lists(
    st.tuples(
        st.text(alphabet=SIGNS, min_size=3, max_size=3),
        st.text(alphabet="0235", min_size=4, max_size=4),
        st.floats(0.3, 0.99),
        st.floats(0.05, 5.0),
    ),
    min_size=1,
    max_size=8,
)


def _ballots(reads: list[tuple[str, str, float, float]]) -> list[Ballot]:
    return [Ballot(_number(f"{a}-{b}", p), w) for a, b, p, w in reads]


@settings(deadline=None)
@given(_reads, st.randoms(use_true_random=False))
def test_the_order_of_the_reads_does_not_matter(reads: list[Any], chance: Any) -> None:
    ballots = _ballots(reads)
    shuffled = list(ballots)
    chance.shuffle(shuffled)
    one, other = fuse(ballots), fuse(shuffled)
    assert one is not None and other is not None
    assert one.text == other.text
    assert all(abs(a - b) < 1e-3 for a, b in zip(one.char_probs, other.char_probs, strict=True))


@settings(deadline=None)
@given(_reads, st.floats(0.01, 100))
def test_only_ratios_of_weights_count(reads: list[Any], factor: float) -> None:
    ballots = _ballots(reads)
    scaled = [msgspec.structs.replace(b, weight=b.weight * factor) for b in ballots]
    one, other = fuse(ballots), fuse(scaled)
    assert one is not None and other is not None and one.text == other.text


@settings(deadline=None)
@given(_reads)
def test_the_result_is_a_whole_number_with_a_probability_for_each_character(reads: list[Any]) -> None:
    fused = fuse(_ballots(reads))
    assert fused is not None
    assert fused.series.fits(fused.text)
    assert len(fused.char_probs) == len(fused.text) == len(fused.alternatives)
    assert all(0 <= p < 1 for p in fused.char_probs)
    for place, others in enumerate(fused.alternatives):
        assert fused.text[place] not in {alternative.sign for alternative in others}


@settings(deadline=None)
@given(
    st.text(alphabet=SIGNS, min_size=3, max_size=3), st.text(alphabet="0235", min_size=4, max_size=4), st.integers(1, 9)
)
def test_what_all_reads_say_is_what_comes_out(letters: str, digits: str, count: int) -> None:
    fused = fuse([Ballot(_number(f"{letters}-{digits}", 0.9), 1.0)] * count)
    assert fused is not None and fused.text == letters + digits
