"""States of a device that last: said in words on its screen until they are gone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from guardian.domain.camera import CAMERA_WORDS
from guardian.domain.moment import TAIPEI

if TYPE_CHECKING:
    from guardian.device.run import Device

NO_PICTURE_MS = 10_000
"""A camera that is silent for so long is said to be silent (field case G11)."""
CAUSE_KNOWN_MS = 2_000
LIST_OLD_MS = 24 * 3_600_000


def say_what_lasts(device: Device, run_s: float) -> None:
    """No picture, no clock, no list or an old one. `run_s`: how long the device has been running."""
    health = device.source.health
    now = device.clock.mono_ms()
    last = health.last_frame_mono_ms
    silent_ms = now - last if last is not None else None
    sentence = ""
    if device.source.paced and not device.pipeline.ended:
        # A cause that is known is said soon; a silence without one may be a pause.
        patience_ms = CAUSE_KNOWN_MS if health.waiting else NO_PICTURE_MS
        if last is None and (health.waiting or run_s * 1000 > NO_PICTURE_MS):
            sentence = f"尚無畫面{camera_words(health.waiting)}；持續重試，其餘照常"
        elif silent_ms is not None and silent_ms > patience_ms:
            since = _clock_text(device.clock.at(last or 0)[0])
            sentence = f"{since} 起沒有畫面{camera_words(health.waiting)}；持續重試，其餘照常"
    device.desk.say("no-picture", sentence)
    device.desk.say("clock-unset", "" if device.clock.plausible else "時鐘未校正：判讀與告警照常，取得時間後補正")
    held = device.lists.in_force
    if held.version == 0:
        cure = "連上雲端後自動下載" if device.uplink is not None else "先以 guardian device enrol 加入雲端"
        device.desk.say("list-old", f"設備上沒有名單：只記錄，不會告警；{cure}")
    elif device.clock.plausible and device.clock.now_ms() - held.issued_ms > LIST_OLD_MS:
        days = (device.clock.now_ms() - held.issued_ms) // LIST_OLD_MS
        device.desk.say("list-old", f"名單第 {held.version} 版已 {days} 天未更新")
    else:
        device.desk.say("list-old", "")


def camera_words(reason: str) -> str:
    """Cause and cure after a sentence that there is no picture; empty where the cause is not known."""
    cause, cure = CAMERA_WORDS.get(reason, (reason, ""))
    return f"：{cause}，{cure}" if cure else f"：{cause}" if cause else ""


def _clock_text(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, TAIPEI).strftime("%H:%M:%S")
