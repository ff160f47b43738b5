"""Zoomed in to 200 % and 400 %, in the system's own colours, without motion: everything is there and nothing is cut."""

from __future__ import annotations

import pytest
from console_driver import Console, as_json
from playwright.sync_api import expect

pytestmark = pytest.mark.real("chromium", "node")

# 1440 × 900 at 200 %, and the yardstick of WCAG 2.2, 1.4.10: 320 × 256 is 1280 × 1024 at 400 %.
ZOOMED = {"200 %": (720, 450), "400 %": (320, 256)}
PAGES = {
    "live": "/live",
    "check": "/hits/hit-01",
    "lists": "/lists/stolen",
    "import": "/lists/stolen/imports/new",
    "devices": "/devices",
    "quarantine": "/quarantine/text-control",
    "audit": "/audit",
}

CUT = """() => {
  // Whatever can be pressed or typed into must be reachable: inside the page, by scrolling one way, and not cut by a parent.
  const bad = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) bad.push("the page scrolls sideways: " + document.documentElement.scrollWidth);
  for (const e of document.querySelectorAll("main button, main a[href], main input, main select, nav a, nav button, header button")) {
    const r = e.getBoundingClientRect();
    if (!r.width || !r.height || e.closest(".vh, .skip, .mapbox") || !e.checkVisibility({ visibilityProperty: true })) continue;
    for (let p = e.parentElement; p; p = p.parentElement) {
      const style = getComputedStyle(p);
      const box = p.getBoundingClientRect();
      const sideways = style.overflowX === "hidden" || style.overflowX === "clip";
      const down = style.overflowY === "hidden" || style.overflowY === "clip";
      if ((sideways && (r.right > box.right + 1 || r.left < box.left - 1)) || (down && p !== document.body && (r.bottom > box.bottom + 1)))
        bad.push((e.getAttribute("aria-label") || e.textContent || e.tagName).trim().slice(0, 30) + " cut by " + p.className);
    }
    if (r.right > innerWidth + 1 && !e.closest(".scroll")) bad.push((e.getAttribute("aria-label") || e.textContent || e.tagName).trim().slice(0, 30) + " beyond the edge");
  }
  return bad.slice(0, 8);
}"""


@pytest.mark.parametrize("zoom", ZOOMED)
def test_every_page_reflows_into_one_column_that_scrolls(console: Console, zoom: str) -> None:
    width, height = ZOOMED[zoom]
    console.page.set_viewport_size({"width": width, "height": height})
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        console.look_at(path)
        console.settle()
        cut = console.page.evaluate(CUT)
        if cut:
            found[name] = cut
    assert found == {}, as_json(found)


def test_a_hit_is_checked_at_four_hundred_per_cent(console: Console) -> None:
    console.page.set_viewport_size({"width": 320, "height": 256})
    console.look_at("/hits/hit-02")
    console.wait_for_check()
    console.page.get_by_role("button", name="確認相符").click()
    console.page.get_by_role("button", name="確認 MXB-8063 相符").click()
    console.sees_toast("已確認 MXB-8063 相符")


def test_what_a_desk_can_edit_it_can_edit_zoomed_in(console: Console) -> None:
    console.page.set_viewport_size({"width": 320, "height": 256})
    console.look_at("/lists/stolen")
    console.settle()
    console.page.get_by_role("button", name="新增一筆").click()
    console.type("avk-7713")
    console.sees("可以登錄")
    console.press("Enter")
    expect(console.page.get_by_role("button", name="儲存第 4191 版")).to_be_visible()


def test_the_systems_own_colours_keep_shapes_dashes_edges_and_focus(console: Console) -> None:
    console.page.emulate_media(forced_colors="active")
    console.look_at("/live")
    console.settle()
    looks = console.page.evaluate(
        """() => {
          const of = (selector, key) => { const e = document.querySelector(selector); return e ? getComputedStyle(e)[key] : "none" };
          return {
            near: of(".hits .plate.near", "borderTopStyle"), exact: of(".hits .plate:not(.near)", "borderTopStyle"),
            button: of(".hits .btn", "borderTopStyle"), chosen: of('.seg [aria-pressed="true"]', "outlineStyle"),
            meter: of(".conf i", "borderTopStyle"), bars: of(".odds .ten i", "forcedColorAdjust"),
          }
        }"""
    )
    assert looks == {
        "near": "dashed",
        "exact": "solid",
        "button": "solid",
        "chosen": "solid",
        "meter": "solid",
        "bars": "none",
    }
    console.focus_main()
    console.press("j")
    outline = console.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_without_motion_nothing_travels(console: Console) -> None:
    console.page.emulate_media(reduced_motion="reduce")
    console.look_at("/live")
    console.settle()
    longest = console.page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].flatMap(e => {
          const s = getComputedStyle(e);
          return [...s.animationDuration.split(","), ...s.transitionDuration.split(",")].map(parseFloat);
        }))"""
    )
    assert longest <= 0.01
