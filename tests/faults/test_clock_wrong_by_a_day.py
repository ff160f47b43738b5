"""G14 and G29 across the wire: a device whose clock was wrong by a day, then set right by the cloud's own answers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from guardian.domain.position import Position
from tests.device.rig import HandClock
from tests.faults.real_station import keep, now_ms, real_station, send_all
from tests.house import RunningCloud, wait_until
from tests.stories import WHY, searched

DAY_MS = 86_400_000


def rows_of(detective: httpx.Client, plate: str) -> list[dict]:  # type: ignore[type-arg]
    rows: list[dict] = searched(detective, plate)["rows"]  # type: ignore[type-arg]
    return rows


def unit_on_the_map(operator: httpx.Client, unit: str) -> dict | None:  # type: ignore[type-arg]
    units = operator.get("/api/live").raise_for_status().json()["units"]
    return next((u for u in units if u["unit"] == unit), None)


@pytest.mark.parametrize("wrong_ms", [DAY_MS, -DAY_MS], ids=["ahead", "behind"])
def test_reads_made_by_a_wrong_clock_are_dated_anew_before_they_leave(
    tmp_path: Path, cloud: RunningCloud, operator: httpx.Client, detective: httpx.Client, wrong_ms: int
) -> None:
    plate = "TAA" if wrong_ms > 0 else "TBA"
    unit = f"時鐘 {plate} 號"
    clock = HandClock(wall_ms=now_ms() - 60_000 + wrong_ms)
    with real_station(tmp_path / "car", cloud.address, cloud=cloud, operator=operator, unit=unit, clock=clock) as s:
        for n in range(1, 7):
            clock.advance(10_000)
            keep(s, n, f"{plate}000{n}".replace("4", "8"), position=Position(25.03 + n / 1000, 121.54, clock.wall))
        assert not clock.verified
        send_all(s)
        assert clock.source == "cloud" and abs((clock.offset_ms() or 0) + wrong_ms) < 5_000
        rows = rows_of(detective, f"{plate}*")
        assert [row["id"].rsplit(".", 1)[1] for row in rows] == ["6", "5", "4", "3", "2", "1"]
        assert [b["captured_ms"] - a["captured_ms"] for a, b in zip(rows[1:], rows, strict=False)] == [10_000] * 5
        assert abs(rows[0]["captured_ms"] - now_ms()) < 60_000, (
            "by the distance on the monotonic clock, not by the wall's"
        )
        read = detective.post(f"/api/reads/{rows[0]['id']}", json=WHY).raise_for_status().json()["read"]
        assert read["clock"]["corrected"] and read["clock"]["source"] == "cloud"
        assert not any(row["time_doubtful"] for row in rows)
        there = wait_until(lambda: (u := unit_on_the_map(operator, unit)) and u["lat_deg"] and u, "the unit on the map")
        assert there["lat_deg"] == pytest.approx(25.036)
        assert there["fixed_ms"] <= now_ms() + 5_000


def test_reads_whose_distance_was_lost_are_set_apart_and_the_next_honest_read_moves_the_map(
    tmp_path: Path, cloud: RunningCloud, operator: httpx.Client, detective: httpx.Client
) -> None:
    """The machine was restarted before anybody told the time: nothing tells how wrong tomorrow's date was."""
    unit, home = "時鐘 3 號", tmp_path / "car"
    clock = HandClock(wall_ms=now_ms() + DAY_MS, kernel="run-1")
    with real_station(home, cloud.address, cloud=cloud, operator=operator, unit=unit, clock=clock) as s:
        for n in range(1, 4):
            clock.advance(1_000)
            keep(s, n, f"TCA000{n}", position=Position(22.62, 120.30, clock.wall))
    again = HandClock(wall_ms=now_ms() - 30_000, mono_ms=5_000, kernel="run-2")
    with real_station(home, cloud.address, cloud=cloud, operator=operator, unit=unit, clock=again) as s:
        send_all(s)
        assert s.spool.state().all_sent, "what was set apart is the cloud's to keep"
        assert "雲端隔離 3 筆" in s.said["read-quarantined"]
        assert rows_of(detective, "TCA*") == []
        groups = operator.get("/api/quarantine").raise_for_status().json()["groups"]
        (doubtful,) = [g for g in groups if g["reason"] == "time-doubtful"]
        assert doubtful["items"] >= 3 and s.identity.file.device_id in doubtful["devices"]
        before = unit_on_the_map(operator, unit)
        assert before is not None and before["lat_deg"] is None, "a position of tomorrow is nobody's last position"

        again.advance(30_000)
        keep(s, 1, "TCA0009", position=Position(25.05, 121.55, again.now_ms()))
        again.advance(1_000)
        keep(s, 2, "TCA0008")  # in a tunnel: no fix, which must not hide the one before it
        send_all(s)
        moved = wait_until(lambda: (u := unit_on_the_map(operator, unit)) and u["lat_deg"] and u, "the unit on the map")
        assert moved["lat_deg"] == pytest.approx(25.05)

        items = operator.get("/api/quarantine/items", params={"reason": "time-doubtful"}).raise_for_status().json()
        mine = [i["id"] for i in items["items"] if i["device_id"] == s.identity.file.device_id]
        kept = operator.post("/api/quarantine/replay", json={"ids": mine, "note": "時間存疑，仍留存"})
        assert kept.raise_for_status().json()["passed"] == 3
        rows = rows_of(detective, "TCA*")
        assert [row["text"] for row in rows[:2]] == ["TCA0008", "TCA0009"], "never first in search"
        assert [row["time_doubtful"] for row in rows] == [False, False, True, True, True]
        after = unit_on_the_map(operator, unit)
        assert after is not None and after["lat_deg"] == pytest.approx(25.05)
