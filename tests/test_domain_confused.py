"""The measured confusion: which way it is read, that few counts cannot overturn what was known, and whose counts they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.confused import (
    CONFUSABLE,
    COUNT_MIN,
    GUESSED,
    MEASURED,
    PRIOR_WEIGHT,
    SHARE_MIN,
    SIGNS,
    SURE_EDGES,
    confusable_of,
    counts_of,
    guessed_shares,
)
from guardian.domain.plate import ALPHABET
from guardian.domain.plate import CONFUSABLE as OF_PLATES

counted = st.dictionaries(
    st.sampled_from(SIGNS), st.dictionaries(st.sampled_from(SIGNS), st.integers(0, 400), max_size=5), max_size=8
)


def test_the_counts_are_of_the_reader_that_is_shipped() -> None:
    pytest.importorskip("cv2")
    from guardian.vision.weights import listed

    shipped = listed()["reader"].sha256
    assert MEASURED.reader_sha256 == shipped, (
        f"guardian/domain/confusion.json was measured with reader {MEASURED.reader_sha256[:12]}…, shipped is {shipped[:12]}…: "
        f"run  .venv/bin/{MEASURED.command}"
    )


def test_enough_was_read_and_the_file_adds_up() -> None:
    assert MEASURED.plates >= 1_000 and MEASURED.plates == sum(group.plates for group in MEASURED.groups)
    for group in MEASURED.groups:
        told = group.plates - group.far - group.untold
        assert 0 <= group.right <= told == sum(group.told.text_sure.right) + sum(group.told.text_sure.wrong)
        assert group.right == sum(group.told.text_sure.right)
        for stage, texts in ((group.seen, group.plates - group.far), (group.told, told)):
            assert sum(edits.texts for edits in stage.edits.values()) == texts
            read = sum(sum(reads.values()) for reads in stage.signs.values())
            gained = sum(e.gained_edge + e.gained_inside + e.gained_doubled for e in stage.edits.values())
            assert sum(edits.signs for edits in stage.edits.values()) == read + gained
            assert sum(stage.sign_sure.right) == sum(stage.signs[sign].get(sign, 0) for sign in stage.signs)
            for true, reads in stage.slips.items():
                assert true not in reads and all(0 < n <= stage.signs[true][read] for read, n in reads.items())
            assert len(stage.sign_sure.right) == len(stage.sign_sure.wrong) == len(SURE_EDGES)
    assert {group.light for group in MEASURED.groups} >= {"day", "dark", "infrared"}
    assert {group.issue for group in MEASURED.groups} >= {"new", "old"}


def test_plates_and_measurement_share_one_alphabet_and_one_table() -> None:
    assert SIGNS == ALPHABET and OF_PLATES is CONFUSABLE
    assert confusable_of(counts_of(MEASURED)) == CONFUSABLE


def test_the_table_answers_what_stands_there_where_this_was_read() -> None:
    # Of 90 characters wrongly read as 8 sixty were B; all 20 wrongly read as B were 8. A row is of what was read.
    counts = {"B": {"8": 60, "B": 900}, "6": {"8": 30}, "8": {"B": 20, "8": 5_000}}
    shares = confusable_of(counts, prior_weight=1e-9)
    assert shares["8"]["B"] == pytest.approx(2 / 3, abs=1e-4) and shares["8"]["6"] == pytest.approx(1 / 3, abs=1e-4)
    assert shares["B"]["8"] == 1.0


def test_with_nothing_counted_the_guess_stands_scaled_to_a_whole() -> None:
    shares = confusable_of({})
    for read, row in guessed_shares().items():
        assert shares[read] == {true: pytest.approx(share, abs=1e-4) for true, share in row.items()}
        assert sum(row.values()) <= 1 + 1e-9
    assert shares["0"]["D"] == shares["0"]["Q"] == pytest.approx(0.95 * 0.6 / (3 * 0.6 + 0.2 + 0.12), abs=1e-4)
    assert shares["4"] == {"A": 0.25}, "a quarter of its misreadings; three quarters were never guessed"


def test_the_guess_weighs_as_much_as_so_many_misreadings() -> None:
    shares = confusable_of({"A": {"4": int(PRIOR_WEIGHT)}})
    assert shares["4"]["A"] == pytest.approx((1 + 0.25) / 2, abs=1e-4)


@given(counted)
def test_rows_are_shares_pairs_go_both_ways_and_none_that_was_guessed_is_lost(
    counts: dict[str, dict[str, int]],
) -> None:
    shares = confusable_of(counts)
    for read, row in shares.items():
        assert read not in row
        assert all(share >= 0 for share in row.values()) and sum(row.values()) <= 1.002
        assert list(row.values()) == sorted(row.values(), reverse=True)
        assert all(read in shares[true] for true in row), "a pair is one both ways"
    for group, _ in GUESSED:
        assert all(b in shares[a] for a in group for b in group if a != b)


def test_a_pair_that_was_counted_often_becomes_one_and_a_rare_one_does_not() -> None:
    often = confusable_of({"A": {"N": 10}})
    assert "A" in often["N"] and "N" in often["A"], "also the way in which it was never seen"
    assert often["N"]["A"] == pytest.approx(10 / (10 + PRIOR_WEIGHT), abs=0.01) and often["A"]["N"] > 0.02
    rare = confusable_of({"A": {"N": COUNT_MIN}, "M": {"N": 100}, "N": {"A": 1}, "X": {"A": 100}})
    assert SHARE_MIN > COUNT_MIN / 104 and "A" not in rare["N"], "too small a share both ways"
    once = confusable_of({"A": {"N": COUNT_MIN - 1}})
    assert once["N"].keys() == confusable_of({})["N"].keys(), "too few to be more than chance"


def test_no_character_has_so_many_pairs_that_matching_and_searching_get_slow() -> None:
    assert max(len(row) for row in CONFUSABLE.values()) <= 9
    assert sum(len(row) for row in CONFUSABLE.values()) <= 150


def test_what_the_road_is_known_to_mix_up_stays_a_look_alike() -> None:
    for pair in ("M/N", "M/W", "N/H", "Q/0", "Q/D", "0/D", "B/8", "5/S", "2/Z", "1/7", "1/I"):
        a, b = pair.split("/")
        assert b in CONFUSABLE[a] and a in CONFUSABLE[b], pair
