"""G61 (archive): plates that spreadsheets take for numbers go out and come back in equal, byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.csv_text import decode_csv, parse_csv
from guardian.domain.plate import parse_plate
from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import DETECTIVE, archive_house

pytestmark = pytest.mark.anyio

FILES = {
    "leading zeros": ["0480580", "0480581", "0012345"],
    "powers of ten": ["1E0012", "3E0012", "9E9999"],
    "one row alone": ["0480580"],
    "months and words": ["MAR2025", "5MAR", "TRUE", "NAN1", "INF", "=A1".replace("=", "E")],
}


@pytest.mark.parametrize("engine", ["memory", "chdb"])
@pytest.mark.parametrize("name", FILES)
async def test_what_is_exported_comes_back_equal(tmp_path: Path, engine: str, name: str) -> None:
    async with archive_house(tmp_path, engine=engine) as house:
        stored = FILES[name]
        await house.send(
            [make_read(n, text, captured_ms=NOW_MS - 1000 - n, dash_after=None) for n, text in enumerate(stored)]
        )
        answer = await house.ask("", from_ms=NOW_MS - 86_400_000)
        assert [row.text for row in answer.rows] == stored
        body = b"".join([piece async for piece in await house.desk.export(DETECTIVE, answer.search_id)])
        text, encoding = decode_csv(body)
        assert (encoding, body[:3]) == ("UTF-8", b"\xef\xbb\xbf")
        rows = list(parse_csv(text))
        assert rows[0].cells[0] == "車牌"
        assert [parse_plate(row.cells[0]).text for row in rows[1:]] == stored
        assert [row.cells[-1] for row in rows[1:]] == [row.id for row in answer.rows]
