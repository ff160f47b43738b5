"""Second opinions in the cloud: joined to their hit whichever comes first, once, shown on the card, gone with the hit."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from guardian.domain.errors import ConflictError
from guardian.domain.opinion import NotAsked, SecondOpinion, not_asked, opinion_on
from guardian.domain.read import Alternative
from guardian.domain.watch import HitFact, HitState, MatchStrength
from guardian.domain.wire import ReadOpinion
from guardian.watch.hits import FOLD_MS, SIGHTING_FACTS_MAX
from guardian.watch.model import Desk
from guardian.watch.retention import HitRetention
from guardian.watch.tables import opinions
from tests.watch.house import House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


def on(read_text: str, text: str, reader: str = "ppocr") -> SecondOpinion:
    return opinion_on(
        read_text, text, char_probs=(0.93,) * len(text), reader=reader, reader_version="v6-small", crops=3
    )


async def the_hit(house: House):  # type: ignore[no-untyped-def]
    (card,) = await house.hits()
    return card


async def kept(house: House) -> list[str]:
    rows = await house.records.read(lambda c: c.execute(select(opinions.c.read_id)).scalars().all())
    return sorted(rows)


@pytest.mark.parametrize("first", ["hit", "opinion"])
async def test_an_opinion_joins_its_hit_once_whichever_comes_first(house: House, first: str) -> None:
    await house.enter("BKD-8869")
    read = house.read("BKD8869")
    told = (ReadOpinion(read.id, on("BKD8869", "BKD8889")),)
    if first == "hit":
        await house.arrive(read)
        assert (await the_hit(house)).opinion is None
    await house.desk.take_opinions("car-1", told)
    if first == "opinion":
        await house.arrive(read)
    await house.desk.take_opinions("car-1", told)
    card = await the_hit(house)
    assert card.opinion is not None
    assert (card.opinion.verdict, card.opinion.display, card.opinion.differing) == ("partly", "BKD-8889", (5,))
    assert (card.opinion.reader, card.opinion.crops, card.opinion.confidence_prob) == ("ppocr", 3, 0.93)
    assert not card.opinion.bears_out_entry
    assert card.strength is MatchStrength.EXACT, "it is shown, and changes no strength"
    detail = await house.desk.detail(card.id)
    assert detail.card == card == await house.desk.card(card.id)
    assert [(f.kind, f.value, f.note, f.author) for f in detail.facts[1:]] == [
        ("second_opinion", "partly", "BKD-8889", "大安 3 號")
    ]
    assert card.facts == 2


async def test_a_look_alike_that_the_second_reader_reads_as_the_entry_says_so(house: House) -> None:
    await house.enter("BKD-8869")
    doubtful = ((),) * 5 + ((Alternative("6", 0.4),), ())
    read = house.read("BKD8889", char_probs=(0.99,) * 5 + (0.55, 0.99), alternatives=doubtful, confidence_prob=0.55)
    await house.arrive(read)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, on("BKD8889", "BKD8869")),))
    card = await the_hit(house)
    assert card.strength is MatchStrength.LOOKALIKE
    assert card.opinion is not None
    assert card.opinion.bears_out_entry
    assert (card.opinion.verdict, card.opinion.differing) == ("partly", (5,))


async def test_who_looked_counts_before_that_somebody_was_not_asked(house: House) -> None:
    await house.enter("BKD-8869")
    read = house.read("BKD8869")
    await house.arrive(read)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, not_asked(NotAsked.TOO_LATE)),))
    card = await the_hit(house)
    assert card.opinion is not None
    assert (card.opinion.verdict, card.opinion.reason, card.opinion.display) == ("not_asked", "too-late", "")
    house.now += 1
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, on("BKD8869", "BKD8869")),))
    house.now += 1
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, not_asked(NotAsked.BROKEN, reader="other")),))
    card = await the_hit(house)
    assert card.opinion is not None
    assert card.opinion.verdict == "agrees"


async def test_a_device_speaks_for_its_own_reads_only_and_what_is_no_opinion_is_left_out(house: House) -> None:
    await house.enter("BKD-8869")
    read = house.read("BKD8869")
    await house.arrive(read)
    good = on("BKD8869", "BKD8869")
    await house.desk.take_opinions("car-2", (ReadOpinion(read.id, good),))
    await house.desk.take_opinions("car", (ReadOpinion(read.id, good),))
    odd = SecondOpinion("agrees", "BKD8869", char_probs=(float("nan"),) * 7)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, odd), ReadOpinion("car-1.1.99", good)))
    assert (await the_hit(house)).opinion is None
    assert await kept(house) == ["car-1.1.99"], "the good one beside the odd one is kept for a hit that may come"


async def test_an_opinion_of_a_verdict_that_this_cloud_does_not_know_is_shown_as_not_asked(house: House) -> None:
    await house.enter("BKD-8869")
    read = house.read("BKD8869")
    await house.arrive(read)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, SecondOpinion("swears", "BKD8869", reader="r")),))
    card = await the_hit(house)
    assert card.opinion is not None
    assert card.opinion.verdict == "not_asked"


async def test_the_opinion_on_another_sight_of_the_vehicle_is_a_fact_of_its_hit_and_bounded(house: House) -> None:
    await house.enter("BKD-8869")
    for _ in range(SIGHTING_FACTS_MAX + 3):
        read = house.read("BKD8869")
        await house.arrive(read)
        await house.desk.take_opinions("car-1", (ReadOpinion(read.id, on("BKD8869", "BKD8869")),))
        house.now += FOLD_MS // 100
    card = await the_hit(house)
    facts = (await house.desk.detail(card.id)).facts
    assert sum(fact.kind == "second_opinion" for fact in facts) == SIGHTING_FACTS_MAX
    assert [fact.number for fact in facts] == list(range(1, len(facts) + 1))
    assert card.opinion is not None


async def test_a_read_that_means_two_entries_has_its_opinion_on_both(house: House) -> None:
    one = await house.enter("BKD-8869")
    two = await house.enter("BKD-8869", list_id="cases", category="涉案")
    assert one != two
    read = house.read("BKD8869")
    await house.arrive(read)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, on("BKD8869", "")),))
    cards = await house.hits()
    assert len(cards) == 2
    assert {card.opinion.verdict for card in cards if card.opinion} == {"cannot_read"}
    assert [card.facts for card in cards] == [2, 2]


async def test_the_file_of_hits_says_it(house: House) -> None:
    await house.enter("BKD-8869")
    read, silent = house.read("BKD8869"), house.read("BKD8869", device_id="car-2")
    await house.arrive(read, silent)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, on("BKD8869", "BKD8889")),))
    whole = b"".join([piece async for piece in house.desk.export_csv("all")]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(whole)))
    assert sorted((row["設備"], row["第二判讀"], row["第二判讀車牌"]) for row in rows) == [
        ("car-1", "部分不一致", "BKD-8889"),
        ("car-2", "", ""),
    ]


async def test_opinions_go_with_their_hit_or_when_no_hit_ever_came(house: House) -> None:
    await house.enter("BKD-8869")
    read = house.read("BKD8869")
    await house.arrive(read)
    good = on("BKD8869", "BKD8869")
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, good), ReadOpinion("car-1.1.99", good)))
    retention = HitRetention(house.records)
    await retention.destroy(house.now)  # neither the hit nor the moment at which the opinion came is older
    assert await kept(house) == [read.id, "car-1.1.99"]
    await retention.destroy(house.now + 1)
    assert await kept(house) == []


async def test_the_opinion_of_a_hit_that_a_case_holds_stays_with_it(house: House) -> None:
    await house.enter("BKD-8869", case_number="中山分局 115-0832")
    read = house.read("BKD8869")
    await house.arrive(read)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, on("BKD8869", "BKD8869")),))
    card = await the_hit(house)
    await house.desk.decide(card.id, house.lin, HitState.CONFIRMED, seen_fact=card.facts)
    await HitRetention(house.records).destroy(house.now + 1)
    assert await kept(house) == [read.id]
    assert (await house.desk.card(card.id)).opinion is not None


async def test_nobody_confirms_over_a_disagreement_that_came_meanwhile(house: House) -> None:
    await house.enter("BKD-8869")
    read = house.read("BKD8869")
    await house.arrive(read)
    seen = await the_hit(house)
    await house.desk.take_opinions("car-1", (ReadOpinion(read.id, on("BKD8869", "BKD8889")),))
    with pytest.raises(ConflictError) as refused:
        await house.desk.decide(seen.id, house.lin, HitState.CONFIRMED, seen_fact=seen.facts)
    assert refused.value.reference == "hit-moved-on"
    again = await the_hit(house)
    done = await house.desk.decide(seen.id, house.lin, HitState.CONFIRMED, seen_fact=again.facts)
    assert done.card.state is HitState.CONFIRMED


@pytest.mark.parametrize(
    ("verdict", "must_be_seen"),
    [("partly", True), ("differs", True), ("agrees", False), ("cannot_read", False), ("not_asked", False)],
)
def test_only_a_disagreement_must_have_been_seen_by_who_decides(verdict: str, must_be_seen: bool) -> None:
    facts = (HitFact("h", 1, "raised", "x", 0), HitFact("h", 2, "second_opinion", "x", 0, verdict))
    desk = Desk(facts, House.lin, 0)
    if must_be_seen:
        with pytest.raises(ConflictError):
            desk.decide(HitState.CONFIRMED, seen_fact=1)
    else:
        assert desk.decide(HitState.CONFIRMED, seen_fact=1)
