"""The keeper of the lists: which version is in force in this process, who waits for it, and the one door to change it.

A change is known to a waiting device as soon as its transaction is durable: removal as fast as entry. Versions that
another process made are noticed within POLL_S. What a change is stands in `editing`, what devices get in `issue`, what people
see in `pages` and `typing_guard`, the cloud's own matching in `cloud_matcher`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import structlog
from sqlalchemy import Connection, select

from guardian.domain.csv_text import BOM, csv_row
from guardian.domain.errors import GuardianError
from guardian.domain.subject import Subject
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import PART_ENTRIES_MAX, SignedWatchlistUpdate
from guardian.stores import Events, Records, Secrets
from guardian.watch import editing, journal, pages
from guardian.watch.cloud_matcher import CloudMatcher
from guardian.watch.csv_columns import EXPORT_HEADER, export_cells
from guardian.watch.in_force import MatcherInForce
from guardian.watch.issue import DELTA_CHANGES_MAX, DELTA_VERSIONS_MAX, ListIssue
from guardian.watch.journal import SYSTEM, Author, Version
from guardian.watch.ports import ListHolders
from guardian.watch.tables import changes, entries, versions
from guardian.watch.typing_guard import inspect_typed
from guardian.watch.views import EntryPage, ListChangeAnswer, ListChangeRequest, ListsView, PlateInspectionView

log = structlog.get_logger("watch.lists")
T = TypeVar("T")

WAIT_S_MAX = 25.0
POLL_S = 1.0
EXPIRY_EVERY_S = 600.0
EXPIRY_GRACE_MS = 7 * 86_400_000
"""Entries stay this long after their end, so that reads that arrive late still find them; they match nothing newer."""
EXPIRED_MAX = 10_000

DEFAULT_LISTS = (
    ("stolen", "失竊車輛", "警政署"),
    ("misappropriated", "侵占車輛", "警政署"),
    ("plates", "註銷號牌與偽牌", "公路局"),
    ("cases", "涉案車輛", "刑事局"),
    ("missing", "協尋", "警政署"),
    ("wanted", "通緝", "刑事局"),
)
"""Lists of a new house: id, name, source."""


class ListKeeper:
    """All lists of one house.

    Args:
        holders: tells how many devices hold a version; without it none are counted.
        default_lists: made by `open` where they are not there yet.
    """

    def __init__(
        self,
        records: Records,
        events: Events,
        secrets: Secrets,
        now_ms: Callable[[], int],
        *,
        holders: ListHolders | None = None,
        default_lists: tuple[tuple[str, str, str], ...] = DEFAULT_LISTS,
        delta_versions_max: int = DELTA_VERSIONS_MAX,
        delta_changes_max: int = DELTA_CHANGES_MAX,
        part_entries: int = PART_ENTRIES_MAX,
        poll_s: float = POLL_S,
    ) -> None:
        self._records = records
        self._events = events
        self._now_ms = now_ms
        self.holders = holders  # may be given later: the fleet is opened after the lists
        self._default_lists = default_lists
        self._poll_s = poll_s
        self._issue = ListIssue(
            records,
            secrets,
            delta_versions_max=delta_versions_max,
            delta_changes_max=delta_changes_max,
            part_entries=part_entries,
        )
        self._matcher = CloudMatcher(
            records, delta_versions_max=delta_versions_max, delta_changes_max=delta_changes_max
        )
        self._newest = Version()
        self._moved = asyncio.Event()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self) -> None:
        """Make the lists that are not there, learn the version in force, begin to watch for others' versions."""

        def prepare(connection: Connection) -> Version:
            for place, (list_id, name, source) in enumerate(self._default_lists):
                journal.ensure_list(connection, list_id, name, source, place)
            return journal.newest_version(connection)

        self._note(await self._records.write(prepare))
        self._task = asyncio.create_task(self._watch(), name="watch-lists")

    async def close(self) -> None:
        """Stop watching; whoever waits for an update gets none."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self.end_waits()

    def end_waits(self) -> None:
        """Whoever waits for an update gets none, now and later."""
        self._closed = True
        self._moved.set()

    async def _watch(self) -> None:
        since_expiry_s = EXPIRY_EVERY_S
        while True:
            try:
                self._note(await self._records.read(journal.newest_version))
                if since_expiry_s >= EXPIRY_EVERY_S:
                    since_expiry_s = 0.0
                    await self.expire_due()
            except GuardianError as error:
                log.warning("lists.watch_failed", reference=error.reference)
            await asyncio.sleep(self._poll_s)
            since_expiry_s += self._poll_s

    async def commit(self, fn: Callable[[Connection, Events], tuple[T, Version]]) -> T:
        """Run `fn`, which makes at most one version by `journal`, in a transaction; wake whoever waits for it."""
        result, version = await self._records.write(lambda connection: fn(connection, self._events))
        self._note(version)
        return result

    async def refresh(self) -> None:
        """Learn the version in force now, not within POLL_S."""
        self._note(await self._records.read(journal.newest_version))

    def _note(self, version: Version) -> None:
        """A version is in force; wake whoever waits for it."""
        if version.version <= self._newest.version:
            return
        self._newest = version
        self._issue.forget_all_but(version.version)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    # ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def public_key(self) -> bytes:
        """32 raw bytes of the Ed25519 key whose signatures devices believe."""
        return self._issue.public_key

    @property
    def newest(self) -> Version:
        """The version in force as this process knows it (at most POLL_S behind another's)."""
        return self._newest

    async def update_since(self, have: int, wait_s: float = 0.0) -> SignedWatchlistUpdate | None:
        """What leads from version `have` to the one in force; waits for a change at most `wait_s` (bounded to 25 s).

        Returns:
            None where nothing new came. The whole list (base 0) where `have` is 0 or further back than deltas reach.

        Raises:
            ConflictError: the whole list is too long for one body (`list-in-parts`); see `part_after`.
        """
        if have > self._newest.version:
            log.warning("lists.device_ahead", have=have, version=self._newest.version)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(wait_s, 0.0), WAIT_S_MAX)):
                while self._newest.version <= have and not self._closed:
                    await self._moved.wait()
        if self._newest.version <= have:
            return None
        return await self._issue.step(have, self._newest.version)

    async def part_after(self, after: str) -> SignedWatchlistUpdate:
        """The stretch of the whole list after the entry id `after`: a signed `WatchlistPart`."""
        return await self._issue.part_after(after)

    # ── the cloud's own matching ────────────────────────────────────────────────────────────────────────────────────

    async def in_force(self) -> MatcherInForce:
        """The matcher of the newest version."""
        return await self._matcher.at_least(self._newest.version)

    async def changed_in(self, version: int) -> tuple[list[WatchEntry], list[str], int]:
        """What came or changed in a version, the ids of what went, and when it was issued."""

        def load(connection: Connection) -> tuple[list[WatchEntry], list[str], int]:
            lines = connection.execute(
                select(changes.c.entry_id, changes.c.after).where(changes.c.version == version)
            ).all()
            issued = connection.execute(select(versions.c.issued_ms).where(versions.c.version == version)).scalar()
            put = [journal.decode_entry(line.after) for line in lines if line.after is not None]
            return put, [line.entry_id for line in lines if line.after is None], int(issued or 0)

        return await self._records.read(load, limit_s=60.0)

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def lists_view(self) -> ListsView:
        """All lists with the number of entries in force."""
        now = self._now_ms()
        version, views = await self._records.read(
            lambda connection: (journal.newest_version(connection), pages.lists_in_order(connection, now))
        )
        current, total = await self.holders.count_holders(version.version) if self.holders is not None else (0, 0)
        return ListsView(version.version, version.issued_ms, current, total, views)

    async def entries_page(self, list_id: str, *, cursor: str = "", find: str = "") -> EntryPage:
        """Entries of a list, the newest change first.

        Args:
            find: a plate with `?` and `*` (without them also its beginning), or part of a case number or reason.
        """
        now = self._now_ms()
        return await self._records.read(
            lambda connection: pages.page_of_entries(connection, list_id, cursor=cursor, find=find, now_ms=now)
        )

    async def change(self, list_id: str, request: ListChangeRequest, subject: Subject) -> ListChangeAnswer:
        """Save what the editor holds as one new version.

        Raises:
            ConflictError: the list has moved on (`list-moved-on`); an entry stands twice (`entry-twice`); twins under
                one case that nobody has confirmed (`twins-under-one-case`).
            EntryRefusedError: a draft cannot become an entry.
            InputRefusedError: nothing to save, or too much.
        """
        now = self._now_ms()
        author = Author(subject.id, subject.name)
        drafted = editing.draft_save(request, now)

        def save(connection: Connection, events: Events) -> tuple[Version, Version]:
            made = editing.save(connection, events, list_id, request, drafted, now_ms=now, author=author)
            return made, made

        before = self._newest.version
        version = await self.commit(save)
        put, removed = (version.put, version.removed) if version.version > before else (0, 0)
        log.info("lists.saved", version=version.version, put=put, removed=removed, list_id=list_id)
        return ListChangeAnswer(version.version, put, removed)

    async def undo(self, version: int, subject: Subject) -> ListChangeAnswer:
        """Take one version back as a new one; see `journal.take_back`."""
        author = Author(subject.id, subject.name)
        made = await editing.take_version_back(self._records, self.commit, self._now_ms, version, author)
        log.info("lists.undone", version=made.version, undoes=version)
        return ListChangeAnswer(made.version, made.put, made.removed)

    async def inspect(self, typed: str) -> PlateInspectionView:
        """The typing guard: what a number is, why it cannot stand, and which near ones are on the lists already."""
        return await self._records.read(lambda connection: inspect_typed(connection, typed))

    async def require_list(self, list_id: str) -> str:
        """The list's name.

        Raises:
            NotFoundError: there is no such list.
        """
        return await self._records.read(lambda connection: journal.require_list(connection, list_id))

    async def export_csv(self, list_id: str) -> AsyncIterator[bytes]:
        """A list as CSV that runs nothing and that the import takes back unchanged."""
        yield (BOM + csv_row(EXPORT_HEADER)).encode()
        after = ("", "")
        while True:
            page = await self._records.read(
                lambda connection, after=after: pages.stretch_by_number(connection, list_id, after)  # type: ignore[misc]
            )
            if not page:
                return
            after = (page[-1].text, page[-1].id)
            yield "".join(csv_row(export_cells(entry)) for entry in page).encode()

    async def expire_due(self) -> int:
        """Take entries off that ended longer ago than EXPIRY_GRACE_MS, as one version; gives how many."""
        now = self._now_ms()

        def expire(connection: Connection) -> Version:
            due = connection.execute(
                select(entries.c.entry_id).where(entries.c.expires_ms < now - EXPIRY_GRACE_MS).limit(EXPIRED_MAX)
            ).scalars()
            return journal.append(
                connection, self._events, now_ms=now, kind="expiry", list_id="", author=SYSTEM, remove=list(due)
            )

        before = self._newest.version
        version = await self._records.write(expire)
        self._note(version)
        return version.removed if version.version > before else 0
