"""Many tabs of one person share one live stream: HTTP/1.1 gives a host six connections, and a stream in each would take them all."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from console_driver import Console
from playwright.sync_api import Browser, Request, expect

from tests.houses import CloudHouse

pytestmark = pytest.mark.real("chromium")

TABS = 8


@pytest.fixture
def cloud(real_house: CloudHouse) -> CloudHouse:
    """The real cloud in its first state."""
    real_house.reset()
    return real_house


@pytest.fixture
def first(console_browser: Browser, cloud: CloudHouse) -> Iterator[Console]:
    """The first tab, signed in and live."""
    console = Console.start(console_browser, cloud.base_url, base_map=False)
    console.sign_in(cloud.link)
    console.wait_until_connected()
    yield console
    faults = console.faults
    console.close()
    assert not faults, faults


class Streams:
    """The live streams that a browser holds open now."""

    def __init__(self, console: Console) -> None:
        self.open: set[Request] = set()
        context = console.page.context
        context.on("request", self._opened)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)

    def _opened(self, request: Request) -> None:
        if urlsplit(request.url).path == "/api/live/events":
            self.open.add(request)

    def _ended(self, request: Request) -> None:
        self.open.discard(request)


def snapshots(console: Console) -> int:
    """How often any tab has loaded everything anew."""
    return sum(urlsplit(url).path == "/api/live" for url in console.requests)


def test_eight_tabs_are_all_live_and_the_leader_hands_over_without_a_lost_event(
    first: Console, cloud: CloudHouse
) -> None:
    streams = Streams(first)
    tabs = [first, *(first.another_tab("/hits" if number % 2 else "/live") for number in range(1, TABS))]
    for tab in tabs:
        tab.wait_until_connected()
    assert not streams.open, "the first tab's stream, opened before we counted, is the only one"
    loaded = snapshots(first)
    waiting = len(first.queue)
    cloud.raise_hit("EBA1111")
    for tab in tabs:
        tab.wait_for_queue(waiting + 1)
    first.close_tab()
    cloud.raise_hit("EBA2252")
    cloud.raise_hit("EBA3393")
    for tab in tabs[1:]:
        tab.wait_for_queue(waiting + 3)
        expect(tab.page.locator(".pulse .link[data-state=live]")).to_have_count(1)
    assert len(streams.open) == 1, "one of those that are left holds the stream"
    assert snapshots(first) == loaded, "they heard it by the stream, not by loading everything anew"
    tabs[-1].look_at("/devices")
    tabs[-1].sees("中正 1 號")


def test_signing_out_in_one_tab_is_seen_by_the_others(first: Console) -> None:
    others = [first.another_tab(), first.another_tab("/hits")]
    for tab in others:
        tab.wait_until_connected()
    first.sign_out()
    for tab in [first, *others]:
        tab.wait_for_path("/enter")


def test_a_follower_that_hears_nothing_looks_old_and_recovers(console_browser: Browser, cloud: CloudHouse) -> None:
    leader = Console.start(console_browser, cloud.base_url, base_map=False, faked_time=True)
    leader.sign_in(cloud.link)
    leader.wait_until_connected()
    follower = leader.another_tab()
    follower.wait_until_connected()
    cloud.line.mute()
    leader.pass_time(17)
    for tab in (leader, follower):
        tab.wait_until_looks(old=True)
        tab.sees_banner("資料停在")
    cloud.raise_hit("EBA2221")
    cloud.line.speak()
    leader.pass_time_until(lambda: not leader.looks_old and not follower.looks_old)
    for tab in (leader, follower):
        assert "EBA2221" in tab.queue
    assert leader.faults == []
    leader.close()
