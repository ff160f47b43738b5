"""A bad line between a device and its cloud: a TCP proxy on loopback that meets each request with a fate.

with bad_line(cloud.address) as line:
    line.fates = iter(["pass", "deaf", "half", "refuse"])    then "pass" again
    line.cut()                                               nothing gets through until line.mend()
    line.mute()                                              sockets stay open and say nothing until line.speak()
    line.hold(b'"plate":"B*"')                               answers to such requests wait for line.release()

"refuse" closes before a byte of the request has left; "half" lets half of it through; "deaf" lets the whole request through,
so that the cloud does the deed, and closes when the answer comes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

Fate = Literal["pass", "refuse", "half", "deaf"]
CHUNK = 1 << 16
HOLD_S_MAX = 120.0
METHODS = (b"POST ", b"GET ", b"PUT ")


class BadLine:
    """See the module. `met` counts the fates that were met."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None and parts.port is not None
        self._target = (parts.hostname, parts.port)
        self.fates: Iterator[Fate] = iter(())
        self.met: dict[str, int] = {}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._cut = False
        self._speaking = threading.Event()
        self._speaking.set()
        self._needle: bytes | None = None
        self._released = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """What the device takes for its cloud."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def cut(self) -> None:
        """All connections end, and new ones end at once."""
        with self._lock:
            self._cut = True
            for end in self._open:
                _end(end)

    def mend(self) -> None:
        """New connections get through."""
        with self._lock:
            self._cut = False

    def mute(self) -> None:
        """Requests get through, no answer comes back, and no socket says that anything is wrong."""
        self._speaking.clear()

    def speak(self) -> None:
        """The sockets that were mute end, as they do when a network comes back; new ones speak."""
        with self._lock:
            for end in self._open:
                _end(end)
        self._speaking.set()

    def hold(self, needle: bytes) -> None:
        """Answers to a request that holds these bytes wait until `release`."""
        self._released.clear()
        self._needle = needle

    def release(self) -> None:
        """What was held comes now."""
        self._needle = None
        self._released.set()

    def well(self) -> None:
        """Good weather."""
        self.release()
        self.speak()
        self.mend()

    def close(self) -> None:
        """End it all."""
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                if self._cut:
                    near.close()
                    continue
                try:
                    far = socket.create_connection(self._target, timeout=10)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self._open |= {near, far}
            deaf, held = threading.Event(), threading.Event()
            threading.Thread(target=self._there, args=(near, far, deaf, held), daemon=True).start()
            threading.Thread(target=self._back, args=(near, far, deaf, held), daemon=True).start()

    def _there(self, near: socket.socket, far: socket.socket, deaf: threading.Event, held: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := near.recv(CHUNK):
                # The device sends one request at a time, so a chunk that begins with a method begins one.
                fate = self._next_fate() if chunk.startswith(METHODS) else "pass"
                if fate == "refuse":
                    break
                if fate == "half":
                    far.sendall(chunk[: len(chunk) // 2])
                    break
                if fate == "deaf":
                    deaf.set()
                needle = self._needle
                if needle is not None and needle in chunk:
                    held.set()
                far.sendall(chunk)
        self._drop(near, far)

    def _back(self, near: socket.socket, far: socket.socket, deaf: threading.Event, held: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := far.recv(CHUNK):
                if deaf.is_set():
                    break
                self._speaking.wait(HOLD_S_MAX)
                if held.is_set():
                    self._released.wait(HOLD_S_MAX)
                    held.clear()
                near.sendall(chunk)
        self._drop(near, far)

    def _next_fate(self) -> Fate:
        with self._lock:
            fate = next(self.fates, "pass")
            self.met[fate] = self.met.get(fate, 0) + 1
            return fate

    def _drop(self, *ends: socket.socket) -> None:
        with self._lock:
            for end in ends:
                self._open.discard(end)
                _end(end)
                end.close()


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def bad_line(target: str) -> Iterator[BadLine]:
    """A line to `target` (http://host:port)."""
    line = BadLine(target)
    try:
        yield line
    finally:
        line.close()
