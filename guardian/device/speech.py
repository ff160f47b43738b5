"""What is said aloud, as text that any voice says rightly (field case G59).

Voices read a code as one large number unless the text is prepared. So plates and call signs are spelt, sign by sign,
with a pause behind each; numbers that people say as numbers (a house, an hour, a distance) are written out in words. No
digit is left to the voice.
"""

from __future__ import annotations

import re

from guardian.device.card import AlarmCard
from guardian.domain.plate import display_of, spoken_plate

_DIGITS = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_PLACE = "零一二三四五六七八九十"


def number_words(number: int) -> str:
    """A whole number as it is said: 110 is 一百一十, 12 is 十二, 105 is 一百零五. Below 100 million."""
    if number == 0:
        return _DIGITS[0]
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        between = "零" if 0 < low < 1000 else ""
        return number_words(high) + "萬" + (between + number_words(low) if low else "")
    out, gap = "", False
    digits = [int(d) for d in str(number)]
    for place, digit in enumerate(digits):
        unit = _UNITS[len(digits) - place - 1]
        if digit == 0:
            gap = bool(out)
            continue
        if gap:
            out += _DIGITS[0]
            gap = False
        out += _DIGITS[digit] + unit
    return out[1:] if out.startswith("一十") and number < 20 else out


# What is counted: two of these are 兩, not 二.
_COUNTED = "小時|分鐘|天|公尺|公里|輛|個|人|名|次|筆|度"
_NUMBERED = "號|巷|弄|樓|段|路|鄰|時|分|秒|版|歲"


def spoken_text(text: str, *, numerals: str = "radio") -> str:
    """Running text for a voice: codes spelt, numbers in words.

    Args:
        text: as it stands on the screen: 「中正路 110 號，2 小時前，警網 3-07」.
        numerals: of codes: `radio` or `plain`; numbers are always said as numbers.
    """

    def code(match: re.Match[str]) -> str:
        return spoken_plate(re.sub(r"[^0-9A-Z]", "", match[0].upper()), numerals=numerals)

    def counted(match: re.Match[str]) -> str:
        number = int(match[1])
        return ("兩" if number == 2 else number_words(number)) + match[2]

    # Codes: joined by a dash, or letters and digits in one piece.
    text = re.sub(r"(?<![0-9A-Za-z])[0-9A-Za-z]+(?:-[0-9A-Za-z]+)+(?![0-9A-Za-z])", code, text)
    text = re.sub(r"(?<![0-9A-Za-z])(?=[0-9A-Z]*[A-Z])(?=[0-9A-Z]*[0-9])[0-9A-Z]{2,}(?![0-9A-Za-z])", code, text)
    text = re.sub(rf"(\d{{1,8}})\s*({_COUNTED})", counted, text)
    text = re.sub(rf"(\d{{1,8}})\s*({_NUMBERED})", lambda m: number_words(int(m[1])) + m[2], text)
    # A number that nobody counts with is spelt: it is a code of some kind.
    text = re.sub(r"\d+", code, text)
    return re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", text)


def spoken_number(text: str, *, numerals: str = "radio") -> str:
    """A plate with a longer pause at its dash: 「M、X、B，八、洞、六、三」."""
    return "，".join(spoken_plate(part, numerals=numerals) for part in display_of(text).split("-"))


def sentence(card: AlarmCard, *, numerals: str = "radio") -> str:
    """The one sentence of an alarm (console.md, section 8)."""
    number = spoken_number(card.text, numerals=numerals)
    look = spoken_text(card.look.replace(" ", ""), numerals=numerals)
    where = card.side
    tail = "，".join(part for part in (look, where) if part)
    warning = f"注意，{spoken_text(card.warning, numerals=numerals)}。" if card.warning else ""
    if card.sure:
        # Only a card that seems sure needs it said; "look again" says so already.
        second = "第二判讀不一致，看清車牌。" if card.opinion is not None and card.opinion.mark == "other" else ""
        return f"{card.priority_word}。{card.category_word}。{number}。{tail}。{warning}{second}"
    doubts = []
    for place, sign in enumerate(s for s in card.signs if s.place is not None):
        if not (sign.differs or sign.doubtful):
            continue
        nth = f"第{_PLACE[place + 1] if place < 10 else number_words(place + 1)}字"
        other = sign.entry_sign if sign.differs else next(iter(sign.alternatives), "")
        doubts.append(f"{nth}可能是{spoken_plate(other, numerals=numerals)}" if other else f"{nth}不確定")
    doubt = f"{'，'.join(doubts[:2])}。" if doubts else ""
    contradiction = f"{card.contradiction}。" if card.contradiction else ""
    return f"再看一眼。像{card.category_word}。{number}。{doubt}{contradiction}{warning}"
