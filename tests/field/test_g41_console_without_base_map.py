"""G41: without its base map the page shows a plain ground with the units, not a blank. (Ranges: the serve room's test.)"""

from __future__ import annotations

import pytest
from console_driver import Console

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")


def test_a_missing_map_file_leaves_units_and_hits_on_a_plain_ground(console: Console, house: House) -> None:
    console.look_at("/live")
    console.sees("底圖讀不到")
    console.settle_map()
    drawn = console.page.evaluate(
        """() => new Promise(done => { const c = document.querySelector('.maplibregl-canvas');
          const copy = document.createElement('canvas'); copy.width = c.width; copy.height = c.height;
          requestAnimationFrame(() => { const g = copy.getContext('2d'); g.drawImage(c, 0, 0);
            done(c.width > 300 && c.height > 300) }) })"""
    )
    assert drawn
    console.wait_for_queue(5)
    console.page.locator(".legend summary").click()
    units = house.client("operator").get("/api/live").json()["units"]
    assert len(units) >= 10
    # All that is on the map is in a list beside it as well.
    console.page.wait_for_function(f"document.querySelectorAll('.legend li').length === {len(units)}")


def test_the_map_is_asked_by_ranges(full_console: Console) -> None:
    ranges: list[str] = []
    full_console.page.on("request", lambda r: ranges.append(r.headers.get("range", "")) if "pmtiles" in r.url else None)
    full_console.look_at("/live")
    full_console.settle_map()
    assert ranges and all(one.startswith("bytes=") for one in ranges)
