"""Which plates look like a given one: candidates for a question that also wants near readings.

Two kinds, together under a thousand texts for seven characters: everything one edit away (a character misread, lost,
seen twice, or two swapped), and two places at once by characters that readers mix up. With wildcards each given
character stands for the characters it is mixed up with.
"""

from __future__ import annotations

from itertools import combinations

from guardian.domain.plate import ALPHABET, CONFUSABLE, LENGTH_MAX, PlatePattern


def lookalikes(text: str) -> frozenset[str]:
    """Every candidate for an exact text, itself included."""
    out = {text}
    places = range(len(text))
    for i in places:
        out.update(text[:i] + sign + text[i + 1 :] for sign in ALPHABET)
        out.add(text[:i] + text[i + 1 :])
        if i + 1 < len(text):
            out.add(text[:i] + text[i + 1] + text[i] + text[i + 2 :])
    if len(text) < LENGTH_MAX:
        for i in range(len(text) + 1):
            out.update(text[:i] + sign + text[i:] for sign in ALPHABET)
    for i, j in combinations(places, 2):
        for a in CONFUSABLE[text[i]]:
            for b in CONFUSABLE[text[j]]:
                out.add(text[:i] + a + text[i + 1 : j] + b + text[j + 1 :])
    return frozenset(candidate for candidate in out if len(candidate) >= 2)


def lookalike_classes(pattern: PlatePattern) -> str:
    """A pattern with wildcards as a regular expression in which given characters stand for their look-alikes too."""
    out = []
    for sign in pattern.text:
        if sign == "?":
            out.append(".")
        elif sign == "*":
            out.append(".*")
        else:
            out.append("[" + "".join(sorted({sign, *CONFUSABLE[sign]})) + "]")
    return "^" + "".join(out) + "$"
