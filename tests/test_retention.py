"""A year later: what is due is destroyed with proof, what a case needs stays, and a wrong clock destroys nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from guardian.archive.loose_photos import LOOSE_KEPT_MS
from guardian.archive.model import KEPT_MS
from guardian.archive.retention import CLOCK_TRUSTED_MS, SEARCHES_KEPT_MS
from guardian.archive.tables import searches
from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.read import PhotoRef, Read
from guardian.domain.subject import Role, Subject
from guardian.domain.watch import HitState
from guardian.domain.wire import DeviceAnswer
from guardian.serve.retention import seconds_to_night
from guardian.serve.wiring import Cloud, open_cloud
from guardian.stores import StoreSettings
from guardian.watch.retention import HELD_MS, is_held
from guardian.watch.tables import answers
from guardian.watch.views import EntryDraft, ListChangeRequest

pytestmark = pytest.mark.anyio

START_MS = 1_795_600_000_000
DAY_MS = 86_400_000
LIN = Subject("p-lin", Role.OPERATOR, "林怡君", session_id="s1")


class Year:
    """A cloud whose clock the test turns."""

    def __init__(self) -> None:
        self.now = START_MS
        self.cloud: Cloud

    def __call__(self) -> int:
        return self.now

    def picture(self, name: str) -> PhotoRef:
        return PhotoRef(hashlib.sha256(self.jpeg(name)).hexdigest(), self.now)

    @staticmethod
    def jpeg(name: str) -> bytes:
        return b"\xff\xd8\xff" + name.encode() + b"\xff\xd9"

    async def read(self, sequence: int, text: str, **changes: Any) -> Read:
        """One read comes in with its picture."""
        values: dict[str, Any] = {
            "device_id": "car-1", "boot": 1, "sequence": sequence, "captured_ms": self.now, "text": text,
            "raw_text": text, "char_probs": (0.99,) * len(text), "confidence_prob": 0.99, "crop": self.picture(f"p{sequence}"),
        } | changes  # fmt: skip
        read = Read(**values)
        body = msgspec.msgpack.encode({"device_id": "car-1", "items": [read]})
        await self.cloud.ingest.accept("car-1", body, "application/msgpack")
        await self.cloud.stores.photos.put(self.picture(f"p{sequence}").sha256, self.jpeg(f"p{sequence}"))
        return read

    async def watch(self, plate: str, case_number: str) -> None:
        keeper = self.cloud.list_keeper
        draft = EntryDraft(plate=plate, category="失竊", case_number=case_number)
        await keeper.change("stolen", ListChangeRequest(keeper.newest.version, (draft,), ()), LIN)

    async def hits(self, count: int) -> dict[str, str]:
        """Hit ids by the text of their reads, once there are so many."""
        for _ in range(500):
            page = await self.cloud.hit_desk.list_hits(LIN)
            if len(page.hits) >= count:
                return {card.read_text: card.id for card in page.hits}
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {count} hits")

    async def decide(self, hit_id: str, verdict: HitState) -> None:
        detail = await self.cloud.hit_desk.claim(hit_id, LIN)
        await self.cloud.hit_desk.decide(hit_id, LIN, verdict, seen_fact=detail.card.facts)

    async def has_picture(self, sequence: int) -> bool:
        return await self.cloud.stores.photos.has(hashlib.sha256(self.jpeg(f"p{sequence}")).hexdigest())

    async def told(self) -> list[tuple[str, str, str, dict[str, str]]]:
        return [
            (row.subject_id, row.verdict, row.reasons[0], row.elements)
            async for row in self.cloud.access.audit.rows()
            if row.action == "archive.destroy"
        ]


@pytest.fixture
async def year(tmp_path: Path) -> AsyncIterator[Year]:
    clock = Year()
    clock.cloud = await open_cloud(StoreSettings(data=str(tmp_path / "data")), clock, archive_url="memory:")
    try:
        yield clock
    finally:
        await clock.cloud.close()


async def a_year_with_three_hits(year: Year) -> dict[str, str]:
    await year.watch("AAA-1111", "中山分局 115-0832")
    await year.watch("BBB-2222", "中山分局 115-0833")
    await year.watch("CCC-3333", "")
    for sequence, text in enumerate(("AAA1111", "BBB2222", "CCC3333", "DDD5555"), 1):
        await year.read(sequence, text)
    await year.read(5, "bad plate")  # set apart
    hits = await year.hits(3)
    for sequence, text in enumerate(("AAA1111", "BBB2222"), 1):
        entry_id = (await year.cloud.hit_desk.card(hits[text])).entry_id
        told = DeviceAnswer(f"car-1.1.{sequence}", entry_id, "received", year.now)
        await year.cloud.hit_desk.take_answers("car-1", (told,))
    await year.decide(hits["AAA1111"], HitState.CONFIRMED)
    await year.decide(hits["BBB2222"], HitState.WRONG_PLATE)
    await year.decide(hits["CCC3333"], HitState.CONFIRMED)  # of no named case
    await year.cloud.filler.settle(10)
    return hits


async def test_after_a_year_all_is_destroyed_on_record_but_what_a_case_holds(year: Year) -> None:
    hits = await a_year_with_three_hits(year)
    year.now += KEPT_MS
    assert (await year.cloud.retention.look()).nothing, "to the last millisecond of its year it is here"
    year.now += 1
    await year.read(9, "EEE6666")
    await year.cloud.filler.settle(10)
    due = await year.cloud.retention.look()
    assert (due.reads, due.hits, due.set_apart) == (4, 2, 1)
    assert await year.has_picture(2), "looking changes nothing"
    done = await year.cloud.retention.destroy_daily()
    assert done is not None
    assert (done.reads, done.hits, done.set_apart, done.photos, done.photos_held) == (4, 2, 1, 4, 1)
    assert [await year.has_picture(n) for n in (1, 2, 3, 4, 9)] == [True, False, False, False, True]
    detail = await year.cloud.hit_desk.detail(hits["AAA1111"])
    assert detail.read.text == "AAA1111" and [fact.kind for fact in detail.facts][-1] == "verdict"
    assert await year.cloud.photo_grants.allows(LIN, f"hit:{detail.card.id}", detail.read.crop.sha256)  # type: ignore[union-attr]
    left = [card.id for card in (await year.cloud.hit_desk.list_hits(LIN, "checked")).hits]
    assert left == [hits["AAA1111"]]
    kept = select(answers.c.read_id)
    assert await year.cloud.stores.records.read(lambda c: list(c.execute(kept).scalars())) == ["car-1.1.1"]
    begun, finished = await year.told()
    assert begun[:3] == ("clockwork", "allowed", "due-by-law") and begun[3]["reads"] == "4"
    assert finished[2] == "destroyed" and finished[3]["photos_held"] == "1" and finished[3]["reads"] == "4"
    assert not any("AAA" in value for line in (begun, finished) for value in line[3].values())
    assert (await year.cloud.access.audit.verify()).problem == ""
    assert (await year.cloud.retention.look()).nothing
    await year.cloud.retention.destroy()
    assert len(await year.told()) == 2, "where nothing is due nothing is said"


async def test_a_picture_that_no_read_names_is_destroyed_on_record_after_two_days(year: Year) -> None:
    stray = year.jpeg("stray")
    name = hashlib.sha256(stray).hexdigest()
    await year.cloud.photo_intake.take("car-1", name, stray)
    early = year.jpeg("p1")
    await year.cloud.photo_intake.take("car-1", hashlib.sha256(early).hexdigest(), early)
    await year.read(1, "AAA1111")  # names p1
    year.now += LOOSE_KEPT_MS
    assert (await year.cloud.retention.look()).nothing
    year.now += 1
    await year.read(2, "BBB2222")
    await year.cloud.filler.settle(10)
    assert (await year.cloud.retention.look()).photos_unnamed == 1
    assert await year.cloud.stores.photos.has(name), "looking changes nothing"
    done = await year.cloud.retention.destroy_daily()
    assert done is not None and (done.photos_unnamed, done.reads, done.photos) == (1, 0, 0)
    assert not await year.cloud.stores.photos.has(name)
    assert await year.has_picture(1) and await year.has_picture(2)
    begun, finished = await year.told()
    assert begun[3]["photos_unnamed"] == "1" and finished[3]["photos_unnamed"] == "1"
    assert (await year.cloud.retention.look()).nothing


async def test_pictures_of_what_was_set_apart_go_with_it_but_for_evidence(year: Year) -> None:
    hits = await a_year_with_three_hits(year)  # read 1 is evidence, read 5 is set apart
    await year.read(1, "AAA1111", raw_text="ANOTHER")  # forked: set apart, with the picture of the evidence
    year.now += KEPT_MS + 1
    assert await year.has_picture(5)
    done = await year.cloud.retention.destroy()
    assert done.set_apart == 2 and hits
    assert await year.has_picture(1) and not await year.has_picture(5)


async def test_what_was_searched_is_forgotten_after_a_month_also_where_nothing_is_due(year: Year) -> None:
    await year.read(1, "AAA1111")
    row = {"id": "s1", "owner": "p-lin", "created_ms": year.now, "as_of": 1, "question": b""}
    await year.cloud.stores.records.write(lambda connection: connection.execute(searches.insert(), [row]).rowcount)
    count = select(func.count()).select_from(searches)
    for after, left in ((SEARCHES_KEPT_MS, 1), (1, 0)):
        year.now += after
        await year.cloud.retention.destroy()
        assert await year.cloud.stores.records.read(lambda connection: connection.execute(count).scalar_one()) == left


async def test_after_five_years_a_case_holds_nothing_any_more(year: Year) -> None:
    hits = await a_year_with_three_hits(year)
    year.now += KEPT_MS + HELD_MS + 1
    await year.cloud.retention.destroy()
    assert not await year.has_picture(1)
    assert (await year.cloud.hit_desk.list_hits(LIN, "checked")).hits == ()
    with pytest.raises(Exception, match="no-such-hit"):
        await year.cloud.hit_desk.detail(hits["AAA1111"])


async def test_a_clock_that_leapt_ahead_destroys_nothing_by_itself(year: Year) -> None:
    await a_year_with_three_hits(year)
    year.now += 2 * KEPT_MS
    assert await year.cloud.retention.destroy_daily() is None
    assert await year.has_picture(4) and await year.told() == []
    await year.read(9, "EEE6666", captured_ms=START_MS + CLOCK_TRUSTED_MS)  # devices have clocks of their own
    await year.cloud.filler.settle(10)
    assert await year.cloud.retention.destroy_daily() is None
    year.now = START_MS
    assert (await year.cloud.retention.look()).nothing


async def test_what_stops_in_the_middle_is_on_record_and_done_by_the_next_run(
    year: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_year_with_three_hits(year)
    year.now += KEPT_MS + 1
    calls: list[str] = []
    delete = year.cloud.stores.photos.delete

    async def failing(sha256: str) -> None:
        calls.append(sha256)
        if len(calls) == 3:
            raise NeighbourUnreachableError("The store of photos does not answer.")
        await delete(sha256)

    monkeypatch.setattr(year.cloud.stores.photos, "delete", failing)
    with pytest.raises(NeighbourUnreachableError):
        await year.cloud.retention.destroy()
    assert [(line[1], line[2]) for line in await year.told()][-1] == ("refused", "neighbour-unreachable")
    assert (await year.cloud.retention.look()).reads == 4, "pictures go before the reads that name them"
    await year.cloud.retention.destroy()
    assert [await year.has_picture(n) for n in (1, 2, 3, 4)] == [True, False, False, False]
    assert (await year.cloud.retention.look()).nothing


async def test_without_a_record_nothing_is_destroyed(year: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_year_with_three_hits(year)
    year.now += KEPT_MS + 1

    async def away(entry: object) -> int:
        raise NeighbourUnreachableError("The records are away.")

    monkeypatch.setattr(year.cloud.access.audit, "append", away)
    with pytest.raises(NeighbourUnreachableError):
        await year.cloud.retention.destroy()
    monkeypatch.undo()
    assert (await year.cloud.retention.look()).reads == 4 and await year.has_picture(4)


@given(
    state=st.sampled_from(list(HitState)), case=st.sampled_from(["", " ", "115-0832"]), age=st.integers(0, 8 * KEPT_MS)
)
def test_only_a_confirmed_hit_of_a_named_case_outlives_its_year_and_none_its_fifth(
    state: HitState, case: str, age: int
) -> None:
    before_ms = START_MS
    held = is_held(state, case, before_ms - age, before_ms=before_ms)
    assert held == (state is HitState.CONFIRMED and bool(case.strip()) and KEPT_MS + age <= 5 * KEPT_MS)


def test_night_is_three_in_the_morning_in_taipei() -> None:
    three = START_MS + round(seconds_to_night(START_MS) * 1000)
    assert (three // 1000 + 8 * 3600) % 86_400 == 3 * 3600
    assert seconds_to_night(three) == 86_400
