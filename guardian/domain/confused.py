"""Which characters our reader mixes up, as it was measured: the table behind look-alikes and behind the chance of truth.

`confusion.json` beside this file is written by `python -m train.confusion`, which asks the shipped reader about plates whose
number is known, and counts. It is read once, when this module is loaded. Three rules:
1. the table answers what a matcher asks: *this was read, and wrongly; what stands there?* So `CONFUSABLE[read][true]` is the
   share of the characters wrongly read as `read` that are `true`. It is not symmetric: the reader takes a faint Q for a 0
   more often than a 0 for a Q, and plates have more of one than of the other;
2. which pairs there are is symmetric: what may be mistaken one way is worth a look the other way too (two entries that
   differ by such a pair are twins whichever was entered first);
3. few counts say little, so a guess from before the measurement weighs as much as `PRIOR_WEIGHT` misreadings of each
   character (Dirichlet), and a pair of the guess is never dropped.

Why a data file and why these rules: docs/decisions/0013-confusion-measured.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FILE = Path(__file__).with_name("confusion.json")
KIND, VERSION = "guardian-reader-confusion", 1

PRIOR_WEIGHT = 10.0
"""How many misreadings of one character the guesses below are worth. A choice: with as many counted, both say half."""
UNGUESSED = 0.05
"""What the guesses leave at least to pairs that nobody thought of."""
SHARE_MIN, COUNT_MIN = 0.10, 5
"""A pair that nobody guessed becomes one when it makes up this share of a character's misreadings, one way or the other, and was
counted so many times both ways together: once may be dirt. With a share of 0.10 a look-alike is likely enough to be told (0.02)
only where the character is wrong one time in five; and each pair costs the matcher and the archive's searches time."""
SLIPS_MAX = 2
"""A look-alike differs in one or two characters. Texts that are wrong in more, mostly of plates that nobody could read, are kept out of
the table: what they show is what the reader says when it sees nothing."""

SURE_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Lower edges of the bins in which the file counts how sure the reader was; the last one ends at 1."""

# Grade D: the order comes from slips seen on labelled crops (plate-series, "Size and look"), the figures are a guess.
GUESSED: tuple[tuple[str, float], ...] = (
    ("0OQD", 0.60), ("8B", 0.45), ("5S", 0.40), ("2Z", 0.40), ("1I", 0.45), ("1L", 0.25), ("17", 0.25), ("IL", 0.30),
    ("MN", 0.35), ("MW", 0.30), ("MH", 0.25), ("NH", 0.25), ("WH", 0.20), ("VY", 0.35), ("6G", 0.35), ("CG", 0.30),
    ("UV", 0.25), ("38", 0.25), ("68", 0.30), ("08", 0.20), ("69", 0.10), ("56", 0.20), ("98", 0.20), ("90", 0.12),
    ("EF", 0.30), ("PR", 0.25), ("PF", 0.20), ("KX", 0.25), ("KR", 0.15), ("TY", 0.20), ("T7", 0.20), ("27", 0.20),
    ("3B", 0.20), ("35", 0.12), ("BR", 0.15), ("JU", 0.20), ("UD", 0.15), ("4A", 0.25), ("UO", 0.15), ("XY", 0.15),
)  # fmt: skip

Counts = Mapping[str, Mapping[str, int]]
"""How often a true sign was read as another: `counts[true][read]`."""
Shares = dict[str, dict[str, float]]


class Edits(msgspec.Struct, frozen=True):
    """Characters lost or gained, over so many texts as they were read, with so many characters and so many places where a
    character stands beside its like. `doubled`: beside its like; `edge`: first or last; `inside`: all else."""

    texts: int = 0
    signs: int = 0
    twins: int = 0
    lost_edge: int = 0
    lost_inside: int = 0
    lost_doubled: int = 0
    gained_edge: int = 0
    gained_inside: int = 0
    gained_doubled: int = 0


class Sure(msgspec.Struct, frozen=True):
    """How often the probability that was given fell into each of SURE_EDGES' bins, of what was right and what was wrong."""

    right: tuple[int, ...]
    wrong: tuple[int, ...]


class Stage(msgspec.Struct, frozen=True):
    """Texts against the truth: `seen` as the reader itself saw them, `told` as the rules of the series made them.

    `signs[true][read]` is how often a true sign was read as another or as itself; `slips` the wrong ones of these, of texts
    with at most SLIPS_MAX characters misread, lost or gained. `edits` has a key `fitting` (texts that fit a series) and a key `odd`. `sign_sure` is of characters that stand for
    one of the truth, `text_sure` of whole texts by the product of their characters' probabilities.
    """

    signs: dict[str, dict[str, int]]
    slips: dict[str, dict[str, int]]
    edits: dict[str, Edits]
    sign_sure: Sure
    text_sure: Sure


class Group(msgspec.Struct, frozen=True):
    """One kind of picture: `source` rendered or real; `light` day, dark, infrared or not said; `issue` new (2012), old (1992)
    or other. `far` were read so badly that nothing can be laid under the truth (less than half of its characters); `untold`
    are those of the others that the product would not tell."""

    source: str
    light: str
    issue: str
    plates: int
    far: int
    untold: int
    right: int  # told, and the whole text right
    seen: Stage
    told: Stage


class Measured(msgspec.Struct, frozen=True):
    """The file as a whole. `opinions`: what a second reader said of told texts that were `right` and that were `wrong`."""

    kind: str
    v: int
    reader_sha256: str
    reader_version: str
    measured: str
    command: str
    seed: int
    plates: int
    groups: tuple[Group, ...]
    opinions: dict[str, dict[str, int]] = {}
    opinion_reader: str = ""


def load(path: Path = FILE) -> Measured:
    """Read a file that `python -m train.confusion` wrote.

    Raises:
        msgspec.MsgspecError, OSError: it is not there or not such a file. A package without it is broken, like one
            without a module.
    """
    return msgspec.json.decode(path.read_bytes(), type=Measured)


def counts_of(measured: Measured) -> dict[str, dict[str, int]]:
    """The slips over all groups, `counts[true][read]`, as the reader itself saw them: rules that use this must not feed it."""
    out: dict[str, dict[str, int]] = {}
    for group in measured.groups:
        for true, reads in group.seen.slips.items():
            row = out.setdefault(true, {})
            for read, count in reads.items():
                row[read] = row.get(read, 0) + count
    return out


def guessed_shares() -> Shares:
    """The guesses as shares of a character's misreadings: where they leave less than UNGUESSED they are scaled down."""
    rows: Shares = {sign: {} for sign in SIGNS}
    for group, weight in GUESSED:
        for a in group:
            for b in group:
                if a != b:
                    rows[a][b] = max(weight, rows[a].get(b, 0.0))
    for row in rows.values():
        scale = min(1.0, (1 - UNGUESSED) / max(1e-9, sum(row.values())))
        for b in row:
            row[b] *= scale
    return rows


def confusable_of(counts: Counts, *, prior_weight: float = PRIOR_WEIGHT, share_min: float = SHARE_MIN) -> Shares:
    """`shares[read][true]`: of what was wrongly read as `read`, the part that is `true`; likeliest first.

    The mean of a Dirichlet distribution: (misreadings counted + weight x guess) / (all misreadings + weight); what the guess
    leaves open is any other character's, all alike. A row adds up to less than 1 by the pairs that are left out.
    """
    guessed = guessed_shares()
    shares: Shares = {}
    for read in SIGNS:
        others = [true for true in SIGNS if true != read]
        wrong = {true: counts.get(true, {}).get(read, 0) for true in others}
        whole = sum(wrong.values()) + prior_weight
        each = (1 - sum(guessed[read].values())) / (len(others) - len(guessed[read]))
        shares[read] = {
            true: (count + prior_weight * guessed[read].get(true, each)) / whole for true, count in wrong.items()
        }

    def kept(a: str, b: str) -> bool:
        often = counts.get(a, {}).get(b, 0) + counts.get(b, {}).get(a, 0) >= COUNT_MIN
        return b in guessed[a] or (often and max(shares[a][b], shares[b][a]) >= share_min)

    return {
        read: {
            true: round(share, 4)
            for true, share in sorted(row.items(), key=lambda pair: (-pair[1], pair[0]))
            if kept(read, true)
        }
        for read, row in shares.items()
    }


MEASURED = load()
CONFUSABLE: Shares = confusable_of(counts_of(MEASURED))
