"""How a device is: figures out of band, each with a sentence and a cure, in the words of the officer who reads it.

Pure. Times inside a heartbeat are compared with one another (all by the device's clock), never with ours; only the
clock's own error is judged against ours. Bounds are this house's choice where no source stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from guardian.domain.camera import CAMERA_WORDS
from guardian.domain.position import Position
from guardian.domain.wire import Heartbeat
from guardian.fleet.views import HealthFinding

OFFLINE_MS = 5 * 60 * 1000
CLOCK_ATTENTION_MS = 2_000
CLOCK_FAULT_MS = 60_000
BACKLOG_ATTENTION_MS = 10 * 60 * 1000
BACKLOG_FAULT_MS = 60 * 60 * 1000
PICTURE_MS = 30_000
POSITION_MS = 2 * 60 * 1000
LIST_ATTENTION_MS = 60 * 1000
"""A connected device holds a new list within seconds (p95 5 s); a minute later something is wrong."""
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
        found.append(
            HealthFinding(
                "identity",
                "fault",
                "兩台設備使用同一身分，紀錄分開保存",
                "找出兩台設備，兩台都撤銷後重新註冊",
            )
        )
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
    return tuple(sorted(found, key=lambda finding: finding.level != "fault"))


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


def age_words(ms: float) -> str:
    """An age as a person says it: 44 秒, 12 分, 3 小時, 2 天."""
    seconds = max(0, round(ms / 1000))
    if seconds < 60:
        return f"{seconds} 秒"
    if seconds < 3600:
        return f"{seconds // 60} 分"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} 小時"
    return f"{seconds // 86400} 天"


def _picture(beat: Heartbeat) -> list[HealthFinding]:
    cause, cure = CAMERA_WORDS.get(beat.waiting, ("", "檢查鏡頭接線與電源；停車後重新啟動設備"))
    why = f"：{cause}" if cause else ""
    if beat.picture_since_ms is None:
        return [HealthFinding("picture", "fault", f"尚無影像{why}", cure)]
    age = beat.sent_ms - beat.picture_since_ms
    if age > PICTURE_MS:
        return [HealthFinding("picture", "fault", f"已 {age_words(age)}沒有影像{why}", cure)]
    return []


def _clock(beat: Heartbeat, seen_ms: int) -> list[HealthFinding]:
    cure = "到空曠處讓 GPS 校時，或接上網路數分鐘；常常發生就更換設備電池"
    if beat.clock_source == "unset":
        return [HealthFinding("clock", "fault", "設備時鐘未校正，紀錄的時間存疑", cure)]
    apart = seen_ms - beat.sent_ms
    if abs(apart) >= CLOCK_FAULT_MS:
        word = "慢" if apart > 0 else "快"
        return [HealthFinding("clock", "fault", f"設備時鐘比雲端{word} {age_words(abs(apart))}", cure)]
    offset = beat.clock_offset_ms or 0
    if abs(offset) >= CLOCK_ATTENTION_MS:
        word = "慢" if offset > 0 else "快"
        level = "fault" if abs(offset) >= CLOCK_FAULT_MS else "attention"
        said = f"{abs(offset) / 1000:.1f} 秒" if abs(offset) < CLOCK_FAULT_MS else age_words(abs(offset))
        return [HealthFinding("clock", level, f"設備時鐘{word} {said}，紀錄已更正", cure)]
    return []


def _backlog(beat: Heartbeat) -> list[HealthFinding]:
    if not beat.backlog_items or beat.backlog_oldest_ms is None:
        return []
    age = beat.sent_ms - beat.backlog_oldest_ms
    if age < BACKLOG_ATTENTION_MS:
        return []
    level = "fault" if age >= BACKLOG_FAULT_MS else "attention"
    sentence = f"待送 {beat.backlog_items:,} 筆，最舊 {age_words(age)}"
    return [HealthFinding("backlog", level, sentence, "檢查行動網路訊號與門號；資料留在設備上，連線後自動補送")]


def _list(beat: Heartbeat, now_ms: int, version: int, issued_ms: int) -> list[HealthFinding]:
    if beat.list_version >= version or now_ms - issued_ms < LIST_ATTENTION_MS:
        return []
    cure = "檢查網路連線；名單會自動更新，仍不動就重新啟動設備"
    if beat.list_version == 0:
        return [HealthFinding("list", "fault", "設備上沒有名單，不會比對", cure)]
    age = now_ms - beat.list_issued_ms
    level = "fault" if age >= LIST_FAULT_MS else "attention"
    sentence = f"名單是第 {beat.list_version} 版（{age_words(age)}前），現行第 {version} 版"
    return [HealthFinding("list", level, sentence, cure)]


def _heat(beat: Heartbeat) -> list[HealthFinding]:
    if beat.temperature_c is None or beat.temperature_c < HEAT_ATTENTION_C:
        return []
    level = "fault" if beat.temperature_c >= HEAT_FAULT_C else "attention"
    cure = f"停車時打開車廂通風；仍高於 {HEAT_ATTENTION_C:.0f} °C 就換下送修"
    return [HealthFinding("heat", level, f"主機過熱：{beat.temperature_c:.0f} °C", cure)]


def _disk(beat: Heartbeat) -> list[HealthFinding]:
    found = []
    share = beat.spool_bytes / beat.spool_bytes_max if beat.spool_bytes_max > 0 else 0.0
    if share >= DISK_ATTENTION:
        level = "fault" if share >= DISK_FAULT else "attention"
        found.append(HealthFinding("disk", level, f"暫存空間已用 {share:.0%}", "讓設備連線補送；連線正常仍不降就送修"))
    if beat.photos_given_up:
        sentence = f"空間不足，已放棄 {beat.photos_given_up:,} 張一般影像（紀錄與比對不受影響）"
        found.append(HealthFinding("photos", "attention", sentence, "讓設備連線補送，騰出空間"))
    return found


def _lost(beat: Heartbeat) -> list[HealthFinding]:
    """What nobody will get any more, or will not if the device is switched off now."""
    found = []
    if beat.reads_in_memory > 0:
        sentence = f"設備磁碟已滿：{beat.reads_in_memory:,} 筆紀錄只在記憶體，關機就會遺失"
        found.append(HealthFinding("memory", "fault", sentence, "先不要關機；讓設備連線補送，或在設備上騰出空間"))
    lost, missing = max(0, beat.reads_lost), max(0, beat.reads_missing)
    if lost or missing:
        said = [f"遺失 {lost:,} 筆紀錄"] if lost else []
        said += [f"上次斷電缺 {missing:,} 筆紀錄"] if missing else []
        cure = "損壞的片段另存在設備上，送修時一併取出；常常發生就更換設備的磁碟"
        found.append(HealthFinding("lost", "fault", "、".join(said), cure))
    if beat.reads_refused > 0:
        sentence = f"雲端退回 {beat.reads_refused:,} 筆紀錄，另存在設備上"
        found.append(HealthFinding("refused", "attention", sentence, "更新設備軟體；送修時取出另存的紀錄"))
    return found


def _lens(beat: Heartbeat, usual: Usual) -> list[HealthFinding]:
    chars = beat.chars_per_read
    if chars is None or usual.chars_per_read is None or beat.reads_last_hour < LENS_READS_MIN:
        return []
    if chars >= usual.chars_per_read * LENS_SHARE:
        return []
    sentence = f"鏡頭可能髒污：近一小時每車字數 {chars:.1f}，平常 {usual.chars_per_read:.1f}"
    return [HealthFinding("lens", "attention", sentence, "擦拭鏡頭與鏡頭前的玻璃；仍偏低就檢查對焦與角度")]


def _reads(beat: Heartbeat, usual: Usual, seen_ms: int) -> list[HealthFinding]:
    wanted = usual.reads_by_hour_of_day[seen_ms // 3_600_000 % 24]
    if wanted is None or wanted < READS_USUAL_MIN or beat.reads_last_hour >= wanted * READS_SHARE:
        return []
    if beat.picture_since_ms is None:
        return []  # said already
    sentence = f"近一小時判讀 {beat.reads_last_hour} 輛，這個時段平常約 {wanted:.0f} 輛"
    return [HealthFinding("reads", "attention", sentence, "車輛在執勤就檢查鏡頭角度、髒污與光線；停放中可略過")]


def _position(beat: Heartbeat, position: Position | None, seen_ms: int) -> list[HealthFinding]:
    cure = "檢查 GPS 天線是否被遮住；到空曠處等一分鐘"
    if position is None:
        return [HealthFinding("position", "attention", "沒有定位", cure)]
    age = seen_ms - position.fixed_ms
    if age > POSITION_MS:
        return [HealthFinding("position", "attention", f"定位停在 {age_words(age)}前", cure)]
    return []
