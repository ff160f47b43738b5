"""The alarm desk: one card at a time, the same vehicle not twice, and what sounds."""

from __future__ import annotations

import msgspec

from guardian.device.alarm import QUIET_MS, SHOWN_MS, WAITING_MAX, AlarmDesk
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
    assert contradiction_of(make_read(1), URGENT) == ""


def test_the_wide_button_of_a_look_alike_names_the_entry() -> None:
    near: AlarmCard = near_card()
    assert near.yes == "是 RBK-2189"
    assert near.no == "不是"
    exact = card(URGENT, strength=MatchStrength.EXACT)
    assert (exact.yes, exact.no) == ("收到", "不是這輛")
