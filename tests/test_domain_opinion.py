"""A second opinion: how two readings are set side by side, what of it may come over a wire, and yesterday's bytes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.opinion import (
    RAW_CHARS_MAX,
    NotAsked,
    OpinionVerdict,
    SecondOpinion,
    compare,
    is_sound,
    not_asked,
    opinion_on,
)
from guardian.domain.plate import ALPHABET, LENGTH_MAX
from guardian.domain.wire import Heartbeat, ReadOpinion

plates = st.text(ALPHABET, min_size=4, max_size=7)
probs = st.floats(0, 1)


def on(read_text: str, text: str, **more: object) -> SecondOpinion:
    said: dict[str, object] = {"char_probs": (0.9,) * len(text), "reader": "ppocr", "reader_version": "v6", "crops": 3}
    return opinion_on(read_text, text, **(said | more))  # type: ignore[arg-type]


@given(plates, plates)
def test_a_disagreement_names_exactly_the_places_that_differ_or_none(first: str, second: str) -> None:
    verdict, places = compare(first, second)
    assert (verdict is OpinionVerdict.AGREES) == (first == second)
    if verdict is OpinionVerdict.PARTLY:
        assert len(first) == len(second)
        assert 0 < 2 * len(places) <= len(first)
        mended = "".join(second[i] if i in places else sign for i, sign in enumerate(first))
        assert mended == second
        assert all(first[i] != second[i] for i in places)
    else:
        assert places == ()


@given(plates, plates)
def test_which_reader_is_first_changes_neither_verdict_nor_places(first: str, second: str) -> None:
    assert compare(first, second) == compare(second, first)


@pytest.mark.parametrize(
    ("first", "second", "verdict", "places"),
    [
        ("BKD8869", "BKD8869", "agrees", ()),
        ("BKD8869", "BKD8889", "partly", (5,)),
        ("ABCD", "ABXY", "partly", (2, 3)),
        ("ABCD", "AXYZ", "differs", ()),
        ("BKD8869", "KD8869", "differs", ()),
        ("BKD8869", "", "cannot_read", ()),
    ],
)
def test_verdicts_by_example(first: str, second: str, verdict: str, places: tuple[int, ...]) -> None:
    assert compare(first, second) == (OpinionVerdict(verdict), places)


@given(plates, plates, st.lists(probs, min_size=7, max_size=7), st.text(max_size=200))
def test_what_an_opinion_says_of_itself_is_sound_and_survives_the_wire(
    first: str, second: str, figures: list[float], raw: str
) -> None:
    opinion = on(first, second, char_probs=tuple(figures[: len(second)]), raw_text=raw)
    assert is_sound(opinion)
    for codec in (msgspec.msgpack, msgspec.json):
        assert codec.decode(codec.encode(opinion), type=SecondOpinion) == opinion  # type: ignore[attr-defined]
    assert opinion.confidence_prob == min(figures[: len(second)])
    assert opinion.disagrees == (first != second)
    assert opinion.bears_out(second)
    assert len(opinion.raw_text) <= RAW_CHARS_MAX


def test_an_opinion_that_could_not_be_had_bears_out_nothing_and_disagrees_with_nothing() -> None:
    for opinion in (on("BKD8869", ""), *(not_asked(why) for why in NotAsked)):
        assert is_sound(opinion)
        assert not opinion.disagrees
        assert not opinion.bears_out("BKD8869")
        assert not opinion.bears_out("")
        assert opinion.confidence_prob == 0


def test_a_verdict_of_a_newer_device_counts_as_not_asked() -> None:
    opinion = SecondOpinion("swears", "BKD8869")
    assert opinion.known is OpinionVerdict.NOT_ASKED
    assert not opinion.disagrees


@pytest.mark.parametrize(
    "odd",
    [
        {"text": "BKD 869"},
        {"text": "A" * (LENGTH_MAX + 1), "char_probs": ()},
        {"char_probs": (0.9,)},
        {"char_probs": (float("nan"),) * 7},
        {"char_probs": (1.5,) * 7},
        {"differing": (7,)},
        {"differing": (3, 3)},
        {"differing": (-1,)},
        {"raw_text": "x" * (RAW_CHARS_MAX + 1)},
        {"raw_text": "a\x00b"},
        {"reader": "r" * 41},
        {"reason": "a\nb"},
        {"crops": -1},
    ],
)
def test_an_opinion_that_is_none_is_known_for_it(odd: dict[str, object]) -> None:
    good = on("BKD8869", "BKD8889")
    assert is_sound(good)
    assert not is_sound(msgspec.structs.replace(good, **odd))


# Bytes as they were on the day on which each was first sent. They are never made anew.
HEARTBEAT_BEFORE = bytes.fromhex(
    "de0003a96465766963655f6964a56361722d31a773656e745f6d73cf000001a21219a400ac6c6973745f76657273696f6e07"
)
HEARTBEAT_WITH = bytes.fromhex(
    "de0003a96465766963655f6964a56361722d31a773656e745f6d73cf000001a21219a400a86f70696e696f6e739182a7726561645f6964a9"
    "6361722d312e332e39a76f70696e696f6e88a776657264696374a6706172746c79a474657874a7424b4438383839a87261775f74657874a8"
    "424b442d38383839aa636861725f70726f627397cb3fefae147ae147aecb3fefae147ae147aecb3fefae147ae147aecb3fefae147ae147ae"
    "cb3fefae147ae147aecb3fe47ae147ae147bcb3fefae147ae147aea9646966666572696e679105a6726561646572a570706f6372ae726561"
    "6465725f76657273696f6ea876362d736d616c6ca563726f707303"
)  # fmt: skip


def test_a_heartbeat_of_yesterdays_device_has_no_opinions() -> None:
    beat = msgspec.msgpack.decode(HEARTBEAT_BEFORE, type=Heartbeat)
    assert (beat.device_id, beat.list_version, beat.opinions) == ("car-1", 7, ())
    assert msgspec.msgpack.encode(beat) == HEARTBEAT_BEFORE


def test_a_heartbeat_with_an_opinion_is_read_for_ever_as_on_its_first_day() -> None:
    beat = msgspec.msgpack.decode(HEARTBEAT_WITH, type=Heartbeat)
    opinion = SecondOpinion(
        "partly", "BKD8889", "BKD-8889", (0.99,) * 5 + (0.64, 0.99), (5,), "ppocr", "v6-small", 3
    )  # fmt: skip
    assert beat.opinions == (ReadOpinion("car-1.3.9", opinion),)


def test_yesterdays_cloud_reads_todays_heartbeat_without_what_it_does_not_know() -> None:
    class Yesterday(msgspec.Struct):
        device_id: str
        sent_ms: int
        answers: tuple[str, ...] = ()

    assert msgspec.msgpack.decode(HEARTBEAT_WITH, type=Yesterday).device_id == "car-1"
