"""A second opinion on a would-be hit: what a different reader saw on the same pictures (第二判讀).

It belongs to a read, not to an entry: two entries that one read may mean share it. It comes after the alarm, travels
by itself and is never written into the read, whose bytes are evidence and whose identity is compared (field case G31).

What follows from it is decided in `docs/decisions/0009-second-opinion.md`: it is shown, in words; it never hides a hit, and
never changes a hit's strength, priority or sound.
"""

from __future__ import annotations

import itertools
import math
from enum import StrEnum

import msgspec

from guardian.domain.plate import ALPHABET, LENGTH_MAX

RAW_CHARS_MAX = 64
"""What a reader saw before any rule may be a whole legend; beyond this it is cut."""


class OpinionVerdict(StrEnum):
    """How a second reader's text stands to the first one's."""

    AGREES = "agrees"  # 一致
    PARTLY = "partly"  # 部分不一致: as many characters, some of them others
    DIFFERS = "differs"  # 不一致: another number
    CANNOT_READ = "cannot_read"  # 無法判讀
    NOT_ASKED = "not_asked"  # 未判讀


class NotAsked(StrEnum):
    """Why a second reader was not asked."""

    NO_READER = "no-reader"  # its weights are not on this machine, or do not load
    SAME_READER = "same-reader"  # the first reader is this very one: its opinion would be no second one
    NO_PICTURE = "no-picture"  # the read kept no crop
    TOO_LATE = "too-late"  # others came first, or the device stopped
    BROKEN = "broken"  # it failed on these pictures


class SecondOpinion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a second reader says of one read.

    `verdict` is an `OpinionVerdict`; one that this program does not know (of a newer device) counts as not asked.
    `text` is the normal form, empty where it could not be read; `char_probs` has one figure for each of its characters.
    `differing` are places (from 0) where both texts, equally long, have another character; empty where they are not.
    `reason` is a `NotAsked` where it was not asked. `crops` is how many pictures were looked at.
    """

    verdict: str
    text: str = ""
    raw_text: str = ""
    char_probs: tuple[float, ...] = ()
    differing: tuple[int, ...] = ()
    reader: str = ""  # e.g. "ppocr"
    reader_version: str = ""  # e.g. "v6-small"
    crops: int = 0
    reason: str = ""

    @property
    def known(self) -> OpinionVerdict:
        """The verdict as this program knows it."""
        known = {str(one): one for one in OpinionVerdict}
        return known.get(self.verdict, OpinionVerdict.NOT_ASKED)

    @property
    def disagrees(self) -> bool:
        """Whether it read another text: what everybody who acts on the hit must have seen."""
        return self.known in (OpinionVerdict.PARTLY, OpinionVerdict.DIFFERS)

    @property
    def confidence_prob(self) -> float:
        """The weakest character decides; 0 where nothing was read."""
        return min(self.char_probs, default=0.0)

    def bears_out(self, entry_text: str) -> bool:
        """Whether it read the entry itself: of a look-alike hit the strongest thing it can say."""
        return bool(self.text) and self.text == entry_text


def not_asked(reason: NotAsked, *, reader: str = "", reader_version: str = "") -> SecondOpinion:
    """That nobody looked, and why."""
    return SecondOpinion(OpinionVerdict.NOT_ASKED, reader=reader, reader_version=reader_version, reason=reason)


def compare(read_text: str, text: str) -> tuple[OpinionVerdict, tuple[int, ...]]:
    """How a second text stands to the first, character by character; and the places (from 0) where they differ.

    Of texts of one length that share at least half of their characters the differing places are named; beyond that, and
    where one has a character more, nobody can say which place means which: the whole is another number.
    """
    if not text:
        return OpinionVerdict.CANNOT_READ, ()
    if text == read_text:
        return OpinionVerdict.AGREES, ()
    if len(text) == len(read_text):
        places = tuple(i for i, (a, b) in enumerate(zip(read_text, text, strict=True)) if a != b)
        if 2 * len(places) <= len(text):
            return OpinionVerdict.PARTLY, places
    return OpinionVerdict.DIFFERS, ()


def opinion_on(
    read_text: str,
    text: str,
    *,
    raw_text: str = "",
    char_probs: tuple[float, ...] = (),
    reader: str,
    reader_version: str,
    crops: int,
) -> SecondOpinion:
    """The opinion that a second reader's text makes on a read."""
    verdict, differing = compare(read_text, text)
    return SecondOpinion(
        verdict,
        text,
        "".join(sign for sign in raw_text if sign.isprintable())[:RAW_CHARS_MAX],
        char_probs if text else (),
        differing,
        reader,
        reader_version,
        crops,
    )


def is_sound(opinion: SecondOpinion) -> bool:
    """Whether an opinion that came over a wire is one: bounded texts of a plate's signs, figures that are probabilities,
    places inside the text. What is not is not kept."""
    texts = (opinion.verdict, opinion.reader, opinion.reader_version, opinion.reason)
    return (
        all(len(text) <= 40 and text.isprintable() for text in texts)
        and len(opinion.raw_text) <= RAW_CHARS_MAX
        and opinion.raw_text.isprintable()
        and len(opinion.text) <= LENGTH_MAX
        and all(sign in ALPHABET for sign in opinion.text)
        and len(opinion.char_probs) in (0, len(opinion.text))
        and all(math.isfinite(p) and 0 <= p <= 1 for p in opinion.char_probs)
        and all(0 <= place < len(opinion.text) for place in opinion.differing)
        and all(a < b for a, b in itertools.pairwise(opinion.differing))
        and 0 <= opinion.crops <= 1000
    )
