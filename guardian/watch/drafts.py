"""From what a person or a file says to an entry: one way for editor and import alike (field cases G19, G23, G24, G28)."""

from __future__ import annotations

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.domain.moment import TAIPEI, end_of_day_ms, format_instant, parse_day
from guardian.domain.plate import CONFUSABLE, inspect_plate
from guardian.domain.watch import CATEGORY_WORDS, DEFAULT_PRIORITY, Category, Priority, WatchEntry
from guardian.stores import text_problem
from guardian.watch.views import EntryDraft
from guardian.watch.words import PRIORITY_WORDS, say_plate_refusal

SHORT_CHARS_MAX = 200
LONG_CHARS_MAX = 1000

_CATEGORY_OF: dict[str, Category] = {word.upper(): key for key, words in CATEGORY_WORDS.items() for word in words}
_CATEGORY_OF |= {category.value.upper(): category for category in Category}
_PRIORITY_OF: dict[str, Priority] = {word: priority for priority, word in PRIORITY_WORDS.items()}
_PRIORITY_OF |= {str(int(priority)): priority for priority in Priority}
_PRIORITY_OF |= {priority.name.lower(): priority for priority in Priority}

SILENT_WORDS = {"是", "靜默", "y", "yes", "true", "1", "v"}
_LOUD_WORDS = {"", "否", "n", "no", "false", "0"}


class EntryRefusedError(InputRefusedError):
    """A draft cannot become an entry. `column` is the field at fault; `zh` and `zh_hint` say it on screens."""

    reference = "entry-refused"

    def __init__(
        self,
        column: str,
        sentence: str,
        *,
        reference: str,
        zh: str,
        zh_hint: str,
        hint: str = "",
        suggestions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(sentence, hint=hint, reference=reference)
        self.column = column
        self.zh = zh
        self.zh_hint = zh_hint
        self.suggestions = suggestions


class Drafted(msgspec.Struct, frozen=True):
    """An entry made from a draft, and what is odd about it (English, zh-TW; empty where nothing is)."""

    entry: WatchEntry
    warning: str = ""
    warning_zh: str = ""


def parse_category(typed: str) -> Category:
    """A category by any of its words.

    Raises:
        EntryRefusedError: no such word.
    """
    category = _CATEGORY_OF.get(typed.strip().upper())
    if category is None:
        words = "、".join(words[0] for words in CATEGORY_WORDS.values())
        raise EntryRefusedError(
            "category",
            f"'{typed.strip()}' is no category of watched vehicles." if typed.strip() else "No category was given.",
            reference="entry-category",
            hint="Write " + ", ".join(words[0] for words in CATEGORY_WORDS.values()) + ".",
            zh=f"「{typed.strip()}」不是類別" if typed.strip() else "沒有類別",
            zh_hint=f"改為{words}其中之一",
        )
    return category


def parse_priority(typed: str) -> Priority | None:
    """A priority by word or number; None where nothing is written.

    Raises:
        EntryRefusedError: no such word.
    """
    cleaned = typed.strip().lower()
    if not cleaned:
        return None
    priority = _PRIORITY_OF.get(cleaned)
    if priority is None:
        raise EntryRefusedError(
            "priority", f"'{typed.strip()}' is no priority.", reference="entry-priority", hint="Write 1, 2 or 3.",
            zh=f"「{typed.strip()}」不是優先順序", zh_hint="改為緊急、優先、一般其中之一",
        )  # fmt: skip
    return priority


def parse_silent(typed: str) -> bool:
    """Whether a cell says that the entry makes no sound.

    Raises:
        EntryRefusedError: neither yes nor no.
    """
    cleaned = typed.strip().lower()
    if cleaned in SILENT_WORDS:
        return True
    if cleaned in _LOUD_WORDS:
        return False
    raise EntryRefusedError(
        "silent", f"'{typed.strip()}' is neither yes nor no.", reference="entry-silent", hint="Write 是 or 否.",
        zh=f"「{typed.strip()}」不是「是」也不是「否」", zh_hint="寫是或否",
    )  # fmt: skip


def parse_expiry(typed: str) -> int | None:
    """The last millisecond of the day that is written, in Taipei; None where nothing is.

    Raises:
        EntryRefusedError: no such day, or unclear.
    """
    if not typed.strip():
        return None
    try:
        return end_of_day_ms(parse_day(typed))
    except InputRefusedError as error:
        unclear = error.reference == "unclear-date"
        raise EntryRefusedError(
            "expires", error.sentence, reference=error.reference, hint=error.hint,
            zh=f"「{typed.strip()}」看不出是哪一天" if unclear else f"「{typed.strip()}」不是日期，曆上沒有這一天",
            zh_hint="寫成 2026-12-31 或 115/12/31",
        ) from error  # fmt: skip


def format_expiry(expires_ms: int | None) -> str:
    """The day of an expiry as the editor and exports write it."""
    return "" if expires_ms is None else format_instant(expires_ms, zone=TAIPEI)[:10]


def draft_entry(draft: EntryDraft, *, entry_id: str, now_ms: int) -> Drafted:
    """The entry that a draft describes.

    Raises:
        EntryRefusedError: it cannot stand in a list, with the field and the reason.
    """
    inspection = inspect_plate(draft.plate)
    if inspection.plate is None or inspection.refusal is not None:
        reference = inspection.reference or "plate-text"
        zh, zh_hint = say_plate_refusal(draft.plate, reference, inspection.suggestions)
        raise EntryRefusedError(
            "plate", inspection.refusal or "", reference=reference, zh=zh, zh_hint=zh_hint,
            suggestions=inspection.suggestions,
        )  # fmt: skip
    category = parse_category(draft.category)
    if draft.priority is not None and draft.priority not in set(Priority):
        parse_priority(str(draft.priority))
    expires_ms = parse_expiry(draft.expires)
    texts = {
        name: _bounded(name, getattr(draft, name), LONG_CHARS_MAX if name in ("reason", "remark") else SHORT_CHARS_MAX)
        for name in ("reason", "case_number", "source", "colour", "kind", "make", "warning", "remark")
    }
    entry = WatchEntry(
        id=entry_id,
        text=inspection.plate.text,
        category=category,
        priority=Priority(draft.priority) if draft.priority is not None else DEFAULT_PRIORITY[category],
        expires_ms=expires_ms,
        silent=draft.silent,
        **texts,
    )
    if expires_ms is not None and expires_ms < now_ms:
        day = format_expiry(expires_ms)
        return Drafted(entry, f"It ended on {day} and will match nothing.", f"有效期限 {day} 已過，不會比對")
    if inspection.warning is not None:
        return Drafted(entry, inspection.warning, f"{inspection.plate.display} 不符合任何已知的號牌編碼")
    return Drafted(entry)


def _bounded(name: str, text: str, chars_max: int) -> str:
    cleaned = text.strip()
    if not cleaned:
        return ""
    problem = text_problem(cleaned, chars_max=chars_max)
    if problem == "text-too-long":
        raise EntryRefusedError(
            name, f"The text has {len(cleaned):,} characters; {chars_max:,} fit.", reference="text-too-long",
            zh=f"文字有 {len(cleaned):,} 字，最多 {chars_max:,} 字", zh_hint="縮短後再存",
        )  # fmt: skip
    if problem is not None:
        raise EntryRefusedError(
            name, "The text has signs that cannot be kept.", reference=problem,
            zh="文字裡有無法保存的符號", zh_hint="重新輸入這一欄",
        )  # fmt: skip
    return cleaned


def twin_texts(text: str) -> list[str]:
    """Every text with one character that readers mix up in place of another."""
    return [
        text[:place] + other + text[place + 1 :]
        for place, sign in enumerate(text)
        for other in CONFUSABLE.get(sign, ())
    ]


def is_twin(a: str, b: str) -> bool:
    """Whether two texts differ in one character that readers mix up."""
    if len(a) != len(b):
        return False
    differing = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    return len(differing) == 1 and differing[0][1] in CONFUSABLE[differing[0][0]]
