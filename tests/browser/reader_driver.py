"""The plate reader's page in a real browser, and its worker asked without the page around it.

`Bench` sends pictures and crops to the very file that the page's worker is; what comes back is what the page would draw.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from console_driver import PATIENCE_MS, Console
from numpy.typing import NDArray
from playwright.sync_api import Browser, expect

from guardian.vision.weights import FOLDER, LIST_NAME
from tests.house import RunningCloud
from tests.houses import CONSOLE

FAKE_CAMERA = "--use-fake-device-for-media-stream"
STUBS = Path(__file__).parent / "stub_models"
ALLOWED = "--use-fake-ui-for-media-stream"

_OPEN = """({file, wanted}) => new Promise((done, failed) => {
  const worker = new Worker(file, { type: "module" });
  const waiting = new Map();
  let last = 0;
  worker.onerror = (event) => failed(new Error(event.message || "the worker did not start"));
  worker.onmessage = ({ data }) => {
    if (data.kind === "ready") done(data.running);
    else if (data.kind === "refused") failed(new Error(`${data.reference}: ${data.detail}`));
    else if (data.kind === "changed") window.benchRunning = data.running;
    else if (data.kind === "fault") waiting.get(data.id)?.failed(new Error(data.detail));
    else if (data.id) waiting.get(data.id)?.done(data);
  };
  window.bench = (message, transfer = []) => new Promise((done, failed) => {
    const id = ++last;
    waiting.set(id, { done, failed });
    worker.postMessage({ ...message, id }, transfer);
  });
  worker.postMessage({ kind: "open", weights: "/reader/weights/", wanted });
})"""
_READ = """async (text) => (await bench({ kind: "read", crops: Uint8Array.from(atob(text), (c) => c.charCodeAt(0)) })).texts"""
_LOOK = """async ({text, manner, source}) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const frame = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  return bench({ kind: "look", frame, manner, source }, [frame]);
}"""


def worker_file() -> str:
    """The address of the worker's file in the console's build."""
    (found,) = (CONSOLE / "dist" / "reader").glob("worker-*.js")
    return f"/reader/{found.name}"


class Bench:
    """The page's worker, asked directly. The models are those of the cloud."""

    def __init__(self, console: Console, wanted: str = "wasm") -> None:
        self.page = console.page
        self.sources = 0
        self.opened: dict[str, Any] = self.page.evaluate(_OPEN, {"file": worker_file(), "wanted": wanted})

    @property
    def running(self) -> dict[str, Any]:
        """Who computes now: as opened, or as the worker has said since."""
        return self.page.evaluate("window.benchRunning ?? null") or self.opened

    def read(self, crops: NDArray[np.uint8]) -> list[list[dict[str, Any]]]:
        """The signs of each crop; (n, 48, 160) uint8, grey."""
        signs: list[list[dict[str, Any]]] = self.page.evaluate(_READ, base64.b64encode(crops.tobytes()).decode())
        return signs

    def look(self, frame: NDArray[np.uint8], manner: str = "moving", *, same_source: bool = False) -> dict[str, Any]:
        """What a look at a frame says: (H, W, 3) uint8, BGR, sent without loss.

        Args:
            manner: `moving` (as `guardian-fast`) or `still` (as `guardian`).
            same_source: the frame follows the last one; else the worker remembers nothing for it.
        """
        self.sources += not same_source
        done, png = cv2.imencode(".png", frame)
        assert done
        text = base64.b64encode(png.tobytes()).decode()
        seen: dict[str, Any] = self.page.evaluate(_LOOK, {"text": text, "manner": manner, "source": self.sources})
        return seen


def shipped_models() -> Path:
    """The folder of the models that are shipped; stubs that answer to every pixel (`make_stub_models.py`) where none are."""
    return FOLDER if (FOLDER / LIST_NAME).exists() else STUBS / "linear"


def serve_models(console: Console, folder: Path) -> None:
    """From now on the page gets its models from that folder; the shipped ones come from the cloud itself."""
    if folder != FOLDER:
        names = "**/reader/weights/*"
        console.page.context.route(
            names, lambda route: route.fulfill(path=folder / route.request.url.rsplit("/", 1)[1])
        )


def sign_in(
    browser: Browser, cloud: RunningCloud, *, role: str = "operator", models: Path = STUBS / "fixed", **how: Any
) -> Console:
    """A person signed in, on the reader's page, with the models of a folder (the stub that says one thing, if none is named)."""
    console = Console.start(browser, cloud.address, **how)
    serve_models(console, models)
    # By the session's own address: the console, with its map and its stream, need not start for this.
    token = cloud.link(role).split("#token=", 1)[1]
    answer = console.page.context.request.post(
        f"{cloud.address}/api/session", data={"token": token}, headers={"origin": cloud.address}
    )
    assert answer.ok, answer.text()
    console.page.goto(f"{cloud.address}/reader")
    return console


def wait_until_ready(console: Console) -> None:
    """The models are there and checked."""
    expect(console.page.locator(".reads footer b")).to_be_visible(timeout=PATIENCE_MS)


def film_of(pictures: list[NDArray[np.uint8]], path: Path) -> Path:
    """Pictures as a film that Chromium's fake camera plays over and over (Motion JPEG)."""
    parts = []
    for picture in pictures:
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        assert done
        parts.append(data.tobytes())
    path.write_bytes(b"".join(parts))
    return path
