"""The whole cloud killed with -9 under load, again and again: what it acknowledged is there once, hits too."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import httpx

from tests.house import RunningCloud, TestCar, running_cloud, wait_until
from tests.stories import a_read, found_ids, hits_of

KILLS = 3
BATCH = 40
LISTED = [f"KH{letter}-8869" for letter in "ABCDEF"]


class Driving:
    """A car that sends batch after batch until its line breaks; remembers what was answered for."""

    def __init__(self, car: TestCar, plate: str) -> None:
        self.car, self.plate = car, plate
        self.sequence = 0
        self.acknowledged: set[str] = set()
        self.pending: list[list] = []  # type: ignore[type-arg]
        self.hot: list[str] = []

    def batch(self) -> list:  # type: ignore[type-arg]
        reads = []
        for _ in range(BATCH):
            self.sequence += 1
            text = f"{self.plate}{self.sequence % 6561:04d}".replace("4", "5")
            if self.hot and self.sequence % BATCH == BATCH // 2:
                text = self.hot.pop().replace("-", "")
            reads.append(a_read(self.car, self.sequence, text))
        return reads

    def send(self, reads: list) -> None:  # type: ignore[type-arg]
        self.pending.append(reads)
        answer = self.car.send(reads)
        assert answer.stored + answer.already == len(reads), "nothing is refused"
        self.pending.pop()
        self.acknowledged |= {read.id for read in reads}

    def run(self) -> None:
        try:
            while True:
                self.send(self.batch())
        except (httpx.HTTPError, httpx.HTTPStatusError):
            return

    def back(self, cloud: RunningCloud) -> None:
        """On the line again, above the numbers that a killed cloud no longer tells apart; what was pending goes again."""
        self.car.client.close()
        self.car.client = httpx.Client(base_url=cloud.address, timeout=40)
        self.car.counter += 2048
        again, self.pending = self.pending, []
        for reads in again:
            self.send(reads)


def test_killed_at_any_point_under_load_everything_acknowledged_is_there_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    rng = random.Random(5)
    driving: list[Driving] = []
    for kill in range(KILLS + 1):
        with running_cloud(home) as cloud:
            operator = cloud.sign_in("operator", f"值勤員 {kill}")
            if not driving:
                cloud.watch(operator, *LISTED)
                driving = [Driving(cloud.enrol(f"信義 {n} 號", operator=operator), f"KC{'AB'[n]}") for n in range(2)]
            for each in driving:
                each.back(cloud)
            if kill == KILLS:
                check(cloud, operator, driving)
            else:
                for n, each in enumerate(driving):
                    each.hot = [LISTED[kill * 2 + n]]
                threads = [threading.Thread(target=each.run, daemon=True) for each in driving]
                before = acknowledged(driving)
                for thread in threads:
                    thread.start()
                # So many are answered for, and then some milliseconds into whatever it is doing.
                target = before + (kill + 1) * 3 * BATCH
                wait_until(lambda d=driving, t=target: acknowledged(d) >= t, "load", limit_s=60)
                time.sleep(rng.random() * 0.03)
                cloud.kill()
                for thread in threads:
                    thread.join(45)
                    assert not thread.is_alive()


def acknowledged(driving: list[Driving]) -> int:
    return sum(len(each.acknowledged) for each in driving)


def check(cloud: RunningCloud, operator: httpx.Client, driving: list[Driving]) -> None:
    """Every acknowledged read once; nothing that was never made; each listed vehicle one hit."""
    detective = cloud.sign_in("detective", "偵查佐乙")
    found = found_ids(detective, "KC*") + found_ids(detective, "KH*")
    assert len(found) == len(set(found)), "nothing twice"
    answered_for = set().union(*(each.acknowledged for each in driving))
    assert len(answered_for) > 6 * BATCH
    assert answered_for <= set(found), "nothing acknowledged is lost"
    # Not one more: what was stored without an answer was sent again and acknowledged as `already`.
    assert set(found) == answered_for
    for plate in LISTED:
        text = plate.replace("-", "")
        wait_until(lambda t=text: hits_of(operator, t), f"the hit of {text}")
        assert len(hits_of(operator, text)) == 1
