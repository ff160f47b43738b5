"""The check: each character of the picture under its own column, and a claim that ends when the cloud says."""

from __future__ import annotations

import pytest
from console_driver import Console
from playwright.sync_api import expect

pytestmark = pytest.mark.real("chromium", "node")


def test_each_character_of_the_crop_stands_over_what_was_read_there(console: Console) -> None:
    console.look_at("/hits/hit-02")
    console.wait_for_check()
    windows = console.page.locator(".ladder .window")
    expect(windows).to_have_count(7)
    expect(windows.first.locator("img")).to_have_js_property("complete", True)
    expect(windows.first).not_to_have_css("width", "0px")  # the picture has told its shape
    middle = """(all) => all.map(e => { const r = e.getBoundingClientRect(); return r.left + r.width / 2 })"""
    pictures = windows.evaluate_all(middle)
    signs = console.page.locator('.ladder [role="row"]:nth-child(2) .cell:not(.dash)').evaluate_all(middle)
    assert [abs(a - b) < 2 for a, b in zip(pictures, signs, strict=True)] == [True] * 7
    heights = set(
        windows.locator("img").evaluate_all("all => all.map(e => Math.round(e.getBoundingClientRect().height))")
    )
    assert len(heights) == 1, "one scale for all: never stretched to fit"


def test_a_single_read_is_shown_whole_since_its_places_are_not_known(console: Console) -> None:
    console.look_at("/hits/hit-02")
    console.wait_for_check()
    expect(console.page.locator(".ladder .window")).to_have_count(7)
    console.press("]")
    expect(console.page.locator(".ladder .window")).to_have_count(0)
    expect(console.page.locator(".ladder .pic")).to_have_count(1)


def test_the_end_of_a_claim_is_the_clouds_and_a_key_takes_it_back(timed_console: Console) -> None:
    console = timed_console
    console.look_at("/hits/hit-02")
    console.wait_for_check()
    console.pass_time(72)
    console.sees("秒後釋出這筆查核")
    with console.page.expect_request("**/keep"):
        console.press("Shift")  # any key keeps it
    console.pass_time(95)
    console.sees("查核已釋出")
    expect(console.page.locator(".queue .qrow.on")).to_contain_text("無人查核")
    with console.page.expect_request("**/keep"):
        console.press("Shift")  # and takes it back
