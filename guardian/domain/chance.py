"""How likely a hit is true: the vehicle that was seen does carry the listed number (P13).

Three things decide it, and each is measured or counted, none assumed where it need not be:
1. *what was read*: the chance that this text stands there, were every vehicle as common as any other. For the text as read it is
   the product of its characters' probabilities, set right by how often such texts were right (`confusion.json`); for a look-alike
   it is what the matcher made of the pair of characters, and never more than for the text as read, which the reader held likelier;
2. *the base rate*: a listed vehicle comes by far more rarely than another one. At 2 % misreads, 0.2 % of numbers listed and 16 true
   finds in 1.44 million reads (features.md) it is 180 times rarer, and an exact hit on a text that is right 49 times of 50 is
   true only in two of ten cases. Once a house has checked hits, its own checks take the place of that plan;
3. *the second opinion*, where there is one: how often a different reader says the same of texts that are right, and of wrong ones.

The rule is Bayes': odds = rarity x p / (1 - p) x what the second reader's word is worth. It never says 0 or 1.
Whether the hit is shown, how strongly and with what sound does not hang on it (docs/decisions/0009 and 0013).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from guardian.domain.confused import MEASURED, SURE_EDGES, Measured
from guardian.domain.opinion import OpinionVerdict, SecondOpinion
from guardian.domain.watch import MatchStrength

READS_A_DAY, FINDS_A_DAY, LISTED_SHARE = 1_440_000, 16, 0.002
"""The plan's figures (features.md, "The base rate decides the design"); Grade D."""
RARITY = FINDS_A_DAY / (READS_A_DAY * LISTED_SHARE)
"""How often a listed vehicle comes by for once that another one does, before anything was checked."""

_PROB_MIN, _PROB_MAX = 0.001, 0.999
_RARITY_MIN, _RARITY_MAX = 1e-5, 1e4
_PLANNED_CHECKS = 2.0
"""How many checks the plan is worth beside those that were made."""
_EVIDENCE_MAX = 20.0
"""A second reader's word counts at most this much, however many it agreed with: both may err for the same reason."""


class Checked(msgspec.Struct, frozen=True):
    """Hits of one likelihood that people decided, and how many of them they confirmed."""

    likelihood_prob: float
    decided: int
    confirmed: int


def chance_of(
    strength: MatchStrength,
    likelihood_prob: float,
    *,
    rarity: float = RARITY,
    opinion: SecondOpinion | None = None,
    entry_text: str = "",
    text_prob: float | None = None,
) -> float:
    """The chance that a hit is true, above 0 and below 1.

    Args:
        strength, likelihood_prob: as the matcher told them.
        rarity: of listed vehicles, `RARITY` or `rarity_from` checks.
        opinion: on the read; with it `entry_text`, the number on the list.
        text_prob: product of the read's character probabilities, where the hit is a look-alike; bounds it.
    """
    p = truth_prob(strength, likelihood_prob, text_prob)
    odds = rarity * p / (1 - p)
    if opinion is not None:
        odds *= evidence_of(strength, opinion, entry_text)
    return min(_PROB_MAX, max(_PROB_MIN, odds / (1 + odds)))


def truth_prob(strength: MatchStrength, likelihood_prob: float, text_prob: float | None = None) -> float:
    """The chance that the entry's text stands there, were all vehicles equally common."""
    if strength is MatchStrength.EXACT:
        return right_prob(likelihood_prob)
    p = likelihood_prob if likelihood_prob == likelihood_prob else 0.0
    if text_prob is not None:
        p = min(p, right_prob(text_prob))
    return min(_PROB_MAX, max(_PROB_MIN, p))


def right_prob(text_prob: float) -> float:
    """How often a text was right to which the reader gave this probability (product of its characters'): the measured share
    of the bins of SURE_EDGES, joined by straight lines, made to rise where few counts let it fall."""
    p = min(1.0, max(0.0, text_prob)) if text_prob == text_prob else 0.0
    points = _curve()
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if p < x1:
            return y0 + (y1 - y0) * (p - x0) / (x1 - x0)
    return points[-1][1]


@lru_cache(maxsize=1)
def _curve() -> tuple[tuple[float, float], ...]:
    return calibration_of(MEASURED)


def calibration_of(measured: Measured) -> tuple[tuple[float, float], ...]:
    """Points (probability given, share right), rising; a straight line from 0 to 1 where nothing was measured.

    A bin that was measured counts as two texts more, right as often as its middle says. Beyond the last such bin nobody is
    believed to be surer: our own reader never says more, and a device that gives no figures counts as sure of everything.
    Rising by pooling neighbours that fall (Ayer et al., An Empirical Distribution Function for Sampling with Incomplete
    Information, 1955).
    """
    pools: list[tuple[float, float, list[float]]] = []  # right, all, middles
    for k, (low, high) in enumerate(itertools.pairwise((*SURE_EDGES, 1.0))):
        right = sum(group.told.text_sure.right[k] for group in measured.groups)
        wrong = sum(group.told.text_sure.wrong[k] for group in measured.groups)
        if not right + wrong:
            continue
        middle = (low + high) / 2
        pools.append((right + 2 * middle, right + wrong + 2.0, [middle]))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            b = pools.pop()
            a = pools.pop()
            pools.append((a[0] + b[0], a[1] + b[1], a[2] + b[2]))
    points = [(middle, right / count) for right, count, of_pool in pools for middle in of_pool] or [(1.0, 1.0)]
    points = [(0.0, 0.0), *points, (1.0, points[-1][1])]
    return tuple((x, min(_PROB_MAX, max(_PROB_MIN, y))) for x, y in points)


def evidence_of(strength: MatchStrength, opinion: SecondOpinion, entry_text: str) -> float:
    """By how much a second opinion makes a hit likelier (above 1) or less likely (below 1).

    Of an exact hit that is true, the first text is right; of a false one it is wrong. Of a look-alike it is the other way round. Who
    was not asked or could not read says nothing. To have read the entry never counts against a hit, to have read something
    else never for it.
    """
    if opinion.known in (OpinionVerdict.NOT_ASKED, OpinionVerdict.CANNOT_READ):
        return 1.0
    for_entry = opinion.bears_out(entry_text)
    same = opinion.known is OpinionVerdict.AGREES
    if strength is MatchStrength.EXACT:
        true, false, word = "right", "wrong", "same" if for_entry else "other"
    else:
        true, false, word = "wrong", "right", "entry" if for_entry else "same" if same else "other"
    # Who read the entry gave one verdict: of right texts only as many as got the same can have been read as this entry.
    verdict = str(opinion.known) if for_entry and word == "entry" else ""
    ratio = _said(true, word, verdict) / _said(false, word, verdict)
    ratio = max(1.0, ratio) if for_entry else min(1.0, ratio)
    return min(_EVIDENCE_MAX, max(1 / _EVIDENCE_MAX, ratio))


def _said(sort: str, word: str, verdict: str = "") -> float:
    """How often a second reader says this of texts that are right or wrong, with this verdict where one is named; one of each more
    than was counted."""
    counts = MEASURED.opinions.get(sort, {})
    words: dict[str, tuple[str, ...]] = {
        "same": ("agrees",),
        # Of a wrong text: what truly stands there, whatever the verdict (not counted apart yet, so a little too much). Of a right one: anything as far off, which is more than the one entry.
        "entry": ("truth",) if sort == "wrong" else (verdict,),
        "other": ("partly", "differs", "truth") if sort == "wrong" else ("partly", "differs"),
    }
    return (sum(counts.get(name, 0) for name in words[word]) + 1) / (sum(counts.values()) + 4)


def rarity_from(checks: Iterable[Checked], strength: MatchStrength) -> float:
    """The rarity under which as many of the hits that people decided would be true as they confirmed.

    The plan counts as two checks of the same hits, so that nothing checked gives the plan, and all confirmed is not certain.
    """
    known: Sequence[tuple[float, int, int]] = [
        (_log_odds(truth_prob(strength, check.likelihood_prob)), check.decided, check.confirmed)
        for check in checks
        if check.decided > 0
    ]
    decided = sum(count for _, count, _ in known)
    if not decided:
        return RARITY
    share = _PLANNED_CHECKS / decided
    planned = math.log(RARITY)
    wanted = sum(confirmed + share * count * _logistic(planned + x) for x, count, confirmed in known)
    low, high = math.log(_RARITY_MIN), math.log(_RARITY_MAX)
    for _ in range(60):
        middle = (low + high) / 2
        if sum(count * (1 + share) * _logistic(middle + x) for x, count, _ in known) < wanted:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)


def _log_odds(p: float) -> float:
    return math.log(p / (1 - p))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def tenths_of(chance: float) -> int:
    """The chance as "in ten about so many"; never 0 and never 10, since nobody is that sure."""
    return min(9, max(1, round(10 * chance)))


def words_of(chance: float) -> tuple[str, str]:
    """The chance as a frequency, which is understood where 0.9 is not: zh-TW and English (console.md, hit card)."""
    tenths = tenths_of(chance)
    if chance > 0.95:
        return "10 次逾 9 次為真", "true in more than 9 of 10"
    if chance < 0.05:
        return "10 次不到 1 次為真", "true in less than 1 of 10"
    return f"10 次約 {tenths} 次為真", f"true in about {tenths} of 10"
