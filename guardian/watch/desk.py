"""The desk where hits arrive and are checked.

It consumes `reads.stored` (every read is matched again in the cloud against the list in force, and what the device found
is joined to it) and `lists.changed` (a new entry looks back at what came before it; a hit whose entry went is no new
work any more). People claim, decide, undo; each deed is a fact at once and an event `hits.changed`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, func, or_, select

from guardian.domain.csv_text import BOM, csv_row
from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.event import Event, ListChanged, ReadsStored
from guardian.domain.moment import TAIPEI
from guardian.domain.opinion import is_sound
from guardian.domain.read import Read
from guardian.domain.subject import Subject
from guardian.domain.watch import VERDICTS, HitFact, HitState, MatchStrength, Outcome
from guardian.domain.wire import DeviceAnswer, ReadOpinion
from guardian.stores import Events, Records
from guardian.watch import hits as ledger
from guardian.watch import opinions
from guardian.watch.cards import CSV_HEADER, Rarity, as_csv, card_of, rarity_of
from guardian.watch.drafts import twin_texts
from guardian.watch.hits import Candidate, Deed
from guardian.watch.in_force import MatcherInForce
from guardian.watch.keeper import ListKeeper
from guardian.watch.model import Desk, derive, lapse
from guardian.watch.ports import Places, RecentReads, StoredReads
from guardian.watch.tables import hits
from guardian.watch.views import HitCard, HitDetail, HitPage

log = structlog.get_logger("watch.hits")

LOOKBACK_MS = 24 * 3_600_000
RECENT_BATCHES_MAX = 256
RECENT_BATCHES_MS = 120_000
"""Batches matched a moment ago are matched again when a list changes: the archive may not hold them yet."""
LOOKBACK_TEXTS_MAX = 1_000  # for one question to the archive
LOOKBACK_ENTRIES_MAX = 20_000
TWIN_ENTRIES_MAX = 50
"""For so many new entries the look back also asks for look-alikes; for larger imports for the numbers themselves."""
OPEN_MAX = 2_000
PAGE = 100
SAME_PLATE_MS = 24 * 3_600_000
SAME_PLATE_MAX = 20
ODDS_KEPT_MS = 30_000
EXPORT_MAX = 50_000

STATES = ("open", "mine", "checked")


class HitDesk:
    """All hits of one house.

    Args:
        stored: the reads of a batch that `reads.stored` names.
        recent: reads that came before a list changed; without it new entries do not look back.
        places: names of places for cards; without it cards carry coordinates only.
    """

    def __init__(
        self,
        records: Records,
        events: Events,
        keeper: ListKeeper,
        stored: StoredReads,
        now_ms: Callable[[], int],
        *,
        recent: RecentReads | None = None,
        places: Places | None = None,
        lookback_ms: int = LOOKBACK_MS,
    ) -> None:
        self._records = records
        self._events = events
        self._keeper = keeper
        self._now_ms = now_ms
        self._stored = stored
        self._recent = recent
        self._places = places
        self._lookback_ms = lookback_ms
        self._batches: deque[tuple[int, str]] = deque(maxlen=RECENT_BATCHES_MAX)
        self._rarity: Rarity = {}
        self._rarity_ms = -ODDS_KEPT_MS

    def subscribe(self) -> None:
        """Begin to consume; once, before `events.start()`."""
        self._events.subscribe("reads.stored", "watch-hits", self.on_reads_stored)
        self._events.subscribe("lists.changed", "watch-lookback", self.on_list_changed)

    # ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def on_reads_stored(self, event: Event) -> None:
        """Match a batch and raise its hits."""
        stored = msgspec.msgpack.decode(event.body, type=ReadsStored)
        try:
            reads = await self._stored.get_batch(stored.batch_id)
        except NotFoundError:
            log.error("hits.batch_gone", batch_id=stored.batch_id)
            return
        await self.match(reads)
        self._batches.append((self._now_ms(), stored.batch_id))

    async def match(self, reads: Sequence[Read]) -> int:
        """Match reads against the list in force and raise what is new; gives how many hits were raised."""
        matcher = await self._keeper.in_force()
        candidates = self._candidates(reads, matcher)
        return await self._raise(candidates)

    def _candidates(self, reads: Sequence[Read], matcher: MatcherInForce) -> list[Candidate]:
        candidates: list[Candidate] = []
        for read, matches in zip(reads, matcher.match_many(reads), strict=True):
            if not matches and not read.hits:
                continue
            place = self._place(read)
            device_hits = {hit.entry_id: hit for hit in read.hits}
            exact = any(match.strength is MatchStrength.EXACT for match in matches)
            for match in matches:
                device = device_hits.pop(match.entry_id, None)
                if exact and match.strength is not MatchStrength.EXACT and device is None:
                    continue  # sure of another entry: what it might have been instead is no work for anybody
                candidates.append(Candidate(read, match.entry_id, matcher.version, match, device, place))
            for entry_id, device in device_hits.items():
                candidates.append(Candidate(read, entry_id, matcher.version, None, device, place))
        return candidates

    def _place(self, read: Read) -> str:
        if self._places is None or read.position is None:
            return ""
        return self._places.name(read.position.lat_deg, read.position.lon_deg)

    async def _raise(self, candidates: list[Candidate]) -> int:
        if not candidates:
            return 0
        now = self._now_ms()
        raised, folded = await self._records.write(
            lambda connection: ledger.raise_hits(connection, self._events, candidates, now_ms=now)
        )
        if raised or folded:
            log.info("hits.raised", raised=raised, folded=folded)
        return raised

    async def on_list_changed(self, event: Event) -> None:
        """Close what an entry's removal made pointless, open what its return made work, look back for new entries."""
        version = msgspec.msgpack.decode(event.body, type=ListChanged).version
        await self._keeper.refresh()
        put, removed, issued_ms = await self._keeper.changed_in(version)
        if not put and not removed:
            return
        came_back = [entry.id for entry in put]
        await self._records.write(
            lambda connection: ledger.mark_entries(
                connection, self._events, removed=removed, back=came_back, at_ms=issued_ms, author=ledger.SYSTEM_AUTHOR
            )
        )
        if not put:
            return
        now = self._now_ms()
        alive = [entry for entry in put if entry.expires_ms is None or entry.expires_ms >= now - self._lookback_ms]
        alive.sort(key=lambda entry: entry.priority)
        wanted = {entry.id for entry in alive[:LOOKBACK_ENTRIES_MAX]}
        texts = list(dict.fromkeys(entry.text for entry in alive[:LOOKBACK_ENTRIES_MAX]))
        if len(texts) <= TWIN_ENTRIES_MAX:
            texts = list(dict.fromkeys([*texts, *(twin for text in texts for twin in twin_texts(text))]))
        matcher = await self._keeper.in_force()

        async def look(reads: Sequence[Read]) -> None:
            await self._raise([one for one in self._candidates(reads, matcher) if one.entry_id in wanted])

        await look(await self._just_matched(frozenset(texts), now))
        if self._recent is None:
            return
        for start in range(0, len(texts), LOOKBACK_TEXTS_MAX):
            await look(
                await self._recent.find_by_texts(texts[start : start + LOOKBACK_TEXTS_MAX], now - self._lookback_ms)
            )

    async def _just_matched(self, texts: frozenset[str], now_ms: int) -> list[Read]:
        found: list[Read] = []
        since_ms = now_ms - self._lookback_ms
        for at_ms, batch_id in [*self._batches]:
            if now_ms - at_ms <= RECENT_BATCHES_MS:
                with contextlib.suppress(NotFoundError):
                    reads = await self._stored.get_batch(batch_id)
                    found += [read for read in reads if read.text in texts and read.captured_ms >= since_ms]
        return found

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def list_hits(self, subject: Subject, state: str = "open", cursor: str = "") -> HitPage:
        """A page of the queue (`open`), of what I check (`mine`), or of what is decided or gone (`checked`).

        The queue: mine, unclaimed, claimed by others; within each by priority, then newest.
        """
        if state not in STATES:
            raise InputRefusedError(
                f"'{state}' is no state to ask for.", hint="open, mine or checked.", reference="hit-state"
            )
        now = self._now_ms()

        def load(connection: Connection) -> HitPage:
            rarity = self._rarity_now(connection, now)
            open_rows = _open_rows(connection)
            ranked = sorted(_rank(row, subject.id, now) for row in open_rows)
            by_id = {row.hit_id: row for row in open_rows}
            mine = [rank for rank in ranked if rank[0] == 0]
            if state == "checked":
                rows, following = _checked_rows(connection, cursor)
            else:
                chosen = mine if state == "mine" else ranked
                if cursor:
                    last = _parse_rank(cursor)
                    chosen = [rank for rank in chosen if rank > last]
                rows = [by_id[rank[3]] for rank in chosen[:PAGE]]
                following = ".".join(str(part) for part in chosen[PAGE - 1]) if len(chosen) > PAGE else ""
            open_count = len(open_rows) if len(open_rows) < OPEN_MAX else _count_open(connection)
            today = connection.execute(
                select(func.count())
                .select_from(hits)
                .where(
                    hits.c.is_open.is_(False),
                    hits.c.closed_ms >= _start_of_day_ms(now),
                    hits.c.state.in_([verdict.value for verdict in VERDICTS]),
                )
            ).scalar_one()
            cards = _cards(connection, rows, rarity, now)
            return HitPage(cards, following, open_count, len(mine), today)

        return await self._records.read(load)

    async def open_cards(self, subject: Subject, limit: int = 50) -> tuple[tuple[HitCard, ...], int]:
        """The head of the queue, and how long the queue is: for the live page."""
        page = await self.list_hits(subject)
        return page.hits[:limit], page.open_count

    async def count_open(self) -> int:
        """How many hits wait for a check."""
        return await self._records.read(_count_open)

    async def card(self, hit_id: str) -> HitCard:
        """One hit's card, for whoever hears of `hits.changed`.

        Raises:
            NotFoundError: no such hit.
        """
        now = self._now_ms()

        def load(connection: Connection) -> HitCard:
            (card,) = _cards(connection, [ledger.find_row(connection, hit_id)], self._rarity_now(connection, now), now)
            return card

        return await self._records.read(load)

    async def detail(self, hit_id: str) -> HitDetail:
        """Everything the check shows.

        Raises:
            NotFoundError: no such hit.
        """
        now = self._now_ms()
        return await self._records.read(lambda connection: self._detail(connection, hit_id, now))

    async def has_photo(self, hit_id: str, sha256: str) -> bool:
        """Whether a picture belongs to a hit (crop, overview, or a single read that voted)."""

        def load(connection: Connection) -> bool:
            row = connection.execute(select(hits.c.body).where(hits.c.hit_id == hit_id)).first()
            if row is None:
                return False
            read = ledger.decode_body(row.body).read
            photos = {photo.sha256 for photo in (read.crop, read.overview) if photo is not None}
            return sha256 in photos | {vote.crop_sha256 for vote in read.votes if vote.crop_sha256}

        return await self._records.read(load)

    def _detail(self, connection: Connection, hit_id: str, now_ms: int) -> HitDetail:
        row = ledger.find_row(connection, hit_id)
        rarity = self._rarity_now(connection, now_ms)
        body = ledger.decode_body(row.body)
        others = connection.execute(
            select(hits)
            .where(
                hits.c.entry_id == row.entry_id,
                hits.c.hit_id != hit_id,
                hits.c.captured_ms.between(row.captured_ms - SAME_PLATE_MS, row.captured_ms + SAME_PLATE_MS),
            )
            .order_by(hits.c.captured_ms.desc())
            .limit(SAME_PLATE_MAX)
        ).all()
        (card,) = _cards(connection, [row], rarity, now_ms)
        return HitDetail(
            card=card,
            read=body.read,
            entry=body.entry,
            looks=body.looks,
            facts=ledger.facts_of(connection, hit_id),
            same_plate=_cards(connection, others, rarity, now_ms),
        )

    def _rarity_now(self, connection: Connection, now_ms: int) -> Rarity:
        if now_ms - self._rarity_ms >= ODDS_KEPT_MS:
            self._rarity = rarity_of(ledger.count_verdicts(connection))
            self._rarity_ms = now_ms
        return self._rarity

    async def export_csv(self, state: str = "checked") -> AsyncIterator[bytes]:
        """Hits as CSV that runs nothing, newest first, at most EXPORT_MAX. `state`: open, checked or all."""
        if state not in ("open", "checked", "all"):
            raise InputRefusedError(
                f"'{state}' is no state to ask for.", hint="open, checked or all.", reference="hit-state"
            )
        yield (BOM + csv_row(CSV_HEADER)).encode()
        now = self._now_ms()
        after: tuple[int, str] | None = None
        count = 0
        while count < EXPORT_MAX:

            def load(connection: Connection, after: tuple[int, str] | None = after) -> list[HitCard]:
                query = select(hits).order_by(hits.c.captured_ms.desc(), hits.c.hit_id).limit(500)
                if state != "all":
                    query = query.where(hits.c.is_open.is_(state == "open"))
                if after is not None:
                    query = query.where(_after(hits.c.captured_ms, after))
                return list(_cards(connection, connection.execute(query).all(), {}, now))

            page = await self._records.read(load)
            if not page:
                return
            count += len(page)
            after = (page[-1].captured_ms, page[-1].id)
            yield "".join(csv_row(as_csv(card)) for card in page).encode()

    # ── deeds ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def claim(self, hit_id: str, subject: Subject, *, take_over: bool = False) -> HitDetail:
        """Say that I check it, or that I still do."""
        return await self._do(hit_id, subject, lambda desk: desk.claim(take_over=take_over), keeps=True)

    async def keep(self, hit_id: str, subject: Subject) -> HitDetail:
        """A key was pressed: the claim lives on. One that has lapsed is taken again, unless somebody else has it."""
        return await self.claim(hit_id, subject)

    async def release(self, hit_id: str, subject: Subject) -> HitDetail:
        """Let it go."""
        return await self._do(hit_id, subject, lambda desk: desk.release())

    async def decide(
        self, hit_id: str, subject: Subject, verdict: HitState, *, seen_fact: int, note: str = ""
    ) -> HitDetail:
        """The verdict; see `model.Desk.decide`."""
        detail = await self._do(hit_id, subject, lambda desk: desk.decide(verdict, seen_fact=seen_fact, note=note))
        log.info("hits.decided", hit_id=hit_id, verdict=verdict.value)
        return detail

    async def undo(self, hit_id: str, subject: Subject, *, seen_fact: int) -> HitDetail:
        """Take back the newest outcome or verdict by a further fact."""
        return await self._do(hit_id, subject, lambda desk: desk.undo(seen_fact=seen_fact), keeps=True)

    async def come_out(
        self, hit_id: str, subject: Subject, outcome: Outcome, *, seen_fact: int, note: str = ""
    ) -> HitDetail:
        """What came of a confirmed hit."""
        return await self._do(hit_id, subject, lambda desk: desk.come_out(outcome, seen_fact=seen_fact, note=note))

    async def take_answers(self, device_id: str, answers: tuple[DeviceAnswer, ...]) -> None:
        """What officers pressed on their cards; idempotent. One that comes before its hit waits for it."""
        own = [answer for answer in answers if answer.read_id.startswith(f"{device_id}.")]
        if own:
            await self._records.write(lambda connection: ledger.take_answers(connection, self._events, own))

    async def take_opinions(self, device_id: str, told: tuple[ReadOpinion, ...]) -> None:
        """What a second reader says of reads; idempotent. One that comes before its hit waits for it.

        One that is none is left out, without a word to the device: it can do nothing about it, and its heartbeat counts.
        """
        own = [one for one in told if one.read_id.startswith(f"{device_id}.") and is_sound(one.opinion)]
        if len(own) < len(told):
            log.warning("opinions.left_out", device_id=device_id, opinions=len(told) - len(own))
        if own:
            now = self._now_ms()
            await self._records.write(
                lambda connection: ledger.take_opinions(connection, self._events, own, now_ms=now)
            )

    async def _do(
        self,
        hit_id: str,
        subject: Subject,
        deed: Callable[[Desk], tuple[HitFact, ...]],
        *,
        keeps: bool = False,
    ) -> HitDetail:
        now = self._now_ms()

        def write(connection: Connection) -> HitDetail:
            row = ledger.find_row(connection, hit_id)
            known = ledger.facts_of(connection, hit_id)
            more = deed(Desk(known, subject, now, row.kept_ms))
            after = derive((*known, *more), now_ms=now, kept_ms=max(row.kept_ms, now if keeps else 0))
            holds = keeps and after.checker_id == subject.id
            if more or holds:
                ledger.append_facts(connection, self._events, hit_id, more, known=known, kept_ms=now if holds else None)
            return self._detail(connection, hit_id, now)

        return await self._records.write(write)


def _cards(connection: Connection, rows: Sequence[Deed], rarity: Rarity, now_ms: int) -> tuple[HitCard, ...]:
    said = opinions.of_reads(connection, [row.read_id for row in rows])
    return tuple(card_of(row, rarity, now_ms, opinion=said.get(row.read_id)) for row in rows)


def _open_rows(connection: Connection) -> Sequence[Deed]:
    return connection.execute(
        select(hits)
        .where(hits.c.is_open.is_(True))
        .order_by(hits.c.priority, hits.c.captured_ms.desc(), hits.c.hit_id)
        .limit(OPEN_MAX)
    ).all()


def _count_open(connection: Connection) -> int:
    count: int = connection.execute(select(func.count()).select_from(hits).where(hits.c.is_open.is_(True))).scalar_one()
    return count


Rank = tuple[int, int, int, str]


def _rank(row: Deed, subject_id: str, now_ms: int) -> Rank:
    """Order of the queue: mine 0, unclaimed 1, others' 2; priority; newest first; id."""
    standing = lapse(ledger.standing_of(row), now_ms=now_ms, kept_ms=row.kept_ms)
    whose = 1 if standing.state is HitState.NEW else 0 if standing.checker_id == subject_id else 2
    return whose, row.priority, -row.captured_ms, row.hit_id


def _parse_rank(cursor: str) -> Rank:
    parts = cursor.split(".")
    try:
        return int(parts[0]), int(parts[1]), int(parts[2]), parts[3]
    except (ValueError, IndexError) as error:
        raise InputRefusedError("That is no page of the hits.", reference="cursor") from error


def _checked_rows(connection: Connection, cursor: str) -> tuple[Sequence[Deed], str]:
    query = (
        select(hits).where(hits.c.is_open.is_(False)).order_by(hits.c.closed_ms.desc(), hits.c.hit_id).limit(PAGE + 1)
    )
    if cursor:
        closed, _, hit_id = cursor.partition(".")
        if not closed.isdecimal() or len(closed) > 15:
            raise InputRefusedError("That is no page of the hits.", reference="cursor")
        query = query.where(_after(hits.c.closed_ms, (int(closed), hit_id)))
    rows = connection.execute(query).all()
    following = f"{rows[PAGE - 1].closed_ms}.{rows[PAGE - 1].hit_id}" if len(rows) > PAGE else ""
    return rows[:PAGE], following


def _after(column: ColumnElement[int], last: tuple[int, str]) -> ColumnElement[bool]:
    """What comes after `last` when ordered by `column` downwards, then by id."""
    return or_(column < last[0], (column == last[0]) & (hits.c.hit_id > last[1]))


def _start_of_day_ms(now_ms: int) -> int:
    """Midnight in Taipei."""
    now = datetime.fromtimestamp(now_ms / 1000, tz=TAIPEI)
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1000
