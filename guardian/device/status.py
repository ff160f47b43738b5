"""How the device is, as one value: the page, the terminal, `guardian device status` and the heartbeat all read it."""

from __future__ import annotations

import msgspec

from guardian.domain.position import Position
from guardian.domain.wire import StageHealth


class DeviceStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look at everything. Absent figures are not known."""

    at_ms: int
    device_id: str
    name: str = ""
    unit: str = ""
    cloud: str = ""
    source: str = ""
    picture_ms: int | None = None  # when the last frame came
    waiting: str = ""  # why there is none just now: a key of `domain.camera.CAMERA_WORDS`
    tries: int = 0  # openings since then
    reconnects: int = 0
    frames: int = 0
    frames_per_s: float | None = None
    frames_dropped: int = 0
    cut_short: int = 0
    list_version: int = 0
    list_issued_ms: int = 0
    list_entries: int = 0
    list_digest: str = ""
    reads: int = 0
    alarms: int = 0
    alarms_repeated: int = 0  # the same vehicle again: not sounded
    spool_reads: int = 0
    spool_oldest_ms: int | None = None
    spool_photos: int = 0
    spool_bytes: int = 0
    spool_bytes_max: int = 0
    photos_given_up: int = 0
    reads_lost: int = 0
    reads_missing: int = 0
    reads_in_memory: int = 0
    reads_refused: int = 0
    uplink: str = "off"  # off | online | offline | revoked
    uplink_since_ms: int | None = None
    clock_source: str = "unset"
    clock_offset_ms: int | None = None
    clock_set: bool = True
    position: Position | None = None
    alarm_ms_p99: float | None = None
    sound: str = ""
    notice: str = ""
    page: str = ""
    stages: tuple[StageHealth, ...] = ()
