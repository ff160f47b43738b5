"""Lists as a whole: made, named, closed and opened again; looked through by keyboard; files whose columns nobody knows."""

from __future__ import annotations

import pytest
from console_driver import Console
from playwright.sync_api import expect

pytestmark = pytest.mark.real("chromium", "node")


def open_menu(console: Console, item: str) -> None:
    console.page.get_by_role("button", name="的其他動作").click()
    console.page.get_by_role("menuitem", name=item).click()


def test_a_list_is_made_named_closed_and_opened_again(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    console.press_button("建立新名單")
    console.type("大安分局專案")
    console.press("Enter")
    console.sees_toast("已建立「大安分局專案」")
    console.sees("這份名單還沒有車輛")
    open_menu(console, "改名")
    console.press("Control+a")
    console.type("失竊車輛")
    console.press("Enter")
    console.sees("已有名單用這個名稱")
    console.press("Escape")
    open_menu(console, "改名")
    console.press("Control+a")
    console.type("冬季專案")
    console.press("Enter")
    console.sees_toast("名單現在叫「冬季專案」")
    open_menu(console, "關閉名單")
    console.sees("名單是空的，沒有設備受影響")
    console.press_button("關閉「冬季專案」")
    console.sees_toast("已關閉「冬季專案」")
    console.sees("已關閉 1 份")
    console.press("u")
    console.sees_toast("已重新開啟「冬季專案」")


def test_closing_a_list_with_entries_asks_for_their_number_and_gives_them_back(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    before = len(console.rows)
    open_menu(console, "關閉名單")
    deed = console.page.get_by_role("button", name="關閉「失竊車輛」")
    expect(deed).to_be_disabled()
    console.page.get_by_label("輸入這個數字").fill(str(before))
    deed.click()
    console.sees_toast("已關閉「失竊車輛」")
    assert console.api("/api/lists/stolen/entries")["total"] == 0
    console.press("u")
    console.sees_toast("已重新開啟「失竊車輛」")
    assert console.api("/api/lists/stolen/entries")["total"] == before


def test_what_is_looked_for_in_a_list_stands_in_no_address(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    console.page.get_by_role("searchbox").fill("BQD-0187")
    expect(console.page.locator("table.listrows tbody tr")).to_have_count(1)
    assert [url for url in console.requests if "BQD" in url or "0187" in url] == []


def test_rows_of_a_list_are_looked_at_marked_and_removed_without_a_mouse(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    console.focus_main()
    console.press("j", "Space")
    peek = console.page.get_by_role("complementary", name="預覽")
    expect(peek).to_contain_text(console.rows[0].split()[0])
    console.press("j")
    expect(peek).to_contain_text(console.rows[1].split()[0])  # it follows the selection
    console.press("x", "j", "x")
    console.sees("已標記 2 筆")
    console.press("Escape")
    expect(peek).to_have_count(0)
    console.press_button("移除標記的 2 筆")
    console.sees("儲存第 4191 版（新增或修改 0、移除 2）")


def choose(console: Console, field: str, option: str) -> None:
    console.page.get_by_label(field, exact=False).select_option(label=option)


def test_a_file_with_strange_headers_is_matched_by_hand(console: Console) -> None:
    console.look_at("/lists/stolen/imports/new")
    console.import_file("strange.csv", "牌,何種,卷\nABC-1235,失竊,115\n".encode())
    console.sees("這個檔案不能套用")
    plate = console.page.locator(".matches label", has_text="車牌").locator("select")
    expect(plate).to_have_attribute("aria-invalid", "true")
    assert "牌（ABC-1235）" in plate.locator("option").all_inner_texts()  # a column is known by its first cell
    plate.select_option(value="#1")
    console.page.locator(".matches label", has_text="類別").locator("select").select_option(label="失竊車輛")
    expect(console.page.locator(".finding")).to_have_count(0)
    console.sees("套用 2 列")
    plan = console.api(f"/api/imports/{console.path.rsplit('/', 1)[1]}")
    assert (plan["columns"], plan["fixed"]) == ({"plate": "牌"}, {"category": "stolen"})
    console.page.get_by_label("第一列是標題").uncheck()
    expect(plate.locator("option").nth(1)).to_have_text("第 1 欄（ABC-1235）")


def test_the_encoding_is_found_and_can_be_chosen_until_the_file_is_gone(console: Console) -> None:
    console.look_at("/lists/stolen/imports/new")
    console.import_file("stolen-1125.csv", "車號\n".encode("big5"))
    console.page.locator(".columns summary").click()
    console.sees("（自動判定）")
    console.page.locator(".columns").get_by_label("編碼").select_option(label="UTF-8")
    expect(console.page.locator(".columns summary")).not_to_contain_text("自動判定")
    console.page.reload()
    console.page.locator(".columns summary").click()
    console.sees("檔案不在了")
    expect(console.page.locator(".columns").get_by_label("編碼")).to_be_disabled()
