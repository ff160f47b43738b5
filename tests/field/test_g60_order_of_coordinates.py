"""G60 (archive): a read is found for each sensible way to name its place; the swapped box is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from guardian.domain.position import Position
from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import archive_house

pytestmark = pytest.mark.anyio

SENSIBLE: dict[str, dict[str, Any]] = {
    "SW+NE": {"lat_min": 24.79, "lon_min": 120.95, "lat_max": 24.81, "lon_max": 120.97},
    "NE+SW": {"lat_min": 24.81, "lon_min": 120.97, "lat_max": 24.79, "lon_max": 120.95},
    "NW+SE": {"lat_min": 24.81, "lon_min": 120.95, "lat_max": 24.79, "lon_max": 120.97},
    "GeoJSON": {"polygon": [[120.95, 24.79], [120.97, 24.79], [120.97, 24.81], [120.95, 24.81], [120.95, 24.79]]},
    "drawn the other way round": {"polygon": [[120.95, 24.79], [120.95, 24.81], [120.97, 24.81], [120.97, 24.79]]},
}
ODD: dict[str, tuple[dict[str, Any], str]] = {
    "lat and lon swapped": ({"lat_min": 120.95, "lon_min": 24.79, "lat_max": 120.97, "lon_max": 24.81}, "area-swapped"),
    "GeoJSON latitude first": ({"polygon": [[24.79, 120.95], [24.79, 120.97], [24.81, 120.97]]}, "area-swapped"),
    "a side missing": ({"lat_min": 24.79, "lon_min": 120.95, "lat_max": 24.81}, "area-form"),
}


@pytest.mark.parametrize("engine", ["memory", "chdb"])
async def test_no_way_silently_gives_nothing(tmp_path: Path, engine: str) -> None:
    async with archive_house(tmp_path, engine=engine) as house:
        await house.send(
            [
                make_read(1, position=Position(24.80, 120.96, NOW_MS)),
                make_read(2, position=Position(25.04, 121.56, NOW_MS)),
            ]
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url="http://test") as client:

            async def ask(area: dict[str, Any]) -> httpx.Response:
                asked = {"purpose": "p", "case_number": "c", "from_ms": NOW_MS - 86_400_000, "area": area}
                return await client.post("/api/searches", json=asked)

            for name, area in SENSIBLE.items():
                got = await ask(area)
                assert [row["id"] for row in got.json()["rows"]] == ["car-1.1.1"], name
            for name, (area, reference) in ODD.items():
                got = await ask(area)
                assert (got.status_code, got.json()["reference"]) == (400, reference), name
                assert got.json()["hint"], name
