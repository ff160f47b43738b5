"""Whether one item of a batch may be stored as it is: pure rules, each with the reason that a person reads.

An item that fails is set apart with its reason, never lost and never in the way of its neighbours (field case G17).
The fast way through is a handful of comparisons: it runs 20,000 times a second.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain

import msgspec

from guardian.domain.moment import CLOCK_FLOOR_MS
from guardian.domain.plate import LENGTH_MAX
from guardian.domain.position import Position
from guardian.domain.read import NO_LOOK, DeviceHit, Read, VehicleLook

FUTURE_MS_MAX = 5 * 60 * 1000
"""How far ahead of our clock a capture may be: two clocks kept by NTP or GPS differ by far less (field case G29)."""

PAST_MS_MAX = 365 * 24 * 3600 * 1000
"""Older than the year that reads are kept: nothing of that age may come in as usable."""

MOMENT_MS_MAX = 4_102_444_800_000
"""The year 2100."""

BOOT_MAX = 9_999_999_999
SEQUENCE_MAX = 999_999_999_999_999
RAW_TEXT_CHARS_MAX = 64
UNIT_CHARS_MAX = 64
WORD_CHARS_MAX = 64
VOTES_MAX = 100
HITS_MAX = 100
ITEM_BYTES_MAX = 32 * 1024

_NORMAL = re.compile(rf"[0-9A-Z]{{2,{LENGTH_MAX}}}").fullmatch
_NORMALS = re.compile(rf"(?:[0-9A-Z]{{2,{LENGTH_MAX}}}\n)*").fullmatch
_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch


class Fault(msgspec.Struct, frozen=True):
    """Why an item is set apart; `field` is the one at fault."""

    reason: str
    sentence: str
    field: str = ""


SENTENCES: dict[str, str] = {
    "item-form": "The item is no read: it could not be understood.",
    "batch-form": "The whole body is no batch: it could not be understood.",
    "item-size": f"The item is larger than {ITEM_BYTES_MAX // 1024} KiB.",
    "version-unknown": "The item has a version that this cloud does not know yet.",
    "device-other": "The item names another device than the one that signed the batch.",
    "read-number": "The boot counter or sequence is outside its range.",
    "time-doubtful": "The capture time cannot be true: more than five minutes ahead, before 2025, or older than a year.",
    "text-form": "The text is no plate in normal form (2 to 10 of A-Z and 0-9).",
    "text-control": "A text holds control characters that no screen or store can show.",
    "text-long": "A text is longer than any real one.",
    "probability-range": "Probabilities do not fit the characters, or are outside 0 to 1.",
    "position-impossible": "The position cannot be where police equipment stood.",
    "photo-reference": "A picture is named by something that is no SHA-256.",
    "too-many-parts": "The item has more votes or hits than any pass of a vehicle gives.",
    "hit-form": "What the device says of a match holds figures or texts that no device of ours writes.",
    "identity-forked": "The same number came before with other content: two machines speak under one identity.",
}
"""What each reason means; screens look the Chinese sentence up by the reason."""


def fault(reason: str, field: str = "", said: str = "") -> Fault:
    """A fault with its standing sentence, and what exactly was seen where that helps."""
    return Fault(reason, f"{SENTENCES[reason]}{' ' + said if said else ''}", field)


def clean(read: Read) -> Read:
    """Take control characters off the unit and the looks, where they mean nothing (field case G32), and places that do not
    fit the text's length: they only help the eye, a read is not set apart for them.

    The raw text is not touched: there they make a fault.
    """
    look = read.look
    if read.places and len(read.places) != 2 * len(read.text):
        read = msgspec.structs.replace(read, places=b"")
    if read.unit.isprintable() and (look is NO_LOOK or _all_words(look).isprintable()):
        return read
    return msgspec.structs.replace(
        read,
        unit=_printable(read.unit),
        look=VehicleLook(
            kind=_printable(look.kind),
            colour=_printable(look.colour),
            body=_printable(look.body),
            make=_printable(look.make),
        ),
    )


def _printable(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs", "Cn", "Co"))


def time_is_doubtful(captured_ms: int, received_ms: int) -> bool:
    """Whether a capture time cannot be true for something received now (field case G29)."""
    return captured_ms > received_ms + FUTURE_MS_MAX or captured_ms < max(CLOCK_FLOOR_MS, received_ms - PAST_MS_MAX)


def all_pass(reads: Sequence[Read], device_id: str, received_ms: int) -> bool:
    """Whether `clean` would change none of these reads and `check` would pass them all.

    The same rules over columns, for the batch in which nothing is wrong: a third of the time of asking one by one. False
    only says that they must be asked one by one.
    """
    if not reads:
        return True
    texts = [read.text for read in reads]
    probs = [read.char_probs for read in reads]
    raws = [read.raw_text for read in reads]
    figures = [*chain.from_iterable(probs), *[read.confidence_prob for read in reads]]
    looks = {read.look for read in reads if read.look is not NO_LOOK}
    spots = [read.position for read in reads if read.position is not None]
    hashes = [read.crop.sha256 for read in reads if read.crop is not None]
    hashes += [read.overview.sha256 for read in reads if read.overview is not None]
    times = [read.captured_ms for read in reads]
    return (
        {read.device_id for read in reads} == {device_id}
        and {read.v for read in reads} == {1}
        and _within([read.boot for read in reads], 0, BOOT_MAX)
        and _within([read.sequence for read in reads], 0, SEQUENCE_MAX)
        and max(map(len, raws)) <= RAW_TEXT_CHARS_MAX
        and "".join(raws).isprintable()
        and _NORMALS("\n".join(texts) + "\n") is not None
        and [*map(len, probs)] == [*map(len, texts)]
        and _within(figures, 0, 1)
        and all(len(unit) <= UNIT_CHARS_MAX and unit.isprintable() for unit in {read.unit for read in reads})
        and all(len(name) <= WORD_CHARS_MAX for name in {read.series for read in reads})
        and all(_is_short(look) and _all_words(look).isprintable() for look in looks)
        and not [read for read in reads if read.places and len(read.places) != 2 * len(read.text)]
        and _stand_in_the_north(spots)
        and {*map(len, hashes)} <= {64}
        and _is_hex("".join(hashes))
        and _within(times, 0, MOMENT_MS_MAX)
        and not (time_is_doubtful(min(times), received_ms) or time_is_doubtful(max(times), received_ms))
        and all(check(read, device_id, received_ms) is None for read in reads if read.votes or read.hits)
    )


def _is_hex(text: str) -> bool:
    """Lower-case hexadecimal throughout, by the library's reader in C; it passes over blanks, hence the length."""
    try:
        return 2 * len(bytes.fromhex(text)) == len(text) and text.lower() == text
    except ValueError:
        return False


def _within(figures: Sequence[float], low: float, high: float) -> bool:
    """Whether all lie between; min and max let NaN through depending on its place, a sum is NaN wherever it stands."""
    total = sum(figures)
    return total == total and min(figures) >= low and max(figures) <= high


def _stand_in_the_north(spots: Sequence[Position]) -> bool:
    """Whether all could be true and none is near the equator, where zeros would have to be told from places."""
    return not spots or (
        _within([spot.lat_deg for spot in spots], 1, 90) and _within([spot.lon_deg for spot in spots], -180, 180)
    )


def _all_words(look: VehicleLook) -> str:
    return look.kind + look.colour + look.body + look.make


def _is_short(look: VehicleLook) -> bool:
    return len(_all_words(look)) <= 4 * WORD_CHARS_MAX


def _could_stand(position: Position) -> bool:
    """The same rule as `Position.problem`, without its sentence."""
    lat, lon = position.lat_deg, position.lon_deg
    return -90 <= lat <= 90 and -180 <= lon <= 180 and not (-0.01 < lat < 0.01 and -0.01 < lon < 0.01)


def check(read: Read, device_id: str, received_ms: int, *, doubtful_time_taken: bool = False) -> Fault | None:
    """The first fault of an item, or None where it may be stored.

    Args:
        device_id: who signed the batch.
        received_ms: when it came.
        doubtful_time_taken: a person has decided to keep reads whose time cannot be true (they count from receipt).
    """
    if read.device_id != device_id:
        return fault("device-other", "device_id")
    if read.v != 1:
        return fault("version-unknown", "v", f"It says {read.v}.")
    if not (0 <= read.boot <= BOOT_MAX and 0 <= read.sequence <= SEQUENCE_MAX):
        return fault("read-number", "boot" if not 0 <= read.boot <= BOOT_MAX else "sequence")
    raw = read.raw_text
    if len(raw) > RAW_TEXT_CHARS_MAX:
        return fault("text-long", "raw_text", f"It has {len(raw)} characters.")
    if not raw.isprintable() and _has_control(raw):
        return fault("text-control", "raw_text")
    if _NORMAL(read.text) is None:
        return fault("text-form", "text")
    probs = read.char_probs
    if len(probs) != len(read.text):
        return fault("probability-range", "char_probs", f"{len(probs)} figures for {len(read.text)} characters.")
    # min and max let NaN through depending on its place; a sum is NaN wherever it stands.
    total = sum(probs) + read.confidence_prob
    if not (total == total and min(probs) >= 0 and max(probs) <= 1 and 0 <= read.confidence_prob <= 1):
        return fault("probability-range", "char_probs")
    return _check_rest(read, received_ms, doubtful_time_taken)


def _check_rest(read: Read, received_ms: int, doubtful_time_taken: bool) -> Fault | None:
    if len(read.unit) > UNIT_CHARS_MAX or len(read.series) > WORD_CHARS_MAX:
        return fault("text-long", "unit" if len(read.unit) > UNIT_CHARS_MAX else "series")
    if read.look is not NO_LOOK and not _is_short(read.look):
        return fault("text-long", "look")
    position = read.position
    if position is not None and not _could_stand(position):
        return fault("position-impossible", "position", _said(position))
    for name, photo in (("crop", read.crop), ("overview", read.overview)):
        if photo is not None and _SHA256(photo.sha256) is None:
            return fault("photo-reference", name)
    if len(read.votes) > VOTES_MAX or len(read.hits) > HITS_MAX:
        return fault("too-many-parts", "votes" if len(read.votes) > VOTES_MAX else "hits")
    if any(vote.crop_sha256 and _SHA256(vote.crop_sha256) is None for vote in read.votes):
        return fault("photo-reference", "votes")
    if read.hits and not all(_is_plain(hit) for hit in read.hits):
        return fault("hit-form", "hits")
    if not 0 <= read.captured_ms <= MOMENT_MS_MAX:  # no screen can write it, also where a person takes doubtful times
        return fault("time-doubtful", "captured_ms")
    if not doubtful_time_taken and time_is_doubtful(read.captured_ms, received_ms):
        return fault("time-doubtful", "captured_ms")
    return None


def _is_plain(hit: DeviceHit) -> bool:
    """Whether what a device says of a match can be kept as facts on every engine."""
    numbers = (hit.list_version, hit.list_issued_ms, hit.alarmed_ms)
    texts = (hit.entry_id, hit.strength, hit.answered)
    return (
        all(0 <= number <= MOMENT_MS_MAX for number in numbers)
        and all(len(text) <= WORD_CHARS_MAX and text.isprintable() for text in texts)
        and 0 <= hit.likelihood_prob <= 1
    )


def _has_control(text: str) -> bool:
    return any(unicodedata.category(sign) in ("Cc", "Cs", "Cn") for sign in text)


def _said(position: Position) -> str:
    problem = position.problem()
    return f"The {problem}." if problem else ""
