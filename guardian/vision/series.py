"""From what a reader saw to a number that Taiwan issues: the step that knows the series.

It works on probabilities, not on strings: for each shape of number (letters and digits in their places) it takes the
likeliest sign that may stand in each place, and weighs what that cost against what the reader saw, against a dash that
was seen, and against how common the series is. So O becomes 0 where only a digit may stand, and stays away from numbers
that were read well. Nothing is hidden: the raw text stays beside the result, a sign that was put in its place says so
(`fixed`), and text that fits no series gives None, never a guess.

Sources: plate-series facts in `guardian.domain.series`; confusable pairs in `guardian.domain.plate`.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from functools import lru_cache

import msgspec

from guardian.domain.plate import CONFUSABLE
from guardian.domain.read import Alternative
from guardian.domain.series import SERIES, Grade, Series
from guardian.vision.ports import ReadChar, TextRead

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
_LETTERS_SEEN = LETTERS.replace("O", "")
"""The letter O was never seen on a plate (D: 2,866 labelled ones); what looks like it is Q in a letter place, 0 elsewhere."""
_O_MEANS = {"0": 0.6, "Q": 0.9, "D": 0.3}
"""What an O that a reader sees is, since it is never an O: of 59 labelled Q two were read as O or 0, of 119 D none (D)."""
_DASHES = "-一—–－·•・●∙．._~:°'’`ー"
_STROKES = {"丨": "1", "|": "1", "口": "0", "〇": "0", "Ｏ": "O"}
_STROKE_LIKE = "1ILJ7T"
_CONFUSION_SHARE = 0.02
"""Part of a sign's probability that is spread over the signs it is mixed up with: readers are surer than they are right."""
_SURE_MAX, _CALIBRATED_MAX = 0.97, 0.997
"""The most that is said of a sign that was read. Of 1,802 reads of held-out plates, whole and spoilt in nine ways, whose signs
our own reader gave 0.97 and more each, none was wrong."""

# How much a number must be preferred over one of the 2012 series, all else equal. Order of magnitude from the labelled
# pictures (D); the rare ones are also what shop signs and telephone numbers look like.
_PRIOR = {
    "2012-3+4": 1.0,
    "1992-car-4+2": 0.5,
    "1992-car-2+4": 0.5,
    "1992-car-4+2b": 0.2,
    "1992-car-2+4b": 0.2,
    "3+3-letters-first": 0.5,
    "1992-moto-3+3": 0.5,
    "1992-moto-3+3b": 0.08,
    "1992-heavy-3+2": 0.05,
    "1992-heavy-2+3": 0.05,
    "1992-heavy-2+2": 0.01,
    "micro-electric-2+5": 0.02,
    "1980-moto-3+4": 0.005,
}
_PRIOR_UNKNOWN = 0.001
"""A foreign plate."""
RARE = frozenset(series for series, prior in _PRIOR.items() if prior <= 0.05)
"""Series that are seldom seen and easily made from words and telephone numbers."""
_DASH_WRONG = 0.03
"""What it costs a series when the dash was seen elsewhere than it prints it."""
HOLE_PROB = 0.6
"""What a character beside a hole has at most: doubtful, whatever the reader says (it saw only what was not hidden)."""
_FIX_MIN = 0.0004
"""A place whose best allowed sign is less likely than this is not fixed; the shape is given up."""


class SeriesRead(msgspec.Struct, frozen=True):
    """A reading that is a number of a known series.

    `char_probs` and `alternatives` stand for the signs of `text`. `fixed` are the places (from 0) where the text differs
    from what the reader thought likeliest; `hole` is the place before which a character may be missing (field case G05).
    `places` are the characters' middles along the crop, 0 to 1.
    """

    text: str
    raw_text: str
    char_probs: tuple[float, ...]
    alternatives: tuple[tuple[Alternative, ...], ...]
    series: Series
    dash_after: int | None = None
    fixed: tuple[int, ...] = ()
    hole: int | None = None
    places: tuple[float, ...] = ()
    score: float = 0.0

    @property
    def confidence_prob(self) -> float:
        """The weakest character decides."""
        return min(self.char_probs, default=0.0)

    @property
    def evidence(self) -> float:
        """Natural logarithm of what the signs alone say for the number; 0 is certain, the series' frequency left out."""
        return self.score - math.log(_PRIOR.get(self.series.id, 0.05))

    @property
    def dash_agrees(self) -> bool:
        """Whether a dash was seen where the series prints it."""
        return self.dash_after == self.series.dash_after


def fold_sign(sign: str) -> str:
    """One sign of a reader's alphabet as a plate could print it: upper case, half width, any dot or stroke a dash."""
    if len(sign) != 1:
        return sign
    code = ord(sign)
    if 0xFF01 <= code <= 0xFF5E:
        sign = chr(code - 0xFEE0)
    if sign.isascii() and sign.isalnum():
        return sign.upper()
    if sign in _DASHES:
        return "-"
    if sign.isalpha():
        # A scratch or a screw above a letter is read as an accent: Å, Ñ, Ž.
        base = unicodedata.normalize("NFD", sign)[0]
        if base.isascii() and base.isalpha():
            return base.upper()
    return _STROKES.get(sign, sign)


@lru_cache(maxsize=16)
def _shapes(length: int) -> tuple[tuple[Series, tuple[str, ...]], ...]:
    """Every series with a shape of this length, and the signs that may stand in each place."""
    out: list[tuple[Series, tuple[str, ...]]] = []
    for series in SERIES:
        for mask in itertools.product("A1", repeat=length):
            probe = "".join(mask)
            if not series.fits(probe):
                continue
            places: list[str] = []
            for i, kind in enumerate(mask):
                signs = _LETTERS_SEEN if kind == "A" else DIGITS
                places.append("".join(s for s in signs if series.fits(probe[:i] + s + probe[i + 1 :])))
            out.append((series, tuple(places)))
    return tuple(out)


class _Picked(msgspec.Struct, frozen=True):
    """The likeliest of the signs that may stand in a place."""

    sign: str
    log: float  # natural logarithm of what the reader gives it
    prob: float  # how likely it is, knowing the place


class _Sign(msgspec.Struct, frozen=True):
    """One character that counts: what may stand there, and where it stood."""

    best: str
    probs: dict[str, float]
    place: float
    open: float  # probability that the reader gave to nothing named here: it stays a doubt
    seen: dict[str, float]  # the reader's own, nothing spread
    picked: dict[str, _Picked | None] = {}  # by the signs that are allowed, as they were asked for
    others: dict[str, tuple[Alternative, ...]] = {}  # by the sign that was chosen, likewise


def _seen(char: ReadChar, folded: str) -> dict[str, float]:
    """What the reader says of the plate characters at a place."""
    seen: dict[str, float] = {a.sign: a.prob for a in char.alternatives}
    if folded in CONFUSABLE:
        seen[folded] = max(char.prob, 1e-6)
    return seen


def _spread(seen: dict[str, float]) -> dict[str, float]:
    """Probabilities of all plate characters at a place, with a little spread to the signs each is mixed up with."""
    out = {sign: (1 - _CONFUSION_SHARE) * p for sign, p in seen.items()}
    for sign, p in seen.items():
        for other, weight in (_O_MEANS if sign == "O" else CONFUSABLE[sign]).items():
            out[other] = out.get(other, 0.0) + _CONFUSION_SHARE * p * weight
    return out


def _split(read: TextRead) -> tuple[list[_Sign], int | None, int] | None:
    """Characters, the place of the dash, and how many dashes; None for text that no plate has.

    A foreign sign (Chinese, a slash) inside is the mark of a shop sign; at either end up to two are border or bolt.
    """
    chars = [(c, fold_sign(c.sign)) for c in read.chars]

    def foreign(item: tuple[ReadChar, str]) -> bool:
        char, folded = item
        return folded not in CONFUSABLE and folded not in "- " and (char.prob > 0.5 or not char.alternatives)

    dropped = 0
    while chars and (foreign(chars[0]) or chars[0][1] in "- "):
        dropped += foreign(chars[0])
        chars.pop(0)
    while chars and (foreign(chars[-1]) or chars[-1][1] in "- "):
        dropped += foreign(chars[-1])
        chars.pop()
    if dropped > 2 or not chars or any(map(foreign, chars)):
        return None
    signs: list[_Sign] = []
    dashes: set[int] = set()
    spaces: set[int] = set()
    for char, folded in chars:
        if folded == "-":
            dashes.add(len(signs))
        elif folded == " ":
            spaces.add(len(signs))
        else:
            named = char.prob + sum(a.prob for a in char.alternatives)
            seen = _seen(char, folded)
            signs.append(_Sign(folded, _spread(seen), char.place, max(0.0, 1.0 - named), seen))
    where = dashes or spaces
    if len(dashes) > 1 or (not dashes and len(spaces) > 1):
        return None
    return signs, (next(iter(where)) if where else None), len(dashes)


def _hole(signs: list[_Sign], dash_after: int) -> int | None:
    """The place before which the gap is too wide for the pitch of the others: a character may be hidden there."""
    if len(signs) < 5:
        return None
    gaps = [(b.place - a.place, i + 1) for i, (a, b) in enumerate(itertools.pairwise(signs))]
    inner = sorted(gap for gap, i in gaps if i != dash_after)
    pitch = inner[len(inner) // 2]
    if pitch <= 0:
        return None
    for gap, i in gaps:
        allowed = 2.15 if i == dash_after else 1.75
        if gap > allowed * pitch:
            return i
    return None


def _prob_of(sign: _Sign, best: str, allowed: str, *, calibrated: bool) -> float:
    """How likely the chosen sign is: knowing the place, only its signs compete; a little doubt always stays."""
    probs, most = (sign.seen, _CALIBRATED_MAX) if calibrated and best in sign.seen else (sign.probs, _SURE_MAX)
    p = probs.get(best, 0.0)
    mass = sum([probs[s] for s in allowed if s in probs]) + sign.open
    prob = max(min(p, most if calibrated else 0.999), min(most, p / mass) * (1.0 if best == sign.best else 0.9))
    return round(prob, 4)


def _pick(sign: _Sign, allowed: str, *, calibrated: bool) -> _Picked | None:
    """The likeliest sign of those that may stand there; None where it is not likely enough."""
    if allowed not in sign.picked:
        best = max(allowed, key=lambda one: sign.probs.get(one, 0.0))
        p = sign.probs.get(best, 0.0)
        sign.picked[allowed] = (
            _Picked(best, math.log(p), _prob_of(sign, best, allowed, calibrated=calibrated)) if p >= _FIX_MIN else None
        )
    return sign.picked[allowed]


def _others(sign: _Sign, chosen: str) -> tuple[Alternative, ...]:
    """What else may stand there, likeliest first."""
    if chosen not in sign.others:
        likely = sorted([item for item in sign.probs.items() if item[1] >= 0.002], key=lambda item: -item[1])
        sign.others[chosen] = tuple([Alternative(s, round(p, 4)) for s, p in likely if s != chosen][:4])
    return sign.others[chosen]


def _fit(signs: list[_Sign], dash_after: int | None, read: TextRead) -> list[SeriesRead]:
    out: list[SeriesRead] = []
    middles = tuple(round(sign.place, 4) for sign in signs)
    for series, places in _shapes(len(signs)):
        picks: list[_Picked] = []
        for sign, allowed in zip(signs, places, strict=True):
            picked = _pick(sign, allowed, calibrated=read.calibrated)
            if picked is None:
                break
            picks.append(picked)
        else:
            dash_cost = 0.0
            if dash_after is not None and dash_after != series.dash_after:
                dash_cost = math.log(_DASH_WRONG)
            probs = [picked.prob for picked in picks]
            hole = _hole(signs, series.dash_after)
            if hole is not None:
                # Next to a hole the reading itself is in doubt, however sure its signs are.
                for i in (hole - 1, hole):
                    probs[i] = min(probs[i], HOLE_PROB)
            cost = 0.0
            for picked in picks:
                cost += picked.log
            out.append(
                SeriesRead(
                    text="".join([picked.sign for picked in picks]),
                    raw_text=read.raw_text,
                    char_probs=tuple(probs),
                    alternatives=tuple(_others(sign, picked.sign) for sign, picked in zip(signs, picks, strict=True)),
                    series=series,
                    dash_after=dash_after,
                    fixed=tuple(
                        i for i, (sign, picked) in enumerate(zip(signs, picks, strict=True)) if picked.sign != sign.best
                    ),
                    hole=hole,
                    places=middles,
                    score=cost + dash_cost + math.log(_PRIOR.get(series.id, 0.05)),
                )
            )
    return out


UNKNOWN_LENGTHS = range(5, 9)
UNKNOWN_PROB_MIN = 0.9
_AS_LETTERS = str.maketrans("01", "OI")
"""A reader that knows no letter O reads KYMC0: what is a word with these letters is a word."""


_AS_DIGITS = str.maketrans("OQDIZSGB", "00012568")
_TELEPHONE_MIN = 8
"""A telephone number with its area code (05-7845334) has nine digits or more; its first may be read as a letter."""


def unknown_number_of(read: TextRead) -> SeriesRead | None:
    """A line of text as it was read, for a plate that is no number of ours: a foreign one (its series has no name).

    Only for lines that a detector of plates found. Each sign must be sure, or a misread plate would come out as a foreign one;
    letters alone (a nought or a one among them may be one) or digits alone are words and telephone numbers, and what has the
    shape of a part of our own numbers is one of them, half covered.
    """
    split = _split(read)
    if split is None:
        return None
    signs, dash_after, _ = split
    text = "".join(sign.best for sign in signs)
    if len(text) not in UNKNOWN_LENGTHS or text.translate(_AS_LETTERS).isalpha() or text.isdigit():
        return None
    if len(text) >= _TELEPHONE_MIN and text.translate(_AS_DIGITS).isdigit():
        return None
    if any(_shape_of(text) in whole for whole in _whole_shapes()):
        return None
    probs = tuple(round(min(0.999, sign.probs.get(sign.best, 0.0)), 4) for sign in signs)
    if min(probs) < UNKNOWN_PROB_MIN:
        return None
    return SeriesRead(
        text=text,
        raw_text=read.raw_text,
        char_probs=probs,
        alternatives=tuple(() for _ in signs),
        series=unknown_series(dash_after),
        dash_after=dash_after,
        places=tuple(round(sign.place, 4) for sign in signs),
        score=sum(math.log(p) for p in probs) + math.log(_PRIOR_UNKNOWN),
    )


def _shape_of(text: str) -> str:
    return "".join("1" if sign.isdigit() else "A" for sign in text)


@lru_cache(maxsize=1)
def _whole_shapes() -> frozenset[str]:
    """Shapes of the common series' numbers."""
    return frozenset(
        "".join(_shape_of(signs[0]) for signs in places)
        for length in range(5, 8)
        for series, places in _shapes(length)
        if series.id not in RARE
    )


@lru_cache(maxsize=16)
def unknown_series(dash_after: int | None) -> Series:
    """The series of numbers that fit none: no name, no vehicle, the dash where it was seen."""
    return Series("", "[A-Z0-9]+", dash_after or 0, (), "", "", Grade.DATA, "")


def number_of(read: TextRead) -> SeriesRead | None:
    """The likeliest number of a known series in one line of text, or None where there is none."""
    split = _split(read)
    if split is None:
        return None
    signs, dash_after, _ = split
    if not 4 <= len(signs) <= 9:
        return None
    found = _fit(signs, dash_after, read)
    # A border or a bolt at either end is read as a stroke (1, I, L, J, 7, T) or as something unsure.
    for front, back in ((1, 0), (0, 1), (1, 1)):
        if len(signs) - front - back < 5:
            continue
        ends = signs[:front] + signs[len(signs) - back :] if back else signs[:front]
        if not all(e.best in _STROKE_LIKE or e.probs.get(e.best, 0) < 0.6 for e in ends):
            continue
        kept = signs[front : len(signs) - back]
        dash = dash_after - front if dash_after is not None else None
        toll = sum(math.log(0.004 + (1 - min(1.0, e.probs.get(e.best, 0.0)))) for e in ends)
        for fit in _fit(kept, dash, read):
            probs = list(fit.char_probs)
            # What was cut off and is no stroke may have been a character: its neighbour bears the doubt.
            if front and signs[0].best not in _STROKE_LIKE:
                probs[0] = min(probs[0], HOLE_PROB)
            if back and signs[-1].best not in _STROKE_LIKE:
                probs[-1] = min(probs[-1], HOLE_PROB)
            found.append(msgspec.structs.replace(fit, score=fit.score + toll, char_probs=tuple(probs)))
    return max(found, key=lambda f: f.score, default=None)
