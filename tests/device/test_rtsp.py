"""A network camera over RTSP, against a real server (GStreamer's): plays, hangs, goes away, comes back, is the wrong one."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from guardian.cli import main
from guardian.device.run import Device, Options
from guardian.device.source import Frame
from guardian.device.video import CameraSource

CAMERA = Path(__file__).with_name("rtsp_camera.py")
SIZE = (240, 320, 3)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Camera:
    """The program `rtsp_camera.py`, started and stopped at will on one port."""

    def __init__(self, picture: Path | None = None) -> None:
        self.port = free_port()
        self.picture = picture
        self._program: subprocess.Popen[str] | None = None

    def switch_on(self) -> None:
        command = ["/usr/bin/python3", str(CAMERA), str(self.port)]
        command += [str(self.picture)] if self.picture is not None else []
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._program.stdout is not None
        assert self._program.stdout.readline().strip() == "ready"

    def say(self, line: str) -> None:
        assert self._program is not None and self._program.stdin is not None and self._program.stdout is not None
        print(line, file=self._program.stdin, flush=True)
        assert self._program.stdout.readline().strip() == "ok"

    def switch_off(self) -> None:
        if self._program is not None:
            self._program.kill()
            self._program.wait(10)
            for pipe in (self._program.stdin, self._program.stdout):
                assert pipe is not None
                pipe.close()
            self._program = None

    def address(self, path: str = "/h264", login: str = "") -> str:
        return f"rtsp://{login}127.0.0.1:{self.port}{path}"


@pytest.fixture
def camera() -> Iterator[Camera]:
    camera = Camera()
    camera.switch_on()
    yield camera
    camera.switch_off()


class Watching:
    """A source that is being read in a thread of its own."""

    def __init__(self, address: str) -> None:
        self.source = CameraSource(
            address,
            mono_ms=lambda: time.monotonic_ns() // 1_000_000,
            open_timeout_s=4.0,
            read_timeout_s=0.8,
            pauses_s=(0.05, 0.1, 0.2),
        )
        self.health = self.source.health
        self.frames: list[Frame] = []
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        for frame in self.source.frames(self.stop):
            self.frames.append(frame)

    def wait_for(self, seen: Callable[[], bool], limit_s: float = 60.0) -> None:
        until = time.monotonic() + limit_s
        while not seen():
            assert time.monotonic() < until, f"{self.health}"
            time.sleep(0.01)

    def end(self, within_s: float = 5.0) -> None:
        self.stop.set()
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "the stop must not wait for the camera"


@pytest.fixture
def watch() -> Iterator[Callable[[str], Watching]]:
    begun: list[Watching] = []

    def begin(address: str) -> Watching:
        begun.append(Watching(address))
        return begun[-1]

    yield begin
    for watching in begun:
        watching.end()


@pytest.mark.real("rtsp")
@pytest.mark.parametrize("path", ["/h264", "/jpeg"])
def test_both_usual_codecs_play_and_frames_carry_the_moment_they_came(
    camera: Camera, watch: Callable[[str], Watching], path: str
) -> None:
    watching = watch(camera.address(path))
    watching.wait_for(lambda: len(watching.frames) >= 15)
    assert {frame.image.shape for frame in watching.frames} == {SIZE}
    moments = [frame.mono_ms for frame in watching.frames]
    assert moments == sorted(moments)
    assert abs(moments[-1] - time.monotonic_ns() // 1_000_000) < 3_000
    assert (watching.health.waiting, watching.health.failed_openings, watching.health.reconnects) == ("", 0, 0)


@pytest.mark.real("rtsp")
def test_a_camera_that_hangs_goes_off_and_comes_back_is_followed_each_time_and_counted(
    camera: Camera, watch: Callable[[str], Watching]
) -> None:
    watching = watch(camera.address())
    health = watching.health
    watching.wait_for(lambda: len(watching.frames) >= 5)

    camera.say("freeze")
    watching.wait_for(lambda: health.waiting == "camera-hangs")
    camera.say("thaw")
    watching.wait_for(lambda: health.waiting == "" and health.reconnects == 1)

    camera.say("drop")
    watching.wait_for(lambda: health.reconnects == 2)

    camera.switch_off()
    watching.wait_for(lambda: health.waiting == "camera-unreachable" and health.tries >= 3)
    seen = len(watching.frames)
    camera.switch_on()
    watching.wait_for(lambda: health.reconnects == 3)
    watching.wait_for(lambda: len(watching.frames) > seen)
    assert (health.waiting, health.tries) == ("", 0)
    assert [frame.number for frame in watching.frames] == list(range(1, len(watching.frames) + 1))


@pytest.mark.real("rtsp")
@pytest.mark.parametrize(
    ("path", "why"),
    [("/sound", "camera-no-picture"), ("/strange", "camera-no-picture"), ("/wrong", "camera-no-such-stream")],
)
def test_a_camera_with_nothing_for_us_is_told_apart_from_one_that_is_not_there(
    camera: Camera, watch: Callable[[str], Watching], path: str, why: str
) -> None:
    watching = watch(camera.address(path))
    watching.wait_for(lambda: watching.health.tries >= 2)
    assert watching.health.waiting == why
    assert watching.frames == []


@pytest.mark.real("rtsp")
def test_the_device_reads_a_plate_from_a_network_camera_and_says_what_is_wrong_when_it_goes(
    tmp_path: Path, draw: Any, engine: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    street = draw.street(640, 384)
    draw.car(street, "BKD8869", (320, 250), height=48)
    picture = tmp_path / "street.png"
    assert cv2.imwrite(str(picture), draw.frame(street))
    camera = Camera(picture)
    camera.switch_on()
    home = tmp_path / "home"
    device = Device(Options(camera.address(login="root:geheim@"), home, muted=True, page_port=None), engine=engine)
    stop = threading.Event()
    running = threading.Thread(target=device.run, args=(stop,), daemon=True)
    running.start()

    def wait_for(seen: Callable[[], bool]) -> None:
        until = time.monotonic() + 30
        while not seen():
            assert time.monotonic() < until, device.telling.status()
            time.sleep(0.02)

    try:
        wait_for(lambda: device.pipeline.reads == 1)
        ((_, kept),) = device.spool.batch(5)
        assert kept.read.text == "BKD8869" and len(kept.read.char_places) == 7
        camera.switch_off()
        wait_for(lambda: any("檢查位址、電源與網路線" in b.sentence for b in device.desk.view().banners))
        wait_for(lambda: device.telling.status().waiting == "camera-unreachable")
        assert device.telling.heartbeat().waiting == "camera-unreachable"
    finally:
        camera.switch_off()
        stop.set()
        running.join(20)
    assert not running.is_alive()
    assert main(["device", "status", "--home", str(home)]) == 0
    shown = capsys.readouterr().out
    assert "camera 127.0.0.1" in shown and "連不上攝影機" in shown
    everything = shown + "".join(p.read_text(errors="ignore") for p in home.rglob("*") if p.is_file())
    assert "geheim" not in everything, "an address may carry a password: it is shown and kept nowhere"
