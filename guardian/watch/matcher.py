"""Which entries of the list a read may mean, and how strongly: the same code on the device and in the cloud.

Rules kept here:
1. two strengths that are never mixed (P10): `exact` is the same text with no doubtful character under it; all else is
   `lookalike`, also the same text where a character is below DOUBTFUL_PROB (field cases G05, G26);
2. a look-alike needs a reason: a character that the reader itself held possible, a pair that readers mix up *and* some
   doubt at that place, a doubled character read once (or the other way round), or a text that fits no series. A read
   that is sure of all its characters has no look-alikes: with a list of a million entries one read in five would
   otherwise have one by chance (features.md, "The base rate decides the design"). Which pairs, and how often a character
   that was read is truly the other one, was measured (`guardian.domain.confused`, docs/decisions/0013);
3. an entry counts to its last millisecond, by the time of capture (G23);
4. entries are never multiplied: twins are made from the read, not kept in the list (G24).

How: texts are packed into 64-bit numbers; a list is one sorted array of them, with a bit table before it that turns
away nearly everything that is not listed. Twins of a whole batch are made by arithmetic on the numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from guardian.domain.plate import ALPHABET, CONFUSABLE, unpack_plate
from guardian.domain.read import DOUBTFUL_PROB, Alternative, Read
from guardian.domain.series import SERIES
from guardian.domain.watch import Match, MatchStrength, WatchEntry
from guardian.watch.packing import BASE, POWERS, WIDTH, Codes, Keys, code_texts, keys_of_codes, pack_texts

LIKELIHOOD_MIN = 0.02
"""Look-alikes below this are not told: the share of misread plates in the field (features.md), so that a look-alike is
never less likely than an ordinary misreading."""

MATCHES_MAX = 8
"""Entries told of one read; the least likely are left out."""

# Grade D. The first two speak of readers that are not ours. The others matter for texts that fit no series, and our own reader
# tells such a text only of a plate whose series is not known; what it saw in that state, mostly of plates that nobody could read, is
# counted in `guardian/domain/confusion.json` (`edits`) and set beside these guesses in docs/decisions/0013.
_UNKNOWN_PROB = 0.90  # a character whose reader gave no figure
_WRONG_PROB_MIN = 0.01  # a reader is never surer than this
_TWIN_PROB = 0.10  # a doubled character read once, or one read twice
_EDGE_PROB = 0.03  # a first or last character lost, or something at the edge taken for one
_INNER_PROB = 0.02  # the same inside
_FITTING = 0.15  # a text that fits a series has rarely lost or gained a character

_NEVER_MS = np.iinfo(np.int64).max

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_CONFUSED_MAX = max(len(pairs) for pairs in CONFUSABLE.values())
_CONFUSED_CODE = np.zeros((len(ALPHABET) + 1, _CONFUSED_MAX), dtype=np.int64)
_CONFUSED_WEIGHT = np.zeros((len(ALPHABET) + 1, _CONFUSED_MAX), dtype=np.float32)
for _sign, _pairs in CONFUSABLE.items():
    for _rank, (_other, _weight) in enumerate(sorted(_pairs.items(), key=lambda pair: -pair[1])):
        _CONFUSED_CODE[ALPHABET.index(_sign) + 1, _rank] = ALPHABET.index(_other) + 1
        _CONFUSED_WEIGHT[ALPHABET.index(_sign) + 1, _rank] = _weight


def _fitting_shapes() -> npt.NDArray[np.bool_]:
    """Whether a series has this shape: index is 1 followed by one bit a character (1 = letter)."""
    fits = np.zeros(1 << (WIDTH + 1), dtype=np.bool_)
    for length in range(2, 8):
        for bits in range(1 << length):
            probe = "".join("A" if bits >> (length - 1 - place) & 1 else "1" for place in range(length))
            fits[(1 << length) | bits] = any(series.fits(probe) for series in SERIES)
    return fits


_FITS = _fitting_shapes()


class Matcher:
    """One version of the list, ready to be asked. Immutable; a new version is a new matcher.

    Args:
        entries: the list; kept by reference for `entry_at`, never copied.
        version, issued_ms: the version in force, for whoever shows it.
        likelihood_min: look-alikes below this are not told; above 0.
    """

    def __init__(
        self,
        entries: Sequence[WatchEntry],
        version: int = 0,
        issued_ms: int = 0,
        *,
        likelihood_min: float = LIKELIHOOD_MIN,
    ) -> None:
        self.version = version
        self.issued_ms = issued_ms
        self.likelihood_min = likelihood_min
        self._entries = entries
        # In one walk, and the texts in pieces: entries may be made as they are asked for, a million of them.
        urgency, ends = array("b"), array("q")
        packed: list[Keys] = [np.zeros(0, dtype=np.uint64)]
        texts: list[str] = []
        for entry in entries:
            texts.append(entry.text)
            urgency.append(entry.priority)
            ends.append(_NEVER_MS if entry.expires_ms is None else entry.expires_ms)
            if len(texts) == _CHUNK_EXACT:
                packed.append(pack_texts(texts))
                texts = []
        keys = np.concatenate([*packed, pack_texts(texts)])
        order = np.lexsort((np.frombuffer(urgency, dtype=np.int8), keys)).astype(np.int32)
        order = order[keys[order] != 0]
        self._keys: Keys = keys[order]
        self._rows: npt.NDArray[np.int32] = order
        expires = np.frombuffer(ends, dtype=np.int64)[order]
        self._expires: Ints | None = expires if len(expires) and int(expires.min()) != _NEVER_MS else None
        self._bits = max(10, int(16 * max(1, len(order)) - 1).bit_length())
        self._table = np.zeros(1 << (self._bits - 3), dtype=np.uint8)
        slots = self._slots(self._keys)
        np.bitwise_or.at(self._table, slots >> np.uint64(3), np.uint8(1) << (slots & np.uint64(7)).astype(np.uint8))
        lengths = np.searchsorted(POWERS, self._keys, side="right")
        self._has_length = np.zeros(WIDTH + 3, dtype=np.bool_)
        self._has_length[np.unique(lengths)] = True

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def array_bytes(self) -> int:
        """Memory of the matcher's own arrays."""
        expires = 0 if self._expires is None else self._expires.nbytes
        return self._keys.nbytes + self._rows.nbytes + self._table.nbytes + expires

    def entry_at(self, row: int) -> WatchEntry:
        """The entry at a row number that `match_exact` gave."""
        return self._entries[row]

    def match(
        self,
        text: str,
        char_probs: Sequence[float] = (),
        alternatives: Sequence[Sequence[Alternative]] = (),
        *,
        at_ms: int,
    ) -> list[Match]:
        """The entries that one text may mean, exact before look-alike, likeliest first.

        Args:
            text: normal form.
            char_probs: one figure a character; empty where the reader gave none (then nothing is doubtful).
            alternatives: for each place the other characters that the reader held possible.
            at_ms: time of capture; entries that ended before do not match.
        """
        return self._match_batch([text], [char_probs], [alternatives], np.array([at_ms], dtype=np.int64))[0]

    def match_many(self, reads: Sequence[Read]) -> list[list[Match]]:
        """`match` for each read, at its own time of capture."""
        out: list[list[Match]] = []
        for start in range(0, len(reads), _CHUNK):
            part = reads[start : start + _CHUNK]
            out.extend(
                self._match_batch(
                    [read.text for read in part],
                    [read.char_probs for read in part],
                    [read.alternatives for read in part],
                    np.fromiter((read.captured_ms for read in part), dtype=np.int64, count=len(part)),
                )
            )
        return out

    def match_texts(self, texts: Sequence[str], *, at_ms: int) -> list[list[Match]]:
        """`match` for bare texts, all at one moment."""
        out: list[list[Match]] = []
        for start in range(0, len(texts), _CHUNK):
            part = texts[start : start + _CHUNK]
            moments = np.full(len(part), at_ms, dtype=np.int64)
            out.extend(self._match_batch(part, [()] * len(part), [()] * len(part), moments))
        return out

    def match_exact(self, texts: Sequence[str], *, at_ms: int) -> npt.NDArray[np.int32]:
        """For each text the row number of the most urgent entry with that text, -1 where there is none."""
        out = np.empty(len(texts), dtype=np.int32)
        for start in range(0, len(texts), _CHUNK_EXACT):
            part = texts[start : start + _CHUNK_EXACT]
            out[start : start + len(part)] = self.find_rows(pack_texts(part), at_ms=at_ms)
        return out

    def find_rows(self, keys: Keys, *, at_ms: int) -> npt.NDArray[np.int32]:
        """`match_exact` for texts that are packed already."""
        rows = np.full(len(keys), -1, dtype=np.int32)
        asked, places = self._find(keys)
        if self._expires is None:
            rows[asked] = self._rows[places]
            return rows
        in_force = self._expires[places] >= at_ms
        rows[asked[in_force]] = self._rows[places[in_force]]
        for index, place in zip(asked[~in_force].tolist(), places[~in_force].tolist(), strict=True):
            for later in self._places_of(place):
                if self._expires[later] >= at_ms:
                    rows[index] = self._rows[later]
                    break
        return rows

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _slots(self, keys: Keys) -> Keys:
        return (keys * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - self._bits)

    def _find(self, keys: Keys) -> tuple[Ints, Ints]:
        """Which of `keys` are listed: their indices, and the first place of each in the sorted list."""
        if not len(self._keys):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        slots = self._slots(keys)
        seen = (self._table[slots >> np.uint64(3)] >> (slots & np.uint64(7)).astype(np.uint8)) & np.uint8(1)
        asked = np.flatnonzero(seen)
        wanted = keys[asked]
        places = np.searchsorted(self._keys, wanted)
        np.minimum(places, len(self._keys) - 1, out=places)
        there = self._keys[places] == wanted
        return asked[there], places[there]

    def _places_of(self, place: int) -> range:
        """All places of the same text, from its first."""
        end = place + 1
        while end < len(self._keys) and self._keys[end] == self._keys[place]:
            end += 1
        return range(place, end)

    def _match_batch(
        self,
        texts: Sequence[str],
        probs: Sequence[Sequence[float]],
        alternatives: Sequence[Sequence[Sequence[Alternative]]],
        at_ms: Ints,
    ) -> list[list[Match]]:
        out: list[list[Match]] = [[] for _ in texts]
        codes, lengths = code_texts(texts)
        keys = keys_of_codes(codes)
        right = _char_probs(probs, lengths)
        twins = _Twins(self.likelihood_min, codes, lengths, keys, right, alternatives, self._has_length)
        reads, wanted, likelihoods = twins.all()
        asked, places = self._find(np.concatenate((keys, wanted)))
        count = len(texts)
        best: dict[tuple[int, int], tuple[float, bool]] = {}
        for index, place in zip(asked.tolist(), places.tolist(), strict=True):
            if index < count:
                best[index, place] = (_exact_likelihood(probs[index], lengths[index]), True)
            else:
                read, likelihood = int(reads[index - count]), float(likelihoods[index - count])
                if likelihood > best.get((read, place), (0.0, False))[0]:
                    best[read, place] = (likelihood, False)
        for (read, first), (likelihood, same) in best.items():
            strength = MatchStrength.LOOKALIKE
            if same and not _is_doubtful(probs[read], lengths[read]):
                strength = MatchStrength.EXACT
            entry_text = unpack_plate(int(self._keys[first]))
            differing = () if same else differing_places(texts[read], entry_text)
            for place in self._places_of(first):
                if self._expires is not None and self._expires[place] < at_ms[read]:
                    continue
                entry = self._entries[int(self._rows[place])]
                out[read].append(Match(entry.id, entry_text, strength, round(likelihood, 4), differing))
        for matches in out:
            if len(matches) > 1:
                matches.sort(key=lambda match: (match.strength is not MatchStrength.EXACT, -match.likelihood_prob))
                del matches[MATCHES_MAX:]
        return out


_CHUNK = 8192  # reads whose twins are made together: the arrays stay within the processor's cache
_CHUNK_EXACT = 1 << 17
_PAIRS_APART_MAX = 24  # single twins of one read that are paired with one another


def _char_probs(probs: Sequence[Sequence[float]], lengths: Ints) -> Floats:
    """(n, WIDTH) chance that each character is right; where a read has no figures, one that is not known."""
    count = len(lengths)
    right = np.full((count, WIDTH), _UNKNOWN_PROB, dtype=np.float32)
    sizes = np.fromiter((len(p) for p in probs), dtype=np.int64, count=count)
    total = int(sizes.sum())
    if total == 0:
        return right
    flat = np.fromiter(chain.from_iterable(probs), dtype=np.float32, count=total)
    starts = np.cumsum(sizes) - sizes
    good = np.flatnonzero((sizes == lengths) & (sizes > 0))
    for place in range(int(lengths[good].max(initial=0))):
        with_place = good[lengths[good] > place]
        right[with_place, place] = flat[starts[with_place] + place]
    return np.clip(np.nan_to_num(right, nan=0.0), 0.0, 1.0)


def _is_doubtful(char_probs: Sequence[float], length: int) -> bool:
    """Whether a text rests on a character below DOUBTFUL_PROB; figures past the text are padding and never count."""
    return not all(prob >= DOUBTFUL_PROB for prob in char_probs[:length])


def _exact_likelihood(char_probs: Sequence[float], length: int) -> float:
    likelihood = 1.0
    for prob in char_probs[:length]:
        likelihood *= min(1.0, max(0.0, prob)) if prob == prob else 0.0
    return likelihood


def differing_places(read_text: str, entry_text: str) -> tuple[int, ...]:
    """Places (from 0) of the entry's text that the read does not bear out."""
    if len(read_text) == len(entry_text):
        return tuple(i for i, (a, b) in enumerate(zip(read_text, entry_text, strict=True)) if a != b)
    first = 0
    for a, b in zip(read_text, entry_text, strict=False):
        if a != b:
            break
        first += 1
    return (min(first, len(entry_text) - 1),)


class _Twins:
    """The texts that each of a batch may be instead, as (read's index, key, likelihood), flat over the batch."""

    def __init__(
        self,
        likelihood_min: float,
        codes: Codes,
        lengths: Ints,
        keys: Keys,
        right: Floats,
        alternatives: Sequence[Sequence[Sequence[Alternative]]],
        has_length: npt.NDArray[np.bool_],
    ) -> None:
        self._min = np.float32(likelihood_min)
        self._codes = codes.astype(np.int64)
        self._lengths = lengths
        self._keys = keys
        self._wrong: Floats = np.maximum(np.float32(1.0) - right, np.float32(_WRONG_PROB_MIN))
        self._alternatives = alternatives
        self._has_length = has_length
        self._reads: list[Ints] = []
        self._wanted: list[Keys] = []
        self._likelihoods: list[Floats] = []

    def all(self) -> tuple[Ints, Keys, Floats]:
        """Everything that is at least as likely as asked."""
        self._substitute()
        self._lose_or_gain()
        if not self._reads:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.float32)
        return np.concatenate(self._reads), np.concatenate(self._wanted), np.concatenate(self._likelihoods)

    def _add(self, reads: Ints, wanted: Keys, likelihoods: Floats) -> None:
        if len(reads):
            self._reads.append(reads)
            self._wanted.append(wanted)
            self._likelihoods.append(likelihoods)

    def _substitute(self) -> None:
        """One character instead of another, and two where both are likely enough."""
        likelihood = self._wrong[:, :, None] * _CONFUSED_WEIGHT[self._codes]  # 0 where the text has ended
        reads, places, ranks = np.nonzero(likelihood >= self._min)
        likelihoods = likelihood[reads, places, ranks]
        signs = _CONFUSED_CODE[self._codes[reads, places], ranks]
        own = self._own_alternatives()
        if own:
            more = np.array(own, dtype=np.float64)
            reads = np.concatenate((reads, more[:, 0].astype(np.int64)))
            places = np.concatenate((places, more[:, 1].astype(np.int64)))
            signs = np.concatenate((signs, more[:, 2].astype(np.int64)))
            likelihoods = np.concatenate((likelihoods, more[:, 3].astype(np.float32)))
        powers = POWERS[self._lengths[reads] - 1 - places]
        # Arithmetic modulo 2**64: a negative step wraps round and comes out right.
        steps = (signs - self._codes[reads, places]).astype(np.uint64) * powers
        self._add(reads, self._keys[reads] + steps, likelihoods)
        self._substitute_two(reads, places, steps, likelihoods)

    def _own_alternatives(self) -> list[tuple[int, int, int, float]]:
        found: list[tuple[int, int, int, float]] = []
        for read, of_read in enumerate(self._alternatives):
            if not of_read:
                continue
            for place, of_place in enumerate(of_read[: int(self._lengths[read])]):
                for alternative in of_place:
                    code = ALPHABET.find(alternative.sign) + 1
                    if alternative.prob >= self._min and code > 0 and len(alternative.sign) == 1:
                        found.append((read, place, code, min(1.0, alternative.prob)))
        return found

    def _substitute_two(self, reads: Ints, places: Ints, steps: Keys, likelihoods: Floats) -> None:
        strong = np.flatnonzero(likelihoods * np.float32(0.6) >= self._min)
        if len(strong) < 2:
            return
        strong = strong[np.argsort(reads[strong], kind="stable")]
        reads, places, steps, likelihoods = reads[strong], places[strong], steps[strong], likelihoods[strong]
        for apart in range(1, min(_PAIRS_APART_MAX, len(reads) - 1) + 1):
            together = reads[:-apart] == reads[apart:]
            if not together.any():
                break
            both = likelihoods[:-apart] * likelihoods[apart:]
            chosen = np.flatnonzero(together & (places[:-apart] != places[apart:]) & (both >= self._min))
            of_read = reads[chosen]
            self._add(of_read, self._keys[of_read] + steps[chosen] + steps[chosen + apart], both[chosen])

    def _lose_or_gain(self) -> None:
        """One character too many or too few."""
        lengths, codes = self._lengths, self._codes
        shapes = np.ones(len(lengths), dtype=np.int64)
        for place in range(WIDTH):
            there = place < lengths
            shapes[there] = shapes[there] * 2 + (codes[there, place] > 10)
        factor = np.where(_FITS[shapes], np.float32(_FITTING), np.float32(1.0))
        shorter = (lengths > 2) & self._has_length[lengths - 1]
        longer = (lengths > 1) & (lengths < WIDTH) & self._has_length[lengths + 1]
        if not (shorter.any() or longer.any()):
            return
        base = np.uint64(BASE)
        for place in range(int(lengths.max(initial=0))):
            inside = place < lengths
            edge = (place == 0) | (place == lengths - 1)
            doubt = 1 + 4 * self._wrong[:, place] * (self._wrong[:, place] > 0.15)
            plain = np.where(edge, np.float32(_EDGE_PROB), np.float32(_INNER_PROB)) * factor * doubt
            twin = np.zeros(len(lengths), dtype=np.bool_)
            if place + 1 < WIDTH:
                twin = inside & (codes[:, place] == codes[:, place + 1])
            gained = np.where(twin, np.float32(_TWIN_PROB) * factor * doubt, plain).astype(np.float32)
            reads = np.flatnonzero(shorter & inside & (gained >= self._min))
            if len(reads):
                low = POWERS[lengths[reads] - 1 - place]
                keys = self._keys[reads]
                self._add(reads, keys // (low * base) * low + keys % low, gained[reads])
            doubled = (np.float32(_TWIN_PROB) * factor * doubt).astype(np.float32)
            reads = np.flatnonzero(longer & inside & (doubled >= self._min))
            if len(reads):
                self._add(reads, self._insert(reads, place, codes[reads, place]), doubled[reads])
        self._lose_any(longer, factor)

    def _insert(self, reads: Ints, place: int, signs: Ints) -> Keys:
        low = POWERS[self._lengths[reads] - place]
        keys = self._keys[reads]
        longer: Keys = keys // low * (low * np.uint64(BASE)) + signs.astype(np.uint64) * low + keys % low
        return longer

    def _lose_any(self, longer: npt.NDArray[np.bool_], factor: Floats) -> None:
        for place in range(int(self._lengths.max(initial=0)) + 1):
            edge = (place == 0) | (place == self._lengths)
            lost = (np.where(edge, np.float32(_EDGE_PROB), np.float32(_INNER_PROB)) * factor).astype(np.float32)
            reads = np.flatnonzero(longer & (place <= self._lengths) & (lost >= self._min))
            if not len(reads):
                continue
            for sign in range(1, len(ALPHABET) + 1):
                self._add(reads, self._insert(reads, place, np.full(len(reads), sign, np.int64)), lost[reads])
