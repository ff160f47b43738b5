"""Whatever people do to a hit in whatever order, where it stands follows from its facts and the rules hold."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.errors import GuardianError
from guardian.domain.subject import Role, Subject
from guardian.domain.watch import VERDICTS, HitFact, HitState, Outcome
from guardian.watch.model import CLAIM_MS, NOTE_CHARS_MAX, Desk, derive, lapse

people = [Subject(f"u{n}", Role.OPERATOR, name) for n, name in enumerate(("林", "陳", "王"))]

deeds = st.lists(
    st.tuples(
        st.sampled_from(("decide", "come_out", "undo", "claim", "take_over", "release", "removed", "note")),
        st.sampled_from(people),
        st.integers(0, CLAIM_MS * 2),  # time that passes before
        st.sampled_from(VERDICTS),
        st.sampled_from(Outcome),
        st.sampled_from((0, 0, 0, 1, 3)),  # how many facts behind the person is
    ),
    min_size=1,
    max_size=25,
)


def act(facts: tuple[HitFact, ...], now: int, kept: int, deed, who, verdict, outcome, behind) -> tuple[HitFact, ...]:
    desk = Desk(facts, who, now, kept)
    seen = max(1, facts[-1].number - behind)
    if deed in ("claim", "take_over"):
        return desk.claim(take_over=deed == "take_over")
    if deed == "release":
        return desk.release()
    if deed == "decide":
        return desk.decide(verdict, seen_fact=seen)
    if deed == "undo":
        return desk.undo(seen_fact=seen)
    if deed == "come_out":
        return desk.come_out(outcome, seen_fact=seen)
    return (HitFact("h", facts[-1].number + 1, "entry_removed" if deed == "removed" else "note", "系統", now),)


def run(steps) -> list[tuple[tuple[HitFact, ...], int, int]]:
    """Every state of (facts, now, last sign of the checker) on the way."""
    facts = (HitFact("h", 1, "raised", "系統", 0),)
    now, kept = 0, 0
    trail = [(facts, now, kept)]
    for deed, who, passes, verdict, outcome, behind in steps:
        now += passes
        try:
            more = act(facts, now, kept, deed, who, verdict, outcome, behind)
        except GuardianError:
            more = ()
        facts += more
        if any(fact.kind == "claimed" for fact in more):
            kept = now
        trail.append((facts, now, kept))
    return trail


@settings(max_examples=400, deadline=None)
@given(deeds)
def test_no_outcome_without_a_confirmation_in_force(steps) -> None:
    for facts, now, kept in run(steps):
        standing = derive(facts, now_ms=now, kept_ms=kept)
        if standing.outcome is not None:
            assert standing.state is HitState.CONFIRMED


@settings(deadline=None)
@given(deeds)
def test_facts_are_only_ever_appended_with_growing_numbers(steps) -> None:
    trail = run(steps)
    for (before, _, _), (after, _, _) in itertools.pairwise(trail):
        assert after[: len(before)] == before
    numbers = [fact.number for fact in trail[-1][0]]
    assert numbers == list(range(1, len(numbers) + 1))


@settings(deadline=None)
@given(deeds)
def test_nobody_decides_over_the_head_of_somebody_who_checks(steps) -> None:
    trail = run(steps)
    for (before, _, _), (after, now, kept) in itertools.pairwise(trail):
        new = after[len(before) :]
        if new and new[0].kind == "verdict":
            standing = derive(before, now_ms=now, kept_ms=kept)
            assert standing.state is HitState.NEW or standing.checker == new[0].author


@settings(deadline=None)
@given(deeds)
def test_a_verdict_is_never_replaced_only_taken_back(steps) -> None:
    facts = run(steps)[-1][0]
    undone = {int(fact.value) for fact in facts if fact.kind == "undone"}
    in_force: HitFact | None = None
    for place, fact in enumerate(facts):
        if fact.kind == "verdict":
            taken_back = {int(f.value) for f in facts[:place] if f.kind == "undone"}
            assert in_force is None or in_force.number in taken_back
            in_force = fact
    assert len([f for f in facts if f.kind == "verdict" and f.number not in undone]) <= 1


@settings(deadline=None)
@given(deeds)
def test_each_undo_names_one_fact_that_was_in_force(steps) -> None:
    facts = run(steps)[-1][0]
    gone: set[int] = set()
    for fact in facts:
        if fact.kind == "undone":
            target = int(fact.value)
            assert target < fact.number and target not in gone
            assert facts[target - 1].kind in ("verdict", "outcome")
            gone.add(target)


@settings(deadline=None)
@given(deeds, st.integers(0, CLAIM_MS * 3))
def test_what_queues_keep_says_the_same_as_the_facts(steps, later: int) -> None:
    facts, now, kept = run(steps)[-1]
    kept_in_table = derive(facts, now_ms=-(10**15))
    assert lapse(kept_in_table, now_ms=now + later, kept_ms=kept) == derive(facts, now_ms=now + later, kept_ms=kept)


@settings(deadline=None)
@given(deeds)
def test_a_claim_ends_after_its_time(steps) -> None:
    facts, now, kept = run(steps)[-1]
    assert derive(facts, now_ms=now + CLAIM_MS, kept_ms=kept).state is not HitState.CHECKING


@settings(deadline=None)
@given(deeds)
def test_a_person_who_has_not_seen_the_newest_deed_changes_nothing_decided(steps) -> None:
    facts, now, kept = run(steps)[-1]
    if derive(facts, now_ms=now, kept_ms=kept).state not in VERDICTS:
        return
    desk = Desk(facts, people[0], now, kept)
    newest = max(fact.number for fact in facts if fact.kind != "note")
    for deed in (lambda: desk.undo(seen_fact=newest - 1), lambda: desk.decide(HitState.CONFIRMED, seen_fact=newest)):
        try:
            deed()
        except GuardianError:
            continue
        raise AssertionError("it was let through")


def test_facts_survive_the_wire() -> None:
    fact = HitFact("h", 2, "verdict", "林", 5, "confirmed", "x")
    assert msgspec.json.decode(msgspec.json.encode(fact), type=HitFact) == fact


LIN, CHEN = people[0], people[1]


def fact(number: int, kind: str, who: Subject = LIN, at_ms: int = 0, value: str = "") -> HitFact:
    return HitFact("h", number, kind, who.name, at_ms, who.id if kind == "claimed" else value)


RAISED = fact(1, "raised")


def state(*facts: HitFact, now_ms: int = 0) -> tuple[HitState, str, Outcome | None]:
    standing = derive((RAISED, *facts), now_ms=now_ms)
    return standing.state, standing.checker, standing.outcome


def test_where_a_hit_stands_is_what_its_facts_say_one_by_one() -> None:
    claimed = fact(2, "claimed")
    confirmed = fact(3, "verdict", value="confirmed")
    stopped, lost = fact(4, "outcome", value="stopped"), fact(5, "outcome", value="lost")
    assert state() == (HitState.NEW, "", None)
    assert state(claimed) == (HitState.CHECKING, "林", None)
    assert state(claimed, fact(3, "claimed", CHEN)) == (HitState.CHECKING, "陳", None)
    assert state(claimed, fact(3, "released")) == (HitState.NEW, "", None)
    assert state(claimed, confirmed) == (HitState.CONFIRMED, "林", None)
    assert state(claimed, confirmed, stopped) == (HitState.CONFIRMED, "林", Outcome.STOPPED)
    assert state(claimed, confirmed, stopped, lost) == (HitState.CONFIRMED, "林", Outcome.LOST)
    back = fact(6, "undone", value="5")
    assert state(claimed, confirmed, stopped, lost, back) == (HitState.CONFIRMED, "林", Outcome.STOPPED)
    assert state(claimed, confirmed, fact(4, "undone", value="3")) == (HitState.NEW, "", None), (
        "its claim ended with it"
    )
    again = fact(5, "verdict", CHEN, value="wrong_plate")
    assert state(claimed, confirmed, fact(4, "undone", value="3"), again) == (HitState.WRONG_PLATE, "陳", None)


def test_a_hit_whose_entry_has_gone_is_no_work_until_that_is_taken_back() -> None:
    gone, back = fact(2, "entry_removed", at_ms=7), fact(3, "undone", value="2")
    assert not derive((RAISED, gone), now_ms=9).is_open and derive((RAISED, gone), now_ms=9).entry_removed_ms == 7
    assert derive((RAISED, gone, back), now_ms=9).is_open
    assert derive((RAISED, gone, back, fact(4, "entry_removed", at_ms=8)), now_ms=9).entry_removed_ms == 8
    assert not derive((RAISED, fact(2, "verdict", value="confirmed")), now_ms=9).is_open


def test_a_claim_lapses_ninety_seconds_after_its_last_sign_to_the_millisecond() -> None:
    facts = (RAISED, fact(2, "claimed", at_ms=1000))
    for kept_ms, last in ((0, 1000 + CLAIM_MS - 1), (5000, 5000 + CLAIM_MS - 1)):
        for_ever = derive(facts, now_ms=1000)
        for now_ms, held in ((last, HitState.CHECKING), (last + 1, HitState.NEW)):
            assert derive(facts, now_ms=now_ms, kept_ms=kept_ms).state is held
            assert lapse(for_ever, now_ms=now_ms, kept_ms=kept_ms).state is held


def test_a_note_is_kept_without_spaces_around_it_and_cut_where_it_ends_to_be_one() -> None:
    (verdict,) = Desk((RAISED,), LIN, 0).decide(
        HitState.CONFIRMED, seen_fact=1, note="  " + "字" * (NOTE_CHARS_MAX + 5)
    )
    assert verdict.note == "字" * NOTE_CHARS_MAX


def refused(attempt) -> str:  # type: ignore[no-untyped-def]
    try:
        attempt()
    except GuardianError as error:
        return error.reference
    return ""


def test_who_decides_has_seen_all_that_matters_and_notes_do_not() -> None:
    note, answer = fact(2, "note"), fact(3, "device_answer")
    assert Desk((RAISED, note, answer), LIN, 0).decide(HitState.CONFIRMED, seen_fact=1)
    desk = Desk((RAISED, fact(2, "claimed"), fact(3, "note")), LIN, 0)
    assert refused(lambda: desk.decide(HitState.CONFIRMED, seen_fact=1)) == "hit-moved-on"
    (verdict,) = desk.decide(HitState.CONFIRMED, seen_fact=2)
    assert (verdict.number, verdict.kind, verdict.author, verdict.value) == (4, "verdict", "林", "confirmed")
    decided = Desk((RAISED, fact(2, "verdict", value="confirmed")), LIN, 0)
    assert refused(lambda: decided.undo(seen_fact=1)) == "hit-moved-on"
    assert refused(lambda: decided.come_out(Outcome.STOPPED, seen_fact=1)) == "hit-moved-on"
    (outcome,) = decided.come_out(Outcome.STOPPED, seen_fact=2, note=" x ")
    assert (outcome.kind, outcome.value, outcome.note) == ("outcome", "stopped", "x")


def test_what_another_checks_is_taken_over_by_name_or_left_alone() -> None:
    desk = Desk((RAISED, fact(2, "claimed", CHEN)), LIN, 0)
    assert refused(lambda: desk.claim(take_over=False)) == "hit-claimed"
    assert refused(lambda: desk.decide(HitState.CONFIRMED, seen_fact=2)) == "hit-claimed"
    assert desk.release() == ()
    (claim,) = desk.claim(take_over=True)
    assert (claim.kind, claim.author, claim.value) == ("claimed", "林", "u0")
    mine = Desk((RAISED, fact(2, "claimed")), LIN, 0)
    assert mine.claim(take_over=False) == () and [one.kind for one in mine.release()] == ["released"]
    lapsed = Desk((RAISED, fact(2, "claimed", CHEN)), LIN, CLAIM_MS)
    assert lapsed.claim(take_over=False) and lapsed.decide(HitState.CONFIRMED, seen_fact=2)


def test_an_outcome_needs_confirmed_and_no_other_verdict_and_all_is_taken_back_newest_first() -> None:
    for verdict in VERDICTS:
        desk = Desk((RAISED, fact(2, "verdict", value=verdict.value)), LIN, 0)
        said = refused(lambda desk=desk: desk.come_out(Outcome.STOPPED, seen_fact=2))  # type: ignore[misc]
        assert said == ("" if verdict is HitState.CONFIRMED else "outcome-before-check")
        assert refused(lambda desk=desk: desk.claim(take_over=True)) == "hit-checked"  # type: ignore[misc]
        assert refused(lambda desk=desk: desk.decide(HitState.CONFIRMED, seen_fact=2)) == "hit-checked"  # type: ignore[misc]
    assert refused(lambda: Desk((RAISED,), LIN, 0).come_out(Outcome.STOPPED, seen_fact=1)) == "outcome-before-check"
    assert refused(lambda: Desk((RAISED,), LIN, 0).undo(seen_fact=1)) == "nothing-to-undo"
    assert refused(lambda: Desk((RAISED,), LIN, 0).decide(HitState.CHECKING, seen_fact=1)) == "hit-verdict"
    whole = (RAISED, fact(2, "verdict", value="confirmed"), fact(3, "outcome", value="stopped"))
    (first,) = Desk(whole, CHEN, 0).undo(seen_fact=3)
    assert (first.kind, first.value, first.number) == ("undone", "3", 4)
    second = Desk((*whole, first), CHEN, 0).undo(seen_fact=4)
    assert [(one.kind, one.value, one.number) for one in second] == [("undone", "2", 5), ("claimed", "u1", 6)]
