"""The words that an officer sees and hears, zh-TW (console.md, sections 3, 7 and 9)."""

from __future__ import annotations

from guardian.domain.series import VehicleClass
from guardian.domain.watch import Category, Priority

PRIORITY = {Priority.URGENT: "緊急", Priority.HIGH: "優先", Priority.NOTICE: "一般"}
PRIORITY_SIGN = {Priority.URGENT: "◆", Priority.HIGH: "▲", Priority.NOTICE: "●"}

CATEGORY = {
    Category.STOLEN: "失竊車輛",
    Category.MISAPPROPRIATED: "侵占車輛",
    Category.PLATE_CANCELLED: "註銷號牌",
    Category.PLATE_CLONED: "AB 車",
    Category.CASE_LINKED: "涉案車輛",
    Category.MISSING: "協尋車輛",
    Category.WANTED: "通緝車輛",
    Category.OTHER: "列管車輛",
}

COLOUR = {
    "white": "白色", "black": "黑色", "grey": "灰色", "silver": "銀色", "red": "紅色", "blue": "藍色", "green": "綠色",
    "yellow": "黃色", "brown": "棕色", "orange": "橘色", "purple": "紫色", "gold": "金色",
}  # fmt: skip
KIND = {"car": "汽車", "motorcycle": "機車", "truck": "貨車", "bus": "大客車"}

VEHICLE_CLASS = {
    VehicleClass.CAR: "汽車",
    VehicleClass.TAXI: "計程車",
    VehicleClass.RENTAL: "租賃車",
    VehicleClass.HEAVY: "大型車",
    VehicleClass.ELECTRIC_CAR: "電動車",
    VehicleClass.ACCESSIBLE: "身障用車",
    VehicleClass.MOTORCYCLE: "普通重機",
    VehicleClass.LIGHT_MOTORCYCLE: "輕型機車",
    VehicleClass.LARGE_MOTORCYCLE: "大型重機",
    VehicleClass.ELECTRIC_MOTORCYCLE: "電動機車",
    VehicleClass.MICRO_ELECTRIC: "微型電動二輪車",
}
NOT_ASKED = {
    "no-reader": "未判讀，設備沒有第二判讀引擎",
    "same-reader": "未判讀，設備只有一種判讀引擎",
    "no-picture": "未判讀，沒有車牌影像",
    "too-late": "未及判讀",
    "broken": "判讀失敗",
}
"""Why a second reader was not asked (`domain.opinion.NotAsked`)."""

_TWO_WHEELS = {
    VehicleClass.MOTORCYCLE,
    VehicleClass.LIGHT_MOTORCYCLE,
    VehicleClass.LARGE_MOTORCYCLE,
    VehicleClass.ELECTRIC_MOTORCYCLE,
    VehicleClass.MICRO_ELECTRIC,
}


def kinds_of(classes: tuple[str, ...]) -> set[str]:
    """What kinds of vehicle (`VehicleLook.kind`) the classes of a number allow; empty where no class is known."""
    kinds: set[str] = set()
    for name in classes:
        try:
            vehicle_class = VehicleClass(name)
        except ValueError:
            continue
        if vehicle_class in _TWO_WHEELS:
            kinds.add("motorcycle")
        elif vehicle_class is VehicleClass.HEAVY:
            kinds.update(("truck", "bus"))
        else:
            kinds.add("car")
    return kinds


_COMPASS = ("北", "東北", "東", "東南", "南", "西南", "西", "西北")


def compass(heading_deg: float) -> str:
    """One of eight directions."""
    return _COMPASS[round(heading_deg / 45) % 8]


def side_of(x_share: float) -> tuple[str, int]:
    """Where in the picture, as an officer says it, and the arrow's turn in degrees. 0 is the left edge, 1 the right."""
    if x_share < 0.36:
        return "左前方", -45
    if x_share > 0.64:
        return "右前方", 45
    return "正前方", 0


def age(ms: int) -> str:
    """An age as a screen says it (console.md, section 7)."""
    if ms < 60_000:
        return f"{max(0, ms) // 1000} 秒前"
    if ms < 3_600_000:
        return f"{ms // 60_000} 分前"
    if ms < 86_400_000:
        return f"{ms // 3_600_000} 小時前"
    return f"{ms // 86_400_000} 天前"
