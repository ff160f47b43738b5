"""What the console sees of devices and units: the JSON of this room's routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from guardian.domain.wire import Heartbeat


class UnitView(msgspec.Struct, frozen=True, kw_only=True):
    """A unit on the map; `state`: fresh (≤ 60 s) | old (≤ 5 min) | lost."""

    device_id: str
    unit: str
    kind: str  # car | motorcycle | foot
    lat_deg: float | None
    lon_deg: float | None
    heading_deg: float | None
    speed_kmh: float | None
    accuracy_m: float | None
    fixed_ms: int | None
    seen_ms: int
    state: str
    place: str = ""


FindingCode = Literal[
    "",  # absent: the sentence is all there is
    "identity-forked",
    "picture-none",  # reason: a key of `domain.camera.CAMERA_WORDS` or of a newer device
    "picture-stopped",  # age_ms, reason
    "clock-unset",
    "clock-apart",  # apart_ms: from the cloud's clock; positive: the device is behind
    "clock-corrected",  # offset_ms: to be added to the device's time
    "backlog-old",  # items, age_ms
    "list-none",
    "list-old",  # version, age_ms, current
    "list-ahead",  # version, current: the device holds a list that the cloud does not know
    "heat",  # celsius, limit_celsius
    "spool-full",  # share, 0 to 1
    "photos-given-up",  # photos
    "reads-in-memory",  # reads
    "reads-lost",  # lost, missing
    "reads-refused",  # reads
    "lens-dirty",  # chars, usual: characters a read
    "reads-few",  # reads, usual: of an hour
    "position-none",
    "position-old",  # age_ms
]
"""What is out of band, with the names of its facts. Numbers but for `reason`."""

Fact = float | str
"""Counts stay whole numbers on the wire; one kind of number keeps the document unambiguous."""


class HealthFinding(msgspec.Struct, frozen=True):
    """A figure out of band: its code and facts, for a client that has words of its own; sentence and cure in zh-TW."""

    figure: str
    level: str  # attention | fault
    sentence: str
    cure: str
    code: FindingCode = ""
    facts: Mapping[str, Fact] = {}


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A device's row; `state`: normal | attention | fault | offline | unknown | revoked | forked."""

    id: str
    name: str
    unit: str
    kind: str
    state: str
    enrolled_ms: int
    seen_ms: int | None
    list_version: int
    list_current: bool
    list_issued_ms: int | None
    backlog_items: int
    backlog_oldest_ms: int | None
    clock_offset_ms: int | None
    reads_by_hour: tuple[int, ...] = ()  # last 24, oldest first
    usual_by_hour: tuple[int | None, ...] = ()  # its own median for the same 24 hours; None: not known yet
    findings: tuple[HealthFinding, ...] = ()
    heartbeat: Heartbeat | None = None


class DevicesView(msgspec.Struct, frozen=True):
    """All devices, worst first."""

    devices: tuple[DeviceView, ...]
    list_version: int


class EnrolmentCodeRequest(msgspec.Struct, frozen=True):
    """Who the next device is for."""

    unit: str
    kind: str = "car"


class EnrolmentCode(msgspec.Struct, frozen=True):
    """A one-time code; shown once."""

    code: str
    expires_ms: int


class RevokeRequest(msgspec.Struct, frozen=True):
    """Revoking names the device again and says why."""

    device_id: str
    reason: str
