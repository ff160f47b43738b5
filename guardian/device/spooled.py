"""What the spool writes down and what it tells: records of the journal, a waiting read, what a start found, how full it is."""

from __future__ import annotations

import msgspec

from guardian.device.clock import Stamp
from guardian.device.journal import Place
from guardian.domain.read import Read

Key = tuple[int, int]
"""Boot and sequence: a read's identity within its device."""


class Kept(msgspec.Struct, frozen=True, tag="read", array_like=True):
    """A read in the journal; `stamp` dates it later where its clock was not set."""

    read: Read
    stamp: Stamp


class Done(msgspec.Struct, frozen=True, tag="done", array_like=True):
    """The cloud holds these."""

    keys: tuple[Key, ...]


class Refused(msgspec.Struct, frozen=True, tag="refused", array_like=True):
    """The cloud will never take this one; its record lies in the folder `refused`, as far as that has room."""

    key: Key
    reason: str


Record = Kept | Done | Refused
encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Record).decode


class Waiting(msgspec.Struct):
    """A read that the cloud does not hold yet, as the spool remembers it; its bytes stay on disk."""

    order: tuple[int, int, int]  # boot, monotonic moment of capture, sequence
    captured_ms: int
    hit: bool
    place: Place | None
    unsaved: bytes | None = None  # its record, while it could not be written
    photos: tuple[str, ...] = ()


class Recovery(msgspec.Struct, frozen=True):
    """What a start found on disk."""

    reads_waiting: int = 0
    torn_ends: int = 0
    damaged_pieces: int = 0
    damaged_bytes: int = 0
    numbers_missing: int = 0
    photos_damaged: int = 0

    @property
    def clean(self) -> bool:
        """Nothing was found damaged."""
        return not (self.torn_ends or self.damaged_pieces or self.numbers_missing)


class SpoolState(msgspec.Struct, frozen=True):
    """How full the spool is and what was given up, for the screen and the heartbeat."""

    reads: int
    oldest_ms: int | None
    photos: int
    bytes: int
    bytes_max: int
    given_up_overviews: int
    given_up_crops: int
    reads_in_memory: int
    reads_refused_by_cloud: int
    reads_lost: int
    pressed: bool  # pictures of uninteresting reads are not being kept just now

    @property
    def all_sent(self) -> bool:
        """True only if nothing at all is left, neither on disk nor in memory."""
        return not (self.reads or self.photos)
