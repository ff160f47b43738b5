"""G40: list, count, map and address belong to the last question; the former one is cancelled."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real("chromium", "node")


def test_a_slow_answer_to_an_older_question_replaces_nothing(console, console_site) -> None:  # type: ignore[no-untyped-def]
    console_site.make("slow", plate="B*", ms=2500)
    console.look_at("/search")
    console.give_reason()
    console.ask_for("B*")
    console.sees("查詢中")
    console.ask_for("BKD-0129")
    console.wait_for_rows(1)
    address = console.path
    console.page.wait_for_timeout(3000)  # until the slow answer would have come
    assert console.path == address
    assert len(console.rows) == 1 and "BKD" in console.page.locator("table.found .plate").first.get_attribute("aria-label").replace(" ", "")  # fmt: skip
    console.press("Enter")
    console.page.wait_for_url("**/reads/**")
    # The cancelled look-up stays in the audit record.
    asked = [
        row["elements"].get("車牌") for row in console.api("/api/audit")["rows"] if row["action"] == "reads.search"
    ]
    assert "B*" in asked and "BKD-0129" in asked
