"""The second key: does what the picture shows agree with what the registry says (architecture, decision 3; P12)?

`differ` is said only where both are known and clearly apart; colours that lamps and rain turn into one another are
`unknown`. A contradiction makes an exact hit "look again": shown with less strength, never hidden.
"""

from __future__ import annotations

from guardian.domain.colours import colours_apart
from guardian.domain.plate import display_of
from guardian.domain.read import Read
from guardian.domain.series import VehicleClass
from guardian.domain.watch import Match, WatchEntry
from guardian.watch.views import LookRow

_KIND_WORDS: dict[str, tuple[str, ...]] = {
    "car": (
        "car",
        "汽車",
        "小客車",
        "自小客",
        "自用小客車",
        "轎車",
        "休旅車",
        "計程車",
        "租賃小客車",
        "小貨車",
        "箱型車",
    ),
    "motorcycle": ("motorcycle", "機車", "重機", "大型重機", "普通重機", "輕型機車", "重型機車", "電動機車", "摩托車"),
    "truck": ("truck", "貨車", "大貨車", "卡車", "曳引車", "聯結車"),
    "bus": ("bus", "客運", "大客車", "公車", "遊覽車"),
}
_KIND_OF = {word: kind for kind, words in _KIND_WORDS.items() for word in words}

_KINDS_OF_CLASS: dict[str, frozenset[str]] = {
    VehicleClass.CAR: frozenset({"car"}), VehicleClass.TAXI: frozenset({"car"}),
    VehicleClass.RENTAL: frozenset({"car", "truck"}), VehicleClass.HEAVY: frozenset({"truck", "bus"}),
    VehicleClass.ELECTRIC_CAR: frozenset({"car", "truck", "bus"}), VehicleClass.ACCESSIBLE: frozenset({"car"}),
    VehicleClass.MOTORCYCLE: frozenset({"motorcycle"}), VehicleClass.LIGHT_MOTORCYCLE: frozenset({"motorcycle"}),
    VehicleClass.LARGE_MOTORCYCLE: frozenset({"motorcycle"}),
    VehicleClass.ELECTRIC_MOTORCYCLE: frozenset({"motorcycle"}),
    VehicleClass.MICRO_ELECTRIC: frozenset({"motorcycle"}),
}  # fmt: skip

_COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "white": ("白",), "black": ("黑",), "grey": ("灰", "gray", "鐵灰", "深灰"), "silver": ("銀",), "red": ("紅",),
    "blue": ("藍",), "green": ("綠",), "yellow": ("黃",), "brown": ("棕", "咖啡", "褐"), "orange": ("橙", "橘"),
    "purple": ("紫",), "gold": ("金",),
}  # fmt: skip
_COLOUR_OF = {word: colour for colour, words in _COLOUR_WORDS.items() for word in (colour, *words)}

AGREE, DIFFER, UNKNOWN = "agree", "differ", "unknown"


def _kind(text: str) -> str:
    return _KIND_OF.get(text.strip().lower(), "")


def _colour(text: str) -> str:
    cleaned = text.strip().lower().removesuffix("色")
    return _COLOUR_OF.get(cleaned) or _COLOUR_OF.get(cleaned[-1:], "")


def _kinds_of_classes(classes: tuple[str, ...]) -> frozenset[str]:
    kinds: frozenset[str] = frozenset()
    for name in classes:
        kinds |= _KINDS_OF_CLASS.get(name, frozenset(_KIND_WORDS))
    return kinds


def compare_looks(read: Read, entry: WatchEntry, match: Match) -> tuple[LookRow, ...]:
    """The looks table of a hit: kind, colour, make and the number itself."""
    return (_compare_kind(read, entry), _compare_colour(read, entry), _compare_make(read, entry), _plate(read, match))


def contradictions(looks: tuple[LookRow, ...]) -> tuple[str, ...]:
    """Aspects of the vehicle that speak against the entry; the number is the match's own matter."""
    return tuple(row.aspect for row in looks if row.verdict == DIFFER and row.aspect != "plate")


def _compare_kind(read: Read, entry: WatchEntry) -> LookRow:
    seen, registered = _kind(read.look.kind), _kind(entry.kind)
    shown = seen or read.look.kind
    # What the number implies stands in for what the picture did not show, and is the registry where that is silent.
    implied = _kinds_of_classes(read.vehicle_classes)
    if seen and registered:
        verdict = AGREE if seen == registered or {seen, registered} <= {"car", "truck"} else DIFFER
        if verdict == AGREE and seen != registered:
            verdict = UNKNOWN  # small goods vehicles are both
    elif seen and implied and not entry.kind:
        verdict = AGREE if seen in implied else DIFFER if _apart(seen, implied) else UNKNOWN
        return LookRow("kind", shown, "、".join(sorted(implied)), verdict)
    elif registered and implied:
        verdict = DIFFER if _apart(registered, implied) else UNKNOWN
        shown = "、".join(sorted(implied))
    else:
        verdict = UNKNOWN
    return LookRow("kind", shown, entry.kind, verdict)


def _apart(kind: str, kinds: frozenset[str]) -> bool:
    """Whether one has two wheels and none of the others, or the other way round."""
    return (kind == "motorcycle") != ("motorcycle" in kinds) and (kind == "motorcycle" or kinds == {"motorcycle"})


def _compare_colour(read: Read, entry: WatchEntry) -> LookRow:
    seen, registered = _colour(read.look.colour), _colour(entry.colour)
    verdict = UNKNOWN
    if seen and registered:
        verdict = AGREE if seen == registered else DIFFER if colours_apart(seen, registered) else UNKNOWN
    return LookRow("colour", seen or read.look.colour, entry.colour, verdict)


def _compare_make(read: Read, entry: WatchEntry) -> LookRow:
    seen, registered = read.look.make.strip().lower(), entry.make.strip().lower()
    verdict = UNKNOWN
    if seen and registered:
        verdict = AGREE if seen in registered or registered in seen else DIFFER
    return LookRow("make", read.look.make, entry.make, verdict)


def _plate(read: Read, match: Match) -> LookRow:
    verdict = DIFFER if read.text != match.entry_text else UNKNOWN if read.doubtful else AGREE
    return LookRow("plate", display_of(read.text), display_of(match.entry_text), verdict)
