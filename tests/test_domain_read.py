"""Reads: where the characters of a read stand in its crop, and how that travels."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.read import Read, pack_places

edges = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=10)


def read_of(text: str, places: bytes = b"") -> Read:
    return Read(
        device_id="car-1", boot=1, sequence=1, captured_ms=1_790_000_000_000, text=text, raw_text=text,
        char_probs=(0.99,) * len(text), confidence_prob=0.99, places=places,
    )  # fmt: skip


@given(edges)
def test_places_come_back_within_a_two_hundred_and_fifty_fifth_of_the_width(
    those: list[tuple[float, float]],
) -> None:
    packed = pack_places(those)
    assert len(packed) == 2 * len(those)
    back = read_of("A" * len(those), packed).char_places
    for (left, right), (left_back, right_back) in zip(those, back, strict=True):
        assert left_back == pytest.approx(left, abs=0.5 / 255 + 1e-9)
        assert right_back == pytest.approx(right, abs=0.5 / 255 + 1e-9)


def test_places_outside_the_crop_end_at_its_border() -> None:
    assert read_of("AB", pack_places([(-0.2, 0.4), (0.6, 1.3)])).char_places == (
        (0.0, pytest.approx(0.4)),
        (pytest.approx(0.6), 1.0),
    )


@pytest.mark.parametrize("places", [b"", b"\x00", bytes(10), bytes(16)])
def test_places_that_do_not_speak_of_every_character_are_none(places: bytes) -> None:
    assert read_of("ABC1235", places).char_places == ()


def test_places_travel_as_two_bytes_a_character_and_as_base64_in_json() -> None:
    read = read_of("AB", bytes((0, 128, 128, 255)))
    bare = len(msgspec.msgpack.encode(read_of("AB")))
    assert len(msgspec.msgpack.encode(read)) - bare == len(b"\xa6places") + 2 + 4
    assert msgspec.json.decode(msgspec.json.encode(read))["places"] == "AICA/w=="
    assert msgspec.json.decode(msgspec.json.encode(read), type=Read) == read
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(read), type=Read) == read


def test_a_read_of_an_older_device_has_no_places() -> None:
    assert b"places" not in msgspec.msgpack.encode(read_of("AB"))
    assert read_of("AB").char_places == ()
