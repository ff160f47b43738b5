"""What this room says to an officer, in zh-TW: refusals of what was typed, words of categories, states and outcomes.

Errors carry English sentences and a reference, as everywhere; reports of whole files (import, export) are made here, so
their sentences are too.
"""

from __future__ import annotations

from guardian.domain.opinion import OpinionVerdict
from guardian.domain.plate import PlateTextError, display_of, parse_plate
from guardian.domain.watch import CATEGORY_WORDS, Category, HitState, MatchStrength, Outcome, Priority

PRIORITY_WORDS: dict[Priority, str] = {Priority.URGENT: "緊急", Priority.HIGH: "優先", Priority.NOTICE: "一般"}
STRENGTH_WORDS: dict[MatchStrength, str] = {MatchStrength.EXACT: "完全相符", MatchStrength.LOOKALIKE: "近似"}
STATE_WORDS: dict[HitState, str] = {
    HitState.NEW: "待查核",
    HitState.CHECKING: "查核中",
    HitState.CONFIRMED: "確認相符",
    HitState.WRONG_PLATE: "車牌不符",
    HitState.WRONG_VEHICLE: "車輛不符",
    HitState.ENTRY_OUTDATED: "名單已過期",
}
OUTCOME_WORDS: dict[Outcome, str] = {
    Outcome.STOPPED: "已攔查",
    Outcome.RECOVERED: "尋獲車輛",
    Outcome.ARRESTED: "查獲人犯",
    Outcome.LOST: "未攔獲",
    Outcome.PASSED_ON: "移交",
}

OPINION_WORDS: dict[OpinionVerdict, str] = {
    OpinionVerdict.AGREES: "一致",
    OpinionVerdict.PARTLY: "部分不一致",
    OpinionVerdict.DIFFERS: "不一致",
    OpinionVerdict.CANNOT_READ: "無法判讀",
    OpinionVerdict.NOT_ASKED: "未判讀",
}


def category_word(category: Category) -> str:
    """The word on screens."""
    return CATEGORY_WORDS[category][0]


def say_plate_refusal(typed: str, reference: str, suggestions: tuple[str, ...] = ()) -> tuple[str, str]:
    """Why a number may not stand in a list, and what to do: the Chinese of `domain.plate.inspect_plate`."""
    shown = typed.strip()
    meant = "或".join(display_of(text) for text in suggestions)
    if reference == "plate-empty":
        return "沒有車牌號碼", "補上車牌，或刪除這一列"
    if reference == "plate-none":
        return f"「{shown}」表示沒有車牌，不是車牌號碼", "改在備註描述車輛"
    if reference == "plate-spreadsheet":
        return f"「{shown}」像是試算表改寫過的數字，原本是 {meant} 嗎", "把欄位設為文字格式，重新輸入車牌後再存檔"
    if reference == "plate-other-script":
        return f"「{shown}」有車牌不會出現的數字或文字", "只用 A–Z 和 0–9 重新輸入"
    if reference == "plate-sign":
        return f"「{shown}」有車牌不會出現的符號", "只用 A–Z 和 0–9 重新輸入"
    if reference == "plate-length":
        return f"「{shown}」的字數不對，車牌有 4 到 7 字", "查原卷後更正"
    if reference == "plate-impossible":
        hint = f"最接近的正確寫法是 {meant}；看錯的可能由比對處理，不必登錄" if meant else "查原卷後更正"
        return f"{'、'.join(_faults(typed)) or f'「{shown}」不可能是車牌'}", hint
    return f"「{shown}」不是車牌號碼", "查原卷後更正"


def _faults(typed: str) -> list[str]:
    """Each character that cannot stand where it stands, in the series of today (three letters, four digits)."""
    try:
        text = parse_plate(typed).text
    except PlateTextError:
        return []
    said: list[str] = []
    for place, sign in enumerate(text):
        if place < 3 and sign.isdigit():
            said.append(f"第 {place + 1} 字必須是字母，不能是 {sign}")
        elif place < 3 and sign in "IO":
            said.append(f"第 {place + 1} 字：新式號牌沒有字母 {sign}")
        elif place >= 3 and sign.isalpha():
            said.append(f"第 {place + 1} 字必須是數字，不能是 {sign}")
        elif place >= 3 and sign == "4":
            said.append(f"第 {place + 1} 字：新式號牌沒有數字 4")
    return said
