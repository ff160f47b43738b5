"""Looking at a row beside the list, marking rows, and going from mark to mark on the map: without a mouse."""

from __future__ import annotations

import re

import pytest
from console_driver import Console
from playwright.sync_api import expect

pytestmark = pytest.mark.real("chromium", "node")


def ask(console: Console) -> None:
    console.look_at("/search")
    console.give_reason()
    console.ask_for("~B?D-01*")
    console.wait_for_rows(12)


def test_space_looks_at_a_hit_over_the_map_and_never_covers_the_queue(console: Console) -> None:
    console.look_at("/live")
    console.settle()
    console.focus_main()
    console.press("j", "Space")
    peek = console.page.get_by_role("complementary", name="預覽")
    expect(peek).to_be_visible()
    first = peek.get_by_role("heading").inner_text()
    console.press("j")
    expect(peek.get_by_role("heading")).not_to_have_text(first)
    box, queue = peek.bounding_box(), console.page.locator(".panel.hits").bounding_box()
    assert box and queue and box["x"] + box["width"] <= queue["x"] + 1
    console.press("Escape")
    expect(peek).to_have_count(0)
    assert console.path == "/live"


def test_found_reads_are_looked_at_and_marked_and_only_the_marked_shown(console: Console) -> None:
    ask(console)
    console.press("Space")
    peek = console.page.get_by_role("complementary", name="預覽")
    expect(peek).to_contain_text("BQD-0187")
    console.press("x", "j", "j", "x")
    console.sees("已標記 2 筆")
    console.press_button("只看標記的")
    console.wait_for_rows(2)
    console.press_button("取消標記")
    console.wait_for_rows(12)
    assert not [url for url in console.requests if "/api/reads/" in url], (
        "a look asks for nothing, so nothing is recorded"
    )


def test_tab_goes_through_the_marks_of_the_map_and_enter_opens_one(full_console: Console) -> None:
    console = full_console
    console.look_at("/live")
    console.settle()
    console.settle_map()
    console.page.locator(".maplibregl-canvas").first.focus()
    console.press("Tab")
    cursor = console.page.locator(".mapcursor")
    expect(cursor).to_be_focused()
    first = cursor.get_attribute("aria-label")
    console.press("Tab")
    expect(cursor).not_to_have_attribute("aria-label", first or "")
    console.press("Shift+Tab")
    expect(cursor).to_have_attribute("aria-label", first or "")
    console.press("Enter")
    expect(console.page).to_have_url(re.compile(r"/live\?(unit|hit)="))
    console.press("Escape")
    assert "map" in console.focused.lower() or "canvas" in console.focused
    console.press("Shift+Tab")
    assert "canvas" not in console.focused  # no trap


def test_every_mark_of_the_map_is_reached_and_the_last_lets_go(full_console: Console) -> None:
    console = full_console
    console.look_at("/live")
    console.settle()
    console.settle_map()
    live = console.api("/api/live")
    marks = [one for one in [*live["units"], *live["hits"]] if one["lat_deg"] is not None]
    console.page.locator(".maplibregl-canvas").first.focus()
    seen: list[str] = []
    for _ in range(len(marks)):
        console.press("Tab")
        expect(console.page.locator(".mapcursor")).to_be_focused()
        seen.append(console.page.locator(".mapcursor").get_attribute("aria-label") or "")
    assert len(set(seen)) == len(marks)
    console.press("Tab")
    expect(console.page.locator(".mapcursor")).to_have_count(0)


def test_marked_items_of_the_quarantine_alone_are_sent_again(console: Console) -> None:
    console.look_at("/quarantine/time-doubtful")
    console.settle()
    expect(console.page.locator("article.record").nth(1)).to_be_visible()
    total = console.page.locator("article.record").count()
    console.focus_main()
    console.press("j", "x")
    console.sees("已標記 1 筆")
    console.press_button("重送 1 筆")
    console.sees_toast("1 筆已入庫")
    expect(console.page.locator("article.record")).to_have_count(total - 1)
