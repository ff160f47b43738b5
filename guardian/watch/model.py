"""Where a hit stands follows from its facts and the time, and from nothing else.

Rules kept here:
1. facts are appended, never changed; taking back is a fact too (`undone`, whose value is the number taken back);
2. a claim lapses CLAIM_MS after the checker's last sign; somebody else may take it over and is named for it;
3. one verdict is in force at a time; another needs the first undone;
4. an outcome needs `confirmed` in force, and goes before it when things are undone;
5. whoever decides says which fact they saw last: a deed on a hit that has moved on is refused.
Each deed gives the facts to append, or raises.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from guardian.domain.errors import ConflictError, InputRefusedError
from guardian.domain.opinion import OpinionVerdict
from guardian.domain.subject import Subject
from guardian.domain.watch import VERDICTS, HitFact, HitState, Outcome

CLAIM_MS = 90_000
NOTE_CHARS_MAX = 1_000

_SEEN_ANYWAY = frozenset({"note", "device_answer"})
"""Facts that change nothing for a checker: a deed need not have seen them."""
_DISAGREEING = frozenset({OpinionVerdict.PARTLY.value, OpinionVerdict.DIFFERS.value})


def _must_be_seen(fact: HitFact) -> bool:
    """Whether a deed must have seen a fact: a second reader's other text, but not that it agrees or could say nothing."""
    if fact.kind == "second_opinion":
        return fact.value in _DISAGREEING
    return fact.kind not in _SEEN_ANYWAY


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a hit stands at a moment."""

    state: HitState
    checker: str = ""  # who checks it now, or who decided
    checker_id: str = ""
    claimed_ms: int | None = None
    outcome: Outcome | None = None
    decided_ms: int | None = None
    entry_removed_ms: int | None = None
    newest: int = 0  # number of the newest fact

    @property
    def is_open(self) -> bool:
        """Whether it is work: not decided, and its entry still on the list."""
        return self.state in (HitState.NEW, HitState.CHECKING) and self.entry_removed_ms is None


def _effective(facts: Sequence[HitFact]) -> list[HitFact]:
    """Facts in order, without those that were taken back."""
    undone = {int(fact.value) for fact in facts if fact.kind == "undone"}
    return [fact for fact in facts if fact.number not in undone]


def _claim_of(facts: Sequence[HitFact], now_ms: int, kept_ms: int) -> HitFact | None:
    """The claim in force."""
    claim: HitFact | None = None
    for fact in facts:
        if fact.kind == "claimed":
            claim = fact
        elif fact.kind in ("released", "verdict"):
            claim = None
    if claim is not None and now_ms - max(claim.at_ms, kept_ms) >= CLAIM_MS:
        return None
    return claim


def derive(facts: Sequence[HitFact], *, now_ms: int, kept_ms: int = 0) -> Standing:
    """Where a hit stands.

    Args:
        facts: in order of their numbers.
        kept_ms: the last sign of the one who holds the claim; 0 where there was none.
    """
    newest = facts[-1].number if facts else 0
    effective = _effective(facts)
    removed = next((fact.at_ms for fact in effective if fact.kind == "entry_removed"), None)
    verdict = next((fact for fact in reversed(effective) if fact.kind == "verdict"), None)
    if verdict is not None:
        outcome = next((fact for fact in reversed(effective) if fact.kind == "outcome"), None)
        return Standing(
            state=HitState(verdict.value), checker=verdict.author, decided_ms=verdict.at_ms,
            outcome=None if outcome is None else Outcome(outcome.value), entry_removed_ms=removed, newest=newest,
        )  # fmt: skip
    claim = _claim_of(facts, now_ms, kept_ms)
    if claim is not None:
        return Standing(
            state=HitState.CHECKING, checker=claim.author, checker_id=claim.value, claimed_ms=claim.at_ms,
            entry_removed_ms=removed, newest=newest,
        )  # fmt: skip
    return Standing(state=HitState.NEW, entry_removed_ms=removed, newest=newest)


def lapse(standing: Standing, *, now_ms: int, kept_ms: int) -> Standing:
    """`standing`, derived as if no claim ever lapsed, as it is at `now_ms`."""
    if standing.state is not HitState.CHECKING or now_ms - max(standing.claimed_ms or 0, kept_ms) < CLAIM_MS:
        return standing
    return Standing(state=HitState.NEW, entry_removed_ms=standing.entry_removed_ms, newest=standing.newest)


class Desk(msgspec.Struct, frozen=True):
    """One hit in front of one person at one moment: what they may do with it."""

    facts: tuple[HitFact, ...]
    subject: Subject
    now_ms: int
    kept_ms: int = 0

    @property
    def standing(self) -> Standing:
        """Where the hit stands now."""
        return derive(self.facts, now_ms=self.now_ms, kept_ms=self.kept_ms)

    def _fact(self, kind: str, value: str = "", note: str = "", *, after: int = 0) -> HitFact:
        first = self.facts[-1]
        number = max(first.number, after) + 1
        return HitFact(first.hit_id, number, kind, self.subject.name, self.now_ms, value, note.strip()[:NOTE_CHARS_MAX])

    def _refuse_unseen(self, seen_fact: int) -> None:
        newest = max((fact.number for fact in self.facts if _must_be_seen(fact)), default=0)
        if seen_fact < newest:
            last = self.facts[-1]
            raise ConflictError(
                f"The hit has moved on: {last.author} ({last.kind}). Nothing was changed.",
                hint="Look at it again.",
                reference="hit-moved-on",
            )

    def _refuse_others_claim(self, standing: Standing) -> None:
        if standing.state is HitState.CHECKING and standing.checker_id != self.subject.id:
            raise ConflictError(
                f"{standing.checker} is checking this hit.", hint="Take it over first.", reference="hit-claimed"
            )

    def claim(self, *, take_over: bool) -> tuple[HitFact, ...]:
        """Say that I check it. Again by the same person: no new fact.

        Raises:
            ConflictError: decided already, or somebody else checks it and `take_over` is not meant.
        """
        standing = self.standing
        if standing.state in VERDICTS:
            raise ConflictError(
                f"{standing.checker} has decided this hit already.", hint="Undo that first.", reference="hit-checked"
            )
        if standing.state is HitState.CHECKING and standing.checker_id == self.subject.id:
            return ()
        if not take_over:
            self._refuse_others_claim(standing)
        return (self._fact("claimed", self.subject.id),)

    def release(self) -> tuple[HitFact, ...]:
        """Let it go; nothing where it is not mine."""
        standing = self.standing
        if standing.state is HitState.CHECKING and standing.checker_id == self.subject.id:
            return (self._fact("released"),)
        return ()

    def decide(self, verdict: HitState, *, seen_fact: int, note: str = "") -> tuple[HitFact, ...]:
        """The verdict.

        Raises:
            InputRefusedError: not one of the four.
            ConflictError: moved on, decided already, or somebody else checks it.
        """
        if verdict not in VERDICTS:
            raise InputRefusedError(f"'{verdict}' is no verdict.", reference="hit-verdict")
        standing = self.standing
        if standing.state in VERDICTS:
            raise ConflictError(
                f"{standing.checker} has decided this hit already.", hint="Undo that first.", reference="hit-checked"
            )
        self._refuse_others_claim(standing)
        self._refuse_unseen(seen_fact)
        return (self._fact("verdict", verdict.value, note),)

    def undo(self, *, seen_fact: int) -> tuple[HitFact, ...]:
        """Take back the newest outcome, or where there is none the verdict; the hit is then mine to check again.

        Raises:
            ConflictError: moved on, or nothing to take back.
        """
        self._refuse_unseen(seen_fact)
        effective = _effective(self.facts)
        last = next((fact for fact in reversed(effective) if fact.kind in ("verdict", "outcome")), None)
        if last is None:
            raise ConflictError("There is nothing to take back.", reference="nothing-to-undo")
        undone = self._fact("undone", str(last.number))
        if last.kind == "outcome":
            return (undone,)
        return (undone, self._fact("claimed", self.subject.id, after=undone.number))

    def come_out(self, outcome: Outcome, *, seen_fact: int, note: str = "") -> tuple[HitFact, ...]:
        """What came of a confirmed hit.

        Raises:
            ConflictError: not confirmed (`outcome-before-check`), or moved on.
        """
        if self.standing.state is not HitState.CONFIRMED:
            raise ConflictError(
                "No outcome is recorded before a person has confirmed the hit.",
                hint="Check it first.",
                reference="outcome-before-check",
            )
        self._refuse_unseen(seen_fact)
        return (self._fact("outcome", outcome.value, note),)
