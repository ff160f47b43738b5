"""The keeper of the lists: saves, undoes, shows, exports and hands out signed changes to devices.

A change is known to a waiting device as soon as its transaction is durable: removal as fast as entry. Versions that
another process made are noticed within POLL_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets as random_source
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, func, or_, select

from guardian.domain.csv_text import BOM, csv_row
from guardian.domain.errors import ConflictError, GuardianError, InputRefusedError
from guardian.domain.plate import PlateTextError, display_of, inspect_plate, parse_pattern
from guardian.domain.series import series_of
from guardian.domain.subject import Subject
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import PART_ENTRIES_MAX, SignedWatchlistUpdate
from guardian.stores import Events, Records, Secrets
from guardian.watch import journal
from guardian.watch.csv_columns import EXPORT_HEADER, export_cells
from guardian.watch.drafts import draft_entry, is_twin, twin_texts
from guardian.watch.in_force import MatcherInForce, PackedEntries
from guardian.watch.journal import SYSTEM, Author, Version
from guardian.watch.large_change import LargeChange, is_large, taken_back
from guardian.watch.matcher import Matcher
from guardian.watch.ports import ListHolders
from guardian.watch.tables import changes, entries, imports, lists, versions
from guardian.watch.views import (
    EntryPage,
    EntryView,
    ListChangeAnswer,
    ListChangeRequest,
    ListsView,
    PlateInspectionView,
    WatchListView,
)
from guardian.watch.words import say_plate_refusal

log = structlog.get_logger("watch.lists")
T = TypeVar("T")

LIST_KEY = "watchlist-signing-key"
WAIT_S_MAX = 25.0
POLL_S = 1.0
EXPIRY_EVERY_S = 600.0
EXPIRY_GRACE_MS = 7 * 86_400_000
"""Entries stay this long after their end, so that reads that arrive late still find them; they match nothing newer."""
EXPIRED_MAX = 10_000
DELTA_VERSIONS_MAX = 10_000
DELTA_CHANGES_MAX = 50_000
"""A device that is further behind than these gets the whole list. So many changes are a body of some 8 MB."""
UPDATES_HELD_MAX = 8
ENTRY_ID_CHARS_MAX = 200
PAGE = 100
CHANGE_MAX = 1_000
TWINS_MAX = 5

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
        self._versions_max = delta_versions_max
        self._changes_max = delta_changes_max
        self._part_entries = part_entries
        self._poll_s = poll_s
        seed = secrets.get_or_create(LIST_KEY, lambda: random_source.token_bytes(32))
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._newest = Version()
        self._moved = asyncio.Event()
        self._closed = False
        self._updates: dict[tuple[int, int], asyncio.Task[SignedWatchlistUpdate | None]] = {}
        self._matcher: MatcherInForce | None = None
        self._matcher_lock = asyncio.Lock()
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
        for key in [key for key in self._updates if key[1] != version.version]:
            del self._updates[key]
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    # ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def public_key(self) -> bytes:
        """32 raw bytes of the Ed25519 key whose signatures devices believe."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

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
        return await self._signed(have)

    async def _signed(self, have: int) -> SignedWatchlistUpdate | None:
        """One read and one signature for however many devices ask for the same step at once."""
        key = (have, self._newest.version)
        task = self._updates.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            while len(self._updates) >= UPDATES_HELD_MAX:
                del self._updates[next(iter(self._updates))]
            task = self._updates[key] = asyncio.create_task(self._make_update(have))
        return await asyncio.shield(task)

    async def _make_update(self, have: int) -> SignedWatchlistUpdate | None:
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

    def _sign(self, raw: journal.RawUpdate | journal.RawPart) -> SignedWatchlistUpdate:
        body = msgspec.msgpack.encode(raw)
        return SignedWatchlistUpdate(body, self._key.sign(body))

    # ── the cloud's own matching ────────────────────────────────────────────────────────────────────────────────────

    async def in_force(self) -> MatcherInForce:
        """The matcher of the newest version."""
        held = self._matcher
        if held is not None and held.version >= self._newest.version:
            return held
        async with self._matcher_lock:
            held = self._matcher
            if held is not None and held.version >= self._newest.version:
                return held
            self._matcher = await self._load_matcher(held)
            return self._matcher

    async def _load_matcher(self, held: MatcherInForce | None) -> MatcherInForce:
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

        def load(connection: Connection) -> tuple[Version, tuple[WatchListView, ...]]:
            counted: dict[str, int] = {
                row.list_id: row.entries
                for row in connection.execute(
                    select(entries.c.list_id, func.count().label("entries"))
                    .where(or_(entries.c.expires_ms.is_(None), entries.c.expires_ms >= now))
                    .group_by(entries.c.list_id)
                )
            }
            rows = connection.execute(select(lists).order_by(lists.c.place, lists.c.list_id)).all()
            return journal.newest_version(connection), tuple(
                WatchListView(
                    row.list_id, row.name, row.source, counted.get(row.list_id, 0), row.version, row.changed_ms,
                    row.changed_by, row.closed_ms,
                )
                for row in rows
            )  # fmt: skip

        version, views = await self._records.read(load)
        current, total = await self.holders.count_holders(version.version) if self.holders is not None else (0, 0)
        return ListsView(version.version, version.issued_ms, current, total, views)

    async def entries_page(self, list_id: str, *, cursor: str = "", find: str = "") -> EntryPage:
        """Entries of a list, the newest change first.

        Args:
            find: a plate with `?` and `*` (without them also its beginning), or part of a case number or reason.
        """
        now = self._now_ms()
        where = [entries.c.list_id == list_id]
        if find.strip():
            needle = _escape_like(find.strip().lower())  # SQLite folds case by itself, PostgreSQL does not
            options = [
                func.lower(entries.c.case_number).like(f"%{needle}%", escape="\\"),
                func.lower(entries.c.reason).like(f"%{needle}%", escape="\\"),
            ]
            with contextlib.suppress(PlateTextError):
                pattern = parse_pattern(find).text
                like = pattern.replace("?", "_").replace("*", "%") + ("" if "*" in pattern else "%")
                options.append(entries.c.text.like(like))
            where.append(or_(*options))
        after = list(where)
        if cursor:
            version, entry_id = _parse_cursor(cursor)
            after.append(
                or_(
                    entries.c.version < version,
                    (entries.c.version == version) & (entries.c.entry_id > entry_id),
                )
            )

        def load(connection: Connection) -> EntryPage:
            journal.require_list(connection, list_id)
            total = connection.execute(select(func.count()).select_from(entries).where(*where)).scalar_one()
            rows = connection.execute(
                select(entries).where(*after).order_by(entries.c.version.desc(), entries.c.entry_id).limit(PAGE + 1)
            ).all()
            views = tuple(
                view_entry(journal.decode_entry(row.body), row.added_ms, row.added_by, now) for row in rows[:PAGE]
            )
            following = f"{rows[PAGE - 1].version}.{rows[PAGE - 1].entry_id}" if len(rows) > PAGE else ""
            return EntryPage(views, following, total)

        return await self._records.read(load)

    async def change(self, list_id: str, request: ListChangeRequest, subject: Subject) -> ListChangeAnswer:
        """Save what the editor holds as one new version.

        Raises:
            ConflictError: the list has moved on (`list-moved-on`); an entry stands twice (`entry-twice`); twins under
                one case that nobody has confirmed (`twins-under-one-case`).
            EntryRefusedError: a draft cannot become an entry.
            InputRefusedError: nothing to save, or too much.
        """
        if not request.put and not request.remove:
            raise InputRefusedError("There is nothing to save.", reference="nothing-to-save")
        if len(request.put) + len(request.remove) > CHANGE_MAX:
            raise InputRefusedError(
                f"A save takes at most {CHANGE_MAX:,} entries.",
                hint="Import a file instead.",
                reference="save-too-large",
            )
        now = self._now_ms()
        drafted = [draft_entry(draft, entry_id=draft.id or new_entry_id(), now_ms=now).entry for draft in request.put]

        def save(connection: Connection) -> Version:
            journal.require_open(connection, list_id)
            moved = connection.execute(select(lists.c.version).where(lists.c.list_id == list_id)).scalar_one()
            if moved > request.base_version:
                raise ConflictError(
                    f"The list was changed to version {moved} while you edited version {request.base_version}.",
                    hint="Look at the new version, then save again.",
                    reference="list-moved-on",
                )
            _refuse_strange(connection, list_id, {draft.id for draft in request.put if draft.id}, set(request.remove))
            _refuse_repeated(connection, list_id, drafted, set(request.remove))
            if not request.confirmed_twins:
                _question_twins(connection, drafted, set(request.remove))
            return journal.append(
                connection, self._events, now_ms=now, kind="save", list_id=list_id, put=drafted,
                remove=request.remove, author=Author(subject.id, subject.name),
            )  # fmt: skip

        before = self._newest.version
        version = await self._records.write(save)
        self._note(version)
        put, removed = (version.put, version.removed) if version.version > before else (0, 0)
        log.info("lists.saved", version=version.version, put=put, removed=removed, list_id=list_id)
        return ListChangeAnswer(version.version, put, removed)

    async def undo(self, version: int, subject: Subject) -> ListChangeAnswer:
        """Take one version back as a new one; see `journal.take_back`. A large one is laid down in pieces first."""
        now = self._now_ms()
        author = Author(subject.id, subject.name)
        known = await self._records.read(lambda connection: journal.find_version(connection, version))
        if known is not None and is_large(known.put + known.removed):
            return await self._undo_large(version, known.list_id, author)

        def undo(connection: Connection) -> Version:
            made = journal.take_back(connection, self._events, now_ms=now, version=version, author=author)
            _mark_undone(connection, version)
            return made

        made = await self._records.write(undo)
        self._note(made)
        log.info("lists.undone", version=made.version, undoes=version)
        return ListChangeAnswer(made.version, made.put, made.removed)

    async def _undo_large(self, version: int, list_id: str, author: Author) -> ListChangeAnswer:
        large = LargeChange(self._records, self._now_ms, f"undo-{version}-{random_source.token_hex(4)}")
        back = await self._records.read(lambda connection: taken_back(connection, version), limit_s=60.0)
        now = self._now_ms()

        def bring(connection: Connection) -> Version:
            later = large.count_moved(connection, version)
            if later:
                raise ConflictError(
                    f"{later} of the {len(back)} entries of version {version} were changed again since. "
                    "Nothing was changed.",
                    hint="Change these entries one by one.",
                    reference="list-changed-since",
                )
            _mark_undone(connection, version)
            return large.bring_into_force(
                connection, self._events, back, share, now_ms=now, kind="undo", list_id=list_id, author=author,
                undoes=version,
            )  # fmt: skip

        try:
            share = await large.lay_down(back)
            made = await self._records.write(bring)
        finally:
            await asyncio.shield(asyncio.ensure_future(large.tidy()))
        self._note(made)
        log.info("lists.undone", version=made.version, undoes=version)
        return ListChangeAnswer(made.version, made.put, made.removed)

    async def inspect(self, typed: str) -> PlateInspectionView:
        """The typing guard: what a number is, why it cannot stand, and which near ones are on the lists already."""
        inspection = inspect_plate(typed)
        if inspection.plate is None:
            reference = inspection.reference or "plate-text"
            zh, zh_hint = say_plate_refusal(typed, reference, inspection.suggestions)
            return PlateInspectionView(
                text="", display="", series="", refusal=f"{zh}。{zh_hint}", reference=reference, warning="",
                suggestions=tuple(display_of(text) for text in inspection.suggestions),
                refusal_en=inspection.refusal or "",
            )  # fmt: skip
        text = inspection.plate.text
        near = await self._records.read(lambda connection: journal.find_by_texts(connection, [text, *twin_texts(text)]))
        twins = tuple(dict.fromkeys(display_of(placed.entry.text) for placed in near if placed.entry.text != text))
        series = inspection.plate.series
        warning = inspection.warning or ""
        return PlateInspectionView(
            text=text, display=inspection.plate.display, series=series.id if series is not None else "", refusal="",
            reference="", warning=f"{inspection.plate.display} 不符合任何已知的號牌編碼" if warning else "",
            suggestions=(), twins=twins[:TWINS_MAX], warning_en=warning,
            listed=any(placed.entry.text == text for placed in near),
        )  # fmt: skip

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

            def load(connection: Connection, after: tuple[str, str] = after) -> list[WatchEntry]:
                rows = connection.execute(
                    select(entries.c.body)
                    .where(
                        entries.c.list_id == list_id,
                        or_(
                            entries.c.text > after[0],
                            (entries.c.text == after[0]) & (entries.c.entry_id > after[1]),
                        ),
                    )
                    .order_by(entries.c.text, entries.c.entry_id)
                    .limit(1000)
                )
                return [journal.decode_entry(row.body) for row in rows]

            page = await self._records.read(load)
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


def new_entry_id() -> str:
    """An id that no other entry has."""
    return "e" + random_source.token_hex(8)


def view_entry(entry: WatchEntry, added_ms: int, added_by: str, now_ms: int) -> EntryView:
    """An entry with its derived words."""
    fitting = series_of(entry.text)
    return EntryView(
        entry=entry,
        display=display_of(entry.text),
        series=fitting[0].id if fitting else "",
        added_ms=added_ms,
        added_by=added_by,
        expired=entry.expires_ms is not None and entry.expires_ms < now_ms,
        warning_words="" if fitting else "不符合任何已知的號牌編碼",
    )


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _parse_cursor(cursor: str) -> tuple[int, str]:
    version, _, entry_id = cursor.partition(".")
    if not version.isdecimal() or len(version) > 18:
        raise InputRefusedError("That is no page of this list.", reference="cursor")
    return int(version), entry_id


def _mark_undone(connection: Connection, version: int) -> None:
    connection.execute(
        imports.update().where(imports.c.version == version, imports.c.state == "applied").values(state="undone")
    )


def _refuse_strange(connection: Connection, list_id: str, changed: set[str], removed: set[str]) -> None:
    """A save of one list changes no other, and names no entry that is not there: ids are made here, by nobody else."""
    placed = journal.find_placed(connection, sorted(changed | removed))
    elsewhere = [entry_id for entry_id, one in placed.items() if one.list_id != list_id]
    if elsewhere or not changed <= placed.keys():
        raise ConflictError(
            "An entry of this save is not on this list (any more). Nothing was changed.",
            hint="Look at the list as it is now, then save again.",
            reference="entry-gone",
        )


def _refuse_repeated(connection: Connection, list_id: str, drafted: list[WatchEntry], removed: set[str]) -> None:
    """One number stands once in a list."""
    seen: dict[str, str] = {}
    for entry in drafted:
        if seen.setdefault(entry.text, entry.id) != entry.id:
            raise ConflictError(f"{display_of(entry.text)} stands twice in this save.", reference="entry-twice")
    for placed in journal.find_by_texts(connection, seen, list_id):
        if placed.entry.id not in removed and placed.entry.id != seen[placed.entry.text]:
            if placed.entry.id in {entry.id for entry in drafted}:
                continue  # that entry changes its number in the same save
            raise ConflictError(
                f"{display_of(placed.entry.text)} stands in this list already (case {placed.entry.case_number or '-'}).",
                hint="Change that entry instead.",
                reference="entry-twice",
            )


def _question_twins(connection: Connection, drafted: list[WatchEntry], removed: set[str]) -> None:
    """Two numbers of one case that differ only in what readers mix up: was the second added for misreads (G24)?"""
    for entry in drafted:
        if not entry.case_number:
            continue
        others = [other for other in drafted if other.id != entry.id]
        others += [
            placed.entry
            for placed in journal.find_by_texts(connection, twin_texts(entry.text))
            if placed.entry.id not in removed and placed.entry.id not in {e.id for e in drafted}
        ]
        for other in others:
            if other.case_number == entry.case_number and is_twin(entry.text, other.text):
                raise ConflictError(
                    f"{display_of(entry.text)} and {display_of(other.text)} differ in one character that readers mix up "
                    f"and stand under the same case {entry.case_number}.",
                    hint="Look-alikes are found by the matcher. Keep one, or confirm that both vehicles are meant.",
                    reference="twins-under-one-case",
                )
