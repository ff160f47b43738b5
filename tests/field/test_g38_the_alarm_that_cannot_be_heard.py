"""G38 on the device's page: where the browser refuses sound, the page says so in big letters before a hit comes, one press
arms it, and the first hit is never lost to it. Real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from guardian.device.alarm import AlarmDesk
from guardian.device.page import AlarmPage, CardPictures
from guardian.device.status import DeviceStatus
from tests.device.cards import URGENT, card, near_card
from tests.device.rig import NOW_MS

pytestmark = pytest.mark.real("chromium")

MUTE = "裝置無聲：沒有音效卡，由告警頁發聲"


class Screen:
    """The page in a browser that allows sound only after a press."""

    def __init__(self, sound: str = MUTE) -> None:
        from playwright.sync_api import sync_playwright

        self.desk = AlarmDesk(lambda: 0)
        status = DeviceStatus(at_ms=NOW_MS, device_id="car-1", sound=sound, list_version=1, list_issued_ms=NOW_MS)
        self.page_server = AlarmPage(self.desk, CardPictures(), lambda: status)
        self.page_server.start()
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--autoplay-policy=document-user-activation-required"],
        )  # fmt: skip
        self.page = self.browser.new_page(viewport={"width": 1024, "height": 768})
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(self.page_server.address)
        self.page.locator("#unit").wait_for(state="attached")
        self.page.locator("#state:not(:empty)").wait_for()

    def close(self) -> None:
        self.browser.close()
        self.playwright.stop()
        self.page_server.stop()


@pytest.fixture
def screen() -> Iterator[Screen]:
    opened = Screen()
    yield opened
    opened.close()


def test_a_page_that_nobody_has_touched_says_that_it_cannot_sound_and_one_press_arms_it(screen: Screen) -> None:
    page = screen.page
    assert page.locator("#arm").is_visible()
    assert "不會出聲" in page.locator("#arm").inner_text()
    size = page.locator("#arm b").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 24, "big letters"
    page.locator("#arm-press").click()
    page.locator("#arm").wait_for(state="hidden")
    assert screen.faults == []


def test_the_first_hit_is_seen_even_if_it_cannot_be_heard(screen: Screen) -> None:
    page = screen.page
    screen.desk.raise_card(card(URGENT))
    page.locator("#car.exact.p1").wait_for()
    assert page.locator("#headline").inner_text() == "緊急 涉案車輛"
    assert page.locator("#plate").get_attribute("aria-label") == "M X B 8 0 6 3"
    assert page.locator("#arm").is_visible(), "the way to sound stays on the screen"
    titles = set()
    for _ in range(12):
        titles.add(page.title())
        page.wait_for_timeout(250)
    assert len(titles) >= 2, "the title says it too"
    button, arm = page.locator("#yes").bounding_box(), page.locator("#arm").bounding_box()
    assert button is not None
    assert arm is not None
    assert button["y"] + button["height"] <= arm["y"], "nothing lies over the buttons"
    assert screen.faults == []


def test_a_press_on_the_wide_button_answers_and_a_ghost_press_does_not(screen: Screen) -> None:
    page = screen.page
    screen.desk.raise_card(near_card())
    page.locator("#car.near.p2").wait_for()
    assert page.locator("#yes").inner_text() == "是 RBK-2189"
    page.locator("#yes").click()  # shorter than 80 ms: rain
    page.wait_for_timeout(150)
    assert screen.desk.view().card is not None
    page.locator("#yes").click(delay=120)
    page.locator("#idle").wait_for(state="visible")
    assert screen.desk.view().rows[0].answer == "received"


def test_the_keyboard_answers_too(screen: Screen) -> None:
    screen.desk.raise_card(card(URGENT))
    screen.page.locator("#car.exact").wait_for()
    screen.page.keyboard.press("n")
    screen.page.locator("#idle").wait_for(state="visible")
    assert screen.desk.view().rows[0].answer == "not_this"


def test_where_the_device_sounds_itself_the_page_asks_for_nothing() -> None:
    screen = Screen(sound="")
    try:
        assert not screen.page.locator("#arm").is_visible()
    finally:
        screen.close()
