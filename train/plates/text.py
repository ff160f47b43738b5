"""Numbers for plates: what a style may carry, with every character well represented in every place.

Frequencies follow the road where that matters (first letters of a class, no I or O and no 4 in the 2012 series, I rare in
old ones) and are level elsewhere. Characters that readers mix up are drawn somewhat more often.
"""

from __future__ import annotations

import numpy as np

from guardian.domain.series import SERIES, Series
from train.plates.styles import STYLES

_NEW_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_NEW_DIGITS = "012356789"
_OLD_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ" * 6 + "III"
_HARD = "MWNQDGBSZKXVYU"
_FIRST = {
    "private-car": ("AB", 0.85, "ABCDXYZ"),
    "motorcycle": ("MN", 0.9, "MNPQ"),
    "electric": ("E", 0.97, "ER"),
    "accessible": ("W", 1.0, "W"),
    "taxi": ("T", 1.0, "T"),
    "taxi-3+3": ("T", 1.0, "T"),
    "rental": ("R", 1.0, "R"),
    "heavy": ("KFPHJ", 0.9, "KFPHJLV"),
    "heavy-3+3": ("KFPHJ", 0.9, "KFPHJLV"),
    "large": ("L", 1.0, "L"),
    "light": ("Q", 0.7, _NEW_LETTERS),
}
"""First letters by class: the usual ones, how often, and what else."""


def _any(rng: np.random.Generator, signs: str) -> str:
    return signs[int(rng.integers(len(signs)))]


def _letter(rng: np.random.Generator, new: bool) -> str:
    if rng.random() < 0.2:
        return _any(rng, _HARD)
    return _any(rng, _NEW_LETTERS if new else _OLD_LETTERS)


def draw_layout(rng: np.random.Generator, style: str) -> str:
    """A number that the style may carry, as printed, with its dash."""
    forms = STYLES[style].forms
    weights = np.array([w for _, w in forms])
    form = forms[int(rng.choice(len(forms), p=weights / weights.sum()))][0] if len(forms) > 1 else forms[0][0]
    if form == "micro":
        return "".join(_letter(rng, True) for _ in range(2)) + "-" + "".join(_any(rng, _NEW_DIGITS) for _ in range(5))
    if form in _FIRST:
        usual, share, rest = _FIRST[form]
        # A tenth has any first letter, so that the reader looks at it and does not guess it from the colour.
        first = _any(rng, _NEW_LETTERS if rng.random() < 0.1 else usual if rng.random() < share else rest)
        letters = first + _letter(rng, True) + _letter(rng, True)
        return letters + "-" + "".join(_any(rng, _NEW_DIGITS) for _ in range(3 if form.endswith("3+3") else 4))
    among = next((part for part in form.split("-") if "L" in part and "D" in part), "")
    # A digit among letters is what readers take for one: XN6-053 is read XNG-053.
    alike = form.index(among) + among.index("D") if among and rng.random() < 0.5 else -1
    return "".join(
        _letter(rng, False) if c == "L" else _any(rng, "0568" if i == alike else "0123456789") if c == "D" else c
        for i, c in enumerate(form)
    )


def series_for(layout: str) -> Series:
    """The likeliest series that prints this layout.

    Raises:
        ValueError: no series prints it.
    """
    text, dash = layout.replace("-", ""), layout.find("-")
    for series in SERIES:
        if series.fits(text) and series.dash_after == dash:
            return series
    # 2+2 in the table has its dash after two whatever comes first; a text without dash takes the first that fits.
    for series in SERIES:
        if series.fits(text):
            return series
    raise ValueError(f"no series prints {layout}")


def _shape(text: str) -> str:
    return "".join("D" if c.isdigit() else "L" for c in text)


def dash_on(style: str, text: str) -> int | None:
    """After how many characters a style prints the dash of a number in normal form; None where it never carries it."""
    shape = _shape(text)
    for form, _ in STYLES[style].forms:
        if form in _NAMED:
            printed = _NAMED[form]
        elif form in _FIRST:
            if text[0] not in _FIRST[form][0] + _FIRST[form][2]:
                continue
            printed = "LLL-DDD" if form.endswith("3+3") else "LLL-DDDD"
        else:
            printed = form
        if printed.replace("-", "") == shape:
            return printed.index("-")
    return None


_NAMED = {"micro": "LL-DDDDD"}
