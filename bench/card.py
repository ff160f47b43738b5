"""Read → card in the browser on loopback: from the moment a device sends a read of a listed plate until its card is drawn.

The real cloud, a signed batch of one read, Chromium with the live page open. Both ends look at the same clock. Beside it, in the same
run: the same read until its hit stands in the store (no browser), so that the browser's share is seen.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench.table import percentile, render_table
from bench.traffic import make_plates, make_read
from tests.house import running_cloud

ROUNDS = 30
GOAL_MS = 1000
WATCH = """() => {
  window.cards = {};
  const look = () => { for (const n of document.querySelectorAll('aside li')) {
    for (const t of n.textContent.match(/[A-Z]{3}-[0-9]{4}/g) ?? []) if (!(t in window.cards)) window.cards[t] = Date.now(); } };
  new MutationObserver(() => requestAnimationFrame(look)).observe(document.body, {subtree: true, childList: true,
    characterData: true});
  look();
}"""


def main() -> int:
    """Print the table."""
    import random

    from playwright.sync_api import sync_playwright

    from guardian.domain.plate import display_of

    plates = make_plates(ROUNDS, 5, first="C")
    shown: list[float] = []
    answered: list[float] = []
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name, running_cloud(Path(name) / "cloud") as cloud:
        operator = cloud.sign_in()
        cloud.watch(operator, *(display_of(p) for p in plates))
        car = cloud.enrol(operator=operator)
        link = cloud.link("operator", "看卡片的人")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-angle=swiftshader"],
            )
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(cloud.address + link)
            page.locator(".app").wait_for()
            page.wait_for_timeout(6000)
            page.evaluate(WATCH)
            for number, text in enumerate(plates, 1):
                now = time.time_ns() // 1_000_000
                read = make_read(car.device_id, 1, number, text, now, random.Random(number))
                read = msgspec.structs.replace(read, crop=None, overview=None)
                sent = time.time() * 1000
                car.send([read])
                answered.append(time.time() * 1000 - sent)
                label = display_of(text)
                page.wait_for_function("t => t in window.cards", arg=label, timeout=20_000)
                shown.append(page.evaluate("t => window.cards[t]", label) - sent)
            browser.close()
    rows = [
        (what, f"{percentile(values, 0.5):.0f}", f"{percentile(values, 0.95):.0f}", f"{percentile(values, 0.99):.0f}")
        for what, values in (("read sent → answered, durable", answered), ("read sent → card in the browser", shown))
    ]
    print(render_table(("what", "p50 ms", "p95 ms", "p99 ms"), rows))
    worst = percentile(shown, 0.99)
    print(f"\n{ROUNDS} reads, one after the other. Goal p99 ≤ {GOAL_MS} ms: {worst / GOAL_MS:.2f} × of it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
