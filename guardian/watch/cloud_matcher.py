"""The cloud's own matcher, kept at the version in force: follows each change, and is built anew when it has overgrown."""

from __future__ import annotations

import asyncio

from guardian.stores import Records
from guardian.watch import journal
from guardian.watch.in_force import MatcherInForce, PackedEntries
from guardian.watch.issue import DELTA_CHANGES_MAX, DELTA_VERSIONS_MAX
from guardian.watch.matcher import Matcher


class CloudMatcher:
    """One matcher for the whole process; whoever asks first after a change waits for it to follow.

    Args:
        delta_versions_max, delta_changes_max: further behind than these it is built anew instead of following.
    """

    def __init__(
        self,
        records: Records,
        *,
        delta_versions_max: int = DELTA_VERSIONS_MAX,
        delta_changes_max: int = DELTA_CHANGES_MAX,
    ) -> None:
        self._records = records
        self._versions_max = delta_versions_max
        self._changes_max = delta_changes_max
        self._held: MatcherInForce | None = None
        self._lock = asyncio.Lock()

    async def at_least(self, version: int) -> MatcherInForce:
        """The matcher of `version` or a later one."""
        held = self._held
        if held is not None and held.version >= version:
            return held
        async with self._lock:
            held = self._held
            if held is not None and held.version >= version:
                return held
            self._held = await self._load(held)
            return self._held

    async def _load(self, held: MatcherInForce | None) -> MatcherInForce:
        base = 0 if held is None or held.overgrown else held.version
        raw = await self._records.read(
            lambda connection: journal.update_between(
                connection, base, versions_max=self._versions_max, changes_max=self._changes_max
            ),
            limit_s=120.0,
        )
        if raw is None:
            return held or MatcherInForce(0, 0, Matcher([]))
        if held is not None and raw.base_version == held.version:
            put = [journal.decode_entry(bytes(body)) for body in raw.put]
            return held.follow(raw.version, raw.issued_ms, put, raw.removed)

        def build() -> MatcherInForce:
            packed = PackedEntries(bytes(body) for body in raw.put)
            return MatcherInForce(raw.version, raw.issued_ms, Matcher(packed, raw.version, raw.issued_ms))

        return await asyncio.to_thread(build)
