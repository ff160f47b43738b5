"""The console as people meet it: clean by axe in every theme and size, whole by keyboard, silent towards the world."""

from __future__ import annotations

import pytest
from console_driver import SIZES, THEMES, Console, as_json
from playwright.sync_api import Browser

pytestmark = pytest.mark.real("chromium", "node")

PAGES = {
    "live": "/live",
    "check": "/hits/hit-02",
    "search": "/search",
    "lists": "/lists/stolen",
    "import": "/lists/stolen/imports/new",
    "devices": "/devices",
    "device": "/devices/tpe-zz-012",
    "quarantine": "/quarantine/time-ahead",
    "audit": "/audit",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_clean_by_axe_in_both_themes_and_three_sizes(console: Console, page: str) -> None:
    console.look_at(PAGES[page])
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


def test_a_hit_is_checked_with_two_keystrokes_and_taken_back_with_one(console: Console) -> None:
    console.press("g", "h")
    console.wait_for_check()
    assert console.path == "/hits/hit-02"  # urgent first
    console.press("1", "Enter")
    console.sees_toast("已確認 MXB-8063 相符")
    console.wait_for_queue(4)
    console.wait_for_check()
    assert console.path == "/hits/hit-01"  # the next one opens by itself
    console.press("u")
    console.sees_toast("已撤回 MXB-8063 的判定")
    console.wait_for_queue(5)
    kinds = [fact["kind"] for fact in console.api("/api/hits/hit-02")["facts"]]
    assert kinds == ["raised", "claimed", "verdict", "undone"]


def test_a_stray_enter_confirms_nothing(console: Console) -> None:
    console.press("g", "h")
    console.wait_for_check()
    console.press("Enter", "Enter")
    assert [fact["kind"] for fact in console.api("/api/hits/hit-02")["facts"]] == ["raised", "claimed"]
    assert console.path == "/hits/hit-02"


def test_everything_is_reached_by_keyboard_alone(console: Console) -> None:
    for key, path in (("s", "/search"), ("w", "/lists"), ("d", "/devices"), ("q", "/quarantine"), ("a", "/audit"), ("l", "/live")):  # fmt: skip
        console.focus_main()
        console.press("g", key)
        console.settle()
        assert console.path.startswith(path)
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
    console.settle()
    assert console.path.startswith("/reads/")


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
    console.page.wait_for_timeout(150)
    assert console.path == "/live"


def test_no_request_leaves_the_machine(console_browser: Browser, console_site) -> None:  # type: ignore[no-untyped-def]
    console = Console.start(console_browser, console_site.base_url)
    console.sign_in(console_site.link)
    console.settle_map()
    for path in PAGES.values():
        console.look_at(path)
        console.settle()
    assert console.strangers == []
    assert any("/basemap/guardian.pmtiles" in url for url in console.requests)
    assert len(console.requests) > 60
    assert console.faults == []
    console.close()


def test_no_plate_name_or_case_stands_in_an_address(console: Console) -> None:
    console.look_at("/search")
    console.give_reason()
    console.ask_for("BQD-0187")
    console.page.wait_for_url("**/search/s*")
    said = " ".join(url for url in [*console.requests, console.page.url])
    for secret in ("BQD", "0187", "0832", "%E4%B8%AD%E5%B1%B1"):
        assert secret not in said


def test_a_used_link_says_what_to_do(console_browser: Browser, console_site) -> None:  # type: ignore[no-untyped-def]
    console = Console.start(console_browser, console_site.base_url, base_map=False)
    console.look_at("/enter#used")
    console.sees("這個登入連結已經用過")
    console.sees("guardian access link")
    assert "used" not in console.page.url  # the token is taken off the address at once
    console.look_at("/live")
    console.sees("登入連結")
    console.close()


def test_the_watchlist_editor_stops_impossible_plates_and_saves_one_version(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    console.press_button("新增一筆")
    console.type("boo2718")
    console.sees("這一式號牌不會有這樣的字")
    console.press("Enter")
    assert console.page.locator(".entryform").count() == 1
    console.press("Control+a")
    console.type("avk-7713")
    console.sees("可以登錄")
    console.press("Enter")
    console.sees("儲存第 4191 版（新增或修改 1、移除 0）")
    console.press("Control+Enter")
    console.sees_toast("已存為第 4191 版")


def test_an_import_changes_nothing_before_it_is_applied_and_can_be_taken_back(console: Console) -> None:
    console.look_at("/lists/stolen/imports/new")
    console.import_file("stolen-1125.csv", "車號\n".encode("big5"))
    console.sees("還沒有任何改變")
    assert console.api("/api/lists")["version"] == 4190
    assert "BOO-2718" in console.rows[0]  # refused rows first, the raw cell as it was written
    console.press("Control+Enter")
    console.sees_toast("已套用為第 4191 版")
    console.press("u")
    console.sees_toast("這次匯入已撤回")
