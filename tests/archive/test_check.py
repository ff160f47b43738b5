"""The rules by which an item is stored or set apart; each reason by its name."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.archive.check import FUTURE_MS_MAX, SENTENCES, Fault, all_pass, check, clean
from guardian.archive.ingest import JSON, MSGPACK, judge_item
from guardian.domain.position import Position
from guardian.domain.read import DeviceHit, FrameVote, PhotoRef, Read, VehicleLook
from tests.archive.builders import NOW_MS, make_read, pack


def hit_said(**changes: Any) -> DeviceHit:
    """What a device says of a match of its own."""
    return msgspec.structs.replace(DeviceHit("e1", "exact", 3, NOW_MS, NOW_MS, 0.98, "received"), **changes)


def test_an_honest_read_passes() -> None:
    assert check(make_read(), "car-1", NOW_MS) is None
    assert check(make_read(position=None, crop=None), "car-1", NOW_MS) is None
    seen = FrameVote("ABC1235", 0.9, NOW_MS, "a" * 64)
    assert (
        check(make_read(hits=(hit_said(),), votes=(seen, FrameVote("ABC1235", 0.9, NOW_MS))), "car-1", NOW_MS) is None
    )


def test_a_person_may_take_a_doubtful_time_but_none_that_no_screen_can_write() -> None:
    for captured_ms in (NOW_MS + 9 * 10**11, 0):
        assert check(make_read(captured_ms=captured_ms), "car-1", NOW_MS, doubtful_time_taken=True) is None
    for captured_ms in (-1, 10**17):
        found = check(make_read(captured_ms=captured_ms), "car-1", NOW_MS, doubtful_time_taken=True)
        assert found is not None and found.reason == "time-doubtful"


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("device-other", {"device_id": "car-2"}),
        ("version-unknown", {"v": 2}),
        ("read-number", {"boot": -1}),
        ("read-number", {"sequence": 10**15}),
        ("text-form", {"text": "ABC-1235"}),
        ("text-form", {"text": "abc1235"}),
        ("text-form", {"text": ""}),
        ("text-form", {"text": "ABC1235\n", "raw_text": "ABC1235"}),
        ("text-long", {"raw_text": "A" * 65}),
        ("text-control", {"raw_text": "ABC\x001235"}),
        ("text-long", {"unit": "隊" * 65}),
        ("probability-range", {"char_probs": (0.9,) * 6}),
        ("probability-range", {"char_probs": (0.9,) * 6 + (1.1,)}),
        ("probability-range", {"char_probs": (0.9,) * 6 + (math.nan,)}),
        ("probability-range", {"char_probs": (math.nan,) + (0.9,) * 6}),
        ("probability-range", {"confidence_prob": -0.1}),
        ("position-impossible", {"position": Position(0.0, 0.0, NOW_MS)}),
        ("position-impossible", {"position": Position(91.0, 121.0, NOW_MS)}),
        ("position-impossible", {"position": Position(math.nan, 121.0, NOW_MS)}),
        ("photo-reference", {"crop": PhotoRef("../etc/passwd", NOW_MS)}),
        ("photo-reference", {"votes": (FrameVote("ABC1235", 0.9, NOW_MS, "zz"),)}),
        ("hit-form", {"hits": (hit_said(alarmed_ms=2**62),)}),
        ("hit-form", {"hits": (hit_said(alarmed_ms=-1),)}),
        ("hit-form", {"hits": (hit_said(entry_id="e1\x00"),)}),
        ("hit-form", {"hits": (hit_said(), hit_said(answered="a" * 65))}),
        ("hit-form", {"hits": (hit_said(likelihood_prob=math.nan),)}),
        ("too-many-parts", {"votes": (FrameVote("ABC1235", 0.9, NOW_MS),) * 101}),
        ("time-doubtful", {"captured_ms": NOW_MS + FUTURE_MS_MAX + 1}),
        ("time-doubtful", {"captured_ms": 946_684_799_000}),
        ("time-doubtful", {"captured_ms": NOW_MS - 366 * 86_400_000}),
    ],
)
def test_each_fault_has_its_reason(reason: str, changes: dict[str, Any]) -> None:
    found = check(make_read(**changes), "car-1", NOW_MS)
    assert found is not None
    assert found.reason == reason
    assert not all_pass([make_read(), make_read(**changes), make_read(sequence=9)], "car-1", NOW_MS)
    assert found.sentence.startswith(SENTENCES[reason])


def test_a_clock_a_little_ahead_is_no_fault() -> None:
    assert check(make_read(captured_ms=NOW_MS + 2 * 60_000), "car-1", NOW_MS) is None


def test_full_width_and_chinese_in_the_raw_text_are_kept() -> None:
    assert check(make_read(raw_text="ＡＢＣ－１２３５　臺灣省"), "car-1", NOW_MS) is None


def test_control_characters_are_taken_off_where_they_mean_nothing() -> None:
    read = clean(make_read(unit="３-07\u0085", look=VehicleLook(colour="wh\x00ite")))
    assert (read.unit, read.look.colour) == ("３-07", "white")
    untouched = make_read()
    assert clean(untouched) is untouched


@given(st.binary(max_size=200), st.sampled_from([MSGPACK, JSON]))
def test_any_bytes_have_a_verdict(raw: bytes, kind: str) -> None:
    result = judge_item(raw, kind, "car-1", NOW_MS)
    assert isinstance(result, Fault)


@given(st.text(max_size=20), st.text(max_size=12), st.text(max_size=20))
def test_any_texts_have_a_verdict_and_what_passes_can_be_stored(raw_text: str, text: str, unit: str) -> None:
    item = msgspec.to_builtins(make_read()) | {"raw_text": raw_text, "text": text, "unit": unit}
    result = judge_item(msgspec.json.encode(item), JSON, "car-1", NOW_MS)
    if not isinstance(result, Fault):
        assert "\x00" not in result[0].raw_text + result[0].unit
        assert msgspec.msgpack.decode(result[1], type=type(result[0])) == result[0]


def test_half_a_surrogate_pair_is_a_fault_and_not_a_crash() -> None:
    raw = msgspec.json.encode(make_read()).replace(b'"unit":"', b'"unit":"\\ud800')
    result = judge_item(raw, JSON, "car-1", NOW_MS)
    assert isinstance(result, Fault)


def test_an_item_larger_than_any_read_is_set_apart() -> None:
    big = msgspec.to_builtins(make_read()) | {"alternatives": [[["A", 0.1]] * 3000] * 7}
    result = judge_item(msgspec.msgpack.encode(big), MSGPACK, "car-1", NOW_MS)
    assert isinstance(result, Fault) and result.reason == "item-size"
    assert not isinstance(judge_item(pack(make_read()), MSGPACK, "car-1", NOW_MS), Fault)


def test_places_that_do_not_fit_are_left_out_and_the_read_is_taken() -> None:
    read = make_read()
    good = msgspec.structs.replace(read, places=bytes(2 * len(read.text)))
    assert clean(good) is good
    bent = clean(msgspec.structs.replace(read, places=b"\x01\x02\x03", unit="3-07\x85"))
    assert (bent.places, bent.unit) == (b"", "3-07")
    assert check(bent, "car-1", NOW_MS) is None


_SIGNS = st.text("AB1\n-\x00字", max_size=3)
_FIGURES = st.sampled_from([0.0, 0.5, 1.0, 1.1, -0.1, math.nan, math.inf])
_READS = st.builds(
    make_read,
    device_id=st.sampled_from(["car-1", "car-1", "car-1", "car-2"]),
    v=st.sampled_from([1, 1, 1, 2]),
    text=st.sampled_from(["ABC1235", "AB12", "ab12", "A", "AB12\nCD34"]),
    raw_text=_SIGNS | st.just("A" * 65),
    char_probs=st.sampled_from([(0.9,) * 7, (0.9,) * 4, (0.9,) * 3 + (math.nan,)]),
    confidence_prob=_FIGURES,
    unit=_SIGNS,
    series=st.sampled_from(["", "x" * 65]),
    look=st.builds(VehicleLook, kind=_SIGNS, colour=st.sampled_from(["", "w" * 300])),
    position=st.none() | st.builds(Position, st.sampled_from([0.0, 25.0, 91.0, math.nan]), st.sampled_from([0.0, 121.5]), st.just(NOW_MS)),
    crop=st.none() | st.builds(PhotoRef, st.sampled_from(["a" * 64, "a" * 63, "g" * 64, "a" * 32]), st.just(NOW_MS)),
    captured_ms=st.sampled_from([NOW_MS, NOW_MS + 10 * FUTURE_MS_MAX, -1, 0]),
    places=st.sampled_from([b"", b"12345678", b"1"]),
    hits=st.just(()) | st.just((hit_said(alarmed_ms=-1),)),
    votes=st.just(()) | st.just((FrameVote("ABC1235", 0.9, NOW_MS, "zz"),)),
)  # fmt: skip


@given(st.lists(_READS, max_size=4))
def test_what_passes_together_passes_one_by_one_and_is_left_as_it_is(reads: list[Read]) -> None:
    if all_pass(reads, "car-1", NOW_MS):
        assert all(clean(read) is read and check(read, "car-1", NOW_MS) is None for read in reads)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=5))
def test_a_batch_in_which_nothing_is_wrong_passes_together(sequences: list[int]) -> None:
    reads = [make_read(sequence=sequence) for sequence in sequences]
    assert all_pass(reads, "car-1", NOW_MS)
