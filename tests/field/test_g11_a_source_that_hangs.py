"""G11: a camera stops in the middle, hangs, and comes back with another size: the device says so and goes on by itself.

The camera is a real HTTP server on loopback that sends motion JPEG as network cameras do, and stalls where the test says.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from guardian.device.source import Frame
from guardian.device.video import CameraSource


def jpeg(width: int, height: int, number: int) -> bytes:
    picture = np.full((height, width, 3), number * 7 % 255, dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", picture)[1])


class StallingCamera:
    """Each connection runs the next act: ("send", frames, (w, h)) then the connection closes, or "hang" sends nothing."""

    def __init__(self, acts: list[tuple[str, int, tuple[int, int]]]) -> None:
        self.acts = acts
        self.connections = 0
        self.release = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                act, frames, size = camera.acts[min(camera.connections, len(camera.acts) - 1)]
                camera.connections += 1
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    for number in range(frames):
                        data = jpeg(*size, number)
                        self.wfile.write(
                            b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
                        )
                        self.wfile.write(data + b"\r\n")
                        self.wfile.flush()
                        time.sleep(0.01)
                    if act == "hang":
                        camera.release.wait(20)
                except OSError:
                    pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/video.mjpg"

    def stop(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def camera() -> Iterator[StallingCamera]:
    camera = StallingCamera([("hang", 40, (320, 240)), ("hang", 0, (320, 240)), ("send", 60, (640, 480))])
    yield camera
    camera.stop()


def source_of(camera: StallingCamera) -> CameraSource:
    return CameraSource(
        camera.address,
        mono_ms=lambda: time.monotonic_ns() // 1_000_000,
        container="mpjpeg",
        open_timeout_s=0.6,
        read_timeout_s=0.6,
        pauses_s=(0.05, 0.1, 0.2),
    )


def collect(source: CameraSource, stop: threading.Event, into: list[Frame]) -> threading.Thread:
    def work() -> None:
        into.extend(source.frames(stop))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_for(seen: object, timeout_s: float = 60.0) -> bool:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if seen():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_a_camera_that_hangs_is_left_and_opened_again_and_comes_back_with_another_size(camera: StallingCamera) -> None:
    source, stop, frames = source_of(camera), threading.Event(), []
    before = threading.active_count()
    shapes: set[tuple[int, ...]] = set()

    def work() -> None:
        for frame in source.frames(stop):
            shapes.add(frame.image.shape)
            frames.append(frame)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert wait_for(lambda: len(shapes) == 2), f"{source.health}"
    assert shapes == {(240, 320, 3), (480, 640, 3)}
    assert source.health.failed_openings >= 1, "the time when it hung at opening"
    assert threading.active_count() - before <= 1 + camera.connections, "no thread of ours is left behind per try"
    stop.set()
    thread.join(timeout=15)
    assert not thread.is_alive(), "the stop takes no longer"


def test_while_a_camera_is_silent_the_reason_and_the_moment_are_known(camera: StallingCamera) -> None:
    camera.acts = [("hang", 30, (320, 240)), ("hang", 0, (320, 240))]
    source, stop, frames = source_of(camera), threading.Event(), []
    thread = collect(source, stop, frames)
    assert wait_for(lambda: source.health.waiting != "" and source.health.frames > 0)
    assert source.health.waiting in ("camera-hangs", "camera-unreachable", "camera-ended")
    assert source.health.last_frame_mono_ms is not None
    last = source.health.last_frame_mono_ms
    assert wait_for(lambda: camera.connections >= 3), "it keeps trying"
    assert source.health.last_frame_mono_ms == last
    stop.set()
    thread.join(timeout=15)
    assert not thread.is_alive()


def test_an_address_where_nobody_listens_is_tried_with_growing_pauses() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = CameraSource(
        f"rtsp://127.0.0.1:{port}/main",
        mono_ms=lambda: 0,
        open_timeout_s=0.5,
        read_timeout_s=0.5,
        pauses_s=(0.02, 0.04),
    )
    stop, frames = threading.Event(), []
    thread = collect(source, stop, frames)
    assert wait_for(lambda: source.health.failed_openings >= 3)
    assert source.health.waiting == "camera-unreachable"
    stop.set()
    thread.join(timeout=15)
    assert not thread.is_alive()
    assert frames == []


def test_a_server_that_takes_an_rtsp_connection_and_says_nothing_does_not_hold_the_stop() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        source = CameraSource(
            f"rtsp://127.0.0.1:{listener.getsockname()[1]}/main",
            mono_ms=lambda: 0,
            open_timeout_s=0.5,
            read_timeout_s=0.5,
            pauses_s=(0.02,),
        )
        stop, frames = threading.Event(), []
        thread = collect(source, stop, frames)
        assert wait_for(lambda: source.health.failed_openings >= 2)
        assert source.health.waiting == "camera-hangs"
        stop.set()
        thread.join(timeout=15)
        assert not thread.is_alive()
