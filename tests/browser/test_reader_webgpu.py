"""The plate reader on WebGPU, in Chromium over an emulated graphics chip: the same plates as WASM's, and no look lost with it.

The models are stubs (`make_stub_models.py`): the shipped finder takes minutes on a chip that is emulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from console_driver import PATIENCE_MS, Console, open_browser
from numpy.typing import NDArray
from playwright.sync_api import Browser, Route, expect
from reader_driver import STUBS, Bench, sign_in, worker_file

from tests.house import RunningCloud, running_cloud

pytestmark = pytest.mark.real("chromium")
cv2.setNumThreads(1)

EMULATED = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
HAS_ADAPTER = "async () => Boolean(await navigator.gpu?.requestAdapter())"
KEEP_DEVICE = """const ask = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...how) { return (self.device = await ask.apply(this, how)); };
"""
"""Before the worker's own program: the device can be destroyed by a test, as a driver that is reset does."""
BREAK_DEVICE = "GPUAdapter.prototype.requestDevice = async () => { throw new Error('no device'); };\n"


def boards(*places: tuple[int, int], width: int = 384, height: int = 192) -> NDArray[np.uint8]:
    """A dark picture with bright boards of 150 x 63 px, which the stub takes for plates, each with other marks."""
    picture = np.full((height, width, 3), 60, np.uint8)
    for i, (x, y) in enumerate(places):
        cv2.rectangle(picture, (x - 75, y - 31), (x + 75, y + 31), (235, 235, 235), -1)
        for k in range(5):
            cv2.circle(picture, (x - 55 + 27 * k, y + (7 * i + 5 * k) % 15 - 7), 4, (40, 40, 40), -1)
    return picture


PICTURE = boards((100, 50), (280, 140))
"""Small: an emulated chip takes tens of seconds for a picture of 832 px."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """A cloud without a night in it."""
    with running_cloud(tmp_path_factory.mktemp("webgpu") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def browser(cloud: RunningCloud) -> Iterator[Browser]:
    """Chromium with an emulated graphics chip."""
    with open_browser(*EMULATED) as opened:
        page = opened.new_page()
        page.goto(f"{cloud.address}/reader")  # an address that the browser trusts
        there = page.evaluate(HAS_ADAPTER)
        page.close()
        if not there:
            pytest.skip("this Chromium has no WebGPU adapter, not even an emulated one")
        yield opened


def sign_in_with(
    program: str, browser: Browser, cloud: RunningCloud, models: str = "linear", query: str = ""
) -> Console:
    """On the reader's page, its worker begun with `program`; the graphics chip is asked for although it is emulated."""
    console = sign_in(browser, cloud, size="phone", models=STUBS / models)

    def begun(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=program + answer.text())

    console.page.context.route(f"**{worker_file()}", begun)
    console.page.goto(f"{cloud.address}/reader{query}")
    return console


def lose_device(console: Console) -> None:
    """As when a driver is reset: the worker that has the graphics chip finds it gone."""
    (worker,) = (one for one in console.page.workers if one.evaluate("Boolean(self.device)"))
    worker.evaluate("self.device.destroy()")


def texts_of(looked: dict[str, Any]) -> list[tuple[str, list[int]]]:
    """What each plate says, and its corners in whole px."""
    return [
        ("".join(sign["sign"] for sign in plate["signs"]), np.round(plate["quad"]).astype(int).ravel().tolist())
        for plate in looked["plates"]
    ]


def test_webgpu_finds_and_reads_what_wasm_does_and_a_look_whose_device_is_lost_is_answered_all_the_same(
    browser: Browser, cloud: RunningCloud
) -> None:
    console = sign_in_with(KEEP_DEVICE, browser, cloud)
    bench = Bench(console, "webgpu")
    on_webgpu = texts_of(bench.look(PICTURE))
    assert bench.running["detector"] == "webgpu", bench.running
    lose_device(console)
    after = texts_of(bench.look(PICTURE))
    assert bench.running == {**bench.opened, "detector": "wasm", "whyNot": "lost"}
    console.close()
    console = sign_in_with("", browser, cloud)
    bench = Bench(console, "wasm")
    on_wasm = texts_of(bench.look(PICTURE))
    assert bench.running["detector"] == "wasm"
    console.close()
    assert on_webgpu == on_wasm == after
    assert len({text for text, _ in on_wasm}) == 2, "boards that read the same would prove nothing"


def test_where_webgpu_does_not_start_the_page_says_so_and_reads(browser: Browser, cloud: RunningCloud) -> None:
    console = sign_in_with(BREAK_DEVICE, browser, cloud, "fixed", "?engine=webgpu")
    footer = console.page.locator(".reads footer")
    expect(footer.locator("b")).to_contain_text("WASM", timeout=PATIENCE_MS)
    expect(footer).to_contain_text("WebGPU 沒有啟動，改用 WASM")
    done, data = cv2.imencode(".png", PICTURE)
    assert done
    console.page.locator("input[type=file]").set_input_files(
        files=[{"name": "p.png", "mimeType": "image/png", "buffer": data.tobytes()}]
    )
    expect(console.page.locator(".reads li .plate").first).to_have_text("MXB-8083")
    assert console.page.locator(".notice, .badge.bad").count() == 0
    console.close()
