"""G37: the Enter that chooses a word of an input method sends, confirms and closes nothing."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real("chromium", "node")


def test_the_search_is_asked_by_the_next_plain_enter_only(console) -> None:  # type: ignore[no-untyped-def]
    console.look_at("/search")
    console.give_reason()
    console.page.locator("#query").fill("BQD-0187")
    console.choose_word_by_input_method("#query")
    console.page.wait_for_timeout(200)
    assert not [url for url in console.requests if url.endswith("/api/searches")]
    console.press("Enter")
    console.page.wait_for_url("**/search/s*")


def test_the_list_editor_keeps_its_row_open(console) -> None:  # type: ignore[no-untyped-def]
    console.look_at("/lists/stolen")
    console.settle()
    console.press_button("新增一筆")
    console.type("AVK-7713")
    console.sees("可以登錄")
    console.choose_word_by_input_method(".entryform .wide input")
    assert console.page.locator(".entryform").count() == 1
    console.press("Enter")
    console.page.locator(".entryform").wait_for(state="detached")


def test_the_palette_runs_nothing(console) -> None:  # type: ignore[no-untyped-def]
    console.press("Control+k")
    console.type("稽核")
    console.choose_word_by_input_method("[role=combobox]")
    assert console.path == "/live"
    console.press("Enter")
    console.page.wait_for_url("**/audit")


def test_zhuyin_on_the_keyboard_still_moves_by_the_place_of_the_key(console) -> None:  # type: ignore[no-untyped-def]
    console.look_at("/hits/hit-02")
    console.wait_for_check()
    console.focus_main()
    console.page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
          { key: "ㄨ", code: "KeyJ", bubbles: true, cancelable: true }))"""
    )
    console.page.wait_for_url("**/hits/hit-01")
