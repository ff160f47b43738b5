"""The demo's drive through 大安 and the list of vehicles that it is looking for.

All numbers are made up. The list holds one look-alike: the entry says Q where the vehicle wears D.
"""

from __future__ import annotations

from guardian.domain.watch import Category, Priority, WatchEntry
from guardian.footage.light import Light
from guardian.footage.model import START_MS, DriveSpec
from guardian.footage.vehicles import Body

DEMO_PLATES: tuple[tuple[str, Body], ...] = (
    ("CZB5081", Body.SEDAN),
    ("NZH7715", Body.SCOOTER),
    ("CYD0819", Body.SUV),
    ("TZM0388", Body.TAXI),
    ("0935ZX", Body.HATCH),
    ("CXW2637", Body.SEDAN),
)


def demo_spec(
    *, seconds: float = 60.0, light: Light = Light.DUSK, seed: int = 7, start_ms: int = START_MS
) -> DriveSpec:
    """The demo's drive: along 信義路三段 past 大安森林公園, with a red light."""
    return DriveSpec(
        seconds=seconds,
        light=light,
        seed=seed,
        start_ms=start_ms,
        roads=("新生南路一段", "信義路三段", "復興南路二段"),
        start_m=352.0,
        plates=DEMO_PLATES,
    )


def demo_watchlist() -> tuple[WatchEntry, ...]:
    """Entries for the demo: five that pass, one of them by a look-alike, and some that do not."""
    return (
        WatchEntry(
            id="demo-1", text="CZB5081", category=Category.WANTED, reason="通緝：強盜案", case_number="北偵字第1150387號",
            priority=Priority.URGENT, source="示範名單", colour="", kind="car", warning="可能持有刀械，曾拒檢逃逸",
        ),
        WatchEntry(
            id="demo-2", text="NZH7715", category=Category.STOLEN, reason="機車失竊", case_number="安竊字第1150912號",
            priority=Priority.HIGH, source="示範名單", kind="motorcycle",
        ),
        WatchEntry(
            id="demo-3", text="CYQ0819", category=Category.MISSING, reason="協尋失蹤人口駕駛", case_number="失字第1150033號",
            priority=Priority.HIGH, source="示範名單", kind="car",
        ),
        WatchEntry(
            id="demo-4", text="TZM0388", category=Category.CASE_LINKED, reason="涉及肇事逃逸", case_number="交字第1150771號",
            priority=Priority.URGENT, source="示範名單", colour="yellow", kind="car",
        ),
        WatchEntry(
            id="demo-5", text="0935ZX", category=Category.PLATE_CANCELLED, reason="號牌註銷仍行駛", case_number="監字第1150206號",
            priority=Priority.NOTICE, source="示範名單", kind="car",
        ),
        WatchEntry(
            id="demo-6", text="CXW2637", category=Category.MISAPPROPRIATED, reason="租車未還", case_number="侵字第1150148號",
            priority=Priority.HIGH, source="示範名單", kind="car",
        ),
        WatchEntry(
            id="demo-7", text="CZX9913", category=Category.STOLEN, reason="自小客車失竊", case_number="安竊字第1150655號",
            priority=Priority.HIGH, source="示範名單", colour="white", kind="car",
        ),
        WatchEntry(
            id="demo-8", text="MZY3081", category=Category.STOLEN, reason="機車失竊", case_number="安竊字第1150701號",
            priority=Priority.HIGH, source="示範名單", kind="motorcycle",
        ),
    )  # fmt: skip
