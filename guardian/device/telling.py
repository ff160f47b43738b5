"""What a device tells of itself: its status for the page and the file, its heartbeat for the cloud, a run's last line."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import guardian
from guardian.device.spooled import SpoolState
from guardian.device.status import DeviceStatus
from guardian.domain.wire import Heartbeat

if TYPE_CHECKING:
    from guardian.device.run import Device

HOUR_MS = 3_600_000
STATUS_FILE = "status.json"


@dataclass(slots=True)
class Summary:
    """What a run came to, for its last line."""

    frames: int = 0
    frames_dropped: int = 0
    reads: int = 0
    alarms: int = 0
    alarm_ms_p99: float = 0.0
    waiting: int = 0
    photos_waiting: int = 0
    cut_short: int = 0
    unreadable: int = 0
    reads_lost: int = 0
    reads_in_memory: int = 0  # not on disk, which is full: they end with the program
    elapsed_s: float = 0.0
    sayings: list[str] = field(default_factory=list)


class Telling:
    """Looks at a device; changes nothing in it."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._begun = time.monotonic()
        self._read_moments: list[int] = []
        self._fps: tuple[float, int, float | None] = (self._begun, 0, None)

    def count_read(self, mono_ms: int) -> None:
        """A read was kept; reads of the last hour are told."""
        self._read_moments.append(mono_ms)
        if len(self._read_moments) > 20_000 or self._read_moments[0] < mono_ms - HOUR_MS:
            self._read_moments = [m for m in self._read_moments[-20_000:] if m >= mono_ms - HOUR_MS]

    def _frames_per_s(self) -> float | None:
        since, frames, rate = self._fps
        now = time.monotonic()
        looked_at = self._device.pipeline.frames
        if now - since >= 2.0:
            rate = round((looked_at - frames) / (now - since), 1)
            self._fps = (now, looked_at, rate)
        return rate

    def status(self) -> DeviceStatus:
        """One look at everything."""
        spool: SpoolState = self._device.spool.state()
        held = self._device.lists.in_force
        health = self._device.source.health
        last = health.last_frame_mono_ms
        file = self._device.identity.file
        uplink = self._device.uplink
        return DeviceStatus(
            at_ms=self._device.clock.now_ms(),
            device_id=file.device_id,
            name=file.name,
            unit=file.unit,
            cloud=file.cloud,
            source=self._device.source.name,
            picture_ms=self._device.clock.at(last)[0] if last is not None else None,
            waiting=health.waiting,
            tries=health.tries,
            reconnects=health.reconnects,
            frames=health.frames,
            frames_per_s=self._frames_per_s(),
            frames_dropped=self._device.stages["source"].dropped,
            cut_short=health.cut_short,
            list_version=held.version,
            list_issued_ms=held.issued_ms,
            list_entries=held.count,
            list_digest=held.digest,
            reads=self._device.pipeline.reads,
            alarms=self._device.desk.raised,
            alarms_repeated=self._device.desk.suppressed,
            spool_reads=spool.reads,
            spool_oldest_ms=spool.oldest_ms,
            spool_photos=spool.photos,
            spool_bytes=spool.bytes,
            spool_bytes_max=spool.bytes_max,
            photos_given_up=spool.given_up_overviews + spool.given_up_crops,
            reads_lost=spool.reads_lost,
            reads_missing=self._device.spool.recovery.numbers_missing,
            reads_in_memory=spool.reads_in_memory,
            reads_refused=spool.reads_refused_by_cloud,
            uplink=uplink.state if uplink is not None else "off",
            uplink_since_ms=self._device.clock.at(uplink.state_since_ms)[0] if uplink is not None else None,
            clock_source=self._device.clock.source,
            clock_offset_ms=self._device.clock.offset_ms(),
            clock_set=self._device.clock.plausible,
            position=self._device.positions.at(self._device.clock.mono_ms()),
            alarm_ms_p99=round(self._device.stages.latency.quantile_ms(0.99), 1)
            if self._device.stages.latency.items
            else None,
            sound=self._device.speaker.silence,
            notice=uplink.notice if uplink is not None else "",
            page=self._device.page.address if self._device.page is not None else "",
            stages=self._device.stages.health(),
        )

    def heartbeat(self) -> Heartbeat:
        """The same look, as the cloud is told it."""
        now = self.status()
        hour_ago = self._device.clock.mono_ms() - HOUR_MS
        reads = self._device.pipeline.reads
        return Heartbeat(
            device_id=now.device_id,
            sent_ms=now.at_ms,
            position=now.position,
            unit=now.unit,
            list_version=now.list_version,
            list_issued_ms=now.list_issued_ms,
            list_digest=now.list_digest,
            backlog_items=now.spool_reads,
            backlog_oldest_ms=now.spool_oldest_ms,
            spool_bytes=now.spool_bytes,
            spool_bytes_max=now.spool_bytes_max,
            photos_given_up=now.photos_given_up,
            clock_offset_ms=now.clock_offset_ms,
            clock_source=now.clock_source,
            picture_since_ms=now.picture_ms,
            source=now.source,
            frames_per_s=now.frames_per_s,
            temperature_c=temperature_c(),
            reads_last_hour=sum(m >= hour_ago for m in list(self._read_moments)),
            chars_per_read=round(self._device.pipeline.chars / reads, 2) if reads else None,
            stages=now.stages,
            software=guardian.__version__,
            waiting=now.waiting,
            reconnects=now.reconnects,
            reads_lost=now.reads_lost,
            reads_missing=now.reads_missing,
            reads_in_memory=now.reads_in_memory,
            reads_refused=now.reads_refused,
        )

    def write(self) -> None:
        # Only a convenience for `guardian device status`: no sync, and a full disk does not matter.
        unfinished = self._device.options.home / "status.json.part"
        with contextlib.suppress(OSError):
            unfinished.write_bytes(msgspec.json.encode(self.status()))
            unfinished.replace(self._device.options.home / STATUS_FILE)

    def summary(self) -> Summary:
        """What the run came to."""
        health, spool = self._device.source.health, self._device.spool.state()
        return Summary(
            frames=health.frames,
            frames_dropped=self._device.stages["source"].dropped,
            reads=self._device.pipeline.reads,
            alarms=self._device.desk.raised,
            alarm_ms_p99=self._device.stages.latency.quantile_ms(0.99),
            waiting=spool.reads,
            photos_waiting=spool.photos,
            cut_short=health.cut_short,
            unreadable=health.unreadable,
            reads_lost=spool.reads_lost,
            reads_in_memory=spool.reads_in_memory,
            elapsed_s=time.monotonic() - self._begun,
            sayings=list(health.sayings),
        )


def temperature_c() -> float | None:
    """The hottest sensor that the machine names, or None."""
    hottest: float | None = None
    for zone in Path("/sys/class/thermal").glob("thermal_zone*/temp"):
        try:
            value = int(zone.read_text()) / 1000
        except (OSError, ValueError):
            continue
        if 0 < value < 150 and (hottest is None or value > hottest):
            hottest = value
    return hottest
