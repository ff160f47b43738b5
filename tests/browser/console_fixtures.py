"""What the tests of the console stand on, wherever they lie: a house (address and sign-in), and a person in a browser.

`house` comes in two kinds, and each test runs over both: the console's own stand-in, and a real cloud with the same night
in it (tests/houses.py). `@pytest.mark.stand_in("why")` keeps a test to the stand-in. Both houses live as long as the
run; a browser lives for one module: while it is there, nothing else may run an event loop in this thread.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for `console_driver`, which the screenshots use as well

from console_driver import Console, open_browser
from playwright.sync_api import Browser

from tests.houses import CONSOLE, CloudHouse, House, StandIn, cloud_house, stand_in

KINDS = ("stand-in", "cloud")
STAND_IN_ONLY = {
    "test_open_states": "opens what hangs on the rows, twins and plans of the stand-in",
    "test_lists": "counts lists and rows, and plans files by their names, as the stand-in has them",
    "test_zoom_and_colours": "looks only, by the ids of the stand-in's night",
    "test_the_check_by_character": "places of characters as the stand-in draws them",
    "test_search_by_area_and_look": "areas and looks of the stand-in's night",
}
"""Files that are not asked of a real cloud, each with its reason; a single test says so by its marker."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stand_in(reason): only over the console's stand-in, for the reason given")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "house_kind" not in metafunc.fixturenames:
        return
    marks = list(metafunc.definition.iter_markers("stand_in"))
    assert all(mark.args and mark.args[0] for mark in marks), "stand_in says why"
    alone = bool(marks) or metafunc.module.__name__.split(".")[-1] in STAND_IN_ONLY
    metafunc.parametrize("house_kind", KINDS[:1] if alone else KINDS)


@pytest.fixture
def house_kind() -> str:
    """Which kind of house; given by `pytest_generate_tests`."""
    return KINDS[0]


@pytest.fixture(scope="session")
def stand_in_house() -> Iterator[StandIn]:
    """The stand-in for the cloud."""
    with stand_in() as house:
        yield house


@pytest.fixture(scope="session")
def real_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudHouse]:
    """The real cloud."""
    with cloud_house(tmp_path_factory.mktemp("house") / "home") as house:
        yield house


@pytest.fixture
def house(house_kind: str, request: pytest.FixtureRequest) -> House:
    """A house in its first state."""
    if not (CONSOLE / "dist" / "index.html").exists():
        pytest.skip("the console is not built (make setup builds it)")
    found: House = request.getfixturevalue("stand_in_house" if house_kind == "stand-in" else "real_house")
    found.reset()
    return found


@pytest.fixture
def console_site(house: House) -> House:
    """The house by its older name."""
    return house


@pytest.fixture(scope="module")
def console_browser() -> Iterator[Browser]:
    """Chromium, allowed to sound."""
    with open_browser() as browser:
        yield browser


def _signed_in(browser: Browser, house: House, **how: bool) -> Iterator[Console]:
    console = Console.start(browser, house.base_url, **how)  # type: ignore[arg-type]
    console.sign_in(house.link)
    yield console
    faults = console.faults
    console.close()
    assert not faults, faults


@pytest.fixture
def console(console_browser: Browser, house: House) -> Iterator[Console]:
    """An operator signed in; without a base map, which most tests need not draw."""
    yield from _signed_in(console_browser, house, base_map=False)


@pytest.fixture
def full_console(console_browser: Browser, house: House) -> Iterator[Console]:
    """The same with the base map."""
    yield from _signed_in(console_browser, house)


@pytest.fixture
def timed_console(console_browser: Browser, house: House) -> Iterator[Console]:
    """The same, in a page whose time a test moves on."""
    yield from _signed_in(console_browser, house, base_map=False, faked_time=True)


@pytest.fixture
def silent_browser_console(house: House) -> Iterator[Console]:
    """The same in a browser that refuses sound until somebody presses."""
    with open_browser(sound_allowed=False) as browser:
        yield from _signed_in(browser, house, base_map=False)
