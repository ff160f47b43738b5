"""The search desk: a person asks about reads, with a purpose and a case, and everything asked and given is on record.

Asking is an act (L01, L02): the question is recorded before anything is fetched, what leaves is recorded before it
leaves. A newer question of the same session cancels the older one, on this side too (field case G40); a cancelled one
stays in the record as cancelled (G63). Questions stand in the records, never in addresses.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy import Connection, delete, insert, select

from guardian.archive.filler import Filler
from guardian.archive.grants import LookupGrants
from guardian.archive.model import ArchivedRead
from guardian.archive.ports import Archive, Areas, Places
from guardian.archive.question import PAGE_MAX, Cursor, Question, understand
from guardian.archive.rows import photos_of, row_of
from guardian.archive.tables import searches
from guardian.archive.timeline import timeline
from guardian.archive.views import (
    PlateCount,
    ReadDetail,
    SearchAnswer,
    SearchRequest,
    TimeBin,
)
from guardian.domain.csv_text import BOM, csv_row
from guardian.domain.errors import ConflictError, GuardianError, InputRefusedError, NotFoundError
from guardian.domain.moment import TAIPEI, format_instant
from guardian.domain.plate import display_of
from guardian.domain.read import parse_read_id
from guardian.domain.subject import LookupRecorder, Subject
from guardian.stores.ports import Records

log = structlog.get_logger(__name__)
T = TypeVar("T")

SEARCH_KEPT_MS = 30 * 24 * 3600 * 1000
EXPORT_MAX = 50_000
EXPORT_PAGE = 500
SETTLE_S = 1.0

CSV_HEADER = (
    "車牌", "近似", "拍攝時間", "收到時間", "時間存疑", "設備", "勤務單位", "地點", "緯度", "經度", "信心值", "車種", "顏色", "紀錄編號",
)  # fmt: skip


class SearchReplacedError(ConflictError):
    """The same session asked something newer; this older question was cancelled."""

    reference = "search-replaced"


class _Saved(msgspec.Struct, frozen=True):
    id: str
    owner: str
    as_of: int
    request: SearchRequest


class SearchDesk:
    """Where questions about reads are asked."""

    def __init__(
        self,
        records: Records,
        archive: Archive,
        filler: Filler,
        lookups: LookupRecorder,
        grants: LookupGrants,
        *,
        now_ms: Callable[[], int],
        places: Places | None = None,
        areas: Areas | None = None,
        export_page: int = EXPORT_PAGE,
        settle_s: float = SETTLE_S,
    ) -> None:
        """Wire the desk.

        Args:
            filler: asked to bring what was stored into the column store before a question is answered.
            areas: areas by name; without it a question gives its area as a box or polygon.
            grants: learns which pictures an answer shows.
            settle_s: how long a question waits for the filler; after it the answer says that it is behind.
        """
        self._records = records
        self._archive = archive
        self._filler = filler
        self._lookups = lookups
        self._grants = grants
        self._now_ms = now_ms
        self._places = places
        self._areas = areas
        self._export_page = export_page
        self._settle_s = settle_s
        self._running: dict[str, asyncio.Task[SearchAnswer]] = {}
        self._replaced: set[asyncio.Task[SearchAnswer]] = set()

    # Asking.

    async def ask(self, subject: Subject, request: SearchRequest) -> SearchAnswer:
        """A new question; cancels the session's older one.

        Raises:
            NotAllowedError: the purpose or the case says nothing.
            InputRefusedError: the question makes no sense or matches everything.
            QuestionCutOffError: it took too long.
            SearchReplacedError: a newer one came meanwhile.
        """
        question = understand(request, now_ms=self._now_ms(), areas=self._areas)
        _page_size(request)
        lookup_id = await self._lookups.begin(
            subject, "reads.search", request.purpose, request.case_number, elements_of(request, question)
        )
        return await self._as_newest(subject, lookup_id, self._first(subject, lookup_id, request, question))

    async def open(self, subject: Subject, search_id: str, purpose: str, case_number: str) -> SearchAnswer:
        """A question that somebody shared, asked anew for one's own purpose; it becomes the asker's own."""
        saved = await self._load(search_id)
        request = msgspec.structs.replace(saved.request, purpose=purpose, case_number=case_number)
        return await self.ask(subject, request)

    async def page(self, subject: Subject, search_id: str, cursor: str) -> SearchAnswer:
        """A further page of one's own search; an empty cursor is the first page.

        Raises:
            NotFoundError: no such search of this person.
        """
        after = Cursor.decode(cursor) if cursor else None
        saved = await self._own(subject, search_id)
        question = understand(saved.request, now_ms=self._now_ms(), areas=self._areas)
        request = saved.request
        elements = {**elements_of(request, question), "page": "further" if after else "first"}
        lookup_id = await self._lookups.begin(subject, "reads.search", request.purpose, request.case_number, elements)
        return await self._as_newest(
            subject, lookup_id, self._answer(subject, lookup_id, saved, question, after, whole=after is None)
        )

    async def _first(
        self, subject: Subject, lookup_id: str, request: SearchRequest, question: Question
    ) -> SearchAnswer:
        filled = await self._filler.settle(self._settle_s)
        saved = _Saved(secrets.token_urlsafe(16), subject.id, filled.number, request)
        await self._records.write(lambda connection: self._save(connection, saved))
        answer = await self._answer(subject, lookup_id, saved, question, None, whole=True)
        return answer if filled.whole else msgspec.structs.replace(answer, behind=True)

    async def _answer(
        self,
        subject: Subject,
        lookup_id: str,
        saved: _Saved,
        question: Question,
        after: Cursor | None,
        *,
        whole: bool,
    ) -> SearchAnswer:
        started_s = time.perf_counter()
        request, as_of = saved.request, saved.as_of
        page = await self._archive.page(question, cursor=after, limit=_page_size(request), as_of=as_of)
        counted = await self._archive.count(question, as_of=as_of)
        newer = await self._archive.newer(question, as_of=as_of) if not whole else 0
        plates: list[tuple[str, int]] = []
        bins: tuple[TimeBin, ...] = ()
        if whole and counted.count:
            if question.pattern and question.pattern.exact and not question.lookalike:
                plates = [(question.pattern.text, counted.count)]
            elif counted.exact:
                plates = await self._archive.plates(question, as_of=as_of)
            bins = await timeline(self._archive, question, as_of=as_of, now_ms=self._now_ms())
        await self._grants.grant(subject, lookup_id, [sha256 for held in page.reads for sha256 in photos_of(held.read)])
        answer = SearchAnswer(
            search_id=saved.id,
            lookup_id=lookup_id,
            question=request,
            normal=_shown(question),
            rows=tuple(
                row_of(
                    held,
                    places=self._places,
                    photo_ref=f"lookup:{lookup_id}",
                    lookalike=question.is_lookalike(held.read.text),
                )
                for held in page.reads
            ),
            next_cursor=page.next.encode() if page.next else "",
            count=counted.count,
            count_exact=counted.exact,
            plates=tuple(PlateCount(text, display_of(text), reads) for text, reads in plates),
            histogram=bins,
            elapsed_ms=round((time.perf_counter() - started_s) * 1000),
            newer=newer,
        )
        await self._lookups.deliver(lookup_id, len(answer.rows))
        return answer

    async def _as_newest(self, subject: Subject, lookup_id: str, work: Awaitable[SearchAnswer]) -> SearchAnswer:
        """Run as the session's one running question; an older one is cancelled."""
        key = subject.session_id or subject.id
        older = self._running.get(key)
        if older is not None and not older.done():
            self._replaced.add(older)
            older.cancel()
        task = asyncio.ensure_future(work)
        self._running[key] = task
        try:
            return await task
        except asyncio.CancelledError:
            replaced = task in self._replaced
            task.cancel()  # cancelled from outside: the client has gone
            await self._close(lookup_id, "cancelled")
            if replaced:
                raise SearchReplacedError(
                    "A newer question of yours took the place of this one; it was cancelled.",
                    hint="Look at the newer answer.",
                ) from None
            raise
        except GuardianError as error:
            await self._close(lookup_id, error.reference)
            raise
        finally:
            self._replaced.discard(task)
            if self._running.get(key) is task:
                del self._running[key]

    async def _close(self, lookup_id: str, note: str) -> None:
        """Record that nothing left, even while being cancelled."""
        await asyncio.shield(asyncio.ensure_future(self._lookups.deliver(lookup_id, 0, note=note)))

    # One read.

    async def detail(self, subject: Subject, read_id: str, purpose: str, case_number: str) -> ReadDetail:
        """One read whole.

        Raises:
            NotFoundError: never stored, or destroyed or hidden because it is due.
        """
        parse_read_id(read_id)
        lookup_id = await self._lookups.begin(subject, "reads.view", purpose, case_number, {"read": read_id})
        try:
            await self._filler.settle(self._settle_s)
            held = (await self._archive.find_many([read_id])).get(read_id)
            if held is None:
                raise NotFoundError(
                    "There is no such read (any more).",
                    hint="Reads are kept for a year.",
                    reference="read-not-found",
                )
            await self._grants.grant(subject, lookup_id, photos_of(held.read))
        except GuardianError as error:
            await self._close(lookup_id, error.reference)
            raise
        await self._lookups.deliver(lookup_id, 1)
        return ReadDetail(read=held.read, row=row_of(held, places=self._places, photo_ref=f"lookup:{lookup_id}"))

    # Export.

    async def export(self, subject: Subject, search_id: str) -> AsyncIterator[bytes]:
        """The whole answer of one's own search as CSV, page by page, at most EXPORT_MAX rows.

        The look-up is on record when this returns; what really left is on record when the stream ends, broken off or
        not (field case G63).

        Raises:
            NotFoundError: no such search of this person.
            InputRefusedError: more than EXPORT_MAX rows.
        """
        saved = await self._own(subject, search_id)
        request = saved.request
        question = understand(request, now_ms=self._now_ms(), areas=self._areas)
        lookup_id = await self._lookups.begin(
            subject, "reads.export", request.purpose, request.case_number, elements_of(request, question)
        )
        try:
            counted = await self._archive.count(question, as_of=saved.as_of, count_max=EXPORT_MAX)
            if not counted.exact:
                raise InputRefusedError(
                    f"The answer has more than {EXPORT_MAX:,} reads, which no file is made of.",
                    hint="Narrow the question: more of the plate, a shorter time, a smaller area.",
                    reference="export-too-large",
                )
            first = await self._archive.page(question, cursor=None, limit=self._export_page, as_of=saved.as_of)
        except GuardianError as error:
            await self._close(lookup_id, error.reference)
            raise
        return self._stream(lookup_id, question, saved.as_of, list(first.reads), first.next)

    async def _stream(
        self, lookup_id: str, question: Question, as_of: int, reads: list[ArchivedRead], after: Cursor | None
    ) -> AsyncIterator[bytes]:
        left, note = 0, "cancelled"
        try:
            head = (BOM + csv_row(CSV_HEADER)).encode()
            while True:
                yield head + "".join(self._csv(held, question) for held in reads).encode()
                left, head = left + len(reads), b""  # asked for more: the piece before has left
                if after is None:
                    note = ""
                    break
                page = await self._archive.page(question, cursor=after, limit=self._export_page, as_of=as_of)
                reads, after = list(page.reads), page.next
        except GuardianError as error:
            note = error.reference
            raise
        finally:
            await asyncio.shield(asyncio.ensure_future(self._lookups.deliver(lookup_id, left, note=note)))

    def _csv(self, held: ArchivedRead, question: Question) -> str:
        row = row_of(held, places=self._places, lookalike=question.is_lookalike(held.read.text))
        return csv_row(
            (
                row.display,
                "近似" if row.lookalike else "",
                format_instant(row.captured_ms, zone=TAIPEI),
                format_instant(row.received_ms, zone=TAIPEI),
                "時間存疑" if row.time_doubtful else "",
                row.device_id,
                row.unit,
                row.place,
                row.lat_deg,
                row.lon_deg,
                round(row.confidence_prob, 4),
                row.kind,
                row.colour,
                row.id,
            )
        )

    # Saved questions.

    def _save(self, connection: Connection, saved: _Saved) -> None:
        now_ms = self._now_ms()
        connection.execute(delete(searches).where(searches.c.created_ms < now_ms - SEARCH_KEPT_MS))
        connection.execute(
            insert(searches).values(
                id=saved.id,
                owner=saved.owner,
                created_ms=now_ms,
                as_of=saved.as_of,
                question=msgspec.msgpack.encode(saved.request),
            )
        )

    async def _load(self, search_id: str) -> _Saved:
        row = await self._records.read(
            lambda connection: connection.execute(select(searches).where(searches.c.id == search_id)).first()
        )
        if row is None:
            raise NotFoundError(
                "There is no such search (any more).",
                hint="Searches are kept for 30 days; ask again.",
                reference="search-not-found",
            )
        return _Saved(row.id, row.owner, row.as_of, msgspec.msgpack.decode(row.question, type=SearchRequest))

    async def _own(self, subject: Subject, search_id: str) -> _Saved:
        saved = await self._load(search_id)
        if saved.owner != subject.id:
            raise NotFoundError(
                "This search is not yours.",
                hint="Open it with your own purpose and case number.",
                reference="search-not-yours",
            )
        return saved


def elements_of(request: SearchRequest, question: Question) -> dict[str, str]:
    """What was asked, as the auditor reads it."""
    out = {"plate": _shown(question)} if question.pattern else {}
    if question.lookalike:
        out["lookalike"] = "yes"
    if request.from_ms is not None:
        out["from"] = format_instant(request.from_ms, zone=TAIPEI)
    if request.until_ms is not None:
        out["until"] = format_instant(request.until_ms, zone=TAIPEI)
    if question.region is not None and request.area is not None:
        region = question.region
        bounds = [side / 100_000 for side in (region.south, region.west, region.north, region.east)]
        out["area"] = request.area.name[:64] or "{:.5f},{:.5f} – {:.5f},{:.5f}".format(*bounds)
        if request.area.polygon is not None:
            out["area"] += f" ({len(region.ring)} corners)"
    if request.device_ids:
        out["devices"] = ", ".join(request.device_ids)
    if request.units:
        out["units"] = ", ".join(request.units)
    if request.colours:
        out["colours"] = ", ".join(request.colours)
    if request.kinds:
        out["kinds"] = ", ".join(request.kinds)
    return out


def _shown(question: Question) -> str:
    if question.pattern is None:
        return ""
    return display_of(question.normal) if question.pattern.exact else question.normal


def _page_size(request: SearchRequest) -> int:
    if not 1 <= request.page_size <= PAGE_MAX:
        raise InputRefusedError(f"A page has 1 to {PAGE_MAX} reads, not {request.page_size}.", reference="page-size")
    return request.page_size
