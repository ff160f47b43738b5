"""PostgreSQL and NATS stopped and started under load, beneath the whole cloud: it stays alive, says so, and loses nothing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.house import RunningCloud, TestCar, guardian, running_cloud, wait_until
from tests.stories import a_read, found_ids, hits_of

pytestmark = pytest.mark.real("postgres", "nats")

BATCH = 20
LISTED = [f"SH{letter}-8869" for letter in "ABCD"]


class Load:
    """A car that keeps every batch until it is answered for, as the spool does, and never stops trying."""

    def __init__(self, car: TestCar) -> None:
        self.car = car
        self.acknowledged: list[str] = []
        self.refusals: list[tuple[int, str]] = []  # status (0: no answer at all) and reference
        self.hot: list[str] = []
        self.sequence = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            reads = []
            for _ in range(BATCH):
                self.sequence += 1
                text = f"SCA{self.sequence % 6561:04d}".replace("4", "5")
                if self.hot and self.sequence % BATCH == 7:
                    text = self.hot.pop()
                reads.append(a_read(self.car, self.sequence, text))
            while not self._offer(reads):
                self._stop.wait(0.1)
        # The last batch was answered for: `_offer` ends only so.

    def _offer(self, reads: list[Any]) -> bool:
        try:
            answer = self.car.post_batch(reads)
        except httpx.HTTPError:
            self.refusals.append((0, ""))
            return False
        if not answer.is_success:
            told = msgspec.msgpack.decode(answer.content)
            self.refusals.append((answer.status_code, told["reference"]))
            return False
        self.acknowledged += [read.id for read in reads]
        return True

    def more(self, count: int) -> Callable[[], bool]:
        target = len(self.acknowledged) + count
        return lambda: len(self.acknowledged) >= target


def alive(cloud: RunningCloud) -> bool:
    return cloud.process.poll() is None and httpx.get(f"{cloud.address}/api/health", timeout=20).status_code == 200


def test_both_servers_go_and_come_back_and_nothing_acknowledged_is_lost(
    tmp_path: Path, own_postgres_server: Any, own_nats_server: Any
) -> None:
    home = tmp_path / "home"
    stores = {"GUARDIAN_STORES__RECORDS": own_postgres_server.url, "GUARDIAN_STORES__EVENTS": own_nats_server.url}
    assert guardian("migrate", "--home", str(home), **stores).returncode == 0
    with running_cloud(home, **stores) as cloud:
        operator = cloud.sign_in("operator")
        cloud.watch(operator, *LISTED)
        texts = [plate.replace("-", "") for plate in LISTED]
        with Load(cloud.enrol("松山 1 號", operator=operator)) as load:
            wait_until(load.more(2 * BATCH), "load", limit_s=60)
            for round_, sign in enumerate((signal.SIGINT, signal.SIGQUIT)):
                load.hot.append(texts[round_])
                refused = len(load.refusals)
                own_postgres_server.stop(sign)
                wait_until(lambda n=refused: len(load.refusals) >= n + 3, "refusals", limit_s=60)
                assert alive(cloud)
                own_postgres_server.start()
                wait_until(load.more(3 * BATCH), "batches after PostgreSQL came back", limit_s=90)
            refused = len(load.refusals)
            for round_, sign in enumerate((signal.SIGINT, signal.SIGKILL)):
                own_nats_server.stop(sign)
                load.hot.append(texts[2 + round_])
                wait_until(load.more(4 * BATCH), "batches while NATS is away", limit_s=60)
                assert alive(cloud)
                own_nats_server.start()
            assert len(load.refusals) == refused, "reads are taken without NATS: the outbox keeps the events"
        assert {reference for status, reference in load.refusals if status} <= {"neighbour-unreachable"}
        assert {status for status, _ in load.refusals} <= {0, 503}

        detective = cloud.sign_in("detective")
        found = found_ids(detective, "SCA*") + found_ids(detective, "SH*")
        assert sorted(found) == sorted(load.acknowledged), "each once, and none that was not answered for"
        for text in texts:
            wait_until(lambda t=text: hits_of(operator, t), f"the hit of {text}", limit_s=60)
            assert len(hits_of(operator, text)) == 1
        assert alive(cloud)
