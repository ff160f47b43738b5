"""Cards for tests of the desk, the page and the voice."""

from __future__ import annotations

from guardian.device.card import AlarmCard, make_card
from guardian.domain.position import Position
from guardian.domain.read import Alternative
from guardian.domain.watch import Category, Match, MatchStrength, Priority, WatchEntry
from tests.device.rig import NOW_MS, make_read

URGENT = WatchEntry(
    "u", "MXB8063", Category.CASE_LINKED, "強盜", "115-0832", Priority.URGENT, colour="black", kind="motorcycle",
    warning="曾拒檢逃逸",
)  # fmt: skip
HIGH = WatchEntry(
    "h", "RBK2189", Category.MISAPPROPRIATED, "租車未還", priority=Priority.HIGH, colour="silver", kind="car"
)
NOTICE = WatchEntry("n", "BKD8869", Category.PLATE_CANCELLED, priority=Priority.NOTICE)


def card(
    watched: WatchEntry = URGENT,
    *,
    text: str = "",
    sequence: int = 1,
    probs: tuple[float, ...] = (),
    alternatives: tuple[tuple[Alternative, ...], ...] = (),
    strength: MatchStrength = MatchStrength.EXACT,
    differing: tuple[int, ...] = (),
    **more: object,
) -> AlarmCard:
    position = Position(25.03, 121.56, NOW_MS, 5.0, 90.0, 40.0)
    read = make_read(
        sequence, text=text or watched.text, probs=probs, alternatives=alternatives, unit="大安 3 號", position=position
    )
    fields: dict[str, object] = {"list_version": 4190, "list_issued_ms": NOW_MS - 720_000, "x_share": 0.2, **more}
    return make_card(read, Match(watched.id, watched.text, strength, 0.5, differing), watched, **fields)  # type: ignore[arg-type]


def near_card(**more: object) -> AlarmCard:
    """RBK-2159 was read, RBK-2189 is listed."""
    return card(
        HIGH,
        text="RBK2159",
        probs=(0.99,) * 5 + (0.62, 0.99),
        alternatives=((),) * 5 + ((Alternative("8", 0.3),), ()),
        strength=MatchStrength.LOOKALIKE,
        differing=(5,),
        x_share=0.5,
        **more,  # type: ignore[arg-type]
    )
