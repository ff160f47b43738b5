"""What the browser tests stand on: a site (address and sign-in), and weather that a test can make.

The site is injectable: `console_site` is the console's own stand-in for the cloud (`console/mock/server.mjs`); a suite
that runs over the real cloud overrides that one fixture with its own address and link. A browser lives for one module:
while it is there, nothing else may run an event loop in this thread.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from console_driver import Console, open_browser
from playwright.sync_api import Browser

CONSOLE = Path(__file__).resolve().parents[2] / "console"


@dataclass(frozen=True)
class Site:
    """Where the console is served and the one-time link that signs a person in who may open every page."""

    base_url: str
    link: str

    def make(self, weather: str, **body: object) -> None:
        """Make weather (only the stand-in can): silence, speak, hit, gap, slow, down, up, basemap, reset."""
        request = urllib.request.Request(  # noqa: S310 - loopback, our own process
            f"{self.base_url}/mock/{weather}", data=json.dumps(body).encode(), method="POST"
        )
        urllib.request.urlopen(request, timeout=10).read()  # noqa: S310


def _node() -> str:
    beside = CONSOLE.parent / ".tools" / "bin" / "node"
    found = str(beside) if beside.exists() else shutil.which("node")
    if found is None:
        pytest.skip("node is not installed (make setup brings it)")
    return found


@pytest.fixture(scope="module")
def mock_site() -> Iterator[Site]:
    """The stand-in for the cloud, quiet: nothing moves unless a test says so."""
    if not (CONSOLE / "dist" / "index.html").exists():
        pytest.skip("the console is not built (make setup builds it)")
    process = subprocess.Popen(
        [_node(), str(CONSOLE / "mock" / "server.mjs"), "--quiet"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    try:
        assert process.stdout is not None
        yield Site(process.stdout.readline().strip(), "/enter#all")
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def console_site(mock_site: Site) -> Site:
    """A site in its first state."""
    mock_site.make("reset")
    return mock_site


@pytest.fixture(scope="module")
def console_browser() -> Iterator[Browser]:
    """Chromium, allowed to sound."""
    with open_browser() as browser:
        yield browser


def _signed_in(browser: Browser, site: Site, **how: bool) -> Iterator[Console]:
    console = Console.start(browser, site.base_url, **how)  # type: ignore[arg-type]
    console.sign_in(site.link)
    yield console
    faults = console.faults
    console.close()
    assert faults == []


@pytest.fixture
def console(console_browser: Browser, console_site: Site) -> Iterator[Console]:
    """Somebody signed in who may open every page; without a base map, which most tests need not draw."""
    yield from _signed_in(console_browser, console_site, base_map=False)


@pytest.fixture
def full_console(console_browser: Browser, console_site: Site) -> Iterator[Console]:
    """The same with the base map."""
    yield from _signed_in(console_browser, console_site)


@pytest.fixture
def timed_console(console_browser: Browser, console_site: Site) -> Iterator[Console]:
    """The same, in a page whose time a test moves on."""
    yield from _signed_in(console_browser, console_site, base_map=False, faked_time=True)


@pytest.fixture
def silent_browser_console(console_site: Site) -> Iterator[Console]:
    """The same in a browser that refuses sound until somebody presses."""
    with open_browser(sound_allowed=False) as browser:
        yield from _signed_in(browser, console_site, base_map=False)
