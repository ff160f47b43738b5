"""G13 (the fleet's part): empty coordinates became 0, 0; after the fix was lost the last position went on as if fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.position import Position
from tests.unit.fleet_house import fleet_house

pytestmark = pytest.mark.anyio

MINUTE = 60_000


async def test_in_a_tunnel_the_last_fix_ages_on_the_map_though_heartbeats_come(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        entrance = Position(25.0330, 121.5654, it.clock.ms, accuracy_m=5.0)
        states = []
        for _ in range(20):
            await it.beat(device, position=entrance)
            (unit,) = await it.fleet.units()
            states.append(unit.state)
            assert unit.fixed_ms == entrance.fixed_ms
            it.clock.ms += MINUTE
        assert states == ["fresh"] * 2 + ["old"] * 4 + ["lost"] * 14
        row = await it.fleet.get_device(device.id)
        assert [finding.sentence for finding in row.findings if finding.figure == "position"] == ["定位停在 19 分前"]


@pytest.mark.parametrize(
    "place",
    [
        Position(0.0, 0.0, 1_795_600_000_000),
        Position(25.0, 121.5, 1_115_251_200_000),  # a receiver's 2005
        Position(float("nan"), 121.5, 1_795_600_000_000),
        Position(25.0, float("inf"), 1_795_600_000_000),
        Position(25.0, 121.5, 2**62),
        Position(25.0, 121.5, 1_795_600_000_000, 5.0, float("nan"), 30.0),
        Position(200.0, 121.5, 1_795_600_000_000),
        None,
    ],
    ids=["0, 0", "2005", "not a number", "without end", "time without end", "heading no number", "200 north", "no fix"],
)
async def test_what_is_no_place_never_stands_on_the_map_and_the_device_still_does(
    tmp_path: Path, place: Position | None
) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        assert (await it.beat(device, position=place)).status_code == 200
        (unit,) = await it.fleet.units()
        assert (unit.lat_deg, unit.lon_deg, unit.fixed_ms) == (None, None, None)
        await it.beat(device)
        (unit,) = await it.fleet.units()
        assert unit.lat_deg == 25.0330
        await it.beat(device, position=place)
        (unit,) = await it.fleet.units()
        assert unit.lat_deg == 25.0330, "the last true place stays, with its age"
