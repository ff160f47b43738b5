"""The second opinion in the console: in the check by character, in the queue, on the map's side, and when it comes later."""

from __future__ import annotations

import pytest
from console_driver import Console
from playwright.sync_api import expect

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")


def check(console: Console, house: House, entry_text: str) -> None:
    """Open the check of the hit of an entry."""
    console.look_at(f"/hits/{house.hit_id(entry_text)}")
    console.page.locator(".ladder").wait_for()


def test_the_check_shows_what_the_second_reader_saw_under_what_the_first_one_did(
    console: Console, house: House
) -> None:
    check(console, house, "MXB8063")
    row = console.page.locator('.ladder [role="row"]', has=console.page.get_by_role("rowheader", name="第二判讀"))
    expect(row.locator(".cell:not(.dash)")).to_have_text([*"MXB8063"])
    expect(row.locator(".cell.other")).to_have_text(["6"])
    expect(console.page.locator(".title .opinion")).to_have_text("第二判讀：讀作 MXB-8063，與名單相同")
    expect(console.page.locator(".history")).to_contain_text("第二判讀讀作 MXB-8063")


def test_two_readers_alike_on_a_look_alike_are_not_said_to_agree_with_the_list(console: Console, house: House) -> None:
    check(console, house, "RBK2189")
    expect(console.page.locator(".title .opinion")).to_have_text("第二判讀：也讀作 RBK-2159，與名單不同")
    expect(console.page.locator(".title .opinion")).to_have_class("opinion other")
    expect(console.page.locator(".ladder .cell.opinion.other")).to_have_count(
        0
    )  # it differs from nothing that was read


def test_a_disagreement_names_its_character_and_what_could_not_be_read_has_no_row(
    console: Console, house: House
) -> None:
    check(console, house, "6E8172")
    expect(console.page.locator(".title .opinion")).to_have_text("第二判讀：不一致（第 5 字），讀作 6E-8122")
    expect(console.page.locator(".ladder .cell.opinion.other")).to_have_text(["2"])
    check(console, house, "ATX3029")
    expect(console.page.locator(".title .opinion")).to_have_text("第二判讀：無法判讀")
    expect(console.page.locator(".ladder .cell.opinion")).to_have_count(0)


def test_the_queue_says_it_of_each_hit_in_words(console: Console, house: House) -> None:
    check(console, house, "MXB8063")
    for plate, words in (
        ("BQD-0187", "第二判讀一致"),
        ("MXB-8083", "第二判讀同名單"),
        ("RBK-2159", "第二判讀非名單"),
        ("6E-8172", "第二判讀不一致"),
        ("ATX-3029", "第二判讀無法判讀"),
    ):
        expect(console.page.locator(".queue .qrow", has_text=plate).locator(".opinion")).to_have_text(words)


def test_the_live_page_says_it_beside_the_odds(console: Console) -> None:
    console.look_at("/live")
    expect(console.page.locator("dl.facts", has_text="第二判讀").locator(".opinion").first).to_be_visible()
