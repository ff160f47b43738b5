"""What devices and the cloud say to one another: records with a version, and the headers that sign them.

Bodies are MessagePack (`application/msgpack`) for our devices and JSON for foreign ones; both decode into these structs.
The bytes that came are the bytes whose signature is checked (field case G33): nothing is parsed before that.

The signed text of a request is, in this order and joined by newlines:
    "guardian-1", method, path, content type, content encoding, device id, counter, SHA-256 of the body in hex.
The path is the request's target as sent: with its query, where it has one (`/device/v1/watchlist?have=4&wait_s=25`).
Content type and encoding are the two headers as sent, empty where a request has none: they say how the bytes are read, and
whoever changes one on the way makes other records of the same bytes.
The body is what goes over the line: with `Content-Encoding: gzip`, the compressed bytes.
No time is signed: a device that woke up in 1970 must get on line to learn it (field case G14).
The counter grows with every request of a device, over restarts too: a repeated one is refused as a replay. A refusal
`request-replayed` carries the header `guardian-counter-floor`: the device goes on above that number (after a crash the
cloud no longer knows which of the last few hundred it has seen, and then believes none of them).
"""

from __future__ import annotations

import hashlib

import msgspec

from guardian.domain.opinion import SecondOpinion
from guardian.domain.position import Position
from guardian.domain.watch import WatchEntry

HEADER_DEVICE = "guardian-device"
HEADER_COUNTER = "guardian-counter"
HEADER_SIGNATURE = "guardian-signature"  # base64 of 64 bytes, Ed25519
HEADER_COUNTER_FLOOR = "guardian-counter-floor"  # in a refusal `request-replayed`
HEADER_PHOTO = "guardian-photo"  # in the answer to a picture: its SHA-256, or a portal's 200 would be taken for ours
COUNTER_MAX = 2**53 - 1  # every language's numbers hold it

BATCH_ITEMS_MAX = 1000
BODY_BYTES_MAX = 8 * 1024 * 1024
PHOTO_BYTES_MAX = 4 * 1024 * 1024


def signed_text(
    method: str, path: str, device_id: str, counter: int, body: bytes, *, content_type: str, content_encoding: str = ""
) -> bytes:
    """The bytes that a device signs and the cloud checks."""
    digest = hashlib.sha256(body).hexdigest()
    how = (method.upper(), path, content_type, content_encoding)
    return "\n".join(("guardian-1", *how, device_id, str(counter), digest)).encode()


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Reads of one device in capture order. Items stay raw so that one bad item of a thousand spoils none."""

    device_id: str
    items: tuple[msgspec.Raw, ...]
    v: int = 1


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fate of one item: `stored`, `already` (there before; free the spool), or `quarantined` with a reason.

    All three mean that the device need not keep the item.
    """

    index: int
    verdict: str
    reason: str = ""  # kebab-case reference
    sentence: str = ""


class BatchAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a batch. `exceptions` lists only the items that were not simply stored."""

    batch_id: str
    stored: int
    already: int
    quarantined: int
    exceptions: tuple[Verdict, ...] = ()
    server_ms: int = 0
    photos_wanted: tuple[str, ...] = ()  # SHA-256 of pictures that the cloud does not hold yet
    notice: str = ""  # e.g. "identity-forked": enrol again


class EnrolRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device asks to join with a one-time code; `public_key` is 32 raw Ed25519 bytes in base64."""

    code: str
    public_key: str
    name: str
    kind: str = "car"  # car | motorcycle | foot
    v: int = 1


class EnrolAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The device's id, and the cloud's key (base64) that signs watchlists."""

    device_id: str
    list_key: str
    unit: str = ""
    server_ms: int = 0


class WatchlistUpdate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change from `base_version` to `version`, taken whole or not at all; `base_version` 0 is the whole list.

    `digest` is that of the content after the change: see `ListDigest`.
    """

    version: int
    base_version: int
    issued_ms: int
    digest: str
    put: tuple[WatchEntry, ...] = ()
    removed: tuple[str, ...] = ()  # entry ids
    v: int = 1


PART_ENTRIES_MAX = 20_000
"""Entries in one body: some 3 MB. A longer whole list comes in parts."""


class WatchlistPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch of the whole list in order of entry id, for lists of more than PART_ENTRIES_MAX entries.

    It holds every entry with `after` < id up to its own last one, as of `version` or later; the next stretch begins after
    that one. The list may move on while a device fetches: when it has the last stretch it asks for the change since the
    version of its *first* one, which makes every stretch as of one version, and checks the digest. So nothing is held
    for it in the cloud, and a line that breaks costs one stretch.
    """

    version: int
    issued_ms: int
    digest: str  # of the whole list at `version`
    after: str  # "" at the beginning
    total: int  # entries on the whole list, for showing how far one is
    put: tuple[WatchEntry, ...] = ()
    last: bool = False
    v: int = 1


class SignedWatchlistUpdate(msgspec.Struct, frozen=True):
    """The MessagePack bytes of a `WatchlistUpdate` or a `WatchlistPart` and the cloud's Ed25519 signature over them."""

    body: bytes
    signature: bytes


_DIGEST_MODULUS = 1 << 256
_entry_encoder = msgspec.msgpack.Encoder()


def entry_share(entry: WatchEntry) -> int:
    """What one entry adds to its list's digest: SHA-256 of its MessagePack as a number."""
    return int.from_bytes(hashlib.sha256(_entry_encoder.encode(entry)).digest(), "big")


class ListDigest:
    """The digest of a list's content, kept up while the list changes: the sum of its entries' shares modulo 2**256.

    A sum needs no order and no walk over a million entries for one change. It tells honest copies apart; that nobody
    made the content up is the signature's work.
    """

    __slots__ = ("_total",)

    def __init__(self, hex_text: str = "0") -> None:
        self._total = int(hex_text, 16)

    def add(self, entry: WatchEntry) -> None:
        """`entry` is now on the list."""
        self._total = (self._total + entry_share(entry)) % _DIGEST_MODULUS

    def remove(self, entry: WatchEntry) -> None:
        """`entry` (as it was on the list) is so no more."""
        self._total = (self._total - entry_share(entry)) % _DIGEST_MODULUS

    @property
    def hex(self) -> str:
        """64 hex digits."""
        return f"{self._total:064x}"


def list_digest(entries: dict[str, WatchEntry]) -> str:
    """The digest of a whole list; see `ListDigest`."""
    digest = ListDigest()
    for entry in entries.values():
        digest.add(entry)
    return digest.hex


class StageHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stage of the pipeline since the last heartbeat."""

    name: str
    items: int = 0
    dropped: int = 0
    ms_p50: float = 0.0
    ms_p95: float = 0.0


class DeviceAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an officer pressed on a card after its read had been sent. Told until a heartbeat is answered: idempotent by
    read and entry."""

    read_id: str
    entry_id: str
    answer: str  # "received" | "not_this"
    at_ms: int


class ReadOpinion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a second reader says of a would-be hit's read. Told until a heartbeat is answered, over restarts too: idempotent
    by read and reader. Never part of the read: that may have been sent, and the same identity with other bytes is a forked
    device (field case G31)."""

    read_id: str
    opinion: SecondOpinion


class Heartbeat(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a device is; also its position for the map. Absent figures are not known."""

    device_id: str
    sent_ms: int
    position: Position | None = None
    unit: str = ""
    list_version: int = 0
    list_issued_ms: int = 0
    list_digest: str = ""
    backlog_items: int = 0
    backlog_oldest_ms: int | None = None
    spool_bytes: int = 0
    spool_bytes_max: int = 0
    photos_given_up: int = 0
    clock_offset_ms: int | None = None
    clock_source: str = "unset"
    picture_since_ms: int | None = None  # last frame; None: no picture yet
    source: str = ""
    frames_per_s: float | None = None
    temperature_c: float | None = None
    reads_last_hour: int = 0
    chars_per_read: float | None = None
    stages: tuple[StageHealth, ...] = ()
    software: str = ""
    answers: tuple[DeviceAnswer, ...] = ()  # absent: nothing was pressed since the last answered heartbeat
    v: int = 1
    waiting: str = ""  # why there is no picture just now: a key of `domain.camera.CAMERA_WORDS`; empty: there is one
    reconnects: int = 0  # times that the camera came back since the start
    reads_lost: int = (
        0  # reads of this start that nobody will ever get: their record was damaged, or memory was full too
    )
    reads_missing: int = 0  # numbers that the last start found missing in the spool: damaged by a power cut
    reads_in_memory: int = 0  # reads that the full disk does not take: gone if the device is switched off
    reads_refused: int = 0  # reads that the cloud will never take; kept aside on the device
    opinions: tuple[ReadOpinion, ...] = ()  # absent: none came since the last answered heartbeat, or an older device


class HeartbeatAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the cloud wants the device to know at once."""

    server_ms: int
    list_version: int
    notice: str = ""
    photos_wanted: tuple[str, ...] = ()
