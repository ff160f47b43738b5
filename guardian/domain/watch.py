"""Watched vehicles: why a number is looked for, how urgently, until when; and what a match becomes.

A list entry is one number as its source gave it. Look-alike twins are never entries; they are the matcher's work. A hit
is a read that matches an entry; a named person checks it, and every change is a fact with its author and time.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec


class Category(StrEnum):
    """Why a vehicle is watched (類別)."""

    STOLEN = "stolen"  # 失竊
    MISAPPROPRIATED = "misappropriated"  # 侵占
    PLATE_CANCELLED = "plate_cancelled"  # 註銷
    PLATE_CLONED = "plate_cloned"  # AB車
    CASE_LINKED = "case_linked"  # 涉案
    MISSING = "missing"  # 協尋（失蹤人口）
    WANTED = "wanted"  # 通緝
    OTHER = "other"


CATEGORY_WORDS: dict[Category, tuple[str, ...]] = {
    Category.STOLEN: ("失竊", "失竊車輛", "竊盜", "失車"),
    Category.MISAPPROPRIATED: ("侵占", "侵占車輛"),
    Category.PLATE_CANCELLED: ("註銷", "註銷號牌", "吊銷"),
    Category.PLATE_CLONED: ("AB車", "偽牌", "偽造號牌"),
    Category.CASE_LINKED: ("涉案", "涉案車輛"),
    Category.MISSING: ("協尋", "失蹤", "失蹤人口"),
    Category.WANTED: ("通緝", "通緝犯"),
    Category.OTHER: ("其他",),
}
"""What files write for each category; the first is the word on screens."""


class Priority(IntEnum):
    """How urgently; colours, words, shapes and sounds hang on it (console.md section 3)."""

    URGENT = 1  # 緊急 ◆
    HIGH = 2  # 優先 ▲
    NOTICE = 3  # 一般 ●


DEFAULT_PRIORITY: dict[Category, Priority] = {
    Category.WANTED: Priority.URGENT,
    Category.CASE_LINKED: Priority.URGENT,
    Category.MISSING: Priority.HIGH,
    Category.STOLEN: Priority.HIGH,
    Category.MISAPPROPRIATED: Priority.HIGH,
    Category.PLATE_CLONED: Priority.HIGH,
    Category.PLATE_CANCELLED: Priority.NOTICE,
    Category.OTHER: Priority.NOTICE,
}


class WatchEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One watched vehicle. `expires_ms` is the last millisecond at which it counts; None means no expiry.

    `silent` entries make no sound in the car (P09). `colour` and `kind` are what the registry says the vehicle looks
    like; empty means not known.
    """

    id: str
    text: str
    category: Category
    reason: str = ""
    case_number: str = ""
    priority: Priority = Priority.HIGH
    expires_ms: int | None = None
    source: str = ""
    silent: bool = False
    colour: str = ""
    kind: str = ""
    make: str = ""
    warning: str = ""  # officer safety: "曾拒檢逃逸" (P15)
    remark: str = ""


class MatchStrength(StrEnum):
    """Two strengths that must never look alike (P10)."""

    EXACT = "exact"  # 完全相符
    LOOKALIKE = "lookalike"  # 近似


class Match(msgspec.Struct, frozen=True):
    """What the matcher says of one text: which entry, how strongly, and where the two differ (places from 0)."""

    entry_id: str
    entry_text: str
    strength: MatchStrength
    likelihood_prob: float
    differing: tuple[int, ...] = ()


class HitState(StrEnum):
    """Where a hit stands. Terminal states may still be undone by a further fact."""

    NEW = "new"
    CHECKING = "checking"  # claimed by a named person
    CONFIRMED = "confirmed"  # 確認相符
    WRONG_PLATE = "wrong_plate"  # 車牌不符
    WRONG_VEHICLE = "wrong_vehicle"  # 車輛不符
    ENTRY_OUTDATED = "entry_outdated"  # 名單已過期


VERDICTS = (HitState.CONFIRMED, HitState.WRONG_PLATE, HitState.WRONG_VEHICLE, HitState.ENTRY_OUTDATED)


class Outcome(StrEnum):
    """What came of a confirmed hit; needs CONFIRMED before it."""

    STOPPED = "stopped"  # 已攔查
    RECOVERED = "recovered"  # 尋獲車輛
    ARRESTED = "arrested"  # 查獲人犯
    LOST = "lost"  # 未攔獲
    PASSED_ON = "passed_on"  # 移交


class HitFact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened to a hit. Facts are appended, never changed; a later `undone` names what it takes back."""

    hit_id: str
    number: int
    kind: str  # raised | claimed | released | verdict | undone | outcome | note | entry_removed | device_answer | second_opinion
    author: str
    at_ms: int
    value: str = ""
    note: str = ""
