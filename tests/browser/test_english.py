"""The console in English: no word of the zh-TW screen is left on any, nothing is cut, nothing sticks out, at three sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from console_driver import CASE, SIZES, Console, as_json
from console_words import cut_labels, foreign_texts, listen, sideways
from playwright.sync_api import Browser

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")

EXAMPLES = ("中文", "e.g. 中山分局 115-0832", "e.g. 大安 3 號", "area:大安區", "e.g. 大安分局", CASE, "大安 9 號")
"""The name of the other language, examples of data, and what these tests type."""


@pytest.fixture
def english(console_browser: Browser, house: House) -> Iterator[Console]:
    """An operator who reads English."""
    yield from reader(console_browser, house, "operator")


@pytest.fixture
def english_auditor(console_browser: Browser, house: House) -> Iterator[Console]:
    """An auditor who reads English."""
    yield from reader(console_browser, house, "auditor")


def reader(browser: Browser, house: House, role: str) -> Iterator[Console]:
    console = Console.start(browser, house.base_url, base_map=False, language="en")
    listen(console)
    console.sign_in(house.link_for(role))
    yield console
    faults = console.faults
    console.close()
    assert not faults, faults


def wrong(console: Console, *, sizes: tuple[str, ...] = tuple(SIZES)) -> dict[str, list[str]]:
    """What is wrong with the screen as it stands, by size."""
    found: dict[str, list[str]] = {}
    for size in sizes:
        console.resize(size)
        for what, faults in (
            ("foreign", foreign_texts(console, *EXAMPLES)),
            ("cut", cut_labels(console)),
            ("sideways", sideways(console)),
        ):
            if faults:
                found[f"{size}, {what}"] = faults
    return found


def search(console: Console) -> None:
    console.look_at("/search")
    console.settle()
    console.give_reason()
    console.ask_for("~B?D-01*")
    console.wait_for_rows(12)
    console.settle()


def read(console: Console) -> None:
    search(console)
    console.press("Enter")
    console.page.locator(".readgrid").wait_for()
    console.settle()


def look(path: str) -> Callable[[Console], None]:
    def go(console: Console) -> None:
        console.look_at(path)
        console.settle()

    return go


def test_every_page_is_english_and_fits(english: Console, house: House) -> None:
    pages = {
        "live": look("/live"),
        "hits": look("/hits"),
        "check": look(f"/hits/{house.hit_id('MXB8063')}"),
        "search": search,
        "read": read,
        "lists": look("/lists/stolen"),
        "import": look("/lists/stolen/imports/new"),
        "devices": look("/devices"),
        "device": look(f"/devices/{house.device_id}"),
        "quarantine": look(f"/quarantine/{house.quarantine_reason}"),
    }
    found = {}
    for name, go in pages.items():
        go(english)
        if faults := wrong(english):
            found[name] = faults
        english.resize("desktop")
    assert found == {}, as_json(found)


def test_the_audit_is_english_and_fits(english_auditor: Console) -> None:
    english_auditor.settle()
    found = wrong(english_auditor)
    assert found == {}, as_json(found)


def unsure_search(console: Console) -> None:
    look("/search")(console)
    console.ask_for("wheels:4 colour:pink yesterday 25:00-26:00")
    console.sees("There is no condition")


def offers(console: Console) -> None:
    look("/search")(console)
    console.page.locator("#query").fill("colour:")
    console.press("ArrowDown")
    console.page.locator("#suggestions [role=option]").first.wait_for()


def marked_and_peeked(console: Console) -> None:
    search(console)
    console.press("x", "Space")
    console.page.locator(".peek").wait_for()


def peek_over_the_map(console: Console) -> None:
    look("/live")(console)
    console.focus_main()
    console.press("j", "Space")
    console.page.locator(".peek").wait_for()


def judged(console: Console) -> None:
    console.look_at("/hits/hit-02")
    console.wait_for_check()
    console.press("1", "Enter")
    console.sees_toast("confirmed")
    look("/hits/hit-02")(console)


def typing_an_impossible_plate(console: Console) -> None:
    look("/lists/stolen")(console)
    console.press_button("Add an entry")
    console.type("boo2718")
    console.sees("This series cannot hold such a character")


def typing_a_plate_that_no_device_reads(console: Console) -> None:
    look("/lists/stolen")(console)
    console.press_button("Add an entry")
    console.type("224-4429")
    console.sees("this entry will raise no alarm")


def unsaved(console: Console) -> None:
    look("/lists/stolen")(console)
    console.press_button("Add an entry")
    console.type("AVK-7713")
    console.sees("Can be entered")
    console.press("Enter")
    console.sees("Unsaved: 1 added or changed")


def closing_a_list(console: Console) -> None:
    look("/lists/stolen")(console)
    console.page.get_by_role("button", name="More actions for").click()
    console.page.get_by_role("menuitem", name="Close the list").click()
    console.sees("type the number of entries")


def plan_of_an_import(console: Console) -> None:
    look("/lists/stolen/imports/new")(console)
    console.import_file("stolen-1125.csv", "車號,類別\n".encode("big5"))
    console.sees("nothing has changed yet")


def matching_columns(console: Console) -> None:
    look("/lists/stolen/imports/new")(console)
    console.import_file("strange.csv", b"x")
    console.page.locator(".matches").wait_for()


def all_devices(console: Console) -> None:
    look("/devices")(console)
    console.page.locator(".fold").click()


def revoking(console: Console) -> None:
    look("/devices/tpe-xy-041")(console)
    console.press_button("Revoke")
    console.sees("Everything a revoked device sends is refused")


def enrolling(console: Console) -> None:
    look("/devices")(console)
    console.press_button("Enrol a device")
    console.page.locator(".form input").first.fill("大安 9 號")
    console.press_button("Create a code")
    console.sees("it works once")


def rejecting(console: Console) -> None:
    look("/quarantine/time-doubtful")(console)
    console.press_button("Reject")
    console.sees("Rejected items cannot be replayed")


def keys(console: Console) -> None:
    look("/hits/hit-03")(console)
    console.press("?")
    console.sees("Keys of this page")


def commands(console: Console) -> None:
    look("/live")(console)
    console.press("Control+k")
    console.sees("Go to Devices")


def personal_menu(console: Console) -> None:
    look("/live")(console)
    console.page.get_by_role("button", name="personal menu").click()
    console.sees("Sign out")


def inviting(console: Console) -> None:
    personal_menu(console)
    console.page.get_by_text("Create a sign-in link").click()
    console.page.locator(".form input").first.fill("A")
    console.press_button("Create the link")
    console.sees("Shown once")


def not_there(console: Console) -> None:
    console.look_at("/hits/nope")
    console.sees("Not found; perhaps removed")


def no_devices(console: Console) -> None:
    console.page.route("**/api/devices", lambda route: route.fulfill(json={"devices": [], "list_version": 0}))
    look("/devices")(console)


def nothing_held(console: Console) -> None:
    console.page.route("**/api/quarantine", lambda route: route.fulfill(json={"groups": [], "last_ms": None}))
    look("/quarantine")(console)


def cloud_away(console: Console) -> None:
    answer = {"reference": "archive-unreachable", "sentence": "x", "hint": ""}
    console.page.route("**/api/devices", lambda route: route.fulfill(status=503, json=answer))
    console.look_at("/devices")
    console.sees("The archive does not answer")


def used_link(console: Console) -> None:
    console.page.goto(console.base_url + "/enter#token=used")
    console.sees("has been used or has expired")


STATES = [
    unsure_search,
    offers,
    marked_and_peeked,
    peek_over_the_map,
    judged,
    typing_an_impossible_plate,
    typing_a_plate_that_no_device_reads,
    unsaved,
    closing_a_list,
    plan_of_an_import,
    matching_columns,
    all_devices,
    revoking,
    enrolling,
    rejecting,
    keys,
    commands,
    personal_menu,
    inviting,
    not_there,
    no_devices,
    nothing_held,
    cloud_away,
    used_link,
]


EDITING = (typing_an_impossible_plate, typing_a_plate_that_no_device_reads, unsaved)
"""What a phone does not do: lists are changed on a desk screen."""


@pytest.mark.stand_in("opens what hangs on the rows, plans and links of the stand-in")
def test_what_opens_over_a_page_is_english_and_fits(english: Console) -> None:
    found = {}
    for state in STATES:
        state(english)
        sizes = ("desktop", "tablet") if state in EDITING else tuple(SIZES)
        if faults := wrong(english, sizes=sizes):
            found[state.__name__] = faults
        english.resize("desktop")
        english.page.unroute_all()
        # What was opened and half typed is left, as a person would.
        english.page.evaluate("window.onbeforeunload = null")
    assert found == {}, as_json(found)


def test_the_same_eye_finds_the_chinese_screen(console_browser: Browser, house: House) -> None:
    console = Console.start(console_browser, house.base_url, base_map=False)
    listen(console)
    console.sign_in(house.link_for("operator"))
    console.settle()
    found = " ".join(foreign_texts(console, *EXAMPLES))
    assert "即時" in found and "名單" in found
    assert "林佳穎" not in found, "a name is data"
    console.close()
