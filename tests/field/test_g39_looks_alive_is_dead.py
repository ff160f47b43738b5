"""G39: a stream that says nothing is called old within half a minute, and what was missed comes once, by capture."""

from __future__ import annotations

import pytest
from console_driver import Console

from tests.houses import House

pytestmark = pytest.mark.real("chromium", "node")


def test_silence_greys_the_page_and_missed_hits_come_once_in_order_of_capture(
    timed_console: Console, house: House
) -> None:
    console = timed_console
    console.wait_for_queue(5)
    console.wait_until_connected()
    house.line.mute()
    console.pass_time(17)
    console.sees_banner("資料停在")
    console.wait_until_looks(old=True)
    raised = {read: house.raise_hit(read, ago_s=ago) for read, ago in (("EAA3393", 2), ("EAA1111", 9), ("EAA2252", 5))}
    house.line.speak()
    console.pass_time_until(lambda: not console.looks_old)
    console.wait_for_queue(8)
    assert sorted(plate for plate in console.queue if plate.startswith("EAA")) == ["EAA1111", "EAA2252", "EAA3393"]
    console.sees_banner("斷線期間有 3 筆新的比對")
    console.press_button("依時間看第一筆")
    console.wait_for_path(f"/hits/{raised['EAA1111']}")


@pytest.mark.stand_in(
    "a cloud says gap only after 5,000 messages, or as another process: tests/faults/test_live_stream_cut.py"
)
def test_a_gap_in_the_stream_takes_everything_anew(timed_console: Console, house: House) -> None:
    console = timed_console
    console.wait_for_queue(5)
    console.wait_until_connected()
    with console.page.expect_response("**/api/live"):
        house.make("gap")
    console.wait_for_queue(5)


def test_a_verdict_given_offline_waits_and_is_sent_once_connected(timed_console: Console, house: House) -> None:
    console, hit_id = timed_console, house.hit_id("MXB8063")
    console.look_at(f"/hits/{hit_id}")
    console.wait_for_check()
    console.settle_map()  # its worker is a file of its own, which a cut line would keep away
    house.line.cut()
    console.press("2", "Enter")
    console.sees_toast("判定待送出")
    console.sees_banner("1 筆判定待送出")
    console.pass_time(20)
    console.sees_banner("離線，資料停在")
    house.line.mend()
    console.pass_time_until(lambda: not console.has_banner("判定待送出"))
    assert house.client("operator").get(f"/api/hits/{hit_id}").json()["card"]["state"] == "wrong_plate"
