"""Many plate texts at once as numbers: the same base-37 packing as `domain.plate.pack_plate`, in numpy.

A text that no plate could have (other signs, longer than WIDTH, empty) gets length 0 and key 0, which matches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from guardian.domain.plate import ALPHABET

Keys = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint8]

WIDTH = 12
"""Characters that fit into 63 bits."""

BASE = 37
POWERS: Keys = np.array([BASE**k for k in range(WIDTH + 1)], dtype=np.uint64)

_BAD = 255
_CODE_OF_BYTE: Codes = np.full(256, _BAD, dtype=np.uint8)
for _place, _sign in enumerate(ALPHABET):
    _CODE_OF_BYTE[ord(_sign)] = _place + 1


def code_texts(texts: Sequence[str]) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Texts as codes 1..36, left-aligned.

    Returns:
        (n, WIDTH) uint8 with 0 after the end, and (n,) lengths, 0 where the text is none.
    """
    count = len(texts)
    if count == 0:
        return np.zeros((0, WIDTH), np.uint8), np.zeros(0, np.int64)
    joined = np.frombuffer(("\n".join(texts) + "\n").encode("ascii", "replace"), dtype=np.uint8)
    ends = np.flatnonzero(joined == 10)
    if len(ends) != count:  # a text with a line end in it: say that it is none, in its own place
        return code_texts(["" if "\n" in text else text for text in texts])
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    lengths = ends - starts
    coded = _CODE_OF_BYTE[joined]
    codes = np.zeros((count, WIDTH), dtype=np.uint8)
    bad = lengths > WIDTH
    last = len(joined) - 1
    for place in range(min(WIDTH, int(lengths.max(initial=0)))):
        column = coded[np.minimum(starts + place, last)]
        column[place >= lengths] = 0
        bad |= column == _BAD
        codes[:, place] = column
    if bad.any():
        codes[bad] = 0
        lengths[bad] = 0
    return codes, lengths


def keys_of_codes(codes: Codes) -> Keys:
    """Pack coded texts: first character most significant, so the number grows with the length."""
    keys = np.zeros(len(codes), dtype=np.uint64)
    base = np.uint64(BASE)
    for place in range(WIDTH):
        column = codes[:, place]
        there = column != 0
        if not there.any():
            break
        if there.all():
            keys = keys * base + column
        else:
            keys[there] = keys[there] * base + column[there]
    return keys


def pack_texts(texts: Sequence[str]) -> Keys:
    """`pack_plate` for many texts; 0 where a text is none."""
    return keys_of_codes(code_texts(texts)[0])
