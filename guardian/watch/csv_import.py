"""Importing a file into a list: plan, look at it, apply all or nothing, take back.

Nothing changes before `apply`. A plan belongs to the list as it was: when the list has changed since, plan again. A large
file is laid down in pieces beside the list first (`large_change`), so that reads come in and hits are raised meanwhile; its
plan then says `applying` and how far it is. Cut off there, nothing has changed and the plan can be applied again.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets as random_source
from collections.abc import Callable

import msgspec
import structlog
from msgspec.structs import replace
from sqlalchemy import Connection, Row, delete, func, select, update

from guardian.domain.errors import ConflictError, GuardianError, InputRefusedError, NotFoundError
from guardian.domain.subject import Subject
from guardian.domain.watch import WatchEntry
from guardian.stores import Events, Records
from guardian.watch import journal
from guardian.watch.editing import new_entry_id
from guardian.watch.import_plan import Planned, RefusedRow, cases_of, plan_rows, read_table, refused_csv, texts_of
from guardian.watch.journal import Author, Placed, Version
from guardian.watch.keeper import ListKeeper
from guardian.watch.large_change import STALE_MS, Change, LargeChange, is_large
from guardian.watch.tables import entries, imports, lists, staged
from guardian.watch.views import ImportPlan

log = structlog.get_logger("watch.imports")

PLAN_KEPT_MS = 24 * 3_600_000
"""A plan that nobody applied is forgotten after a day."""
CASES_MAX = 20_000
"""Case numbers of one file that are looked up for twins."""
MODES = ("add", "replace")
COLUMNS_SHOWN, CELL_SHOWN = 60, 60
"""So many columns of a file, each so many characters, are shown for matching them by hand."""


class Deeds(msgspec.Struct, frozen=True):
    """What applying does, and the rows that go back to their author."""

    put: tuple[WatchEntry, ...]
    remove: tuple[str, ...]
    header: tuple[str, ...]
    refused: tuple[RefusedRow, ...]


class ListImporter:
    """Imports into the lists of one house."""

    def __init__(self, records: Records, keeper: ListKeeper, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._keeper = keeper
        self._now_ms = now_ms
        self._laid: dict[str, int] = {}  # by import: how many rows lie there already

    async def plan(
        self,
        list_id: str,
        body: bytes,
        subject: Subject,
        *,
        file_name: str = "",
        mode: str = "add",
        encoding: str = "",
        columns: dict[str, str] | None = None,
        headed: bool = True,
    ) -> ImportPlan:
        """Read a file and say what applying it would do.

        Args:
            mode: `add` (rows come or change) or `replace` (what the file does not name goes).
            encoding, columns, headed: where the person has chosen them instead of what was found; see `read_table`.
        """
        if mode not in MODES:
            raise InputRefusedError(
                f"'{mode}' is no way of importing.", hint="add or replace.", reference="import-mode"
            )
        now = self._now_ms()
        table = await asyncio.to_thread(read_table, body, encoding=encoding, chosen=columns, headed=headed)
        texts = [] if table.problem else await asyncio.to_thread(texts_of, table)
        cases = [] if table.problem else cases_of(table)
        existing, same_case, all_ids, base_version = await self._records.read(
            lambda connection: _load(connection, list_id, texts, cases), limit_s=60.0
        )
        planned = Planned((), (), (), (), 0, 0, 0)
        if not table.problem:
            planned = await asyncio.to_thread(
                plan_rows, table, existing, same_case, all_ids=all_ids if mode == "replace" else None, now_ms=now,
                new_id=new_entry_id,
            )  # fmt: skip
        problem, reference = table.problem, table.reference
        if not problem and not table.rows and mode == "add":
            problem, reference = "檔案只有標題，沒有資料列", "import-no-rows"
        removed, before = len(planned.remove), len(all_ids)
        plan = ImportPlan(
            id="i" + random_source.token_hex(8),
            list_id=list_id,
            file_name=file_name[:200],
            encoding=table.encoding,
            sample_line=table.sample_line,
            columns={field: table.header[place] for field, place in table.columns.items()},
            mode=mode,
            rows=len(table.rows),
            added=planned.added,
            updated=planned.updated,
            same=planned.same,
            refused=len(planned.refused),
            removed=removed,
            entries_before=before,
            report=planned.report,
            problem=problem,
            problem_reference=reference,
            needs_confirmation=f"移除 {before:,} 筆中的 {removed:,} 筆" if removed else "",
            header=tuple(cell[:CELL_SHOWN] for cell in table.header[:COLUMNS_SHOWN]),
            first=tuple(cell[:CELL_SHOWN] for cell in table.rows[0].cells[:COLUMNS_SHOWN]) if table.rows else (),
            fixed=table.fixed,
            encoding_chosen=bool(encoding),
            headed=headed,
        )
        deeds = Deeds(planned.put, planned.remove, table.header, planned.refused)
        await self._records.write(lambda connection: _keep(connection, plan, deeds, subject, base_version, now))
        log.info("imports.planned", import_id=plan.id, rows=plan.rows, refused=plan.refused, list_id=list_id)
        return plan

    async def get(self, import_id: str) -> ImportPlan:
        """A plan as it stands.

        Raises:
            NotFoundError: no such plan, or forgotten.
        """
        now = self._now_ms()

        def load(connection: Connection) -> ImportPlan:
            row = _row(connection, import_id)
            if row.state == "applying" and import_id not in self._laid and not _is_running(connection, import_id, now):
                return replace(_plan_of(row), state="planned")  # its process has died
            return _plan_of(row)

        plan = await self._records.read(load)
        return replace(plan, laid=self._laid.get(import_id, 0)) if plan.state == "applying" else plan

    async def apply(self, import_id: str, subject: Subject, *, confirm_removal: int | None = None) -> ImportPlan:
        """Do what the plan says, as one version.

        Raises:
            ConflictError: it cannot be applied (`import-problem`), was applied before (`import-applied`), is being applied
                (`import-running`), the list has changed since (`import-stale`), or the removals were not confirmed
                (`import-removal`).
        """
        now = self._now_ms()
        large = await self._begin_large(import_id, confirm_removal)
        if large is not None:
            return await self._apply_large(import_id, subject, large)

        def apply(connection: Connection, events: Events) -> tuple[ImportPlan, Version]:
            row, plan = _ready(connection, import_id, confirm_removal)
            deeds = msgspec.msgpack.decode(row.deeds, type=Deeds)
            before = journal.newest_version(connection).version
            version = journal.append(
                connection, events, now_ms=now, kind="import", list_id=row.list_id, put=deeds.put,
                remove=deeds.remove, author=Author(subject.id, subject.name),
            )  # fmt: skip
            # A file that changes nothing makes no version; there is then nothing to undo.
            return _mark(connection, plan, "applied", version.version if version.version > before else 0), version

        plan = await self._keeper.commit(apply)
        log.info("imports.applied", import_id=import_id, version=plan.version, added=plan.added, removed=plan.removed)
        return plan

    async def _begin_large(self, import_id: str, confirm_removal: int | None) -> Deeds | None:
        """Say that this import is being applied, and give its deeds; None where it is small enough for one turn."""
        now = self._now_ms()

        def begin(connection: Connection) -> Deeds | None:
            row = _row(connection, import_id)
            if row.state == "applying" and (import_id in self._laid or _is_running(connection, import_id, now)):
                raise ConflictError("This import is being applied already.", reference="import-running")
            row, plan = _ready(connection, import_id, confirm_removal)
            if not is_large(plan.added + plan.updated + plan.removed):
                return None
            _mark(connection, plan, "applying", 0)
            self._laid[import_id] = 0
            return msgspec.msgpack.decode(row.deeds, type=Deeds)

        return await self._records.write(begin)

    async def _apply_large(self, import_id: str, subject: Subject, deeds: Deeds) -> ImportPlan:
        large = LargeChange(self._records, self._now_ms, import_id)
        author = Author(subject.id, subject.name)
        try:
            list_id = (await self.get(import_id)).list_id
            touched = [*(entry.id for entry in deeds.put), *deeds.remove]
            held = await self._records.read(lambda connection: journal.find_placed(connection, touched), limit_s=60.0)
            laid = await asyncio.to_thread(_changes_of, deeds, held, list_id, self._now_ms(), author)
            share = await large.lay_down(laid, lambda count: self._laid.__setitem__(import_id, count))
            now = self._now_ms()

            def bring(connection: Connection, events: Events) -> tuple[ImportPlan, Version]:
                _, plan = _ready(connection, import_id, None, begun=True)
                version = large.bring_into_force(
                    connection, events, laid, share, now_ms=now, kind="import", list_id=list_id, author=author
                )
                return _mark(connection, plan, "applied", version.version), version

            plan = await self._keeper.commit(bring)
            await large.tidy()
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(self._give_up(import_id, large)))
            raise
        finally:
            self._laid.pop(import_id, None)
        log.info("imports.applied", import_id=import_id, version=plan.version, added=plan.added, removed=plan.removed)
        return plan

    async def _give_up(self, import_id: str, large: LargeChange) -> None:
        """Nothing was changed: the plan can be applied again, and what was laid down goes."""
        began = (imports.c.import_id == import_id) & (imports.c.state == "applying")
        with contextlib.suppress(
            GuardianError
        ):  # the store is away: `get` and the next `apply` see that it was cut off
            await self._records.write(
                lambda connection: connection.execute(update(imports).where(began).values(state="planned")).rowcount
            )
        await large.tidy()

    async def undo(self, import_id: str, subject: Subject) -> ImportPlan:
        """Take an applied import back as a new version; see `journal.take_back`."""
        now = self._now_ms()
        applied = await self.get(import_id)
        if applied.state == "applied" and is_large(applied.added + applied.updated + applied.removed):
            await self._keeper.undo(applied.version, subject)
            return await self.get(import_id)

        def undo(connection: Connection, events: Events) -> tuple[ImportPlan, Version]:
            plan = _plan_of(_row(connection, import_id))
            if plan.state != "applied" or plan.version == 0:
                raise ConflictError(
                    "This import is not applied, or was undone already.", reference="import-not-applied"
                )
            author = Author(subject.id, subject.name)
            version = journal.take_back(connection, events, now_ms=now, version=plan.version, author=author)
            return _mark(connection, plan, "undone", plan.version), version

        plan = await self._keeper.commit(undo)
        log.info("imports.undone", import_id=import_id, undoes=plan.version)
        return plan

    async def refused_csv(self, import_id: str) -> bytes:
        """The rows that were not taken, with the reason, as a file."""

        def load(connection: Connection) -> Deeds:
            return msgspec.msgpack.decode(_row(connection, import_id).deeds, type=Deeds)

        deeds = await self._records.read(load)
        return refused_csv(deeds.header, deeds.refused)


def _ready(
    connection: Connection, import_id: str, confirm_removal: int | None, *, begun: bool = False
) -> tuple[Row[tuple[object, ...]], ImportPlan]:
    """The import, if it may be applied now; `begun`: its removals were confirmed when it was begun.

    Raises:
        ConflictError: see `ListImporter.apply`.
    """
    row = _row(connection, import_id)
    plan = _plan_of(row)
    if plan.state not in (("applying",) if begun else ("planned", "applying")):
        raise ConflictError("This import was applied already.", reference="import-applied")
    if plan.problem:
        raise ConflictError(
            "This file cannot be imported; nothing was changed.", hint=plan.problem, reference="import-problem"
        )
    journal.require_open(connection, row.list_id)
    current = connection.execute(select(lists.c.version).where(lists.c.list_id == row.list_id)).scalar_one()
    if current != row.base_version:
        raise ConflictError(
            "The list was changed since this plan was made; nothing was changed.",
            hint="Choose the file again.",
            reference="import-stale",
        )
    if plan.removed and not begun and confirm_removal != plan.removed:
        raise ConflictError(
            f"This import removes {plan.removed:,} of {plan.entries_before:,} entries; nobody has confirmed that.",
            hint="Confirm the number of removals.",
            reference="import-removal",
        )
    return row, plan


def _is_running(connection: Connection, import_id: str, now_ms: int) -> bool:
    """Whether a process (another one) lays this import down right now."""
    newest = connection.execute(select(func.max(staged.c.staged_ms)).where(staged.c.job_id == import_id)).scalar()
    return newest is not None and newest >= now_ms - STALE_MS


def _changes_of(deeds: Deeds, held: dict[str, Placed], list_id: str, now_ms: int, author: Author) -> list[Change]:
    found = []
    for entry in deeds.put:
        placed = held.get(entry.id)
        before = None if placed is None else journal.encode_entry(placed.entry)
        after = journal.encode_entry(entry)
        if placed is None:
            found.append(Change(entry.id, list_id, None, after, now_ms, author.name))
        elif before != after:
            found.append(Change(entry.id, placed.list_id, before, after, placed.added_ms, placed.added_by))
    for entry_id in dict.fromkeys(deeds.remove):
        placed = held.get(entry_id)
        if placed is not None:
            before = journal.encode_entry(placed.entry)
            found.append(Change(entry_id, placed.list_id, before, None, placed.added_ms, placed.added_by))
    return found


def _load(
    connection: Connection, list_id: str, texts: list[str], cases: list[str]
) -> tuple[dict[str, WatchEntry], list[WatchEntry], dict[str, str], int]:
    journal.require_open(connection, list_id)
    version: int = connection.execute(select(lists.c.version).where(lists.c.list_id == list_id)).scalar_one()
    existing = {placed.entry.text: placed.entry for placed in journal.find_by_texts(connection, texts, list_id)}
    same_case: list[WatchEntry] = []
    for part in journal.chunks(cases[:CASES_MAX]):
        bodies = connection.execute(select(entries.c.body).where(entries.c.case_number.in_(part))).scalars()
        same_case += [journal.decode_entry(body) for body in bodies]
    all_ids = {
        row.entry_id: row.text
        for row in connection.execute(select(entries.c.entry_id, entries.c.text).where(entries.c.list_id == list_id))
    }
    return existing, same_case, all_ids, version


def _keep(
    connection: Connection, plan: ImportPlan, deeds: Deeds, subject: Subject, base_version: int, now_ms: int
) -> None:
    connection.execute(
        delete(imports).where(imports.c.state == "planned", imports.c.created_ms < now_ms - PLAN_KEPT_MS)
    )
    connection.execute(
        imports.insert().values(
            import_id=plan.id, list_id=plan.list_id, created_ms=now_ms, author_id=subject.id,
            base_version=base_version, state=plan.state, version=0, plan=msgspec.msgpack.encode(plan),
            deeds=msgspec.msgpack.encode(deeds),
        )
    )  # fmt: skip


def _row(connection: Connection, import_id: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(imports).where(imports.c.import_id == import_id)).first()
    if row is None:
        raise NotFoundError("There is no such import, or it was forgotten.", reference="no-such-import")
    return row


def _plan_of(row: Row[tuple[object, ...]]) -> ImportPlan:
    plan = msgspec.msgpack.decode(row.plan, type=ImportPlan)
    return replace(plan, state=row.state, version=row.version)


def _mark(connection: Connection, plan: ImportPlan, state: str, version: int) -> ImportPlan:
    connection.execute(update(imports).where(imports.c.import_id == plan.id).values(state=state, version=version))
    return replace(plan, state=state, version=version)
