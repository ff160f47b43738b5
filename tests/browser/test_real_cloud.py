"""The console over the real cloud: from a device's read to the card, to the check in two keystrokes, to a detective's search."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from console_driver import Console
from playwright.sync_api import Browser, expect

from bench.traffic import make_read
from guardian.domain.position import Position
from guardian.domain.wire import Heartbeat
from tests.house import RunningCloud, TestCar, running_cloud, wait_until

pytestmark = pytest.mark.real("chromium")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def operator(cloud: RunningCloud) -> httpx.Client:
    return cloud.sign_in("operator", "值勤員甲")


@pytest.fixture(scope="module")
def car(cloud: RunningCloud, operator: httpx.Client) -> TestCar:
    car = cloud.enrol("大安 3 號", operator=operator)
    car.beat(Heartbeat(car.device_id, now_ms(), position=Position(25.0335, 121.5435, now_ms(), 5.0, 90.0, 30.0)))
    return car


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def pass_by(car: TestCar, sequence: int, text: str) -> None:
    read = make_read(car.device_id, 1, sequence, text, now_ms(), random.Random(sequence))
    car.send([msgspec.structs.replace(read, crop=None, overview=None)])


def test_a_read_becomes_a_card_and_is_checked_in_two_keystrokes(
    cloud: RunningCloud, operator: httpx.Client, car: TestCar, console_browser: Browser
) -> None:
    cloud.watch(operator, "BKD-8869")
    console = Console.start(console_browser, cloud.address)
    try:
        console.sign_in(cloud.link("operator", "陳柏宇"))
        console.settle()
        assert console.queue == []
        pass_by(car, 1, "BKD8869")
        console.wait_for_queue(1)
        console.press("g", "h")
        console.wait_for_check()
        console.press("1", "Enter")
        console.sees_toast("已確認 BKD-8869 相符")
        hits = wait_until(
            lambda: operator.get("/api/hits", params={"state": "checked"}).json()["hits"], "a checked hit"
        )
        assert [(h["entry_text"], h["state"]) for h in hits] == [("BKD8869", "confirmed")]
        assert console.strangers == []
        assert console.faults == []
    finally:
        console.close()


def test_a_detective_finds_the_read_with_purpose_and_case(
    cloud: RunningCloud, car: TestCar, console_browser: Browser
) -> None:
    pass_by(car, 11, "CYB5081")
    console = Console.start(console_browser, cloud.address)
    try:
        console.sign_in(cloud.link("detective", "林佳穎"))
        console.look_at("/search")
        console.give_reason()
        console.ask_for("CY?-50*")
        console.wait_for_rows(1)
        expect(console.page.locator("main")).to_contain_text("CYB-5081")
        assert "CYB" not in console.page.url, "no plate stands in an address"
        assert console.faults == []
    finally:
        console.close()


def test_an_auditor_sees_who_asked_and_that_the_record_is_whole(cloud: RunningCloud, console_browser: Browser) -> None:
    console = Console.start(console_browser, cloud.address)
    try:
        console.sign_in(cloud.link("auditor", "稽核員"))
        console.look_at("/audit")
        console.settle()
        console.sees("林佳穎")
        assert console.faults == []
    finally:
        console.close()


def test_a_used_link_says_what_to_do(cloud: RunningCloud, console_browser: Browser) -> None:
    link = cloud.link("operator", "再來一次")
    for attempt in range(2):
        console = Console.start(console_browser, cloud.address)
        try:
            if attempt == 0:
                console.sign_in(link)
            else:
                console.page.goto(cloud.address + link)
                expect(console.page.locator("body")).to_contain_text("連結")
                assert console.path == "/enter"
        finally:
            console.close()
