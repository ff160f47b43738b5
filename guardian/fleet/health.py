"""How a device is: figures out of band, each by its code and facts (`views.FindingCode`); `wording` says them.

Pure. Times inside a heartbeat are compared with one another (all by the device's clock), never with ours; only the
clock's own error is judged against ours. Bounds are this house's choice where no source stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from guardian.domain.position import Position
from guardian.domain.wire import Heartbeat
from guardian.fleet.views import HealthFinding
from guardian.fleet.wording import finding

OFFLINE_MS = 5 * 60 * 1000
CLOCK_ATTENTION_MS = 2_000
CLOCK_FAULT_MS = 60_000
BACKLOG_ATTENTION_MS = 10 * 60 * 1000
BACKLOG_FAULT_MS = 60 * 60 * 1000
PICTURE_MS = 30_000
POSITION_MS = 2 * 60 * 1000
LIST_ATTENTION_MS = 60 * 1000
"""A connected device holds a new list within seconds (p95 5 s); a minute later something is wrong. Also the other way
round: another process of the cloud may know a version some moments before this one."""
LIST_FAULT_MS = 24 * 3600 * 1000
HEAT_ATTENTION_C = 65.0
HEAT_FAULT_C = 80.0
DISK_ATTENTION = 0.80
DISK_FAULT = 0.95
LENS_SHARE = 0.88
"""Fewer characters a read than this share of what it usually has: part of the plate is not seen."""
LENS_READS_MIN = 20
READS_SHARE = 0.3
READS_USUAL_MIN = 30
HOURS_KNOWN_MIN = 5
"""With fewer hours of its own past nothing is called unusual."""


class Hour(msgspec.Struct, frozen=True):
    """What one hour of a device brought. `hour` counts since 1970."""

    hour: int
    reads: int
    chars_per_read: float | None = None


class Usual(msgspec.Struct, frozen=True):
    """What a device usually does, from its own last days; None is not known."""

    chars_per_read: float | None = None
    reads_by_hour_of_day: tuple[float | None, ...] = (None,) * 24


def usual_of(hours: Iterable[Hour], *, before_hour: int) -> Usual:
    """The medians of a device's past, without the hour `before_hour` and later.

    An hour of the day takes its neighbours along: duty does not begin on the minute. Medians, because one parade or one
    night in the garage must not move what is usual.
    """
    past = [hour for hour in hours if hour.hour < before_hour]
    chars = [hour.chars_per_read for hour in past if hour.chars_per_read is not None and hour.reads >= LENS_READS_MIN]
    by_day_hour: list[list[int]] = [[] for _ in range(24)]
    for hour in past:
        for near in (hour.hour - 1, hour.hour, hour.hour + 1):
            by_day_hour[near % 24].append(hour.reads)
    return Usual(
        median(chars) if len(chars) >= HOURS_KNOWN_MIN else None,
        tuple(median(reads) if len(reads) >= HOURS_KNOWN_MIN else None for reads in by_day_hour),
    )


def findings_of(
    beat: Heartbeat,
    *,
    seen_ms: int,
    now_ms: int,
    usual: Usual,
    list_version: int,
    list_issued_ms: int,
    position: Position | None,
    forked: bool = False,
) -> tuple[HealthFinding, ...]:
    """What is out of band in the latest heartbeat, faults first.

    Args:
        seen_ms: when the heartbeat came, by our clock.
        list_version: the version in force, issued at `list_issued_ms`.
        position: the last that can be true, if any.
    """
    found: list[HealthFinding] = []
    if forked:
        found.append(finding("identity", "fault", "identity-forked"))
    found += _picture(beat)
    found += _clock(beat, seen_ms)
    found += _backlog(beat)
    found += _list(beat, now_ms, list_version, list_issued_ms)
    found += _heat(beat)
    found += _disk(beat)
    found += _lost(beat)
    found += _lens(beat, usual)
    found += _reads(beat, usual, seen_ms)
    found += _position(beat, position, seen_ms)
    return tuple(sorted(found, key=lambda one: one.level != "fault"))


def state_of(
    findings: Sequence[HealthFinding], *, seen_ms: int | None, now_ms: int, revoked: bool, forked: bool
) -> str:
    """The one word of a device's row."""
    if revoked:
        return "revoked"
    if forked:
        return "forked"
    if seen_ms is None:
        return "unknown"
    if now_ms - seen_ms > OFFLINE_MS:
        return "offline"
    if any(finding.level == "fault" for finding in findings):
        return "fault"
    return "attention" if findings else "normal"


WORST_FIRST = ("forked", "fault", "offline", "attention", "unknown", "normal", "revoked")


def _picture(beat: Heartbeat) -> list[HealthFinding]:
    if beat.picture_since_ms is None:
        return [finding("picture", "fault", "picture-none", reason=beat.waiting)]
    age = beat.sent_ms - beat.picture_since_ms
    if age > PICTURE_MS:
        return [finding("picture", "fault", "picture-stopped", age_ms=age, reason=beat.waiting)]
    return []


def _clock(beat: Heartbeat, seen_ms: int) -> list[HealthFinding]:
    if beat.clock_source == "unset":
        return [finding("clock", "fault", "clock-unset")]
    apart = seen_ms - beat.sent_ms
    if abs(apart) >= CLOCK_FAULT_MS:
        return [finding("clock", "fault", "clock-apart", apart_ms=apart)]
    offset = beat.clock_offset_ms or 0
    if abs(offset) >= CLOCK_ATTENTION_MS:
        level = "fault" if abs(offset) >= CLOCK_FAULT_MS else "attention"
        return [finding("clock", level, "clock-corrected", offset_ms=offset)]
    return []


def _backlog(beat: Heartbeat) -> list[HealthFinding]:
    if not beat.backlog_items or beat.backlog_oldest_ms is None:
        return []
    age = beat.sent_ms - beat.backlog_oldest_ms
    if age < BACKLOG_ATTENTION_MS:
        return []
    level = "fault" if age >= BACKLOG_FAULT_MS else "attention"
    return [finding("backlog", level, "backlog-old", items=beat.backlog_items, age_ms=age)]


def _list(beat: Heartbeat, now_ms: int, version: int, issued_ms: int) -> list[HealthFinding]:
    if beat.list_version > version and now_ms - beat.list_issued_ms >= LIST_ATTENTION_MS:
        # The records were restored from an old copy. The device rightly refuses to go back, so nothing reaches it until
        # the versions pass its own: no removal either.
        return [finding("list", "fault", "list-ahead", version=beat.list_version, current=version)]
    if beat.list_version >= version or now_ms - issued_ms < LIST_ATTENTION_MS:
        return []
    if beat.list_version == 0:
        return [finding("list", "fault", "list-none")]
    age = now_ms - beat.list_issued_ms
    level = "fault" if age >= LIST_FAULT_MS else "attention"
    return [finding("list", level, "list-old", version=beat.list_version, age_ms=age, current=version)]


def _heat(beat: Heartbeat) -> list[HealthFinding]:
    if beat.temperature_c is None or beat.temperature_c < HEAT_ATTENTION_C:
        return []
    level = "fault" if beat.temperature_c >= HEAT_FAULT_C else "attention"
    return [finding("heat", level, "heat", celsius=beat.temperature_c, limit_celsius=HEAT_ATTENTION_C)]


def _disk(beat: Heartbeat) -> list[HealthFinding]:
    found = []
    share = beat.spool_bytes / beat.spool_bytes_max if beat.spool_bytes_max > 0 else 0.0
    if share >= DISK_ATTENTION:
        level = "fault" if share >= DISK_FAULT else "attention"
        found.append(finding("disk", level, "spool-full", share=share))
    if beat.photos_given_up:
        found.append(finding("photos", "attention", "photos-given-up", photos=beat.photos_given_up))
    return found


def _lost(beat: Heartbeat) -> list[HealthFinding]:
    """What nobody will get any more, or will not if the device is switched off now."""
    found = []
    if beat.reads_in_memory > 0:
        found.append(finding("memory", "fault", "reads-in-memory", reads=beat.reads_in_memory))
    lost, missing = max(0, beat.reads_lost), max(0, beat.reads_missing)
    if lost or missing:
        found.append(finding("lost", "fault", "reads-lost", lost=lost, missing=missing))
    if beat.reads_refused > 0:
        found.append(finding("refused", "attention", "reads-refused", reads=beat.reads_refused))
    return found


def _lens(beat: Heartbeat, usual: Usual) -> list[HealthFinding]:
    chars = beat.chars_per_read
    if chars is None or usual.chars_per_read is None or beat.reads_last_hour < LENS_READS_MIN:
        return []
    if chars >= usual.chars_per_read * LENS_SHARE:
        return []
    return [finding("lens", "attention", "lens-dirty", chars=chars, usual=usual.chars_per_read)]


def _reads(beat: Heartbeat, usual: Usual, seen_ms: int) -> list[HealthFinding]:
    wanted = usual.reads_by_hour_of_day[seen_ms // 3_600_000 % 24]
    if wanted is None or wanted < READS_USUAL_MIN or beat.reads_last_hour >= wanted * READS_SHARE:
        return []
    if beat.picture_since_ms is None:
        return []  # said already
    return [finding("reads", "attention", "reads-few", reads=beat.reads_last_hour, usual=wanted)]


def _position(beat: Heartbeat, position: Position | None, seen_ms: int) -> list[HealthFinding]:
    if position is None:
        return [finding("position", "attention", "position-none")]
    age = seen_ms - position.fixed_ms
    if age > POSITION_MS:
        return [finding("position", "attention", "position-old", age_ms=age)]
    return []
