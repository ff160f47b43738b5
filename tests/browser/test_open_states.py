"""What opens over a page (offers, peeks, marks, dialogs, the matching of columns) is as clean by axe as the page itself."""

from __future__ import annotations

import pytest
from console_driver import SIZES, THEMES, Console, as_json

pytestmark = pytest.mark.real("chromium", "node")


def offers(console: Console) -> None:
    console.look_at("/search")
    console.settle()
    console.page.locator("#query").fill("顏色:")
    console.press("ArrowDown")
    console.page.locator("#suggestions [role=option]").first.wait_for()


def marked_and_peeked_reads(console: Console) -> None:
    console.look_at("/search")
    console.give_reason()
    console.ask_for("~B?D-01*")
    console.wait_for_rows(12)
    console.press("x", "Space")
    console.page.locator(".peek").wait_for()


def a_peek_over_the_map(console: Console) -> None:
    console.look_at("/live")
    console.settle()
    console.focus_main()
    console.press("j", "Space")
    console.page.locator(".peek").wait_for()


def marked_and_peeked_entries(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    console.focus_main()
    console.press("j", "x", "Space")
    console.page.locator(".peek").wait_for()


def closing_a_list(console: Console) -> None:
    console.look_at("/lists/stolen")
    console.settle()
    console.page.get_by_role("button", name="的其他動作").click()
    console.page.get_by_role("menuitem", name="關閉名單").click()
    console.sees("輸入這個數字")


def matching_columns(console: Console) -> None:
    console.look_at("/lists/stolen/imports/new")
    console.import_file("strange.csv", b"x")
    console.page.locator(".matches").wait_for()


STATES = [
    offers,
    marked_and_peeked_reads,
    a_peek_over_the_map,
    marked_and_peeked_entries,
    closing_a_list,
    matching_columns,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_what_is_open_is_clean_by_axe_in_both_themes_and_three_sizes(console: Console, state) -> None:  # type: ignore[no-untyped-def]
    state(console)
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
