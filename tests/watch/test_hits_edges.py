"""Hits at their edges: what is the same vehicle, what is looked back at, what counts as today, what a file holds."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guardian.domain.chance import Checked, rarity_from
from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.opinion import SecondOpinion, opinion_on
from guardian.domain.read import DeviceHit, Read
from guardian.domain.watch import Category, HitState, Match, MatchStrength, Outcome, WatchEntry
from guardian.domain.wire import DeviceAnswer
from guardian.watch.cards import CSV_HEADER, odds_of, rarity_of
from guardian.watch.desk import RECENT_BATCHES_MS, SAME_PLATE_MS
from guardian.watch.hits import FOLD_MS, SIGHTING_FACTS_MAX, HitBody, count_verdicts
from guardian.watch.views import EntryDraft
from tests.watch.house import House, open_house

pytestmark = pytest.mark.anyio

HOUR = 3_600_000
DAY = 24 * HOUR
EXACT, LOOKALIKE = MatchStrength.EXACT, MatchStrength.LOOKALIKE


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


def _body(likelihood: float) -> HitBody:
    text = "BKD8869"
    read = Read(
        device_id="car-1", boot=1, sequence=1, captured_ms=0, text=text, raw_text=text, char_probs=(0.97,) * 7,
        confidence_prob=0.97,
    )  # fmt: skip
    entry = WatchEntry(id="e1", text=text, category=Category.STOLEN)
    return HitBody(read=read, entry=entry, list_id="l1", match=Match("e1", text, EXACT, likelihood), looks=())


def doubtful(house: House, text: str, place: int, **more: object) -> Read:
    return house.read(text, char_probs=tuple(0.5 if n == place else 0.99 for n in range(len(text))), **more)


# ── the same vehicle ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_read_that_comes_late_is_folded_into_the_hit_of_ten_minutes_after_it(house: House) -> None:
    await house.enter("BKD-8869")
    at_ms = house.now
    await house.arrive(house.read("BKD8869"))
    await house.arrive(house.read("BKD8869", captured_ms=at_ms - FOLD_MS))
    assert [card.sightings for card in await house.hits()] == [2]
    await house.arrive(house.read("BKD8869", captured_ms=at_ms - FOLD_MS - 1))
    assert len(await house.hits()) == 2


async def test_of_one_batch_the_first_sight_is_the_hit_and_the_later_ones_are_notes(house: House) -> None:
    await house.enter("BKD-8869")
    late, early = house.read("BKD8869"), house.read("BKD8869", captured_ms=house.now - 1000)
    await house.arrive(late, early, early)
    (card,) = await house.hits()
    assert (card.read_id, card.sightings) == (early.id, 2)


async def test_after_a_verdict_the_same_text_is_the_same_vehicle_and_another_text_is_work_again(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(doubtful(house, "BKD8B69", 4))
    (card,) = await house.hits()
    await house.desk.decide(card.id, house.lin, HitState.WRONG_PLATE, seen_fact=1)
    await house.arrive(doubtful(house, "BKD8B69", 4))
    assert await house.hits() == (), "a person has said what that is"
    await house.arrive(doubtful(house, "8KD8869", 0))
    assert [one.read_text for one in await house.hits()] == ["8KD8869"]
    await house.arrive(doubtful(house, "BKD8B69", 4))
    assert [one.sightings for one in await house.hits("checked") + await house.hits()] == [2, 2], "the newest of both"


async def test_a_weaker_sight_of_a_sure_hit_is_a_note_on_it(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    await house.arrive(doubtful(house, "BKD8B69", 4))
    (card,) = await house.hits()
    assert (card.strength, card.sightings) == (MatchStrength.EXACT, 2)


async def test_sightings_are_facts_up_to_a_bound_and_counted_beyond_it(house: House) -> None:
    await house.enter("BKD-8869")
    for _ in range(SIGHTING_FACTS_MAX + 3):
        await house.arrive(house.read("BKD8869"))
    (card,) = await house.hits()
    assert card.sightings == SIGHTING_FACTS_MAX + 3
    assert len((await house.desk.detail(card.id)).facts) == SIGHTING_FACTS_MAX, (
        "the first raised it, the rest are notes"
    )


async def test_a_hit_that_the_device_told_of_is_raised_in_its_units_name(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    told = DeviceHit(entry_id, "exact", 1, house.now, house.now)
    await house.arrive(
        house.read("BKD8869", hits=(told,)), house.read("BKD8869", device_id="car-2", unit="", hits=(told,))
    )
    facts = [(await house.desk.detail(card.id)).facts for card in await house.hits()]
    assert sorted(fact.author for (fact,) in facts) == ["car-2", "大安 3 號"]


async def test_a_look_alike_that_the_device_sounded_for_is_kept_beside_the_sure_one(house: House) -> None:
    await house.enter("BKD-8869", case_number="A1")
    other = await house.enter("RKD-8869", case_number="A2")
    told = DeviceHit(other, "lookalike", 1, house.now, house.now, likelihood_prob=0.2)
    await house.arrive(house.read("BKD8869", hits=(told,)))
    assert {(card.entry_text, card.strength.value) for card in await house.hits()} == {
        ("BKD8869", "exact"), ("RKD8869", "lookalike"),
    }  # fmt: skip


@pytest.mark.parametrize(("said", "strength"), [("exact", "exact"), ("lookalike", "lookalike"), ("sure!", "lookalike")])
async def test_a_strength_of_the_device_alone_is_believed_where_it_is_one(
    house: House, said: str, strength: str
) -> None:
    entry_id = await house.enter("BKD-8869")
    await house.save(remove=[entry_id])
    told = DeviceHit(entry_id, said, 1, house.now, house.now, likelihood_prob=0.4)
    await house.arrive(house.read("BKD8869", hits=(told,)))
    (card,) = await house.hits("checked")
    assert (card.strength.value, card.likelihood_prob) == (strength, 0.4)


async def test_answers_are_facts_of_their_own_entry_once_each_and_of_their_own_device_only(house: House) -> None:
    one = await house.enter("BKD-8869", case_number="A1")
    other = await house.enter("BKD-8869", "通緝", list_id="wanted", case_number="A2")
    read = house.read("BKD8869")
    await house.arrive(read)
    told = [DeviceAnswer(read.id, one, "received", 5), DeviceAnswer(read.id, one, "not_this", 7)]
    for _ in range(2):
        await house.desk.take_answers("car-1", tuple(told))
    await house.desk.take_answers("car", (DeviceAnswer(read.id, one, "not_this", 9),))
    facts = {card.entry_id: (await house.desk.detail(card.id)).facts[1:] for card in await house.hits()}
    assert [(fact.number, fact.value, fact.at_ms) for fact in facts[one]] == [(2, "received", 5), (3, "not_this", 7)]
    assert facts[other] == ()


async def test_an_entry_that_goes_changes_nothing_on_a_hit_that_is_decided(house: House) -> None:
    entry_id = await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    (card,) = await house.hits()
    await house.desk.decide(card.id, house.lin, HitState.CONFIRMED, seen_fact=1)
    await house.save(remove=[entry_id])
    detail = await house.desk.detail(card.id)
    assert [fact.kind for fact in detail.facts] == ["raised", "verdict"] and detail.card.entry_removed_ms is None
    await house.desk.come_out(card.id, house.lin, Outcome.STOPPED, seen_fact=2)


# ── looking back ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_entry_that_has_ended_looks_back_at_what_came_before_its_end_and_at_no_more(house: House) -> None:
    # It is entered on the 26th and ended with the 25th, Taipei time: yesterday's reads count, today's do not.
    last_ms = 1_795_622_399_999
    yesterday = house.read("BKD8869", captured_ms=last_ms)
    today = house.read("BKD8869", captured_ms=last_ms + 1, device_id="car-2")
    house.now = last_ms + HOUR
    await house.arrive(yesterday, today)
    await house.enter("BKD-8869", expires="2026-11-25")
    assert [card.read_id for card in await house.hits()] == [yesterday.id]


async def test_an_entry_that_ended_before_all_that_is_looked_back_at_asks_for_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    find = house.archive.find_by_texts

    async def listen(texts: list[str], since_ms: int) -> list[Read]:
        asked.append(list(texts))
        assert since_ms == house.now - DAY
        return await find(texts, since_ms)

    monkeypatch.setattr(house.archive, "find_by_texts", listen)
    await house.enter("BKD-8869", expires="2026-11-20")
    assert [text for texts in asked for text in texts] == []
    monkeypatch.setattr("guardian.watch.desk.LOOKBACK_TEXTS_MAX", 7)
    await house.save(put=[EntryDraft("BKD-1235", "失竊")])
    flat = [text for texts in asked for text in texts]
    assert flat[0] == "BKD1235" and "8KD1235" in flat and max(map(len, asked)) == 7 and len(asked) > 2
    assert len(flat) == len(set(flat)), "its look-alikes, each once, a bounded question at a time"


async def test_of_very_many_new_entries_the_most_urgent_look_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardian.watch.desk.LOOKBACK_ENTRIES_MAX", 1)
    await house.arrive(house.read("BKD8869"), house.read("ABC1235"))
    await house.save(put=[EntryDraft("BKD-8869", "註銷"), EntryDraft("ABC-1235", "通緝")])
    assert [card.entry_text for card in await house.hits()] == ["ABC1235"]


async def test_reads_of_the_last_two_minutes_are_looked_at_where_the_archive_has_not_caught_up(house: House) -> None:
    house.archive.holds_back = True
    at_ms = house.now
    await house.arrive(house.read("BKD8869"), house.read("BKD8869", captured_ms=at_ms - DAY - 1, device_id="car-9"))
    house.now = at_ms + RECENT_BATCHES_MS
    await house.arrive(house.read("ABC1235"))
    del house.archive.batches["b2"]  # gone from the journal meanwhile: no reason to stop
    await house.enter("BKD-8869")
    assert [card.device_id for card in await house.hits()] == ["car-1"], (
        "and none that is older than what is looked back at"
    )
    house.now = at_ms + RECENT_BATCHES_MS + 1
    await house.enter("BKD-8869", "通緝", list_id="wanted")
    assert len(await house.hits()) == 1


# ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_todays_checks_are_those_since_midnight_in_taipei_and_verdicts_only(house: House) -> None:
    midnight = 1_795_622_400_000  # 2026-11-26 00:00 in Taipei
    gone = await house.enter("ABC-1235")
    await house.enter("BKD-8869")
    await house.arrive(*(house.read("BKD8869", device_id=f"car-{n}") for n in (1, 2)), house.read("ABC1235"))
    first, second = (card for card in await house.hits() if card.entry_text == "BKD8869")
    house.now = midnight - 1
    await house.desk.decide(first.id, house.lin, HitState.CONFIRMED, seen_fact=1)
    house.now = midnight
    await house.desk.decide(second.id, house.lin, HitState.WRONG_VEHICLE, seen_fact=1)
    await house.save(remove=[gone])
    assert (await house.desk.list_hits(house.lin)).checked_today_count == 1
    assert len(await house.hits("checked")) == 3


async def test_beside_a_hit_stand_those_of_its_entry_within_a_day(house: House) -> None:
    await house.enter("BKD-8869")
    await house.enter("ABC-1235")
    at_ms = house.now
    times = {"near": at_ms - SAME_PLATE_MS, "far": at_ms - SAME_PLATE_MS - 1, "this": at_ms}
    await house.arrive(
        *(house.read("BKD8869", device_id=name, captured_ms=ms) for name, ms in times.items()), house.read("ABC1235")
    )
    cards = {card.device_id: card for card in await house.hits() if card.entry_text == "BKD8869"}
    beside = (await house.desk.detail(cards["this"].id)).same_plate
    assert [card.device_id for card in beside] == ["near"]


async def test_files_of_hits_hold_the_open_the_checked_or_all_and_nothing_twice(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(*(house.read("BKD8869", device_id=f"car-{n}") for n in range(503)))
    cards = await house.hits()
    await house.desk.decide(cards[0].id, house.lin, HitState.WRONG_PLATE, seen_fact=1)

    async def ids(state: str) -> list[str]:
        text = b"".join([piece async for piece in house.desk.export_csv(state)]).decode("utf-8-sig")
        header, *rows = list(csv.reader(io.StringIO(text, newline="")))
        assert header == list(CSV_HEADER)
        return [row[-1] for row in rows]

    every = await ids("all")
    assert len(every) == len(set(every)) == 503
    assert await ids("checked") == [cards[0].id]
    assert sorted([*await ids("open"), cards[0].id]) == sorted(every)
    with pytest.raises(InputRefusedError):
        await ids("mine")


async def test_a_claim_that_somebody_keeps_is_not_kept_by_what_another_does(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    (card,) = await house.hits()
    claimed = await house.desk.claim(card.id, house.lin)
    house.now += 80_000
    await house.arrive(house.read("BKD8869"))  # a note of the system is no sign of the checker
    await house.desk.release(card.id, house.chen)
    house.now += 10_000
    (after,) = await house.hits()
    assert claimed.card.claim_ends_ms == house.now and after.state is HitState.NEW


async def test_who_undoes_holds_the_claim_from_then_on(house: House) -> None:
    await house.enter("BKD-8869")
    await house.arrive(house.read("BKD8869"))
    (card,) = await house.hits()
    decided = await house.desk.decide(card.id, house.lin, HitState.CONFIRMED, seen_fact=1)
    out = await house.desk.come_out(card.id, house.lin, Outcome.LOST, seen_fact=decided.card.facts, note=" 往北 ")
    assert (out.facts[-1].kind, out.facts[-1].note) == ("outcome", "往北")
    house.now += HOUR
    back = await house.desk.undo(card.id, house.chen, seen_fact=out.card.facts)
    assert (back.card.state, back.card.outcome) == (HitState.CONFIRMED, None), "first the outcome"
    again = await house.desk.undo(card.id, house.chen, seen_fact=back.card.facts)
    assert again.card.state is HitState.CHECKING and again.card.claim_ends_ms == house.now + 90_000


def test_a_base_rate_is_counted_from_twenty_checks_on() -> None:
    few, enough = [Checked(0.8, 10, 10), Checked(0.9, 9, 9)], [Checked(0.8, 10, 10), Checked(0.9, 10, 9)]
    assert rarity_of({EXACT: few}) == {}
    assert rarity_of({EXACT: enough, LOOKALIKE: few}) == {EXACT: rarity_from(enough, EXACT)}


@pytest.mark.parametrize(("decided", "confirmed", "tenths"), [(20, 0, 1), (20, 20, 9), (100, 34, 3), (100, 70, 7)])
def test_a_card_says_what_such_hits_came_to(decided: int, confirmed: int, tenths: int) -> None:
    rarity = rarity_of({EXACT: [Checked(0.8, decided, confirmed)]})
    assert odds_of(_body(0.8), {}, None) is None, "too few checks say nothing"
    assert odds_of(_body(0.8), rarity, None) == tenths


def test_a_surer_read_and_a_second_reader_that_agrees_make_a_hit_likelier_and_another_text_less() -> None:
    rarity = rarity_of({EXACT: [Checked(0.8, 100, 60)]})

    def said(text: str) -> SecondOpinion:
        return opinion_on("BKD8869", text, reader="ppocr", reader_version="v6-small", crops=1)

    less, as_is, more = (odds_of(_body(0.8), rarity, said(text)) for text in ("BKD8069", "", "BKD8869"))
    assert less is not None and as_is is not None and more is not None
    assert less < as_is == 6 < more
    unsure = odds_of(_body(0.3), rarity, None)
    assert unsure is not None and unsure < as_is


async def test_checks_of_both_strengths_are_counted_by_how_likely_the_hits_were(house: House) -> None:
    await house.enter("BKD-8869")
    for n, prob in enumerate((0.99, 0.99, 0.97)):
        await house.arrive(house.read("BKD8869", device_id=f"car-{n}", char_probs=(prob,) * 7))
    await house.arrive(doubtful(house, "BKD8869", 3, device_id="car-9"))
    states = {
        "car-0": HitState.CONFIRMED,
        "car-1": HitState.WRONG_PLATE,
        "car-2": HitState.CONFIRMED,
        "car-9": HitState.WRONG_PLATE,
    }
    for card in await house.hits():
        await house.desk.decide(card.id, house.lin, states[card.device_id], seen_fact=card.facts)
    checks = await house.records.read(count_verdicts)
    assert checks == {
        EXACT: [Checked(0.8, 1, 1), Checked(0.94, 2, 1)],  # 0.97 and 0.99 to the seventh, to the nearest fiftieth
        LOOKALIKE: [Checked(0.48, 1, 0)],
    }


async def test_what_is_not_there_has_no_card_and_no_pictures(house: House) -> None:
    with pytest.raises(NotFoundError):
        await house.desk.card("h-none")
    assert not await house.desk.has_photo("h-none", "aa" * 32)
