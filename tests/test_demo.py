"""`guardian demo` as a newcomer runs it: it judges itself, ends by itself or when asked, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import free_port, wait_until

pytestmark = pytest.mark.slow


def _demo(home: Path, *more: str) -> list[str]:
    ports = ["--port", str(free_port()), "--page-port", str(free_port())]
    return [sys.executable, "-m", "guardian", "demo", "--no-browser", "--home", str(home), *ports, *more]


def _children_of(home: Path) -> list[int]:
    """Processes that were started with this home, by their own command lines."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(word.startswith(str(home)) for word in words) and int(line.parent.name) != os.getpid():
            found.append(int(line.parent.name))
    return found


def test_a_demo_without_a_screen_finds_reads_a_hit_and_a_search_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    done = subprocess.run(_demo(home, "--seconds", "25"), capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("reads stored", "hits ", "read(s) found", "simulated", "The demo works"):
        assert said in done.stdout, done.stdout
    assert "simulated units stopped" not in done.stdout and "could not enrol" not in done.stdout
    assert not done.stderr, done.stderr
    assert _children_of(home) == []


def test_ctrl_c_ends_a_demo_with_all_that_it_started_and_no_traceback(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    log = tmp_path / "out"
    with log.open("wb") as out:
        demo = subprocess.Popen(_demo(home), stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_until(lambda: "4/4 Running" in log.read_text(errors="replace"), "the demo runs", limit_s=180)
        assert len(_children_of(home)) >= 3, "the demo, its cloud and its device"
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait(5)
    assert "Traceback" not in log.read_text(errors="replace")
    assert _children_of(home) == []
