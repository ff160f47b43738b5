"""Asking by the name of an area, by what was drawn, by colour; and what the field offers while somebody types."""

from __future__ import annotations

import pytest
from console_driver import CASE, Console
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.real("chromium", "node")


def ready(console: Console) -> None:
    console.look_at("/search")
    console.settle()
    console.give_reason()


def offers(console: Console) -> Locator:
    return console.page.locator("#suggestions [role=option]")


def asked(console: Console) -> dict[str, object]:
    """The newest question as it left."""
    with console.page.expect_request("**/api/searches") as sent:
        console.page.locator("#query").press("Enter")
    question = sent.value.post_data_json
    assert isinstance(question, dict)
    return question


def test_an_area_is_named_from_what_the_field_offers(console: Console) -> None:
    console.page.context.unroute_all()  # the borders lie beside the base map
    ready(console)
    field = console.page.locator("#query")
    field.fill("範圍:臺北市大")
    offered = offers(console)
    expect(offered.first).to_contain_text("大安區")
    assert field.get_attribute("aria-expanded") == "true"
    console.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == offered.first.get_attribute("id")
    console.press("Enter")
    expect(console.page.locator(".query .tok")).to_contain_text("大安區")
    console.type("顏色:白色 B*")
    question = asked(console)
    area = question["area"]
    assert isinstance(area, dict)
    assert (area["name"], area["polygon"], area["lat_min"]) == ("大安區", None, None)
    assert question["colours"] == ["white"]
    expect(console.page.locator("table.found tbody tr").first).to_contain_text("白")
    console.wait_for_rows(len([row for row in console.rows if "白" in row]))


def test_esc_closes_the_offers_and_nothing_else_and_text_is_kept(console: Console) -> None:
    ready(console)
    console.page.locator("#query").fill("顏色:")
    expect(offers(console).first).to_be_visible()
    console.press("Escape")
    expect(offers(console)).to_have_count(0)
    assert console.page.locator("#query").input_value() == "顏色:"
    assert "query" in console.focused


def test_plates_and_cases_are_offered_only_from_this_sessions_own_questions(console: Console) -> None:
    ready(console)
    console.page.locator("#query").fill("BQD")
    expect(offers(console)).to_have_count(0)
    console.page.locator("#query").fill("BQD-0187")
    asked(console)
    expect(console.page.locator("table.found tbody tr").first).to_be_visible(timeout=60_000)
    console.clear_question()
    console.page.locator("#query").fill("bq")
    expect(offers(console)).to_contain_text("BQD-0187")
    assert CASE in console.page.locator("#cases option").evaluate_all("all => all.map(one => one.value)")
    stored = console.page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "BQD" not in stored, "nothing of it stays behind"


def test_an_impossible_colour_is_refused_with_those_that_there_are(console: Console) -> None:
    ready(console)
    console.ask_for("顏色:透明")
    console.sees("有 白、黑、灰")


def test_a_polygon_is_drawn_and_asked(full_console: Console) -> None:
    console = full_console
    ready(console)
    console.settle_map()
    console.page.get_by_role("button", name="在地圖上劃定範圍").click()
    console.page.get_by_role("menuitem", name="多邊形").click()
    box = console.page.locator(".drawover").bounding_box()
    assert box
    for x, y in ((0.2, 0.2), (0.8, 0.25), (0.5, 0.8)):
        console.page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    console.sees("3 個角。點第一個角或按 Enter 完成")
    console.press("Enter")
    expect(console.page.locator(".query .tok")).to_contain_text("多邊形，3 個角")
    console.page.locator("#query").fill("B*")
    area = asked(console)["area"]
    assert isinstance(area, dict)
    corners = area["polygon"]
    assert isinstance(corners, list) and len(corners) == 3
    assert all(120 < lon < 123 and 24 < lat < 26 for lon, lat in corners)


def test_the_maps_view_becomes_the_area_without_a_mouse(full_console: Console) -> None:
    console = full_console
    ready(console)
    console.settle_map()
    console.page.get_by_role("button", name="在地圖上劃定範圍").focus()
    console.press("Enter")
    expect(console.page.get_by_role("menuitem").first).to_be_focused()
    console.press("ArrowDown", "ArrowDown", "Enter")
    expect(console.page.locator(".query .tok")).to_contain_text("地圖框選")
    assert "query" in console.focused
