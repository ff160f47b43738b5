"""G31 across the wire: the home folder of a device was cloned, and both speak to the same cloud under one identity."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from tests.faults.real_station import clock_from_the_past, keep, real_station, send_all
from tests.house import RunningCloud, wait_until
from tests.stories import found_ids


def test_two_devices_with_one_identity_are_noticed_named_and_lose_nothing(
    tmp_path: Path, cloud: RunningCloud, operator: httpx.Client, detective: httpx.Client
) -> None:
    first_home, second_home = tmp_path / "first", tmp_path / "second"
    clock = clock_from_the_past(120_000)
    with real_station(first_home, cloud.address, cloud=cloud, operator=operator, unit="複製 1 號", clock=clock) as s:
        device_id = s.identity.file.device_id
        send_all(s)
    shutil.copytree(first_home, second_home)
    together = {"cloud": cloud, "operator": operator, "unit": "", "clock": clock}
    with (
        real_station(first_home, cloud.address, **together) as first,  # type: ignore[arg-type]
        real_station(second_home, cloud.address, **together) as second,  # type: ignore[arg-type]
    ):
        assert first.boot == second.boot, "both count on from the same number"
        for n in range(1, 6):
            clock.advance(1_000)
            keep(first, n, f"DAA000{n}".replace("4", "8"))
            keep(second, n, f"DBA000{n}".replace("4", "8"))
        keep(second, 6, "DBA0006")  # a number that the first has not used: nobody can tell yet whose it is
        send_all(first)
        send_all(second)
        assert second.spool.state().all_sent and first.spool.state().all_sent
        assert "identity-forked" in second.said and "重新註冊" in second.said["identity-forked"]

        row = wait_until(
            lambda: next(
                (
                    d
                    for d in operator.get("/api/devices").raise_for_status().json()["devices"]
                    if d["id"] == device_id and d["state"] == "forked"
                ),
                None,
            ),
            "the device named as forked",
        )
        assert any(f["figure"] == "identity" and f["level"] == "fault" for f in row["findings"])

        clock.advance(6_000)  # the next heartbeat tells the first one too
        first.uplink.step()
        assert "identity-forked" in first.said

        # Nothing is lost: the first's reads are found, the second's lie apart whole, until a person decides.
        assert found_ids(detective, "DAA*") == [f"{device_id}.{first.boot}.{n}" for n in (5, 4, 3, 2, 1)]
        assert found_ids(detective, "DBA*") == [f"{device_id}.{first.boot}.6"]
        items = operator.get("/api/quarantine/items", params={"reason": "identity-forked"}).raise_for_status().json()
        mine = [i for i in items["items"] if i["device_id"] == device_id]
        assert len(mine) == 5
        whole = " ".join(i["record"] for i in mine)
        assert all(f"DBA000{n}".replace("4", "8") in whole for n in range(1, 6))
