"""Reads: what one device saw of one vehicle in one pass, and the pieces it was made from.

A read's identity is made on the device before the read is written: device id, boot counter, sequence. Sending twice is
harmless anywhere downstream. These structs are also the wire form (MessagePack or JSON by msgspec): fields may be
added, each with a default that says what its absence means; none is renamed or given a new meaning. Frozen values cannot
hold one another in a circle, so the garbage collector need not walk them (`gc=False`): thousands live at once at ingest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.domain.moment import Clock
from guardian.domain.position import Position

DOUBTFUL_PROB = 0.80
"""Below this a character is shown as doubtful (console.md section 5), and an exact match that rests on it is a look-alike
(field case G05). A guess until the calibration of our own reader replaces it."""

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Pixels, clockwise from the top left of the plate."""


class PhotoRef(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A picture by its content: SHA-256 of its JPEG bytes (hex), its size, and the time of the frame it came from."""

    sha256: str
    frame_ms: int
    width_px: int = 0
    height_px: int = 0


class Alternative(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Another character that a place may hold."""

    sign: str
    prob: float


class FrameRead(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text of one plate in one frame, as the reader gave it (單次判讀).

    `raw_text` is what stood there before any rule; `text` the normal form after the series' rules, empty where nothing
    sensible is left. `char_probs` has one figure for each character of `text`, without padding.
    """

    text: str
    raw_text: str
    char_probs: tuple[float, ...]
    corners: Corners
    frame_ms: int
    sharpness_score: float = 0.0
    dash_after: int | None = None
    alternatives: tuple[tuple[Alternative, ...], ...] = ()
    detector_prob: float = 1.0

    @property
    def confidence_prob(self) -> float:
        """The weakest character decides: a mean would hide a guessed one (field case G05)."""
        return min(self.char_probs, default=0.0)

    @property
    def height_px(self) -> float:
        """Height of the plate in the frame, the mean of its two sides."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.corners
        return (math.hypot(ax - dx, ay - dy) + math.hypot(bx - cx, by - cy)) / 2


class FrameVote(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One of the single reads that voted, small enough to travel: text, its confidence, its frame, its crop."""

    text: str
    confidence_prob: float
    frame_ms: int
    crop_sha256: str = ""


class VehicleLook(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the vehicle looked like; an empty text is 'not known'."""

    kind: str = ""  # car | motorcycle | truck | bus
    colour: str = ""  # the registry's words: white black grey silver red blue green yellow brown orange purple gold
    body: str = ""
    make: str = ""


NO_LOOK = VehicleLook()
"""What a read carries whose device could not tell; a decoder gives this very object."""


class DeviceHit(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A match that the device found and told its officer about."""

    entry_id: str
    strength: str  # MatchStrength: "exact" | "lookalike"
    list_version: int
    list_issued_ms: int
    alarmed_ms: int
    likelihood_prob: float = 1.0
    answered: str = ""  # "" | "received" | "not_this"


class Read(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One vehicle through one view: the agreed result of a track (車行紀錄).

    `captured_ms` is the time of the best frame, UTC, with the clock's known error already added when
    `clock.corrected`. `confidence_prob` is the weakest character's. `position` is absent where there was no fix.
    """

    device_id: str
    boot: int
    sequence: int
    captured_ms: int
    text: str
    raw_text: str
    char_probs: tuple[float, ...]
    confidence_prob: float
    v: int = 1
    dash_after: int | None = None
    series: str = ""
    vehicle_classes: tuple[str, ...] = ()
    alternatives: tuple[tuple[Alternative, ...], ...] = ()
    clock: Clock = Clock()
    position: Position | None = None
    unit: str = ""
    look: VehicleLook = NO_LOOK
    crop: PhotoRef | None = None
    overview: PhotoRef | None = None
    corners: Corners | None = None  # in the overview
    frames_seen: int = 1
    votes: tuple[FrameVote, ...] = ()
    hits: tuple[DeviceHit, ...] = ()
    places: bytes = b""  # where each character of `text` stands in `crop`: see `pack_places`; empty: not known

    @property
    def id(self) -> str:
        """The read's identity as one text."""
        return f"{self.device_id}.{self.boot}.{self.sequence}"

    @property
    def doubtful(self) -> tuple[int, ...]:
        """Places (from 0) whose character is doubtful."""
        return tuple(i for i, p in enumerate(self.char_probs) if p < DOUBTFUL_PROB)

    @property
    def char_places(self) -> tuple[tuple[float, float], ...]:
        """Left and right edge of each character of `text`, in shares of the width of `crop`; empty where not known."""
        places = self.places
        if not places_fit(places, self.text):
            return ()
        return tuple((places[i] / 255, places[i + 1] / 255) for i in range(0, len(places), 2))


def pack_places(edges: Sequence[tuple[float, float]]) -> bytes:
    """Edges of characters (left, right) in shares of the crop's width as the wire carries them.

    Two bytes a character, left and right edge, 0 for the crop's left border and 255 for its right one; in JSON base64 of
    these bytes, as every byte text. The order is that of the text's characters.
    """
    return bytes(min(255, max(0, round(share * 255))) for pair in edges for share in pair)


def places_fit(places: bytes, text: str) -> bool:
    """Whether places speak of each character of a text; no places fit as well."""
    return not places or len(places) == 2 * len(text)


_READ_ID = re.compile(r"([a-z0-9][a-z0-9-]{0,63})\.(\d{1,10})\.(\d{1,15})")


def parse_read_id(text: str) -> tuple[str, int, int]:
    """Device id, boot counter and sequence of a read's id.

    Raises:
        InputRefusedError: not an id of a read.
    """
    match = _READ_ID.fullmatch(text)
    if match is None:
        raise InputRefusedError("That is not the id of a read.", reference="read-id")
    return match[1], int(match[2]), int(match[3])
