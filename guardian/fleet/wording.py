"""The zh-TW words of findings, for whoever has none of their own: a finding is its code and its facts.

The console says findings in the person's language by the same codes (`console/src/words`); these sentences are what other
clients print as they come. A code is never given a new meaning and no fact another unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from guardian.domain.camera import CAMERA_WORDS
from guardian.fleet.views import Fact, FindingCode, HealthFinding

Facts = Mapping[str, Fact]

CLOCK_TENTHS_MS = 60_000
"""An error of the clock below this is said in tenths of a second."""

CLOCK_CURE = "到空曠處讓 GPS 校時，或接上網路數分鐘；常常發生就更換設備電池"
LIST_CURE = "檢查網路連線；名單會自動更新，仍不動就重新啟動設備"
CAMERA_CURE = "檢查鏡頭接線與電源；停車後重新啟動設備"
POSITION_CURE = "檢查 GPS 天線是否被遮住；到空曠處等一分鐘"


def finding(figure: str, level: str, code: FindingCode, **facts: Fact) -> HealthFinding:
    """A finding with its zh-TW words.

    Args:
        figure: the figure out of band, for the column that shows it.
        level: attention | fault.
    """
    sentence, cure = WORDS[code]
    return HealthFinding(figure, level, sentence(facts), cure(facts), code, facts)


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


def _ms(facts: Facts, name: str) -> float:
    return float(facts[name])


def _camera(facts: Facts) -> tuple[str, str]:
    """Why there is no picture, as the end of a sentence, and the cure."""
    cause, cure = CAMERA_WORDS.get(str(facts["reason"]), ("", CAMERA_CURE))
    return f"：{cause}" if cause else "", cure


def _apart(facts: Facts) -> str:
    return f"{'慢' if _ms(facts, 'apart_ms') > 0 else '快'} {age_words(abs(_ms(facts, 'apart_ms')))}"


def _offset(facts: Facts) -> str:
    off = _ms(facts, "offset_ms")
    said = f"{abs(off) / 1000:.1f} 秒" if abs(off) < CLOCK_TENTHS_MS else age_words(abs(off))
    return f"{'慢' if off > 0 else '快'} {said}"


def _lost(facts: Facts) -> str:
    said = [f"遺失 {facts['lost']:,} 筆紀錄"] if facts["lost"] else []
    said += [f"上次斷電缺 {facts['missing']:,} 筆紀錄"] if facts["missing"] else []
    return "、".join(said)


def _always(words: str) -> Callable[[Facts], str]:
    return lambda _: words


WORDS: Final[dict[FindingCode, tuple[Callable[[Facts], str], Callable[[Facts], str]]]] = {
    "identity-forked": (
        _always("兩台設備使用同一身分，紀錄分開保存"),
        _always("找出兩台設備，兩台都撤銷後重新註冊"),
    ),
    "picture-none": (lambda f: f"尚無影像{_camera(f)[0]}", lambda f: _camera(f)[1]),
    "picture-stopped": (
        lambda f: f"已 {age_words(_ms(f, 'age_ms'))}沒有影像{_camera(f)[0]}",
        lambda f: _camera(f)[1],
    ),
    "clock-unset": (_always("設備時鐘未校正，紀錄的時間存疑"), _always(CLOCK_CURE)),
    "clock-apart": (lambda f: f"設備時鐘比雲端{_apart(f)}", _always(CLOCK_CURE)),
    "clock-corrected": (lambda f: f"設備時鐘{_offset(f)}，紀錄已更正", _always(CLOCK_CURE)),
    "backlog-old": (
        lambda f: f"待送 {f['items']:,} 筆，最舊 {age_words(_ms(f, 'age_ms'))}",
        _always("檢查行動網路訊號與門號；資料留在設備上，連線後自動補送"),
    ),
    "list-none": (_always("設備上沒有名單，不會比對"), _always(LIST_CURE)),
    "list-old": (
        lambda f: f"名單是第 {f['version']} 版（{age_words(_ms(f, 'age_ms'))}前），現行第 {f['current']} 版",
        _always(LIST_CURE),
    ),
    "list-ahead": (
        lambda f: f"設備名單第 {f['version']} 版，比雲端現行第 {f['current']} 版新；收不到名單異動",
        _always("雲端資料由舊備份還原：通知維運工程師；設備仍以手上的名單比對"),
    ),
    "heat": (
        lambda f: f"主機過熱：{f['celsius']:.0f} °C",
        lambda f: f"停車時打開車廂通風；仍高於 {f['limit_celsius']:.0f} °C 就換下送修",
    ),
    "spool-full": (lambda f: f"暫存空間已用 {f['share']:.0%}", _always("讓設備連線補送；連線正常仍不降就送修")),
    "photos-given-up": (
        lambda f: f"空間不足，已放棄 {f['photos']:,} 張一般影像（紀錄與比對不受影響）",
        _always("讓設備連線補送，騰出空間"),
    ),
    "reads-in-memory": (
        lambda f: f"設備磁碟已滿：{f['reads']:,} 筆紀錄只在記憶體，關機就會遺失",
        _always("先不要關機；讓設備連線補送，或在設備上騰出空間"),
    ),
    "reads-lost": (_lost, _always("損壞的片段另存在設備上，送修時一併取出；常常發生就更換設備的磁碟")),
    "reads-refused": (
        lambda f: f"雲端退回 {f['reads']:,} 筆紀錄，另存在設備上",
        _always("更新設備軟體；送修時取出另存的紀錄"),
    ),
    "lens-dirty": (
        lambda f: f"鏡頭可能髒污：近一小時每車字數 {f['chars']:.1f}，平常 {f['usual']:.1f}",
        _always("擦拭鏡頭與鏡頭前的玻璃；仍偏低就檢查對焦與角度"),
    ),
    "reads-few": (
        lambda f: f"近一小時判讀 {f['reads']} 輛，這個時段平常約 {f['usual']:.0f} 輛",
        _always("車輛在執勤就檢查鏡頭角度、髒污與光線；停放中可略過"),
    ),
    "position-none": (_always("沒有定位"), _always(POSITION_CURE)),
    "position-old": (lambda f: f"定位停在 {age_words(_ms(f, 'age_ms'))}前", _always(POSITION_CURE)),
}
