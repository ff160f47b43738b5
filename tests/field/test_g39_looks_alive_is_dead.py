"""G39: a stream that says nothing is called old within half a minute, and what was missed comes once, by capture."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real("chromium", "node")


def test_silence_greys_the_page_and_missed_hits_come_once_in_order_of_capture(timed_console, console_site) -> None:  # type: ignore[no-untyped-def]
    console = timed_console
    console.wait_for_queue(5)
    console_site.make("silence")
    console.pass_time(17)
    console.sees_banner("資料停在")
    console.wait_until_looks(old=True)
    for name, read, ago in (("c", "EAA1113", 2), ("a", "EAA1111", 9), ("b", "EAA1112", 5)):
        console_site.make("hit", id=f"hit-{name}", read=read, entry=read, ago=ago)
    console_site.make("speak")
    console.pass_time(12)
    console.wait_until_looks(old=False)
    console.wait_for_queue(8)
    assert sorted(plate for plate in console.queue if plate.startswith("EAA")) == ["EAA1111", "EAA1112", "EAA1113"]
    console.sees_banner("斷線期間有 3 筆新的比對")
    console.press_button("依時間看第一筆")
    assert console.path == "/hits/hit-a"


def test_a_gap_in_the_stream_takes_everything_anew(timed_console, console_site) -> None:  # type: ignore[no-untyped-def]
    console = timed_console
    console.wait_for_queue(5)
    before = sum(url.endswith("/api/live") for url in console.requests)
    console_site.make("gap")
    console.page.wait_for_timeout(400)
    assert sum(url.endswith("/api/live") for url in console.requests) == before + 1
    console.wait_for_queue(5)


def test_a_verdict_given_offline_waits_and_is_sent_once_connected(timed_console, console_site) -> None:  # type: ignore[no-untyped-def]
    console = timed_console
    console.look_at("/hits/hit-02")
    console.wait_for_check()
    console_site.make("down")
    console.press("2", "Enter")
    console.sees_toast("判定待送出")
    console.sees_banner("1 筆判定待送出")
    console.pass_time(20)
    console.sees_banner("離線，資料停在")
    console_site.make("up")
    for _ in range(4):
        console.pass_time(10)
        console.page.wait_for_timeout(150)
    console.sees_no_banner("判定待送出")
    assert console.api("/api/hits/hit-02")["card"]["state"] == "wrong_plate"
