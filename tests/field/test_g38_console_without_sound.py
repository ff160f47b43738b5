"""G38: where the browser refuses sound, the page says so in big letters before a hit comes; one press arms it."""

from __future__ import annotations

import pytest
from console_driver import Console

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")


def test_it_is_said_before_a_hit_comes_and_one_press_arms_it(silent_browser_console: Console, house: House) -> None:
    console = silent_browser_console
    console.sees_banner("警示音還沒啟用")
    size = console.page.locator(".banner.loud b").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 18
    console.wait_for_queue(5)
    before = int(console.title.split(")")[0][1:])
    house.raise_hit("AVK2213", priority=1)
    console.wait_for_queue(6)  # the first hit is never lost to this: list, colour, word and title
    assert console.title.startswith(f"({before + 1})")
    console.arm_sound()
    console.sees_no_banner("警示音還沒啟用")
