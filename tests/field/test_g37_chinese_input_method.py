"""G37: the Enter that chooses a word of an input method sends, confirms and closes nothing."""

from __future__ import annotations

import pytest
from console_driver import Console

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")


def test_the_search_is_asked_by_the_next_plain_enter_only(console: Console) -> None:
    console.look_at("/search")
    console.give_reason()
    console.page.locator("#query").fill("BQD-0187")
    console.choose_word_by_input_method("#query")
    console.press("Enter")
    console.page.wait_for_url("**/search/*")
    assert [url.endswith("/api/searches") for url in console.requests].count(True) == 1, "only the plain one asked"


def test_the_list_editor_keeps_its_row_open(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    console.press_button("新增一筆")
    console.type("AVK-7713")
    console.sees("可以登錄")
    console.choose_word_by_input_method(".entryform .wide input")
    assert console.page.locator(".entryform").count() == 1
    console.press("Enter")
    console.page.locator(".entryform").wait_for(state="detached")


def test_the_palette_runs_nothing(console: Console) -> None:
    console.press("Control+k")
    console.type("設備")
    console.choose_word_by_input_method("[role=combobox]")
    assert console.path == "/live"
    console.press("Enter")
    console.page.wait_for_url("**/devices**")


def test_zhuyin_on_the_keyboard_still_moves_by_the_place_of_the_key(console: Console, house: House) -> None:
    console.look_at(f"/hits/{house.hit_id('MXB8063')}")
    console.wait_for_check()
    console.focus_main()
    console.page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
          { key: "ㄨ", code: "KeyJ", bubbles: true, cancelable: true }))"""
    )
    console.wait_for_path(f"/hits/{house.hit_id('BQD0187')}")
