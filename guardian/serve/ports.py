"""Small adapters between rooms that may not know one another; each answers one room's port with another room's words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from guardian.archive.filler import Filler
from guardian.archive.grants import LookupGrants
from guardian.archive.ports import Archive
from guardian.domain.read import Read
from guardian.domain.subject import Role, Subject
from guardian.roads.place import PlaceNames

LIVE_PHOTO_ROLES = (Role.OPERATOR, Role.DETECTIVE)
STEPS = 10_000  # a degree
PLACES_MAX = 50_000
LIVE_PHOTOS_MAX = 4000
"""Pictures that the live page may still show: two for each of its last reads, ten times over."""


class RoadPlaces:
    """`Places` of watch, archive and fleet, answered by the road network."""

    def __init__(self, names: PlaceNames) -> None:
        # A name is asked for every read shown; a step of about 10 m answers most of them from memory.
        self._name_at = lru_cache(maxsize=PLACES_MAX)(lambda lat, lon: names.name_of(lon / STEPS, lat / STEPS))

    def name(self, lat_deg: float, lon_deg: float) -> str:
        """The nearest named road, or an empty text."""
        return self._name_at(round(lat_deg * STEPS), round(lon_deg * STEPS))


class ArchivedRecentReads:
    """`RecentReads` of watch, answered by the archive, once it holds what has been acknowledged."""

    def __init__(self, archive: Archive, filler: Filler) -> None:
        self._archive, self._filler = archive, filler

    async def find_by_texts(self, texts: Sequence[str], since_ms: int) -> list[Read]:
        """Reads with one of these normal forms since then.

        A read that was matched a moment before the entry came may still be on its way into the column store; without
        waiting for it, neither side would ever see the other.
        """
        await self._filler.settle(timeout_s=30.0)
        return [held.read for held in await self._archive.find_by_texts(texts, since_ms)]


class HitPhotos(Protocol):
    """Which pictures belong to a hit; `watch` knows."""

    async def has_photo(self, hit_id: str, sha256: str) -> bool:
        """Whether the picture is one of the hit's."""
        ...


class SeenPhotos:
    """`PhotoGrants` of the archive: a picture may be fetched by who was shown it, as a hit, in a look-up or live."""

    def __init__(self, lookups: LookupGrants, hits: HitPhotos) -> None:
        self._lookups, self._hits = lookups, hits
        self._live: OrderedDict[str, None] = OrderedDict()

    def show_live(self, hashes: Iterable[str]) -> None:
        """Note what the live page has just shown."""
        for sha256 in hashes:
            self._live[sha256] = None
            self._live.move_to_end(sha256)
        while len(self._live) > LIVE_PHOTOS_MAX:
            self._live.popitem(last=False)

    async def allows(self, subject: Subject, ref: str, sha256: str) -> bool:
        """Whether `ref` (`hit:ID`, `lookup:ID`, `live`) has shown this picture to this person."""
        kind, _, name = ref.partition(":")
        if kind == "live":
            return subject.role in LIVE_PHOTO_ROLES and sha256 in self._live
        if kind == "hit":
            return subject.role in LIVE_PHOTO_ROLES and await self._hits.has_photo(name, sha256)
        return await self._lookups.allows(subject, ref, sha256)
