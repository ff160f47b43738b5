"""G25 (search): `?` and `*` and nothing else; the same answers on each engine; refused in a sentence over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.archive.builders import make_read
from tests.archive.house import archive_house

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("engine", ["memory", "chdb"])
async def test_the_cases_of_g25_answer_the_same_on_each_engine(tmp_path: Path, engine: str) -> None:
    async with archive_house(tmp_path, engine=engine) as house:
        await house.send(
            [make_read(1, "ABC1235"), make_read(2, "ABD1235"), make_read(3, "ABC1236", raw_text="ABCX1235")]
        )
        answer = await house.ask("ab?-1235")
        assert [row.text for row in answer.rows] == ["ABD1235", "ABC1235"]
        assert (await house.ask("abcx1235")).rows == ()
        transport = httpx.ASGITransport(house.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for typed in ["AB_-1235", "AB%", "AB[CD]1235", "AB\\_", "ABC1235'--"]:
                # "_" is one of the dashes that people type; it separates and stands for nothing.
                got = await client.post("/api/searches", json={"purpose": "p", "case_number": "c", "plate": typed})
                if typed == "AB_-1235":
                    assert got.json()["normal"].replace("-", "") == "AB1235"
                    assert got.json()["rows"] == []
                    continue
                assert got.status_code == 400
                assert got.json()["reference"] == "plate-sign"
                assert got.json()["sentence"]
