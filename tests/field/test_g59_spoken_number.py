"""G59: what is given to the voice, word for word, so that another voice changes nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.device.speech import number_words, sentence, spoken_number, spoken_text
from tests.device.cards import URGENT, card, near_card


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("BKD8869", "B、K、D，八、八、六、勾"),
        ("3022JM", "三、洞、兩、兩，J、M"),
        ("1E1110", "么、E，么、么、么、洞"),
        ("AB12356", "A、B，么、兩、三、五、六"),
    ],
)
def test_plates_are_said_sign_by_sign_with_a_longer_pause_at_the_dash(text: str, said: str) -> None:
    assert spoken_number(text) == said


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("警網 3-07", "警網 三、洞、拐"),
        ("中正路 110 號", "中正路一百一十號"),
        ("2 小時", "兩小時"),
        ("12 小時前", "十二小時前"),
        ("40 公尺", "四十公尺"),
        ("BKD-8869", "B、K、D、八、八、六、勾"),
        ("中山北路 2 段 105 巷 20 弄 7 號 3 樓", "中山北路二段一百零五巷二十弄七號三樓"),
        ("分機 4190", "分機 四、么、勾、洞"),
    ],
)
def test_numbers_are_said_as_a_person_says_them(shown: str, said: str) -> None:
    assert spoken_text(shown).replace(" ", "") == said.replace(" ", "")


def test_plain_numerals_are_a_setting() -> None:
    assert spoken_number("BKD8869", numerals="plain") == "B、K、D，八、八、六、九"


def test_the_sentences_of_an_exact_and_a_look_alike_are_the_design_pages() -> None:
    assert sentence(card(URGENT)) == "緊急。涉案車輛。M、X、B，八、洞、六、三。黑色機車，左前方。注意，曾拒檢逃逸。"
    assert sentence(near_card()) == "再看一眼。像侵占車輛。R、B、K，兩、么、五、勾。第六字可能是八。"


@settings(deadline=None)
@given(st.integers(0, 99_999_999))
def test_number_words_have_no_digit_and_say_the_number(number: int) -> None:
    words = number_words(number)
    assert not re.search(r"\d", words)
    assert _value(words) == number


@settings(deadline=None)
@given(st.text(alphabet="0123456789ABCXYZ-號小時公尺 巷中正路", max_size=30))
def test_no_digit_is_ever_left_to_the_voice(text: str) -> None:
    assert not re.search(r"[0-9]", spoken_text(text))


def _value(words: str) -> int:
    """Reads number words back."""
    if "萬" in words:
        high, _, low = words.partition("萬")
        return _value(high) * 10_000 + (_value(low) if low else 0)
    total, digit = 0, 0
    for sign in words:
        if sign in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[sign]
            digit = 0
        else:
            digit = "零一二三四五六七八九".index(sign)
    return total + digit
