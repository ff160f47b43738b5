"""G18: byte-order marks and Big5 in list files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.house import House, open_house

pytestmark = pytest.mark.anyio

HEADER = "車號,類別,案號,備註"
BOM = b"\xef\xbb\xbf"


async def take(house: House, body: bytes):
    plan = await house.importer.plan("stolen", body, house.lin)
    assert plan.problem == ""
    await house.importer.apply(plan.id, house.lin)
    return plan, {entry.text: entry.remark for entry in (await house.entries()).values()}


async def test_a_mark_before_a_quoted_header_hides_no_column(tmp_path: Path) -> None:
    body = BOM + '"車號","類別","案號","備註"\r\n"ABC-1235","失竊","A1","x"\r\n'.encode()
    async with open_house(tmp_path) as house:
        plan, held = await take(house, body)
    assert (plan.encoding, plan.columns["plate"], held) == ("UTF-8", "車號", {"ABC1235": "x"})


async def test_the_header_of_a_joined_file_is_one_reported_line_and_no_entry(tmp_path: Path) -> None:
    one = BOM + f"{HEADER}\r\nABC-1235,失竊,A1,a\r\n".encode()
    two = BOM + f"{HEADER}\r\nABC-2235,失竊,A2,b\r\n".encode()
    async with open_house(tmp_path) as house:
        plan, held = await take(house, one + two)
    assert held == {"ABC1235": "a", "ABC2235": "b"}
    assert [(row.line, row.reference) for row in plan.report if row.group == "refused"] == [(3, "row-header-again")]
    assert plan.rows == 3


async def test_bytes_that_every_windows_machine_writes_are_read_as_big5(tmp_path: Path) -> None:
    body = f"{HEADER}\r\nABC-1235,失竊,A1,裏面有人\r\n".encode("cp950")
    assert b"\xf9\xd8" in body
    async with open_house(tmp_path) as house:
        plan, held = await take(house, body)
    assert (plan.encoding, plan.sample_line) == ("Big5", "ABC-1235,失竊,A1,裏面有人")
    assert held == {"ABC1235": "裏面有人"}


async def test_a_row_that_no_encoding_explains_is_refused_and_the_others_land(tmp_path: Path) -> None:
    body = (
        f"{HEADER}\r\nABC-1235,失竊,A1,".encode("cp950") + b"\x80\xff" + "\r\nABC-2235,失竊,A2,好\r\n".encode("cp950")
    )
    async with open_house(tmp_path) as house:
        plan, held = await take(house, body)
    assert held == {"ABC2235": "好"}
    assert plan.report[0].reference == "row-undecodable"
