"""The alarm desk: one card at a time, the same vehicle not twice, and what sounds."""

from __future__ import annotations

import msgspec

from guardian.device.alarm import QUIET_MS, REPEAT_MS, ROWS_MAX, SHOWN_MS, WAITING_MAX, AlarmDesk
from guardian.device.card import AlarmCard
from guardian.domain.watch import Category, MatchStrength, Priority, WatchEntry
from tests.device.cards import HIGH, NOTICE, URGENT, card, near_card


class Hand:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def desk() -> tuple[Hand, AlarmDesk, list[tuple[str, str]]]:
    hand, answers = Hand(), []
    return hand, AlarmDesk(hand, on_answer=lambda c, a: answers.append((c.entry_id, a))), answers


def test_the_more_urgent_card_takes_the_screen_and_the_other_waits() -> None:
    _, d, _ = desk()
    d.raise_card(card(HIGH))
    d.raise_card(card(URGENT))
    view = d.view()
    assert view.card is not None
    assert view.card.entry_id == "u"
    assert view.waiting == 1
    assert view.sound is not None
    assert view.sound.tone == "urgent"


def test_an_answered_card_becomes_a_row_and_the_waiting_one_comes_back_without_sounding_again() -> None:
    _, d, answers = desk()
    d.raise_card(card(HIGH))
    sounds = d.view().sound
    d.raise_card(card(URGENT))
    shown = d.view().card
    assert shown is not None
    assert d.answer(shown.id, "received")
    view = d.view()
    assert view.card is not None
    assert view.card.entry_id == "h"
    assert view.sound is None
    assert sounds is not None
    assert [(r.card.entry_id, r.answer) for r in view.rows] == [("u", "received")]
    assert answers == [("u", "received")]


def test_a_press_on_a_card_that_has_left_the_screen_does_nothing() -> None:
    _, d, answers = desk()
    d.raise_card(card(HIGH))
    old = d.view().card
    assert old is not None
    d.raise_card(card(URGENT))
    assert not d.answer(old.id, "not_this")
    assert answers == []


def test_a_card_leaves_after_twenty_seconds_as_unanswered() -> None:
    hand, d, _ = desk()
    d.raise_card(card(URGENT))
    hand.now = SHOWN_MS - 1
    d.tick()
    assert d.view().card is not None
    hand.now = SHOWN_MS
    d.tick()
    assert d.view().card is None
    assert d.view().rows[0].answer == ""


def test_the_same_vehicle_neither_sounds_nor_comes_back_for_ten_minutes() -> None:
    hand, d, _ = desk()
    assert d.raise_card(card(URGENT, sequence=1))
    hand.now = QUIET_MS - 1
    assert not d.raise_card(card(URGENT, sequence=2))
    assert d.suppressed == 1
    hand.now = QUIET_MS
    assert d.raise_card(card(URGENT, sequence=3))


def test_it_does_come_back_when_its_priority_rises_or_a_look_alike_becomes_sure() -> None:
    _, d, _ = desk()
    assert d.raise_card(near_card())
    assert not d.raise_card(near_card(sequence=2))
    assert d.raise_card(card(HIGH, sequence=3)), "now sure"
    risen = msgspec.structs.replace(HIGH, priority=Priority.URGENT)
    assert d.raise_card(card(risen, sequence=4)), "now urgent"
    assert not d.raise_card(card(HIGH, sequence=5)), "but never for less"
    view = d.view()
    assert view.card is not None
    assert view.card.priority is Priority.URGENT
    assert view.waiting == 0, "it took the place of its own card"


def test_the_sentence_is_repeated_once_after_four_seconds_if_nobody_answers() -> None:
    hand, d, _ = desk()
    d.raise_card(card(URGENT))
    numbers = set()
    for second in range(20):
        hand.now = second * 1000
        d.tick()
        sound = d.view().sound
        if sound is not None:
            numbers.add((sound.number, sound.tone))
    assert numbers == {(1, "urgent"), (2, "none")}


def test_a_silent_entry_is_shown_and_never_sounds() -> None:
    hand, d, _ = desk()
    d.raise_card(card(msgspec.structs.replace(URGENT, silent=True)))
    for second in range(6):
        hand.now = second * 1000
        d.tick()
    assert d.view().card is not None
    assert d.view().sound is None


def test_an_exact_notice_makes_no_sound_and_a_look_alike_a_low_one() -> None:
    _, d, _ = desk()
    d.raise_card(card(NOTICE))
    assert d.view().sound is None
    d.raise_card(near_card())
    sound = d.view().sound
    assert sound is not None
    assert sound.tone == "near"


def test_a_hundred_hits_at_once_are_bounded_and_none_is_forgotten_in_the_count() -> None:
    _, d, _ = desk()
    for number in range(100):
        d.raise_card(card(WatchEntry(f"e{number}", "BKD8869", Category.STOLEN), sequence=number + 1))
    view = d.view()
    assert view.waiting == WAITING_MAX
    assert d.raised == 100
    assert len(view.rows) <= 12


def test_a_look_that_contradicts_makes_an_exact_match_a_second_look() -> None:
    motorcycle_plate = card(msgspec.structs.replace(URGENT, kind="car"), text="MXB8063")
    assert motorcycle_plate.sure, "no class is known in this read"
    from guardian.device.card import contradiction_of
    from guardian.domain.read import VehicleLook
    from tests.device.rig import make_read

    seen = make_read(1, text="MXB8063", vehicle_classes=("motorcycle",))
    assert contradiction_of(seen, msgspec.structs.replace(URGENT, kind="car")) == "號牌不屬於汽車"
    red = make_read(1, text="MXB8063", look=VehicleLook(colour="red"))
    assert contradiction_of(red, URGENT) == "畫面是紅色，名單是黑色"
    grey = msgspec.structs.replace(red, look=msgspec.structs.replace(red.look, colour="grey"))
    assert contradiction_of(grey, URGENT) == "", "shade turns black into grey: that speaks against nobody"
    assert contradiction_of(make_read(1), URGENT) == ""


def test_the_wide_button_of_a_look_alike_names_the_entry() -> None:
    near: AlarmCard = near_card()
    assert near.yes == "是 RBK-2189"
    assert near.no == "不是"
    exact = card(URGENT, strength=MatchStrength.EXACT)
    assert (exact.yes, exact.no) == ("收到", "不是這輛")


def other(number: int, priority: Priority = Priority.HIGH) -> WatchEntry:
    return WatchEntry(f"e{number}", "BKD8869", Category.STOLEN, priority=priority)


def at(moment: int, shown_card: AlarmCard) -> AlarmCard:
    return msgspec.structs.replace(shown_card, captured_ms=moment)


def shown(d: AlarmDesk) -> tuple[str, int]:
    view = d.view()
    return ("" if view.card is None else view.card.entry_id, view.waiting)


def test_a_card_as_urgent_as_the_one_on_the_screen_waits_and_those_that_wait_come_by_urgency_then_age() -> None:
    hand, d, _ = desk()
    for number, (priority, sequence) in enumerate(
        [(Priority.HIGH, 1), (Priority.HIGH, 9), (Priority.HIGH, 2), (Priority.NOTICE, 3)]
    ):
        d.raise_card(at(sequence, card(other(number, priority), text="BKD8869")))
    d.raise_card(at(4, near_card()))
    order = []
    while d.view().card is not None:
        order.append(shown(d)[0])
        hand.now += SHOWN_MS
        d.tick()
    assert order == ["e0", "e2", "e1", "h", "e3"], "sure before look again, and a notice last"
    assert [row.card.entry_id for row in d.view().rows] == list(reversed(order)), "the newest row on top"


def test_a_card_that_has_waited_sounds_when_its_turn_comes_and_is_repeated_one_that_has_sounded_is_not() -> None:
    hand, d, _ = desk()
    d.raise_card(at(1, card(HIGH)))  # sounds
    d.raise_card(at(2, card(other(1), text="BKD8869")))  # waits
    d.raise_card(at(3, card(URGENT)))  # takes the screen
    tones: list[tuple[str, str]] = []
    for _ in range(3):
        for wait in (0, REPEAT_MS - 1, 1):
            hand.now += wait
            d.tick()
            view = d.view()
            assert view.card is not None
            tones.append((view.card.entry_id, "-" if view.sound is None else view.sound.tone))
        hand.now += SHOWN_MS - REPEAT_MS
        d.tick()
    assert tones == [
        ("u", "urgent"), ("u", "urgent"), ("u", "none"), ("h", "-"), ("h", "-"), ("h", "-"),
        ("e1", "high"), ("e1", "high"), ("e1", "none"),
    ]  # fmt: skip
    assert d.view().sound is None and d.view().card is None


def test_a_vehicle_that_waits_and_becomes_more_urgent_waits_once_or_takes_the_screen() -> None:
    _, d, _ = desk()
    d.raise_card(card(URGENT))
    d.raise_card(near_card())
    d.raise_card(card(HIGH, sequence=3))
    assert shown(d) == ("u", 1), "surer now, and one card"
    shown_before = d.view().card
    assert shown_before is not None and d.answer(shown_before.id, "received")
    assert d.view().card is not None and d.view().card.sure and shown(d) == ("h", 0)  # type: ignore[union-attr]


def test_rows_are_bounded_and_a_waiting_card_that_finds_no_room_becomes_one() -> None:
    hand, d, _ = desk()
    for number in range(WAITING_MAX + 2):
        d.raise_card(card(other(number), text="BKD8869", sequence=number + 1))
    view = d.view()
    assert view.waiting == WAITING_MAX
    assert [(row.card.entry_id, row.answer) for row in view.rows] == [(f"e{WAITING_MAX + 1}", "")], "the last to come"
    for _ in range(ROWS_MAX + 3):
        hand.now += SHOWN_MS
        d.tick()
    assert len(d.view().rows) == ROWS_MAX


def test_vehicles_seen_are_remembered_up_to_a_bound_and_the_longest_ago_is_forgotten(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("guardian.device.alarm.VEHICLES_MAX", 2)
    _, d, _ = desk()

    def comes(number: int, priority: Priority = Priority.HIGH) -> bool:
        return d.raise_card(card(other(number, priority), text="BKD8869"))

    assert comes(1) and comes(2) and not comes(1)
    assert comes(1, Priority.URGENT), "it is the newest now"
    assert comes(3) and not comes(1, Priority.URGENT)
    assert comes(2), "forgotten, and told again rather than never"


def test_a_lasting_state_is_said_until_it_is_taken_away_and_the_same_words_change_nothing() -> None:
    _, d, _ = desk()
    d.say("list-old", "名單 3 天前")
    version = d.view().version
    d.say("list-old", "名單 3 天前")
    d.say("no-such", "")
    assert d.view().version == version
    d.say("list-old", "名單 4 天前")
    d.say("no-fix", "沒有定位")
    assert [(banner.reference, banner.sentence) for banner in d.view().banners] == [
        ("list-old", "名單 4 天前"), ("no-fix", "沒有定位"),
    ]  # fmt: skip
    d.say("list-old", "")
    assert [banner.reference for banner in d.view().banners] == ["no-fix"]
    assert d.wait_for_change(version, 0).version > version


def test_a_press_counts_once() -> None:
    _, d, answers = desk()
    d.raise_card(card(URGENT))
    on_screen = d.view().card
    assert on_screen is not None
    assert d.answer(on_screen.id, "not_this") and not d.answer(on_screen.id, "received")
    assert answers == [("u", "not_this")] and d.view().rows[0].answer == "not_this"
