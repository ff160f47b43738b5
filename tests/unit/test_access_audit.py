"""The audit record and the look-ups in it, by themselves: order, bounds, pages, and what happens when the store fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from guardian.access import audit as audit_module
from guardian.access import lookups as lookups_module
from guardian.access.audit import AuditRecord
from guardian.access.chain import Entry
from guardian.access.lookups import TRACE, RecordedLookups, Trace
from guardian.access.reasons import ReasonError
from guardian.domain.errors import GuardianError, InputRefusedError, NeighbourUnreachableError, NotFoundError
from guardian.domain.subject import Role, Subject
from guardian.stores import create_missing, metadata, open_records

pytestmark = pytest.mark.anyio

NOW_MS = 1_795_600_000_000
WANG = Subject("p-1", Role.DETECTIVE, "王小明", "大安分局")
ASKED = ("reads.search", "查尋失竊車輛", "115-0832")


@pytest.fixture
async def audit(tmp_path: Path) -> AsyncIterator[AuditRecord]:
    records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    await create_missing(records, metadata)
    yield AuditRecord(records, lambda: NOW_MS)
    await records.close()


def deed(n: int, **more: Any) -> Entry:
    return Entry(**{"at_ms": NOW_MS + n, "kind": "deed", "subject_id": f"p-{n % 2}", **more})


async def numbers(audit: AuditRecord) -> list[int]:
    return [row.number async for row in audit.rows()]


class Door:
    """Holds the store's writes until it is opened; those that begin with `fail` set fail."""

    def __init__(self, audit: AuditRecord, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.fail = asyncio.Event(), False
        write = audit._records.write

        async def held(*args: Any, **more: Any) -> Any:
            await self.open.wait()
            if self.fail:
                raise NeighbourUnreachableError("The store is away.")
            return await write(*args, **more)

        monkeypatch.setattr(audit._records, "write", held)


async def test_lines_that_wait_together_are_numbered_in_the_order_they_came(
    audit: AuditRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "COMMIT_LINES_MAX", 2)
    monkeypatch.setattr(audit_module, "VERIFY_ROWS", 2)
    assert await asyncio.gather(*(audit.append(deed(n)) for n in range(5))) == [1, 2, 3, 4, 5]
    assert await audit.append(deed(9)) == 6
    assert [row.at_ms - NOW_MS async for row in audit.rows()] == [0, 1, 2, 3, 4, 9]
    report = await audit.verify()
    assert (report.rows, report.first, report.last, report.problem) == (6, 1, 6, "") and await audit.count() == 6
    assert [row.number async for row in audit.rows(up_to=3)] == [1, 2, 3]


async def test_too_many_waiting_lines_are_refused_and_the_others_written(
    audit: AuditRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "WAITING_MAX", 2)
    door = Door(audit, monkeypatch)
    under_way = asyncio.ensure_future(audit.append(deed(0)))
    await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(audit.append(deed(n))) for n in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(NeighbourUnreachableError) as refused:
        await audit.append(deed(3))
    assert refused.value.reference == "audit-busy"
    door.open.set()
    assert await asyncio.gather(under_way, *waiting) == [1, 2, 3]


async def test_a_line_whose_caller_has_gone_is_written_and_settling_waits_for_it(
    audit: AuditRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(audit, monkeypatch)
    gone = asyncio.ensure_future(audit.append(deed(0)))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    settled = asyncio.ensure_future(audit.settle())
    await asyncio.sleep(0)
    assert not settled.done()
    door.open.set()
    await settled
    assert await numbers(audit) == [1]


async def test_a_store_that_fails_refuses_those_lines_and_takes_the_next(
    audit: AuditRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "COMMIT_LINES_MAX", 1)
    door = Door(audit, monkeypatch)
    door.open.set()
    door.fail = True
    lines = [asyncio.ensure_future(audit.append(deed(n))) for n in range(2)]
    for line in lines:
        with pytest.raises(NeighbourUnreachableError):
            await line
    door.fail = False
    assert await audit.append(deed(5)) == 1 and await numbers(audit) == [1]


async def test_pages_go_back_in_time_hold_each_line_once_and_filter_by_kind_and_subject(audit: AuditRecord) -> None:
    for n in range(5):
        await audit.append(deed(n, kind="lookup" if n == 2 else "deed"))
    first = await audit.page(rows_max=2)
    second = await audit.page(rows_max=2, cursor=first.next_cursor)
    third = await audit.page(rows_max=2, cursor=second.next_cursor)
    assert [[row.number for row in page.rows] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third.next_cursor == "" and (await audit.page(rows_max=5)).next_cursor == "", "whole, and nothing after it"
    assert [row.number for row in (await audit.page(kind="lookup")).rows] == [3]
    assert [row.number for row in (await audit.page(subject="p-1")).rows] == [4, 2]
    for cursor in ("x", "-1", "１", "9" * 19, "1 "):
        with pytest.raises(InputRefusedError) as refused:
            await audit.page(cursor=cursor)
        assert refused.value.reference == "cursor"


async def test_an_export_ends_at_its_bound(audit: AuditRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        await audit.append(deed(n))
    monkeypatch.setattr(audit_module, "VERIFY_ROWS", 2)
    monkeypatch.setattr(audit_module, "EXPORT_ROWS_MAX", 4)
    assert await numbers(audit) == [1, 2, 3, 4]


async def test_only_allowed_questions_of_the_last_month_stand_out_and_on_the_first_page_only(
    audit: AuditRecord,
) -> None:
    async def ask(subject: str, at_ms: int, verdict: str = "allowed", kind: str = "lookup") -> None:
        await asyncio.gather(
            *(
                audit.append(
                    Entry(
                        at_ms=at_ms, kind=kind, subject_id=subject, verdict=verdict, case_number="115-0832",
                        elements={"plate": f"ABC-{n:04}"},
                    )
                )
                for n in range(40)
            )
        )  # fmt: skip

    await ask("p-old", NOW_MS - audit_module.LOOKED_BACK_MS - 2 * 3_600_000)
    await ask("p-refused", NOW_MS, "refused")
    await ask("p-deeds", NOW_MS, kind="deed")
    await ask("p-busy", NOW_MS)
    assert [one.who for one in await audit.standouts()] == ["p-busy"]
    page = await audit.page()
    assert len(page.standouts) == 1 and (await audit.page(cursor=page.next_cursor)).standouts == ()


# ── look-ups ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_question_and_what_left_are_two_lines_of_one_look_up(audit: AuditRecord) -> None:
    lookups = RecordedLookups(audit)
    lookup_id = await lookups.begin(WANG, *ASKED, {"plate": "ABC-1235"})
    await lookups.deliver(lookup_id, 0)
    await lookups.deliver(lookup_id, 3, note="cancelled")
    asked, none, three = [row async for row in audit.rows()]
    assert (asked.kind, asked.verdict, asked.subject_name, asked.agency) == ("lookup", "allowed", "王小明", "大安分局")
    assert (asked.purpose, asked.case_number, asked.elements) == ("查尋失竊車輛", "115-0832", {"plate": "ABC-1235"})
    assert [(row.kind, row.action, row.count, row.elements) for row in (none, three)] == [
        ("delivered", "reads.search", 0, {}), ("delivered", "reads.search", 3, {"note": "cancelled"}),
    ]  # fmt: skip
    assert {row.lookup_id for row in (asked, none, three)} == {lookup_id} != {""}
    with pytest.raises(InputRefusedError):
        await lookups.deliver(lookup_id, -1)


async def test_a_question_without_a_reason_is_on_record_with_what_was_typed_cut_and_made_visible(
    audit: AuditRecord,
) -> None:
    lookups = RecordedLookups(audit)
    many = {f"{'k' * 50}{n:02}": "v" * 500 for n in range(30)}
    for purpose, case, reference in (
        ("查\u200b詢", "115-0832", "purpose-vague"),
        ("查尋失竊車輛", "9" * 300, "case-form"),
    ):
        with pytest.raises(ReasonError):
            await lookups.begin(WANG, "reads.search", purpose, case, {f"{n}": "v" * 500 for n in range(30)})
        row = [row async for row in audit.rows()][-1]
        assert (row.kind, row.verdict, row.reasons, row.lookup_id) == ("lookup", "refused", (reference,), "")
        assert "\u200b" not in row.purpose and row.purpose and len(row.case_number) <= 200
        assert len(row.elements) == 20 and {len(value) for value in row.elements.values()} == {400}
    await lookups.begin(WANG, *ASKED, many)
    assert {len(key) for key in [row async for row in audit.rows()][-1].elements} == {40}


async def test_a_look_up_that_was_forgotten_or_begun_elsewhere_is_found_on_record(
    audit: AuditRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups_module, "OPEN_MAX", 2)
    lookups = RecordedLookups(audit)
    ids = [await lookups.begin(WANG, *ASKED, {"n": str(n)}) for n in range(4)]
    assert len(lookups._open) == 2
    for one in (lookups, RecordedLookups(audit)):
        assert [await one.owner(lookup_id) for lookup_id in ids] == ["p-1"] * 4
        await one.deliver(ids[0], 1)
        row = [row async for row in audit.rows()][-1]
        assert (row.kind, row.subject_name, row.role, row.agency, row.action) == (
            "delivered", "王小明", "detective", "大安分局", "reads.search",
        )  # fmt: skip
        assert await one.owner("none") is None
        with pytest.raises(NotFoundError) as unknown:
            await one.deliver("none", 1)
        assert unknown.value.reference == "lookup-unknown"


async def test_what_nobody_said_is_closed_by_whether_anything_left(audit: AuditRecord) -> None:
    lookups = RecordedLookups(audit)
    lookup_id = await lookups.begin(WANG, *ASKED, {})
    await lookups.close_unsaid(lookup_id, left=True)
    await lookups.close_unsaid(lookup_id, left=False)
    rows = [row async for row in audit.rows()][-2:]
    assert [(row.count, row.elements) for row in rows] == [(None, {"note": "uncounted"}), (0, {"note": "cancelled"})]


async def test_an_answer_is_complete_when_each_of_its_questions_is_durably_delivered(
    audit: AuditRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups, trace = RecordedLookups(audit), Trace()
    token = TRACE.set(trace)
    try:
        assert not trace.complete, "no question"
        one, two = [await lookups.begin(WANG, *ASKED, {"n": n}) for n in "12"]
        assert (trace.begun, trace.complete, trace.unsaid) == ([one, two], False, (one, two))
        await lookups.deliver(one, 1)
        assert (trace.complete, trace.unsaid) == (False, (two,))
    finally:
        TRACE.reset(token)

    async def fails(entry: Entry) -> int:
        raise NeighbourUnreachableError("The store is away.")

    with monkeypatch.context() as away:
        away.setattr(audit, "append", fails)
        with pytest.raises(GuardianError):
            await lookups.deliver(two, 1)
    assert (trace.complete, trace.unsaid) == (False, ()), "said, and not on record"
    await lookups.deliver(two, 1)
    assert trace.complete, "by the trace of its question, in whatever context it was said"
