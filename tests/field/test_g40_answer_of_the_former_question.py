"""G40: list, count, map and address belong to the last question; the former one is cancelled."""

from __future__ import annotations

import pytest
from console_driver import Console

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")


def test_a_slow_answer_to_an_older_question_replaces_nothing(console: Console, house: House) -> None:
    console.look_at("/search")
    console.settle()
    house.line.hold(b'"plate":"BQD-01*"')
    console.give_reason()
    console.ask_for("BQD-01*")
    console.sees("查詢中")
    with console.page.expect_event("requestfailed", lambda request: request.url.endswith("/api/searches")):
        console.ask_for("BKD-0129")
    console.wait_for_rows(1)
    address = console.path
    house.line.release()  # now the slow answer comes, to nobody
    console.api("/api/lists")
    assert console.path == address
    assert len(console.rows) == 1
    assert console.found_plates == ["BKD0129"]
    console.press("Enter")
    console.page.wait_for_url("**/reads/**")
    # The cancelled look-up stays in the audit record.
    rows = house.client("auditor").get("/api/audit").json()["rows"]
    asked = {row["elements"].get("plate", "").replace("-", "") for row in rows if row["action"] == "reads.search"}
    assert {"BQD01*", "BKD0129"} <= asked
