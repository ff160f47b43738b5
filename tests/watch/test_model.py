"""Whatever people do to a hit in whatever order, where it stands follows from its facts and the rules hold."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.domain.errors import GuardianError
from guardian.domain.subject import Role, Subject
from guardian.domain.watch import VERDICTS, HitFact, HitState, Outcome
from guardian.watch.model import CLAIM_MS, Desk, derive, lapse

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
