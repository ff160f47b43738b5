"""The cloud stops while devices wait for a list and browsers follow the street: it says nothing of it, and is quick."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.house import RunningCloud, TestCar, running_cloud


def follow(operator: httpx.Client, begun: threading.Event) -> bytes:
    """All that the live stream says until it ends."""
    said = b""
    with operator.stream("GET", "/api/live/events", timeout=60) as answer:
        for piece in answer.iter_bytes():
            said += piece
            begun.set()
    return said


def wait_for_list(car: TestCar, have: int) -> int:
    """The status of a long poll that has nothing to tell."""
    return car.request("GET", f"/device/v1/watchlist?have={have}&wait_s=25").status_code


def test_long_polls_and_streams_end_with_an_answer_and_the_log_stays_clean(tmp_path: Path) -> None:
    with running_cloud(tmp_path / "home") as cloud, ThreadPoolExecutor() as pool:
        operator = cloud.sign_in("operator")
        car = cloud.enrol(operator=operator)
        version = cloud.watch(operator, "BKD-8869")
        begun = threading.Event()
        stream = pool.submit(follow, operator, begun)
        poll = pool.submit(wait_for_list, car, version)
        assert begun.wait(30)
        time.sleep(0.5)  # the poll has reached the cloud: nothing says so, and too early only makes the test weaker
        assert not poll.done()
        took_s = stop(cloud)
        assert poll.result(timeout=30) == 204
        assert stream.result(timeout=30).startswith(b"retry:")
        assert cloud.process.returncode == 0
        assert took_s < 15
    log = cloud.log.read_text(encoding="utf-8", errors="replace")
    assert "Cancel" not in log
    assert "Traceback" not in log
    assert '"level": "error"' not in log and "ERROR" not in log, log[-2000:]


def stop(cloud: RunningCloud) -> float:
    """As Ctrl-C does; how long it took."""
    begun = time.monotonic()
    cloud.process.send_signal(signal.SIGINT)
    cloud.process.wait(60)
    return time.monotonic() - begun
