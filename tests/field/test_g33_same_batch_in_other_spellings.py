"""G33 (ingest): foreign writers spell the same batch in other ways; each is taken as it came and means the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardian.archive.ingest import JSON
from guardian.domain.position import Position
from guardian.domain.read import VehicleLook
from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import archive_house

pytestmark = pytest.mark.anyio
READ = make_read(
    1,
    unit="信義 3",
    look=VehicleLook(colour="銀"),
    position=Position(24.8, 120.96, NOW_MS, accuracy_m=10.0, heading_deg=0.00001),
)


def reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return value


PLAIN = {"device_id": "car-1", "items": [json.loads(msgspec.json.encode(READ))], "v": 1}
SPELLINGS = {
    "as we write it": json.dumps(PLAIN, ensure_ascii=False, separators=(",", ":")),
    "keys reversed": json.dumps(reversed_keys(PLAIN), ensure_ascii=False),
    "spaces and lines": json.dumps(PLAIN, indent=4, ensure_ascii=False),
    "non-ASCII escaped": json.dumps(PLAIN, ensure_ascii=True),
    "10 for 10.0": json.dumps(PLAIN, ensure_ascii=False).replace("10.0", "10"),
    "1e-05 for 0.00001": json.dumps(PLAIN, ensure_ascii=False).replace("1e-05", "0.00001"),
    "1.00000E-5": json.dumps(PLAIN, ensure_ascii=False).replace("1e-05", "1.00000E-5"),
    "CRLF at the end": json.dumps(PLAIN, ensure_ascii=False) + "\r\n",
}


@pytest.mark.parametrize("first", SPELLINGS)
async def test_each_spelling_is_stored_and_each_other_is_already_there(tmp_path: Path, first: str) -> None:
    async with archive_house(tmp_path) as house:
        answer = await house.ingest.accept("car-1", SPELLINGS[first].encode(), JSON)
        assert (answer.stored, answer.exceptions) == (1, ())
        assert await house.all_reads() == [READ]
        for spelling in SPELLINGS.values():
            again = await house.ingest.accept("car-1", spelling.encode(), "application/json; charset=utf-8")
            assert (again.already, again.quarantined) == (1, 0)
