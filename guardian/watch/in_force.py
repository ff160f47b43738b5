"""The matcher of the version in force, in the cloud and on devices: follows each change at once, without building a million
anew.

A base matcher over the whole list, and beside it a small one over what came since; what went or changed since is left
out of the base's answers. When the small one has grown too large the whole is built again, beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import msgspec
import numpy as np

from guardian.domain.read import Alternative, Read
from guardian.domain.watch import Match, MatchStrength, WatchEntry
from guardian.watch.matcher import MATCHES_MAX, Matcher

_decode_entry = msgspec.msgpack.Decoder(WatchEntry).decode

OVERLAY_MAX = 5_000
"""Entries beside the base; building the small matcher for these takes some 10 ms."""


class PackedEntries(Sequence[WatchEntry]):
    """Entries as the bytes that lie in the database, one after the other: about 100 bytes each, decoded when asked for."""

    def __init__(self, bodies: Iterable[bytes]) -> None:
        kept = list(bodies)
        self._blob = b"".join(kept)
        self._ends = np.cumsum(np.fromiter((len(body) for body in kept), dtype=np.int64, count=len(kept)))

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> WatchEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[WatchEntry]: ...
    def __getitem__(self, index: int | slice) -> WatchEntry | Sequence[WatchEntry]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        start = 0 if index == 0 else int(self._ends[index - 1])
        return _decode_entry(self._blob[start : int(self._ends[index])])


class MatcherInForce:
    """One version. Immutable; `follow` gives the next."""

    def __init__(
        self,
        version: int,
        issued_ms: int,
        base: Matcher,
        since: dict[str, WatchEntry] | None = None,
        stale: frozenset[str] = frozenset(),
    ) -> None:
        self.version = version
        self.issued_ms = issued_ms
        self._base = base
        self._since = since or {}
        self._stale = stale
        self._beside = Matcher(list(self._since.values())) if self._since else None

    @property
    def overgrown(self) -> bool:
        """Whether it is time to build the whole again."""
        return len(self._stale) > OVERLAY_MAX

    def follow(self, version: int, issued_ms: int, put: Iterable[WatchEntry], removed: Iterable[str]) -> MatcherInForce:
        """The matcher of a later version, of what came and went in between."""
        since = dict(self._since)
        stale = set(self._stale)
        for entry_id in removed:
            since.pop(entry_id, None)
            stale.add(entry_id)
        for entry in put:
            since[entry.id] = entry
            stale.add(entry.id)
        return MatcherInForce(version, issued_ms, self._base, since, frozenset(stale))

    def match(
        self,
        text: str,
        char_probs: Sequence[float] = (),
        alternatives: Sequence[Sequence[Alternative]] = (),
        *,
        at_ms: int,
    ) -> list[Match]:
        """See `Matcher.match`."""
        found = [self._base.match(text, char_probs, alternatives, at_ms=at_ms)]
        beside = self._beside
        more = [beside.match(text, char_probs, alternatives, at_ms=at_ms)] if beside is not None else None
        return self._joined(found, more)[0]

    def match_many(self, reads: Sequence[Read]) -> list[list[Match]]:
        """See `Matcher.match_many`."""
        beside = self._beside
        return self._joined(self._base.match_many(reads), beside.match_many(reads) if beside is not None else None)

    def _joined(self, found: list[list[Match]], beside: list[list[Match]] | None) -> list[list[Match]]:
        if self._stale:
            found = [[match for match in matches if match.entry_id not in self._stale] for matches in found]
        if beside is not None:
            for matches, more in zip(found, beside, strict=True):
                if more:
                    matches.extend(more)
                    matches.sort(key=lambda match: (match.strength is not MatchStrength.EXACT, -match.likelihood_prob))
                    del matches[MATCHES_MAX:]
        return found
