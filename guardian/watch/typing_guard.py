"""The typing guard: what a number is while it is being typed, why it cannot stand, and which near ones are listed already."""

from __future__ import annotations

from sqlalchemy import Connection

from guardian.domain.plate import display_of, inspect_plate
from guardian.watch import journal
from guardian.watch.drafts import twin_texts
from guardian.watch.views import PlateInspectionView
from guardian.watch.words import say_plate_refusal

TWINS_MAX = 5


def inspect_typed(connection: Connection, typed: str) -> PlateInspectionView:
    """What the editor says beside the field."""
    inspection = inspect_plate(typed)
    if inspection.plate is None:
        reference = inspection.reference or "plate-text"
        zh, zh_hint = say_plate_refusal(typed, reference, inspection.suggestions)
        return PlateInspectionView(
            text="", display="", series="", refusal=f"{zh}。{zh_hint}", reference=reference, warning="",
            suggestions=tuple(display_of(text) for text in inspection.suggestions),
            refusal_en=inspection.refusal or "",
        )  # fmt: skip
    text = inspection.plate.text
    near = journal.find_by_texts(connection, [text, *twin_texts(text)])
    twins = tuple(dict.fromkeys(display_of(placed.entry.text) for placed in near if placed.entry.text != text))
    series = inspection.plate.series
    warning = inspection.warning or ""
    return PlateInspectionView(
        text=text, display=inspection.plate.display, series=series.id if series is not None else "", refusal="",
        reference="", warning=f"{inspection.plate.display} 不符合任何已知的號牌編碼" if warning else "",
        suggestions=(), twins=twins[:TWINS_MAX], warning_en=warning,
        listed=any(placed.entry.text == text for placed in near),
    )  # fmt: skip
