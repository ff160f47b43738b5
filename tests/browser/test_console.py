"""The console as people meet it: clean by axe in every theme and size, whole by keyboard, silent towards the world."""

from __future__ import annotations

import pytest
from console_driver import SIZES, THEMES, Console, as_json
from playwright.sync_api import Browser

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")

PAGES = {
    "live": "/live",
    "check": "/hits/{hit}",
    "search": "/search",
    "lists": "/lists/stolen",
    "import": "/lists/stolen/imports/new",
    "devices": "/devices",
    "device": "/devices/{device}",
    "quarantine": "/quarantine/{reason}",
}
LIST_FILE = """車號,類別,案號,事由
BOO-2718,失竊,中山分局 115-0833 案,失竊
AVK-7713,失竊,大安分局 115-1121 案,失竊
"""


def address(page: str, house: House) -> str:
    """Where a page lies in this house."""
    return PAGES[page].format(hit=house.hit_id("MXB8063"), device=house.device_id, reason=house.quarantine_reason)


@pytest.mark.parametrize("page", [*PAGES, "audit"])
def test_a_page_is_clean_by_axe_in_both_themes_and_three_sizes(
    console_browser: Browser, house: House, page: str
) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    if page == "audit":
        console.sign_in(house.link_for("auditor"))
    else:
        console.sign_in(house.link)
        console.look_at(address(page, house))
    if page == "search":
        console.give_reason()
        console.ask_for("~B?D-01*")
        console.wait_for_rows(12)
    console.settle()
    found: dict[str, list[str]] = {}
    for size in SIZES:
        console.resize(size)
        for theme in THEMES:
            console.wear(theme)
            violations = console.axe()
            if violations:
                found[f"{size} {theme}"] = violations
        assert console.overflow() == [], size
    assert found == {}, as_json(found)
    assert console.faults == []
    console.close()


def test_a_hit_is_checked_with_two_keystrokes_and_taken_back_with_one(console: Console, house: House) -> None:
    urgent, next_one = house.hit_id("MXB8063"), house.hit_id("BQD0187")
    before = len(facts_of(house, urgent))
    console.press("g", "h")
    console.wait_for_check(urgent)  # urgent first
    console.press("1", "Enter")
    console.sees_toast("已確認 MXB-8063 相符")
    console.wait_for_queue(4)
    console.wait_for_check(next_one)  # the next one opens by itself
    console.press("u")
    console.sees_toast("已撤回 MXB-8063 的判定")
    console.wait_for_queue(5)
    assert facts_of(house, urgent)[before:] == ["claimed", "verdict", "undone", "claimed"]


def facts_of(house: House, hit_id: str) -> list[str]:
    """The kinds of a hit's facts."""
    return [fact["kind"] for fact in house.client("operator").get(f"/api/hits/{hit_id}").json()["facts"]]


def test_a_stray_enter_confirms_nothing(console: Console, house: House) -> None:
    urgent = house.hit_id("MXB8063")
    before = len(facts_of(house, urgent))
    console.press("g", "h")
    console.wait_for_check(urgent)
    console.press("Enter", "Enter")
    assert facts_of(house, urgent)[before:] == ["claimed"]
    assert console.path == f"/hits/{urgent}"


def test_everything_is_reached_by_keyboard_alone(console: Console) -> None:
    for key, path in (("s", "/search"), ("w", "/lists"), ("d", "/devices"), ("q", "/quarantine"), ("l", "/live")):
        console.focus_main()
        console.press("g", key)
        console.page.wait_for_url(f"**{path}**")
        console.settle()
    console.press("/")
    console.settle()
    assert "query" in console.focused
    console.type("~b?d01*")
    console.press("Enter")  # the purpose is missing: focus goes there
    console.sees("查詢需要事由")
    assert "purpose" in console.focused
    console.press("ArrowDown", "Tab")
    console.type("中山分局 115-0832 案")
    console.press("Shift+Tab", "Shift+Tab", "Enter")  # back to the deed
    console.wait_for_rows(12)
    console.press("j", "j", "Enter")
    console.page.wait_for_url("**/reads/**")
    console.settle()


def test_an_auditor_reaches_the_audit_by_keyboard_and_no_other_page(console_browser: Browser, house: House) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    console.sign_in(house.link_for("auditor"))
    console.wait_for_path("/audit")
    console.press("g", "l")
    console.press("g", "a")
    console.settle()
    assert console.path == "/audit"
    console.look_at("/live")
    console.wait_for_path("/audit")
    assert console.faults == []
    console.close()


def test_the_keys_of_a_page_are_listed_and_single_keys_can_be_switched_off(console: Console) -> None:
    console.press("?")
    console.sees("這一頁的按鍵")
    console.press("Escape")
    console.press("Control+k")
    console.type("單鍵")
    console.press("Escape")
    console.page.get_by_role("button", name="個人選單").click()
    console.page.get_by_text("關閉單鍵快速鍵").click()
    console.focus_main()
    console.press("g", "d")
    console.press("Control+k")  # what has a key is still found by its word
    console.sees("指令")
    assert console.path == "/live"


def test_no_request_leaves_the_machine(full_console: Console, house: House) -> None:
    console = full_console
    console.settle_map()
    for page in PAGES:
        console.look_at(address(page, house))
        console.settle()
    assert console.strangers == []
    assert any("/basemap/guardian.pmtiles" in url for url in console.requests)
    assert len(console.requests) > 60


def test_no_plate_name_or_case_stands_in_an_address(console: Console) -> None:
    console.look_at("/search")
    console.give_reason()
    console.ask_for("BQD-0187")
    console.page.wait_for_url("**/search/*")
    said = " ".join(url for url in [*console.requests, console.page.url])
    for secret in ("BQD", "0187", "0832", "%E4%B8%AD%E5%B1%B1"):
        assert secret not in said


def test_a_used_link_says_what_to_do(console_browser: Browser, house: House) -> None:
    link = house.link
    first = Console.start(console_browser, house.base_url, base_map=False)
    first.sign_in(link)
    first.close()
    console = Console.start(console_browser, house.base_url, base_map=False)
    console.look_at(link)
    console.sees("這個登入連結已經用過")
    console.sees("guardian access link")
    assert "#" not in console.page.url  # the token is taken off the address at once
    console.look_at("/live")
    console.sees("登入連結")
    console.close()


def test_the_watchlist_editor_stops_impossible_plates_and_saves_one_version(console: Console, house: House) -> None:
    version = house.client("operator").get("/api/lists").json()["version"]
    console.look_at("/lists/stolen")
    console.settle()
    console.press_button("新增一筆")
    console.type("boo2718")
    console.sees("這一式號牌不會有這樣的字")
    console.press("Enter")
    assert console.page.locator(".entryform").count() == 1
    console.press("Control+a")
    console.type("224-4429")  # fits a series of 1980; no reader tells it from a telephone number
    console.sees("登錄後不會告警")
    console.press("Control+a")
    console.type("avk-7713")
    console.sees("可以登錄")
    console.press("Tab", "Tab", "Tab")
    console.type("大安分局 115-1121 案")
    console.press("Enter")
    console.sees(f"儲存第 {version + 1} 版（新增或修改 1、移除 0）")
    console.press("Control+Enter")
    console.sees_toast(f"已存為第 {version + 1} 版")
    assert house.client("operator").get("/api/lists").json()["version"] == version + 1


def test_a_device_says_where_its_time_comes_from_and_what_that_is_worth(console: Console, house: House) -> None:
    shown = house.client("operator").get("/api/devices").json()["devices"]
    source = next(one for one in shown if one["id"] == house.device_id)["heartbeat"]["clock_source"]
    worth = {"gps": "衛星給的時間", "ntp": "與時間伺服器同步", "unset": "校時後自動更正"}
    console.look_at(f"/devices/{house.device_id}")
    console.sees("時間來源")
    console.sees(worth[source])


def test_an_import_changes_nothing_before_it_is_applied_and_can_be_taken_back(console: Console, house: House) -> None:
    version = house.client("operator").get("/api/lists").json()["version"]
    console.look_at("/lists/stolen/imports/new")
    console.import_file("stolen-1125.csv", LIST_FILE.encode("big5"))
    console.sees("還沒有任何改變")
    assert house.client("operator").get("/api/lists").json()["version"] == version
    assert "BOO-2718" in console.rows[0]  # refused rows first, the raw cell as it was written
    console.press("Control+Enter")
    console.sees_toast(f"已套用為第 {version + 1} 版")
    console.press("u")
    console.sees_toast("這次匯入已撤回")
