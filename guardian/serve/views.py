"""What the live page opens with, and the events that follow (server-sent events, `event:` = kind, `data:` = JSON)."""

from __future__ import annotations

import msgspec

from guardian.archive.views import ReadRow
from guardian.fleet.views import UnitView
from guardian.watch.views import HitCard


class LiveSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the live page needs to draw; then `GET /api/live/events?after=cursor` goes on from here."""

    server_ms: int
    cursor: str
    units: tuple[UnitView, ...]
    hits: tuple[HitCard, ...]
    reads: tuple[ReadRow, ...]  # newest first, at most 200
    reads_per_min: int
    list_version: int
    list_issued_ms: int
    open_hits: int
    quarantined: int
    devices_attention: int


class LiveTick(msgspec.Struct, frozen=True):
    """`tick`, every 5 s: the page goes stale when none comes for 15 s (field case G39)."""

    server_ms: int
    reads_per_min: int
    open_hits: int
    quarantined: int
    devices_attention: int
    list_version: int
    list_issued_ms: int


# kinds: "tick" LiveTick · "read" ReadRow · "hit" HitCard (raised or changed) · "unit" UnitView · "list" LiveTick
# · "gap" {} (the stream lost something: take a new snapshot) · "cursor" in the SSE id field
