"""G26: a misread digit is never an exact alarm, and nobody is stopped unchecked."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.errors import ConflictError
from guardian.domain.read import Alternative
from guardian.domain.watch import HitState, MatchStrength, Outcome
from tests.watch.house import open_house

pytestmark = pytest.mark.anyio


async def test_the_doubtful_digit_makes_it_a_look_alike_with_the_place_marked(tmp_path: Path) -> None:
    probs = (0.99, 0.99, 0.99, 0.52, 0.99, 0.99, 0.99)
    alternatives = ((), (), (), (Alternative("7", 0.47),), (), (), ())
    async with open_house(tmp_path) as house:
        await house.enter("BKD-2012", kind="汽車")
        await house.arrive(house.read("BKD2012", char_probs=probs, alternatives=alternatives, confidence_prob=0.52))
        (card,) = await house.hits()
        assert card.strength is MatchStrength.LOOKALIKE
        assert card.doubtful == (3,)
        assert {row.aspect: row.verdict for row in card.looks}["plate"] == "unknown"
        for before in (HitState.WRONG_PLATE, None):
            facts = card.facts
            if before is not None:
                facts = (await house.desk.decide(card.id, house.lin, before, seen_fact=facts)).card.facts
            with pytest.raises(ConflictError) as refused:
                await house.desk.come_out(card.id, house.lin, Outcome.STOPPED, seen_fact=facts)
            assert refused.value.reference == "outcome-before-check"


async def test_the_number_that_the_photo_shows_is_told_as_well(tmp_path: Path) -> None:
    probs = (0.99, 0.99, 0.99, 0.52, 0.99, 0.99, 0.99)
    alternatives = ((), (), (), (Alternative("7", 0.47),), (), (), ())
    async with open_house(tmp_path) as house:
        await house.enter("BKD-7012")
        await house.arrive(house.read("BKD2012", char_probs=probs, alternatives=alternatives))
        (card,) = await house.hits()
        assert (card.strength, card.differing, card.likelihood_prob) == (MatchStrength.LOOKALIKE, (3,), 0.47)
