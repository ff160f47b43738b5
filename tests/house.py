"""A real cloud as its own process, and people and devices that speak to it over HTTP; for end-to-end tests and figures.

with running_cloud(tmp_path) as cloud:
    operator = cloud.sign_in("operator")
    car = cloud.enrol("大安 3 號")
    car.send([make_read(…)])
    operator.get("/api/hits")
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.domain.read import Read
from guardian.domain.wire import (
    HEADER_COUNTER,
    HEADER_DEVICE,
    HEADER_SIGNATURE,
    Batch,
    BatchAnswer,
    EnrolAnswer,
    Heartbeat,
    HeartbeatAnswer,
    SignedWatchlistUpdate,
    WatchlistUpdate,
    signed_text,
)

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 180


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestCar:
    """A device with its key: signs and sends what it is told."""

    __test__ = False

    def __init__(self, address: str, device_id: str, key: Ed25519PrivateKey, unit: str) -> None:
        self.address, self.device_id, self.key, self.unit = address, device_id, key, unit
        self.counter = 0
        self.client = httpx.Client(base_url=address, timeout=40)

    def signed(
        self, method: str, path: str, body: bytes, *, counter: int | None = None, kind: str = "application/msgpack"
    ) -> dict[str, str]:
        """Headers of a signed request; `counter` repeats an old one on purpose."""
        if counter is None:
            self.counter += 1
            counter = self.counter
        signature = self.key.sign(signed_text(method, path, self.device_id, counter, body, content_type=kind))
        return {
            HEADER_DEVICE: self.device_id,
            HEADER_COUNTER: str(counter),
            HEADER_SIGNATURE: base64.b64encode(signature).decode(),
            "content-type": kind,
        }

    def request(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        """One signed request."""
        return self.client.request(method, path, content=body, headers=self.signed(method, path, body))

    def post_batch(self, reads: Sequence[Read]) -> httpx.Response:
        """A batch of reads; the answer as it came, a refusal too."""
        encode = msgspec.msgpack.Encoder().encode
        batch = Batch(self.device_id, tuple(msgspec.Raw(encode(read)) for read in reads))
        return self.request("POST", "/device/v1/batches", encode(batch))

    def send(self, reads: Sequence[Read]) -> BatchAnswer:
        """A batch of reads."""
        answer = self.post_batch(reads)
        answer.raise_for_status()
        return msgspec.msgpack.decode(answer.content, type=BatchAnswer)

    def put_photo(self, sha256: str, body: bytes) -> int:
        """A picture; gives the status."""
        path = f"/device/v1/photos/{sha256}"
        headers = self.signed("PUT", path, body, kind="image/jpeg")
        return self.client.put(path, content=body, headers=headers).status_code

    def beat(self, beat: Heartbeat) -> HeartbeatAnswer:
        """A heartbeat."""
        answer = self.request("POST", "/device/v1/heartbeat", msgspec.msgpack.encode(beat))
        answer.raise_for_status()
        return msgspec.msgpack.decode(answer.content, type=HeartbeatAnswer)

    def fetch_list(self, have: int, *, wait_s: float = 0) -> WatchlistUpdate | None:
        """The watchlist change since `have`, or None."""
        path = f"/device/v1/watchlist?have={have}&wait_s={wait_s:g}"
        answer = self.request("GET", path)
        if answer.status_code == 204:
            return None
        answer.raise_for_status()
        signed = msgspec.msgpack.decode(answer.content, type=SignedWatchlistUpdate)
        return msgspec.msgpack.decode(signed.body, type=WatchlistUpdate)


class RunningCloud:
    """The process, its address, and how people get in."""

    def __init__(
        self,
        address: str,
        home: Path,
        process: subprocess.Popen[bytes],
        log: Path,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.address, self.home, self.process, self.log = address, home, process, log
        self.environment = environment or {}

    def link(self, role: str, name: str = "") -> str:
        """A one-time link for a person of this role."""
        from guardian.serve.run import make_link

        async def ask() -> str:
            return await make_link(name or f"測試{role}", role=role, agency="大安分局", home=self.home, config=None)

        # In a thread of its own: a test that drives a browser has an event loop in this one.
        with mock.patch.dict(os.environ, self.environment), ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(ask())).result()

    def sign_in(self, role: str = "operator", name: str = "") -> httpx.Client:
        """A signed-in client."""
        client = httpx.Client(base_url=self.address, timeout=30, headers={"origin": self.address})
        token = self.link(role, name).split("#token=", 1)[1]
        client.post("/api/session", json={"token": token}).raise_for_status()
        return client

    def enrol(self, unit: str = "大安 3 號", *, kind: str = "car", operator: httpx.Client | None = None) -> TestCar:
        """A new device."""
        asking = operator or self.sign_in()
        code = asking.post("/api/devices/codes", json={"unit": unit, "kind": kind})
        code.raise_for_status()
        key = Ed25519PrivateKey.generate()
        request = {
            "code": code.json()["code"],
            "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
            "name": f"測試車 {unit}",
            "kind": kind,
        }
        answer = httpx.post(
            f"{self.address}/device/v1/enrol",
            content=msgspec.msgpack.encode(request),
            headers={"content-type": "application/msgpack"},
            timeout=30,
        )
        answer.raise_for_status()
        enrolled = msgspec.msgpack.decode(answer.content, type=EnrolAnswer)
        return TestCar(self.address, enrolled.device_id, key, unit)

    def watch(self, operator: httpx.Client, *plates: str, category: str = "失竊", **more: Any) -> int:
        """Put plates on the first list; gives the new version."""
        lists = operator.get("/api/lists").raise_for_status().json()
        put = [
            {"plate": p, "category": category, "reason": "測試", "case_number": f"大安分局 115-{i:04d}", **more}
            for i, p in enumerate(plates)
        ]
        change = {"base_version": lists["version"], "put": put, "remove": []}
        answer = operator.post(f"/api/lists/{lists['lists'][0]['id']}/changes", json=change)
        assert answer.is_success, answer.text
        return int(answer.json()["version"])

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait(60)


def guardian(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the house, as a person would type it."""
    return subprocess.run(
        [sys.executable, "-m", "guardian", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


@contextlib.contextmanager
def running_cloud(home: Path, *, port: int | None = None, **environment: str) -> Iterator[RunningCloud]:
    """`guardian serve` on loopback; ended by its process id."""
    port = port or free_port()
    home.mkdir(parents=True, exist_ok=True)
    log = home / "cloud.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "guardian", "serve", "--home", str(home), "--port", str(port), "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_LIMIT_S
        while True:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the cloud did not start:\n{log.read_text(errors='replace')[-3000:]}")
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{address}/api/health", timeout=2).status_code == 200:
                    break
            time.sleep(0.1)
        yield RunningCloud(address, home, process, log, environment)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def wait_until(condition: Any, what: str, *, limit_s: float = 60.0) -> Any:
    """Ask until it holds; the answer that held. Fails by name."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {limit_s:g} s: {what}")
