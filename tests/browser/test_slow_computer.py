"""What a person meets whose computer or line is slow: no key is lost, and none does another deed than it was meant for."""

from __future__ import annotations

import re

import pytest
from console_driver import Console
from playwright.sync_api import Browser, Route, expect

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")

SLOW_CLAIM = """() => {
  const told = window.fetch, waiting = [];
  let held;
  window.claimIsHeld = new Promise((yes) => (held = yes));
  window.fetch = async (...asked) => {
    const url = typeof asked[0] === "string" ? asked[0] : asked[0].url;
    if (url.endsWith("/claim")) await new Promise((go) => (waiting.push(go), held(true)));
    return told(...asked);
  };
  window.letClaimsGo = () => waiting.splice(0).forEach((go) => go());
}"""


def test_two_keys_reach_their_page_however_busy_it_is_between_them(console_browser: Browser, house: House) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    console.make_busy("KeyG", 2.5)
    console.sign_in(house.link)
    console.press("g", "h")
    console.wait_for_check(house.hit_id("MXB8063"))
    assert console.faults == []
    console.close()


def test_after_the_first_key_the_page_says_what_may_follow(console: Console, house: House) -> None:
    console.press("g")
    expect(console.page.locator(".second")).to_contain_text("到比對")
    console.press("Escape")
    expect(console.page.locator(".second .steps")).to_have_count(0)
    console.press("h")
    assert console.path == "/live"


def test_a_verdict_given_before_the_claim_is_answered_is_sent_once_it_is(
    console_browser: Browser, house: House
) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    console.page.add_init_script(f"({SLOW_CLAIM})()")
    console.sign_in(house.link)
    hit_id = house.hit_id("MXB8063")
    console.press("g", "h")
    console.page.locator(".ladder").wait_for()
    console.page.evaluate("claimIsHeld")
    console.press("1", "Enter")
    assert house.client("operator").get(f"/api/hits/{hit_id}").json()["card"]["state"] == "new"
    console.page.evaluate("letClaimsGo()")
    console.sees_toast("已確認 MXB-8063 相符")
    assert house.client("operator").get(f"/api/hits/{hit_id}").json()["card"]["state"] == "confirmed"
    assert console.faults == []
    console.close()


def test_what_is_typed_after_the_slash_is_the_question_and_takes_no_verdict_back(
    console_browser: Browser, house: House
) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    held: list[Route] = []
    console.page.route(re.compile(r"/assets/Search-[^/]+\.js$"), lambda route: held.append(route))
    console.sign_in(house.link)
    console.press("g", "h")
    console.wait_for_check()
    console.press("1", "Enter")
    console.sees_toast("已確認 MXB-8063 相符")
    console.press("/")
    console.type("~bku01")
    console.page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    expect(console.page.locator("#query")).to_have_value("~bku01")
    assert "query" in console.focused
    console.type("87")
    expect(console.page.locator("#query")).to_have_value("~bku0187")
    card = house.client("operator").get(f"/api/hits/{house.hit_id('MXB8063')}").json()["card"]
    assert card["state"] == "confirmed"
    console.close()


def test_a_page_whose_code_does_not_come_says_so_and_comes_with_the_next_try(
    console_browser: Browser, house: House
) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    console.page.route(re.compile(r"/assets/Hits-[^/]+\.js$"), lambda route: route.abort())
    console.sign_in(house.link)
    console.press("g", "h")
    console.sees("連不到雲端")
    console.page.unroute_all()
    console.press_button("再讀一次")
    console.wait_for_check()
    console.close()


def test_a_computer_eight_times_slower_still_does_what_its_keys_say(console_browser: Browser, house: House) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    console.sign_in(house.link)
    tools = console.page.context.new_cdp_session(console.page)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": 8})
    console.press("g", "h")
    console.wait_for_check(house.hit_id("MXB8063"))
    console.press("1", "Enter")
    console.sees_toast("已確認 MXB-8063 相符")
    assert console.faults == []
    console.close()
