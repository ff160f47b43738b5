"""List change on a connected device: from the save in the console to the decoded change on each device, real HTTP.

    .venv/bin/python -m bench.listchange [--devices 20] [--changes 30] [--entries 100000]

`guardian serve` as its own process with a list of many entries; devices wait in a long poll as they do in a car. Half of
the changes are entries, half removals. Beside it, in the same run, a request that changes nothing (the health page): the
limit that HTTP and a busy machine set.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

from bench.table import percentile, render_table
from bench.traffic import make_plates
from tests.house import TestCar, running_cloud

GOAL_S = 5.0


class Waiting(threading.Thread):
    """One device that always waits for the next version, and notes when it came."""

    def __init__(self, car: TestCar, have: int) -> None:
        super().__init__(daemon=True)
        self.car, self.have = car, have
        self.arrived: dict[int, float] = {}
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            update = self.car.fetch_list(self.have, wait_s=5)
            if update is not None:
                self.arrived[update.version] = time.monotonic()
                self.have = update.version


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=20)
    parser.add_argument("--changes", type=int, default=30)
    parser.add_argument("--entries", type=int, default=100_000)
    asked = parser.parse_args()
    plates = make_plates(asked.entries + asked.changes, seed=4)
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder)) as cloud:
        operator = cloud.sign_in()
        operator.timeout = 600
        rows = "\n".join(f"{plate},失竊" for plate in plates[: asked.entries])
        plan = operator.post("/api/lists/stolen/imports", files={"file": ("x.csv", f"車號,類別\n{rows}".encode())})
        plan.raise_for_status()
        applied = operator.post(f"/api/imports/{plan.json()['id']}/apply", json={}).raise_for_status().json()
        version = int(applied["version"])
        devices = [Waiting(cloud.enrol(f"警網 {n}", operator=operator), version) for n in range(asked.devices)]
        for device in devices:
            device.start()
        waits: dict[str, list[float]] = {"entry": [], "removal": []}
        floor: list[float] = []
        for plate in plates[asked.entries :]:
            for kind in ("entry", "removal"):
                started = time.monotonic()
                operator.get("/api/health").raise_for_status()
                floor.append(time.monotonic() - started)
                change: dict[str, object] = {"base_version": version}
                if kind == "entry":
                    change["put"] = [{"plate": plate, "category": "失竊", "case_number": "A1"}]
                else:
                    found = operator.post("/api/lists/stolen/find", json={"find": plate}).raise_for_status().json()
                    change["remove"] = [found["entries"][0]["entry"]["id"]]
                started = time.monotonic()
                answer = operator.post("/api/lists/stolen/changes", json=change).raise_for_status()
                version = int(answer.json()["version"])
                while not all(version in device.arrived for device in devices):
                    if time.monotonic() - started > 30:
                        raise SystemExit(f"a device did not get version {version} within 30 s")
                    time.sleep(0.002)
                waits[kind] += [device.arrived[version] - started for device in devices]
        for device in devices:
            device.ended = True
        for device in devices:
            device.join(10)

    def line(what: str, values: list[float], goal: float | None) -> tuple[str, ...]:
        p50, p95, worst = (1000 * percentile(values, share) for share in (0.5, 0.95, 1.0))
        ratio = f"{goal * 1000 / p95:.0f}× better" if goal else ""
        return what, f"{p50:.0f}", f"{p95:.0f}", f"{worst:.0f}", f"{goal * 1000:.0f}" if goal else "", ratio

    print(
        render_table(
            ("ms from the save to the device", "p50", "p95", "worst", "goal p95", "to goal"),
            [
                line("a new entry", waits["entry"], GOAL_S),
                line("a removal", waits["removal"], GOAL_S),
                line("limit: a request that does nothing", floor, None),
            ],
        )
    )
    print(
        f"\n{asked.devices} devices waiting, {asked.changes * 2} changes, a list of {asked.entries:,} entries; a removal "
        f"takes {percentile(waits['removal'], 0.5) / percentile(waits['entry'], 0.5):.2f}× the time of an entry."
    )


if __name__ == "__main__":
    main()
