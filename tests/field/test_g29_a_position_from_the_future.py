"""G29 (the fleet's part): one position of the year 2031 stayed the latest for ever and was copied to all later ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.moment import parse_instant
from guardian.domain.position import Position
from tests.unit.fleet_house import fleet_house

pytestmark = pytest.mark.anyio

WEEK = 7 * 86_400_000


async def test_the_next_honest_read_moves_the_map(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        await it.beat(device)
        liars = [parse_instant("2031-01-01T00:00:00Z"), parse_instant("1999-12-31T23:59:59Z"), it.clock.ms + WEEK]
        for fixed_ms in liars:
            await it.fleet.note_place(device.id, Position(22.6, 120.3, fixed_ms))
            await it.beat(device, position=Position(22.6, 120.3, fixed_ms))
            (unit,) = await it.fleet.units()
            assert (unit.lat_deg, unit.state) == (25.0330, "fresh"), fixed_ms
        near = it.clock.ms + 2 * 60_000
        await it.fleet.note_place(device.id, Position(25.04, 121.57, near))  # read 53: a clock a little ahead is normal
        (unit,) = await it.fleet.units()
        assert unit.lat_deg == 25.04 and unit.fixed_ms == it.clock.ms
        it.clock.ms += 1000
        await it.fleet.note_place(device.id, Position(25.05, 121.58, it.clock.ms))
        (unit,) = await it.fleet.units()
        assert (unit.lat_deg, unit.fixed_ms) == (25.05, it.clock.ms)


async def test_reads_that_come_late_do_not_move_the_map_back(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        device = await it.join()
        await it.beat(device)
        await it.fleet.note_place(device.id, Position(24.0, 120.0, it.clock.ms - 3_600_000))
        (unit,) = await it.fleet.units()
        assert unit.lat_deg == 25.0330
