"""G44: one vague word passed as a reason hundreds of times."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.access.reasons import PURPOSES, ReasonError, check_case_number, check_purpose
from guardian.domain.subject import Role
from tests.unit.access_app import house

pytestmark = pytest.mark.anyio

NONE = [
    "investigation", "查詢", "辦案", ".", "　", "\u200b\u200b\u200b", "aaaa", "", " ", "查查查查查查", "業務需要", "公務使用。",
    "INVESTIGATION!!!", "i n v e s t i g a t i o n", "ｉｎｖｅｓｔｉｇａｔｉｏｎ", "查詢查詢查詢", "\u3164\u3164\u3164", "\u2800\u2800\u2800\u2800",
    "abababab", "xxxxxxxxxxxxxxxx", "........", "12345678", "asdf", "test test test", "需要" * 50, "理" * 201, "查\u200b詢",
]  # fmt: skip
SOME = [
    *PURPOSES, "追查11月24日信義路肇事逃逸車輛", "suspect's car seen near the robbery on 24 Nov", "協尋走失老人座車",
    "１１３年偵字案關係人車輛比對",
]  # fmt: skip


@pytest.mark.parametrize("typed", NONE)
async def test_a_reason_that_is_none_is_refused_before_the_answer_and_on_record(tmp_path: Path, typed: str) -> None:
    async with house(tmp_path) as it:
        browser = await it.sign_in(Role.DETECTIVE)
        asked = {"purpose": typed, "case_number": "115-0832", "plate": "ABC-1235"}
        refused = await it.client.post("/api/searches", json=asked, headers=browser)
        assert refused.status_code == 403
        assert refused.json()["reference"] in ("purpose-missing", "purpose-vague")
        assert refused.json()["hint"].startswith("Choose one (偵辦刑案") or len(typed) > 200
        assert "found" not in refused.text
        kind, action, verdict, reasons = (await it.trail())[-1]
        assert (kind, action, verdict, reasons) == ("lookup", "reads.search", "refused", (refused.json()["reference"],))


@pytest.mark.parametrize("typed", SOME)
def test_a_reason_that_says_something_passes(typed: str) -> None:
    assert check_purpose(f" {typed}\u200b ")


@pytest.mark.parametrize(
    "typed", ["", "　", "查詢", "0000", "1111-1111", "12345", "987654", "無", "案號", "A-1", "'; DROP TABLE", "x" * 61]
)
def test_a_case_number_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(ReasonError) as caught:
        check_case_number(typed)
    assert caught.value.reference in ("case-missing", "case-form") and caught.value.hint


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("A1130001", "A1130001"),
        ("115-0832", "115-0832"),
        ("中山分局 115-0832 案", "中山分局 115-0832 案"),
        ("113年度偵字第12345號", "113年度偵字第12345號"),
        (" １１５－０８３２\u200b", "115-0832"),
        ("a1130001", "A1130001"),
    ],
)
def test_a_case_number_as_stations_write_it_passes(typed: str, kept: str) -> None:
    assert check_case_number(typed) == kept


async def test_sixty_plates_under_one_case_in_an_hour_stand_out_on_the_reviewers_page(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        busy, calm = await it.sign_in(Role.DETECTIVE, "王小明"), await it.sign_in(Role.DETECTIVE, "林佳穎")
        auditor = await it.sign_in(Role.AUDITOR, "陳稽核")
        for turn in range(60):
            asked = {"purpose": "查尋失竊車輛", "case_number": "115-0832", "plate": f"ABC-{turn:04}"}
            assert (await it.client.post("/api/searches", json=asked, headers=busy)).status_code == 201
            it.clock.ms += 59_000
            if turn % 3 == 0:  # one plate again and again is not many plates
                asked = {"purpose": "查尋失竊車輛", "case_number": "115-0999", "plate": "BKD-8869"}
                await it.client.post("/api/searches", json=asked, headers=calm)
            if turn % 15 == 0:
                await it.client.get("/api/session", headers=auditor)
        page = (await it.client.get("/api/audit", headers=auditor)).json()
        assert len(page["standouts"]) == 1
        assert page["standouts"][0]["sentence"].startswith(
            "王小明 以同一案號 115-0832 在一小時內查詢 60 個不同對象（至 2026-"
        )
