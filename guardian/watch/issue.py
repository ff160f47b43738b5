"""Handing the list out: signed steps from one version to another, and stretches of a list too long for one body.

The signature is what devices believe, so the key lies here and nowhere else. One read and one signature serve however many
devices ask for the same step at once.
"""

from __future__ import annotations

import asyncio
import secrets as random_source

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from guardian.domain.errors import InputRefusedError
from guardian.domain.wire import PART_ENTRIES_MAX, SignedWatchlistUpdate
from guardian.stores import Records, Secrets
from guardian.watch import journal
from guardian.watch.journal import RawPart, RawUpdate

LIST_KEY = "watchlist-signing-key"
DELTA_VERSIONS_MAX = 10_000
DELTA_CHANGES_MAX = 50_000
"""A device that is further behind than these gets the whole list. So many changes are a body of some 8 MB."""
UPDATES_HELD_MAX = 8
ENTRY_ID_CHARS_MAX = 200


class ListIssue:
    """Signs and hands out; knows nothing of waiting (`keeper`)."""

    def __init__(
        self,
        records: Records,
        secrets: Secrets,
        *,
        delta_versions_max: int = DELTA_VERSIONS_MAX,
        delta_changes_max: int = DELTA_CHANGES_MAX,
        part_entries: int = PART_ENTRIES_MAX,
    ) -> None:
        self._records = records
        self._versions_max = delta_versions_max
        self._changes_max = delta_changes_max
        self._part_entries = part_entries
        seed = secrets.get_or_create(LIST_KEY, lambda: random_source.token_bytes(32))
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._updates: dict[tuple[int, int], asyncio.Task[SignedWatchlistUpdate | None]] = {}

    @property
    def public_key(self) -> bytes:
        """32 raw bytes of the Ed25519 key whose signatures devices believe."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def forget_all_but(self, version: int) -> None:
        """Steps that lead to another version are wanted no more."""
        for key in [key for key in self._updates if key[1] != version]:
            del self._updates[key]

    async def step(self, have: int, newest: int) -> SignedWatchlistUpdate | None:
        """What leads from version `have` to `newest`; the whole list (base 0) where deltas do not reach back so far.

        Raises:
            ConflictError: the whole list is too long for one body (`list-in-parts`); see `part_after`.
        """
        key = (have, newest)
        task = self._updates.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            while len(self._updates) >= UPDATES_HELD_MAX:
                del self._updates[next(iter(self._updates))]
            task = self._updates[key] = asyncio.create_task(self._make(have))
        return await asyncio.shield(task)

    async def _make(self, have: int) -> SignedWatchlistUpdate | None:
        raw = await self._records.read(
            lambda connection: journal.update_between(
                connection,
                have,
                versions_max=self._versions_max,
                changes_max=self._changes_max,
                whole_max=self._part_entries,
            ),
            limit_s=120.0,
        )
        return None if raw is None else await asyncio.to_thread(self._sign, raw)

    async def part_after(self, after: str) -> SignedWatchlistUpdate:
        """The stretch of the whole list after the entry id `after`: a signed `WatchlistPart`."""
        if len(after) > ENTRY_ID_CHARS_MAX:
            raise InputRefusedError("That is no place in the list.", reference="cursor")
        raw = await self._records.read(lambda connection: journal.part_after(connection, after, self._part_entries))
        return await asyncio.to_thread(self._sign, raw)

    def _sign(self, raw: RawUpdate | RawPart) -> SignedWatchlistUpdate:
        body = msgspec.msgpack.encode(raw)
        return SignedWatchlistUpdate(body, self._key.sign(body))
