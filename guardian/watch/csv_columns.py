"""The columns of list files: what other people's files call them, and how ours are written."""

from __future__ import annotations

from guardian.domain.csv_text import Cell
from guardian.domain.plate import display_of
from guardian.domain.watch import WatchEntry
from guardian.watch.drafts import format_expiry
from guardian.watch.words import PRIORITY_WORDS, category_word

COLUMN_WORDS: dict[str, str] = {
    "plate": "車號", "category": "類別", "case_number": "案號", "reason": "事由", "priority": "優先", "expires": "有效期限",
    "source": "來源", "silent": "靜默", "colour": "顏色", "kind": "車種", "make": "廠牌", "warning": "警示", "remark": "備註",
}  # fmt: skip
"""Our fields in the order of exports, with the word that heads the column."""

EXPORT_HEADER = tuple(COLUMN_WORDS.values())
REQUIRED = ("plate", "category")

_ALIASES: dict[str, tuple[str, ...]] = {
    "plate": ("車號", "車牌", "車牌號碼", "號牌", "牌照號碼", "車牌號", "plate", "plate number", "license plate"),
    "category": ("類別", "案類", "種類", "協尋類別", "category"),
    "case_number": ("案號", "案件編號", "案件號碼", "case", "case number"),
    "reason": ("事由", "原因", "案由", "reason"),
    "priority": ("優先", "優先順序", "等級", "priority"),
    "expires": ("有效期限", "到期", "到期日", "期限", "截止日期", "expires", "expiry"),
    "source": ("來源", "資料來源", "發布單位", "source"),
    "silent": ("靜默", "無聲", "silent"),
    "colour": ("顏色", "車色", "車身顏色", "colour", "color"),
    "kind": ("車種", "車輛種類", "kind"),
    "make": ("廠牌", "廠牌型號", "make"),
    "warning": ("警示", "注意", "注意事項", "warning"),
    "remark": ("備註", "附註", "說明", "remark", "remarks", "note"),
}
_FIELD_OF = {alias: field for field, aliases in _ALIASES.items() for alias in aliases}


def match_columns(header: tuple[str, ...], chosen: dict[str, str] | None = None) -> dict[str, int]:
    """Which column of a file holds each of our fields.

    Args:
        header: the cells of the first row.
        chosen: field → header, or `#3` for the third column, where the person has said so; comes before our own guess.
            Nothing (or `=text`, see `fixed_cells`) says that no column holds it.
    """
    cleaned = [cell.strip().strip("\ufeff").lower().replace("（", "(").split("(")[0].strip() for cell in header]
    columns: dict[str, int] = {}
    for field, name in (chosen or {}).items():
        if field not in COLUMN_WORDS:
            continue
        if name in header:
            columns[field] = header.index(name)
        elif name[:1] == "#" and name[1:].isdecimal() and 1 <= int(name[1:]) <= len(header):
            columns[field] = int(name[1:]) - 1
    for place, cell in enumerate(cleaned):
        found = _FIELD_OF.get(cell)
        if found is not None and found not in columns and found not in (chosen or {}) and place not in columns.values():
            columns[found] = place
    return columns


def fixed_cells(chosen: dict[str, str] | None) -> dict[str, str]:
    """What the person has given for every row (`=失竊`): a file of plates alone has no column that says why."""
    return {
        field: name[1:].strip()
        for field, name in (chosen or {}).items()
        if field in COLUMN_WORDS and field != "plate" and name[:1] == "=" and name[1:].strip()
    }


def export_cells(entry: WatchEntry) -> tuple[Cell, ...]:
    """One entry under EXPORT_HEADER."""
    return (
        display_of(entry.text),
        category_word(entry.category),
        entry.case_number,
        entry.reason,
        PRIORITY_WORDS[entry.priority],
        format_expiry(entry.expires_ms),
        entry.source,
        "是" if entry.silent else "",
        entry.colour,
        entry.kind,
        entry.make,
        entry.warning,
        entry.remark,
    )
