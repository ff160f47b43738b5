"""Hits: raised once, folded while in view, checked by named people, changed by facts alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guardian.domain.errors import ConflictError, InputRefusedError, NotFoundError
from guardian.domain.read import Alternative, DeviceHit, FrameVote, PhotoRef, VehicleLook
from guardian.domain.watch import HitState, MatchStrength, Outcome
from guardian.domain.wire import DeviceAnswer
from guardian.watch.cards import CSV_HEADER
from guardian.watch.hits import FOLD_MS
from guardian.watch.model import CLAIM_MS
from tests.watch.house import House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def the_hit(house: House):
    (card,) = await house.hits()
    return card


async def test_a_read_of_a_listed_number_becomes_one_hit_with_its_copies(house: House) -> None:
    await house.enter("BKD-8869", "通緝", case_number="A1", reason="通緝", warning="曾拒檢逃逸")
    await house.arrive(house.read("BKD8869", crop=PhotoRef("ab" * 32, 0)), house.read("ABC1235"))
    card = await the_hit(house)
    assert (card.read_display, card.entry_display, card.strength) == ("BKD-8869", "BKD-8869", MatchStrength.EXACT)
    assert (card.priority, card.case_number, card.warning) == (1, "A1", "曾拒檢逃逸")
    assert card.crop_url == f"/api/photos/{'ab' * 32}?ref=hit:{card.id}"
    assert card.list_version == 1 and card.device_list_version is None
    detail = await house.desk.detail(card.id)
    assert detail.read.text == "BKD8869" and detail.entry.case_number == "A1"
    assert [(f.number, f.kind, f.author) for f in detail.facts] == [(1, "raised", "系統")]


async def test_the_same_batch_again_and_the_same_read_in_another_batch_change_nothing(house: House) -> None:
    await house.enter("BKD-8869")
    read = house.read("BKD8869")
    await house.arrive(read)
    await house.tell("b1")
    await house.arrive(read, house.read("ABC1235"))
    card = await the_hit(house)
    assert card.sightings == 1 and card.facts == 1


async def test_a_device_hit_and_our_own_match_are_one_hit(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    device = DeviceHit(entry_id, "exact", 1, house.now, house.now, answered="received")
    await house.arrive(house.read("BKD8869", hits=(device,)))
    card = await the_hit(house)
    assert card.device_list_version == 1
    assert [f.kind for f in (await house.desk.detail(card.id)).facts] == ["raised", "device_answer"]


async def test_a_device_hit_that_we_would_not_make_is_kept_with_the_devices_strength(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    device = DeviceHit(entry_id, "exact", 1, house.now, house.now, likelihood_prob=0.3)
    await house.arrive(house.read("BKD8B69", hits=(device,)))
    card = await the_hit(house)
    assert (card.strength, card.differing) == (MatchStrength.LOOKALIKE, (4,)), "another text is never exact"


async def test_a_device_hit_of_an_entry_that_nobody_knows_is_passed_over(house: House) -> None:
    await house.arrive(house.read("BKD8869", hits=(DeviceHit("e-unknown", "exact", 1, 0, 0),)))
    assert await house.hits() == ()


async def test_a_read_that_is_sure_of_one_entry_raises_none_for_its_twins(house: House) -> None:
    await house.enter("BKD-8869", case_number="A1")
    await house.enter("RKD-8869", case_number="A2")
    alternatives = ((Alternative("R", 0.2),), *[()] * 6)
    await house.arrive(house.read("BKD8869", char_probs=(0.85, *(0.99,) * 6), alternatives=alternatives))
    assert (await the_hit(house)).entry_text == "BKD8869"


async def test_the_same_vehicle_within_ten_minutes_is_a_note_on_its_hit_and_later_a_new_one(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    house.now += FOLD_MS
    await house.arrive(house.read("BKD8869"))
    card = await the_hit(house)
    assert card.sightings == 2
    assert [f.kind for f in (await house.desk.detail(card.id)).facts] == ["raised", "note"]
    house.now += 1
    await house.arrive(house.read("BKD8869"))
    assert len(await house.hits()) == 2
    await house.arrive(house.read("BKD8869", device_id="car-2"))
    assert len(await house.hits()) == 3, "another device is another place"


async def test_a_sure_reading_after_a_doubtful_one_is_a_hit_of_its_own(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869", char_probs=(0.5, *(0.99,) * 6)))
    await house.arrive(house.read("BKD8869"))
    assert {card.strength for card in await house.hits()} == {MatchStrength.EXACT, MatchStrength.LOOKALIKE}


async def test_a_look_that_contradicts_the_entry_weakens_the_hit_and_says_where(house: House) -> None:
    await house.enter("BKD-8869", colour="紅", kind="汽車")
    await house.arrive(house.read("BKD8869", look=VehicleLook(kind="car", colour="white")))
    card = await the_hit(house)
    assert card.strength is MatchStrength.LOOKALIKE
    assert {row.aspect: row.verdict for row in card.looks} == {
        "kind": "agree", "colour": "differ", "make": "unknown", "plate": "agree"}  # fmt: skip
    assert {row.aspect: (row.seen, row.registered) for row in card.looks if row.aspect in ("kind", "colour")} == {
        "kind": ("car", "汽車"), "colour": ("white", "紅")}, "known words as keys, typed ones as typed"  # fmt: skip


async def test_on_a_cloned_plate_the_other_look_is_the_find(house: House) -> None:
    await house.enter("BKD-8869", "AB車", colour="紅")
    await house.arrive(house.read("BKD8869", look=VehicleLook(colour="white")))
    assert (await the_hit(house)).strength is MatchStrength.EXACT


async def test_the_check_in_two_deeds_and_its_outcome(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    hit_id = (await the_hit(house)).id
    claimed = await house.desk.claim(hit_id, house.lin)
    assert (claimed.card.state, claimed.card.checker) == (HitState.CHECKING, "林怡君")
    assert claimed.card.claim_ends_ms == house.now + CLAIM_MS
    with pytest.raises(ConflictError) as early:
        await house.desk.come_out(hit_id, house.lin, Outcome.STOPPED, seen_fact=claimed.card.facts)
    assert early.value.reference == "outcome-before-check"
    decided = await house.desk.decide(hit_id, house.lin, HitState.CONFIRMED, seen_fact=claimed.card.facts)
    assert decided.card.state is HitState.CONFIRMED and decided.card.checker == "林怡君"
    after = await house.desk.come_out(hit_id, house.lin, Outcome.STOPPED, seen_fact=decided.card.facts)
    assert after.card.outcome is Outcome.STOPPED
    page = await house.desk.list_hits(house.lin)
    assert (page.hits, page.open_count, page.checked_today_count) == ((), 0, 1)
    assert [card.id for card in await house.hits("checked")] == [hit_id]


async def test_undo_is_a_fact_and_gives_the_hit_back_to_who_undid(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    hit_id = (await the_hit(house)).id
    decided = await house.desk.decide(hit_id, house.lin, HitState.WRONG_PLATE, seen_fact=1)
    undone = await house.desk.undo(hit_id, house.chen, seen_fact=decided.card.facts)
    assert (undone.card.state, undone.card.checker) == (HitState.CHECKING, "陳柏宇")
    assert [f.kind for f in undone.facts] == ["raised", "verdict", "undone", "claimed"]
    assert [card.id for card in await house.hits("mine", house.chen)] == [hit_id]
    again = await house.desk.decide(hit_id, house.chen, HitState.CONFIRMED, seen_fact=undone.card.facts)
    assert again.card.state is HitState.CONFIRMED


async def test_somebody_elses_claim_holds_until_it_lapses_or_is_taken_over(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    hit_id = (await the_hit(house)).id
    await house.desk.claim(hit_id, house.lin)
    for deed in (
        house.desk.claim(hit_id, house.chen),
        house.desk.keep(hit_id, house.chen),
        house.desk.decide(hit_id, house.chen, HitState.CONFIRMED, seen_fact=99),
    ):
        with pytest.raises(ConflictError) as refused:
            await deed
        assert refused.value.reference == "hit-claimed"
    house.now += CLAIM_MS - 1
    await house.desk.keep(hit_id, house.lin)
    house.now += CLAIM_MS - 1
    assert (await the_hit(house)).state is HitState.CHECKING, "a key was pressed meanwhile"
    house.now += 1
    assert (await the_hit(house)).state is HitState.NEW
    taken = await house.desk.claim(hit_id, house.chen)
    assert taken.card.checker == "陳柏宇"
    over = await house.desk.claim(hit_id, house.lin, take_over=True)
    assert over.card.checker == "林怡君"
    assert (await house.desk.release(hit_id, house.chen)).card.checker == "林怡君", "not his to release"
    assert (await house.desk.release(hit_id, house.lin)).card.state is HitState.NEW


async def test_a_verdict_on_a_hit_that_has_moved_on_is_refused(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    hit_id = (await the_hit(house)).id
    seen = (await house.desk.claim(hit_id, house.lin)).card.facts
    await house.desk.claim(hit_id, house.chen, take_over=True)
    await house.desk.claim(hit_id, house.lin, take_over=True)
    with pytest.raises(ConflictError) as refused:
        await house.desk.decide(hit_id, house.lin, HitState.CONFIRMED, seen_fact=seen)
    assert refused.value.reference == "hit-moved-on"


async def test_a_sighting_that_came_meanwhile_does_not_stop_a_verdict(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    hit_id = (await the_hit(house)).id
    seen = (await house.desk.claim(hit_id, house.lin)).card.facts
    await house.arrive(house.read("BKD8869"))
    decided = await house.desk.decide(hit_id, house.lin, HitState.CONFIRMED, seen_fact=seen)
    assert decided.card.state is HitState.CONFIRMED


async def test_the_queue_is_mine_then_unclaimed_then_others_each_by_priority_then_newest(house: House) -> None:
    plates = {"ABC-1235": "其他", "ABC-2235": "失竊", "ABC-3235": "失竊", "ABC-5235": "通緝", "ABC-6235": "通緝"}
    for plate, category in plates.items():
        await house.enter(plate, category)
        house.now += 1
        await house.arrive(house.read(plate.replace("-", "")))
    by_text = {card.read_display: card.id for card in await house.hits()}
    assert [card.read_display for card in await house.hits()] == [
        "ABC-6235", "ABC-5235", "ABC-3235", "ABC-2235", "ABC-1235"]  # fmt: skip
    await house.desk.claim(by_text["ABC-1235"], house.lin)
    await house.desk.claim(by_text["ABC-6235"], house.chen)
    page = await house.desk.list_hits(house.lin)
    assert [card.read_display for card in page.hits] == ["ABC-1235", "ABC-5235", "ABC-3235", "ABC-2235", "ABC-6235"]
    assert (page.open_count, page.mine_count) == (5, 1)


async def test_pages_of_open_and_checked_hits_hold_each_hit_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.watch.desk.PAGE", 2)
    for n in (1, 2, 3, 5, 6):
        await house.enter(f"ABC-{n}235")
        await house.arrive(house.read(f"ABC{n}235"))  # all at one moment
    seen: list[str] = []
    cursor = ""
    while True:
        page = await house.desk.list_hits(house.lin, "open", cursor)
        seen += [card.id for card in page.hits]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 5
    for hit_id in seen:
        await house.desk.decide(hit_id, house.lin, HitState.WRONG_PLATE, seen_fact=1)
    checked: list[str] = []
    while True:
        page = await house.desk.list_hits(house.lin, "checked", cursor)
        checked += [card.id for card in page.hits]
        cursor = page.next_cursor
        if not cursor:
            break
    assert sorted(checked) == sorted(seen)
    for broken in ("x", "1.2", "9" * 40):
        with pytest.raises(InputRefusedError):
            await house.desk.list_hits(house.lin, "open" if "." in broken else "checked", broken)


async def test_a_new_entry_looks_back_at_reads_that_came_before_it(house: House) -> None:
    early = house.read("BKD8869", captured_ms=house.now - 3_600_000)
    old = house.read("BKD8869", captured_ms=house.now - 25 * 3_600_000, device_id="car-9")
    twin = house.read("BKD8B69", char_probs=(*(0.99,) * 4, 0.6, 0.99, 0.99), device_id="car-2")
    await house.arrive(early, old, twin)
    assert await house.hits() == ()
    await house.enter("BKD-8869")
    assert {(c.read_id, c.strength.value) for c in await house.hits()} == {(early.id, "exact"), (twin.id, "lookalike")}
    await house.digest_events()
    assert len(await house.hits()) == 2, "told twice, raised once"


async def test_a_read_that_the_archive_does_not_hold_yet_is_looked_back_at_too(house: House) -> None:
    house.archive.holds_back = True
    read = house.read("BKD8869")
    await house.arrive(read)
    await house.enter("BKD-8869")
    assert [card.read_id for card in await house.hits()] == [read.id]


async def test_the_chance_of_truth_is_a_frequency_of_checks_never_certain(house: House) -> None:
    await house.enter("BKD-8869")
    for n in range(21):
        await house.arrive(house.read("BKD8869", device_id=f"car-{n}"))
    cards = await house.hits()
    assert {card.odds_tenths for card in cards} == {None}
    for card in cards[:19]:
        await house.desk.decide(card.id, house.lin, HitState.CONFIRMED, seen_fact=1)
    house.now += 60_000
    assert {card.odds_tenths for card in await house.hits()} == {None}, "19 checks say nothing yet"
    await house.desk.decide(cards[19].id, house.lin, HitState.CONFIRMED, seen_fact=1)
    house.now += 60_000
    assert [card.odds_tenths for card in await house.hits()] == [9], "20 of 20 is 'more than 9 of 10'"


async def test_an_officers_answer_becomes_a_fact_once_also_when_it_comes_before_the_hit(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    read = house.read("BKD8869")
    answer = DeviceAnswer(read.id, entry_id, "not_this", house.now)
    await house.desk.take_answers("car-1", (answer,))
    await house.arrive(read)
    await house.desk.take_answers("car-1", (answer,))
    await house.desk.take_answers("car-2", (DeviceAnswer(read.id, entry_id, "received", house.now),))
    detail = await house.desk.detail((await the_hit(house)).id)
    assert [(f.kind, f.value) for f in detail.facts[1:]] == [("device_answer", "not_this")], "car-2 has no say"


async def test_pictures_of_a_hit_are_its_own_and_no_others(house: House) -> None:
    await house.enter("BKD-8869")
    vote = FrameVote("BKD8869", 0.9, 0, crop_sha256="cc" * 32)
    await house.arrive(
        house.read("BKD8869", crop=PhotoRef("aa" * 32, 0), overview=PhotoRef("bb" * 32, 0), votes=(vote,))
    )
    hit_id = (await the_hit(house)).id
    assert [await house.desk.has_photo(hit_id, x * 32) for x in ("aa", "bb", "cc", "dd", "")] == [True] * 3 + [
        False
    ] * 2
    assert not await house.desk.has_photo("h-none", "aa" * 32)


async def test_other_hits_of_the_entry_stand_beside_it(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"), house.read("BKD8869", device_id="car-2"))
    first, second = await house.hits()
    assert [card.id for card in (await house.desk.detail(first.id)).same_plate] == [second.id]


async def test_hits_leave_as_csv_with_chinese_words(house: House) -> None:
    await house.enter("BKD-8869", reason="=1+1")
    await house.arrive(house.read("BKD8869"))
    await house.desk.decide((await the_hit(house)).id, house.lin, HitState.CONFIRMED, seen_fact=1)
    text = b"".join([piece async for piece in house.desk.export_csv("all")]).decode()
    header, row, rest = text.split("\r\n")
    assert header == "\ufeff" + ",".join(CSV_HEADER) and rest == ""
    assert "BKD-8869" in row and "完全相符" in row and "確認相符" in row and "'=1+1" in row


async def test_unknown_hits_and_states_are_said_to_be_so(house: House) -> None:
    with pytest.raises(NotFoundError):
        await house.desk.detail("h-none")
    with pytest.raises(NotFoundError):
        await house.desk.claim("h-none", house.lin)
    with pytest.raises(InputRefusedError):
        await house.desk.list_hits(house.lin, "everything")
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    with pytest.raises(InputRefusedError):
        await house.desk.decide((await the_hit(house)).id, house.lin, HitState.CHECKING, seen_fact=1)


async def test_a_batch_that_has_left_the_journal_stops_nothing(house: House) -> None:
    house.archive.batches["gone"] = []
    await house.tell("gone")
    assert await house.hits() == ()


async def test_an_entry_that_goes_takes_its_open_hit_out_of_the_queue_and_brings_it_back(house: House) -> None:
    entry_id = await house.enter("BKD-8869", case_number="A1")
    await house.arrive(house.read("BKD8869"))
    (card,) = await house.hits()
    for _ in range(2):  # gone and back, twice
        house.now += 60_000
        gone = await house.save(remove=[entry_id])
        assert await house.hits() == () and await house.desk.count_open() == 0
        stands = await house.desk.card(card.id)
        assert (stands.state, stands.entry_removed_ms) == (HitState.NEW, house.now), (
            "no work any more, and says since when"
        )
        assert [one.id for one in await house.hits("checked")] == [card.id]
        house.now += 60_000
        await house.keeper.undo(gone.version, house.lin)
        await house.digest_events()
        (back,) = await house.hits()
        assert (back.id, back.entry_removed_ms) == (card.id, None)
    kinds = [fact.kind for fact in (await house.desk.detail(card.id)).facts]
    assert kinds == ["raised", "entry_removed", "undone", "entry_removed", "undone"]
    await house.digest_events()
    assert len((await house.desk.detail(card.id)).facts) == 5, "told again it changes nothing"


async def test_a_hit_of_an_entry_that_is_gone_already_arrives_as_that_and_not_as_work(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    removed_ms = house.now = house.now + 3_600_000
    await house.save(remove=[entry_id])
    house.now += 3_600_000
    told = DeviceHit(entry_id, "exact", 41, house.now - 7_200_000, house.now, answered="received")
    await house.arrive(house.read("BKD8869", hits=(told,)))
    assert await house.hits() == ()
    (card,) = await house.hits("checked")
    assert (card.entry_removed_ms, card.device_list_version) == (removed_ms, 41)
    kinds = [(fact.number, fact.kind) for fact in (await house.desk.detail(card.id)).facts]
    assert kinds == [(1, "raised"), (2, "device_answer"), (3, "entry_removed")]


async def test_a_sighting_that_the_officer_answered_is_folded_with_the_answer_behind_it(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    (card,) = await house.hits()
    house.now += 30_000
    told = DeviceHit(entry_id, "exact", 1, house.now, house.now + 5, answered="not_this")
    await house.arrive(house.read("BKD8869", hits=(told,)))
    facts = (await house.desk.detail(card.id)).facts
    assert [(fact.number, fact.kind) for fact in facts] == [(1, "raised"), (2, "note"), (3, "device_answer")]
    assert (facts[2].value, facts[2].at_ms) == ("not_this", house.now + 5)
