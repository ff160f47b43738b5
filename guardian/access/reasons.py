"""What counts as a reason to ask, and what as a case number (查詢事由、案號). Pure.

Field case G44: one vague word passed as a reason hundreds of times. A reason is one of the listed purposes, or words of
one's own that say something. Whether the case exists is for the case system to say (L01, later); here a case number must
look like one: digits that identify, not only zeros or counting up.
"""

from __future__ import annotations

import re
import unicodedata

from guardian.domain.errors import NotAllowedError

PURPOSES = (
    "偵辦刑案",
    "查緝通緝犯",
    "協尋失蹤人口",
    "查尋失竊車輛",
    "偵辦交通事故逃逸",
    "勤務攔查查證",
    "受理民眾報案查證",
    "證據保全",
    "法院或檢察署函查",
)
"""The list that the console offers. Ours, until an agency gives its own."""

_VAGUE_WORDS = """
    查詢 查 查車 查車牌 查一下 辦案 偵查 偵辦 調查 公務 公務需要 公務使用 公務查詢 公務所需 業務需要 業務查詢 工作需要 勤務 勤務需要
    需要 必要 有需要 參考 了解 確認 測試 試試 無 沒有 其他 同上 如題 長官交辦 上級交辦 私人 個人 investigation investigate police
    policework officialuse official work duty check checking lookup search query test testing none na reason case crime
    lawenforcement le leo asdf qwerty foo bar xyz
"""
_VAGUE = frozenset(_VAGUE_WORDS.split())
_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co", "Cs"}
_LETTERS_MIN = 8
_SIGNS_MIN = 4
PURPOSE_CHARS_MAX = 200
CASE_CHARS_MAX = 60


class ReasonError(NotAllowedError):
    """Purpose or case say nothing; the sentence says what is wanted instead. HTTP 403.

    References: `purpose-missing`, `purpose-vague`, `case-missing`, `case-form`.
    """

    reference = "purpose-vague"


def visible(text: str) -> str:
    """Half-width, without invisible signs at all, without spaces at the ends and doubled inside."""
    folded = unicodedata.normalize("NFKC", text)
    kept = "".join(sign if unicodedata.category(sign) not in _INVISIBLE else " " for sign in folded)
    # Hangul fillers and the braille blank are letters by category and blank on every screen.
    kept = re.sub("[\u115f\u1160\u3164\uffa0\u2800]", " ", kept)
    return " ".join(kept.split())


def check_purpose(typed: str) -> str:
    """The purpose as it goes on record.

    Raises:
        ReasonError: nothing was said, or nothing that says anything.
    """
    purpose = visible(typed)
    if not purpose:
        raise ReasonError(
            "No purpose was given; the question was not asked.",
            hint=f"Choose one ({PURPOSES[0]} …), or write what the look-up is for.",
            reference="purpose-missing",
        )
    if len(purpose) > PURPOSE_CHARS_MAX:
        raise ReasonError(f"The purpose has more than {PURPOSE_CHARS_MAX} characters; the question was not asked.")
    if purpose in PURPOSES:
        return purpose
    signs = [sign for sign in purpose.casefold() if unicodedata.category(sign)[0] in "LN"]
    bare = "".join(signs)
    han = sum("\u4e00" <= sign <= "\u9fff" or "\u3400" <= sign <= "\u4dbf" for sign in signs)
    enough = len(signs) >= _SIGNS_MIN if han * 2 >= len(signs) else len(signs) >= _LETTERS_MIN
    if bare in _VAGUE or not enough or len(set(signs)) < 4 or (not han and " " not in purpose) or _is_period(bare):
        raise ReasonError(
            "That purpose says nothing that could be checked later; the question was not asked.",
            hint=f"Choose one ({PURPOSES[0]} …), or write who or what is looked for and why, in a few words.",
        )
    return purpose


def _is_period(bare: str) -> bool:
    """Whether a text is one vague word or short piece said again and again."""
    for length in range(1, len(bare) // 2 + 1):
        if len(bare) % length == 0 and bare == bare[:length] * (len(bare) // length):
            return True
    return False


def check_case_number(typed: str) -> str:
    """The case number as it goes on record.

    Takes what stations write: `A1130001`, `115-0832`, `中山分局 115-0832 案`, `113年度偵字第12345號`.

    Raises:
        ReasonError: nothing, or nothing that looks like a case number.
    """
    case_number = visible(typed).upper()
    if not case_number:
        raise ReasonError(
            "No case number was given; the question was not asked.",
            hint="Write the number of the case (案號), like 115-0832.",
            reference="case-missing",
        )
    digits = re.sub(r"\D", "", case_number)
    plausible = (
        len(case_number) <= CASE_CHARS_MAX
        and re.fullmatch(r"[0-9A-Z\u3400-\u9fff\-/().#_、第號 ]+", case_number) is not None
        and len(digits) >= 4
        and len(set(digits)) > 1
        and digits not in "01234567890"
        and digits not in "9876543210"
    )
    if not plausible:
        raise ReasonError(
            "That does not look like a case number; the question was not asked.",
            hint="Write the number of the case (案號), like 115-0832 or 113年度偵字第12345號.",
            reference="case-form",
        )
    return case_number
