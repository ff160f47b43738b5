"""G22: a device that was away longer than deltas reach learns what has gone. The device's side is with the device."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.wire import list_digest
from tests.watch.house import apply_update, open_house

pytestmark = pytest.mark.anyio


async def test_after_a_long_absence_the_device_holds_exactly_what_the_cloud_holds(tmp_path: Path) -> None:
    async with open_house(tmp_path, delta_versions_max=5) as house:
        kept = await house.enter("ABC-2235")
        gone = await house.enter("ABC-1235")
        away_with = house.keeper.newest.version
        device = apply_update({}, await house.update(0))
        await house.save(remove=[gone])
        near = await house.update(away_with)
        assert (near.base_version, near.removed) == (away_with, (gone,))
        for n in (1, 2, 3, 5, 6):
            await house.enter(f"DEF-{n}235")
        update = await house.update(away_with)
        assert update.base_version == 0, "further back than deltas reach: the list in full, and it says so"
        device = apply_update(device, update)
        assert set(device) == set(await house.entries())
        assert gone not in device and kept in device
        assert list_digest(device) == house.keeper.newest.digest == update.digest


async def test_a_change_too_large_for_a_delta_is_the_whole_list(tmp_path: Path) -> None:
    async with open_house(tmp_path, delta_changes_max=2) as house:
        await house.enter("ABC-1235")
        for n in (2, 3, 5):
            await house.enter(f"ABC-{n}235")
        assert (await house.update(1)).base_version == 0
        assert (await house.update(2)).base_version == 2


async def test_the_version_is_never_ahead_of_its_content(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for n in (1, 2, 3):
            await house.enter(f"ABC-{n}235")
            update = await house.update(n - 1)
            assert update.version == n and len(update.put) == 1
            assert update.digest == list_digest(await house.entries())
