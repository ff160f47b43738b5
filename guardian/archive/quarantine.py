"""Items that could not be stored as they came: held with their reason until a person or a cure decides.

Replay checks an item with today's rules against the time it came; what passes is stored like any other read. For items
whose only fault is an impossible capture time, replaying is the person's decision to keep them: they are stored as
doubtful, ordered and retained by receipt (field case G29). Rejected ones stay for the record and are never stored.

Items of a device of which there were two (`identity-forked`, G31) carry numbers that are taken. A person who has found out
whose they are releases them with a reason: each is stored under a boot number that no device has (APART_BOOT_MIN and up), so
that the reads of both machines are found and kept apart, and neither overwrites the other.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, func, select, tuple_, update

from guardian.archive.check import BOOT_MAX, SENTENCES, Fault
from guardian.archive.ingest import JSON, MSGPACK, Ingest, Judged, judge_item, set_apart
from guardian.archive.model import KEPT_MS
from guardian.archive.tables import quarantine
from guardian.archive.views import (
    QuarantineDeed,
    QuarantineDeedAnswer,
    QuarantineGroup,
    QuarantineItem,
    QuarantinePage,
    QuarantineView,
)
from guardian.domain.errors import InputRefusedError
from guardian.domain.read import Read
from guardian.domain.subject import Subject
from guardian.domain.wire import Batch
from guardian.stores.ports import Records

PAGE = 50
DEED_ITEMS_MAX = 1000
RECORD_CHARS_MAX = 20_000
DEVICES_SHOWN_MAX = 20
NOTE_CHARS_MAX = 500
FORKED = "identity-forked"
APART_BOOT_MIN = 9_000_000_000
"""A device counts its starts from 1; ten a day make so many in two million years."""


class Quarantine:
    """The page where refused items are looked at and decided."""

    def __init__(self, records: Records, ingest: Ingest, *, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._ingest = ingest
        self._now_ms = now_ms

    async def view(self) -> QuarantineView:
        """Held items by reason, most first."""
        return await self._records.read(lambda connection: _groups(connection, self._now_ms() - KEPT_MS))

    async def held_count(self) -> int:
        """How many items wait."""
        return await self._records.read(
            lambda connection: int(
                connection.execute(
                    select(func.count()).select_from(quarantine).where(quarantine.c.state == "held")
                ).scalar_one()
            )
        )

    async def items(self, reason: str, cursor: str = "") -> QuarantinePage:
        """Items of one reason, newest first."""
        after = _decode_cursor(cursor) if cursor else None
        return await self._records.read(lambda connection: _items(connection, reason, after, self._now_ms() - KEPT_MS))

    async def replay(self, subject: Subject, deed: QuarantineDeed) -> QuarantineDeedAnswer:
        """Check items again with today's rules; those that pass are stored.

        Raises:
            InputRefusedError: items of a forked identity, and no reason was given (`reason-missing`).
        """
        rows = await self._held(deed)
        if not deed.note.strip() and any(row.reason == FORKED for row in rows):
            raise InputRefusedError(
                "These came under an identity that two machines used; releasing them needs a reason.",
                hint="Write in one line which machine they are of, and how you know.",
                reference="reason-missing",
            )
        groups: dict[tuple[str, int, str, bool], Judged] = defaultdict(Judged)
        places: dict[tuple[str, int, str, bool], list[str]] = defaultdict(list)
        stays: list[tuple[str, Fault]] = []
        split: list[tuple[_Row, bytes, Fault]] = []  # items of a whole body that fail by themselves
        for row in rows:
            judged_again = _judge_again(row)
            for key, raw, result in judged_again:
                if isinstance(result, Fault):
                    if len(judged_again) > 1:
                        split.append((row, raw, result))
                    else:
                        stays.append((row.id, result))
                    continue
                judged = groups[key]
                judged.places.append(len(judged.reads))
                judged.reads.append(result[0])
                judged.bodies.append(result[1])
                places[key].append(row.id)
        failed = {item_id for item_id, _ in stays}
        passed: set[str] = set()
        for key, judged in groups.items():
            device_id, received_ms, _, doubtful = key
            answer = await self._ingest.store(device_id, judged, MSGPACK, received_ms, time_doubtful=doubtful)
            forked = {v.index for v in answer.exceptions if v.verdict == "quarantined"}
            for place, item_id in enumerate(places[key]):
                (failed if place in forked else passed).add(item_id)
        # A whole body goes once its items have: the good ones are stored, the bad ones are set apart by themselves.
        passed |= {row.id for row, _, _ in split}
        passed -= failed
        now_ms = self._now_ms()

        def decide(connection: Connection) -> None:
            for row, raw, found in split:
                if row.id in passed:
                    set_apart(connection, row.device_id, row.received_ms, [(found, row.content_type, raw)])
            _decide(connection, passed, "replayed", subject.name, now_ms, deed.note)
            for item_id, found in stays:
                connection.execute(
                    update(quarantine)
                    .where(quarantine.c.id == item_id, quarantine.c.state == "held")
                    .values(reason=found.reason, sentence=found.sentence, field=found.field)
                )

        await self._records.write(decide)
        apart = sum(row.id in passed for row, _, _ in split)
        return QuarantineDeedAnswer(passed=len(passed), held=len(rows) - len(passed) + apart)

    async def reject(self, subject: Subject, deed: QuarantineDeed) -> QuarantineDeedAnswer:
        """Never store these; the reason is kept with them.

        Raises:
            InputRefusedError: no reason was given.
        """
        if not deed.note.strip():
            raise InputRefusedError(
                "Rejecting for good needs a reason.", hint="Write one line.", reference="reason-missing"
            )
        rows = await self._held(deed)
        ids = {row.id for row in rows}
        now_ms = self._now_ms()
        await self._records.write(
            lambda connection: _decide(connection, ids, "rejected", subject.name, now_ms, deed.note)
        )
        return QuarantineDeedAnswer(passed=0, held=len(deed.ids) - len(ids))

    async def _held(self, deed: QuarantineDeed) -> Sequence[_Row]:
        if len(deed.ids) > DEED_ITEMS_MAX or len(deed.note) > NOTE_CHARS_MAX:
            raise InputRefusedError(
                f"At most {DEED_ITEMS_MAX} items at once, and {NOTE_CHARS_MAX} characters of reason.",
                reference="deed-size",
            )
        rows = await self._records.read(
            lambda connection: connection.execute(
                select(quarantine).where(quarantine.c.id.in_(deed.ids), quarantine.c.state == "held")
            ).all()
        )
        return [_Row(r.id, r.reason, r.device_id, r.received_ms, r.content_type, bytes(r.body)) for r in rows]


class _Row(msgspec.Struct, frozen=True):
    id: str
    reason: str
    device_id: str
    received_ms: int
    content_type: str
    body: bytes


_Key = tuple[str, int, str, bool]


def _judge_again(row: _Row) -> list[tuple[_Key, bytes, Fault | tuple[Read, bytes]]]:
    """One row's item, or the items of a whole body that can be read by now."""
    raws = [row.body]
    if row.reason == "batch-form":
        try:
            decode = msgspec.msgpack.decode if row.content_type == MSGPACK else msgspec.json.decode
            raws = [bytes(raw) for raw in decode(row.body, type=Batch).items]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raws = [row.body]
    out: list[tuple[_Key, bytes, Fault | tuple[Read, bytes]]] = []
    for raw in raws:
        result = judge_item(raw, row.content_type, row.device_id, row.received_ms)
        if row.reason == FORKED and not isinstance(result, Fault):
            result = _set_off(result[0], row.id)
        doubtful = isinstance(result, Fault) and result.reason == "time-doubtful"
        if doubtful:
            result = judge_item(raw, row.content_type, row.device_id, row.received_ms, doubtful_time_taken=True)
        out.append(((row.device_id, row.received_ms, row.content_type, doubtful), raw, result))
    return out


def _set_off(read: Read, item_id: str) -> tuple[Read, bytes]:
    """The read under a boot number of its own, from the item's content: the same item gives the same read again."""
    boot = APART_BOOT_MIN + int(item_id[:12], 16) % (BOOT_MAX - APART_BOOT_MIN)
    apart = msgspec.structs.replace(read, boot=boot)
    return apart, msgspec.msgpack.encode(apart)


def _decide(connection: Connection, ids: set[str], state: str, author: str, now_ms: int, note: str) -> None:
    if ids:
        connection.execute(
            update(quarantine)
            .where(quarantine.c.id.in_(ids), quarantine.c.state == "held")
            .values(state=state, decided_by=author, decided_ms=now_ms, note=note)
        )


def _groups(connection: Connection, since_ms: int) -> QuarantineView:
    held = (quarantine.c.state == "held") & (quarantine.c.received_ms >= since_ms)
    groups = []
    for reason, items, oldest_ms, newest_ms in connection.execute(
        select(
            quarantine.c.reason,
            func.count(),
            func.min(quarantine.c.received_ms),
            func.max(quarantine.c.received_ms),
        )
        .where(held)
        .group_by(quarantine.c.reason)
        .order_by(func.count().desc(), quarantine.c.reason)
    ):
        devices = connection.execute(
            select(quarantine.c.device_id)
            .where(held, quarantine.c.reason == reason)
            .distinct()
            .order_by(quarantine.c.device_id)
            .limit(DEVICES_SHOWN_MAX)
        ).scalars()
        groups.append(
            QuarantineGroup(
                reason=reason,
                sentence=SENTENCES.get(reason, reason),
                items=int(items),
                devices=tuple(devices),
                oldest_ms=int(oldest_ms),
                newest_ms=int(newest_ms),
            )
        )
    last_ms = connection.execute(select(func.max(quarantine.c.received_ms))).scalar()
    return QuarantineView(tuple(groups), None if last_ms is None else int(last_ms))


def _items(connection: Connection, reason: str, after: tuple[int, str] | None, since_ms: int) -> QuarantinePage:
    wanted = select(quarantine).where(
        quarantine.c.state == "held", quarantine.c.reason == reason, quarantine.c.received_ms >= since_ms
    )
    if after is not None:
        wanted = wanted.where(tuple_(quarantine.c.received_ms, quarantine.c.id) < tuple_(*after))
    rows = connection.execute(
        wanted.order_by(quarantine.c.received_ms.desc(), quarantine.c.id.desc()).limit(PAGE + 1)
    ).all()
    items = tuple(
        QuarantineItem(
            id=row.id,
            reason=row.reason,
            sentence=row.sentence,
            field=row.field,
            device_id=row.device_id,
            received_ms=row.received_ms,
            record=shown(bytes(row.body), row.content_type),
            state=row.state,
        )
        for row in rows[:PAGE]
    )
    more = len(rows) > PAGE
    return QuarantinePage(items, _encode_cursor(rows[PAGE - 1].received_ms, rows[PAGE - 1].id) if more else "")


def shown(body: bytes, content_type: str) -> str:
    """An item as people read it: JSON where it is anything, else its bytes in hex; cut at RECORD_CHARS_MAX."""
    try:
        if content_type == JSON:
            text = msgspec.json.format(body, indent=2).decode()
        else:
            plain = msgspec.msgpack.decode(body)
            text = msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()
    except Exception:  # whatever it is, it is shown
        text = body[: RECORD_CHARS_MAX // 2].hex()
    return text if len(text) <= RECORD_CHARS_MAX else text[:RECORD_CHARS_MAX] + " …"


def _encode_cursor(received_ms: int, item_id: str) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode((received_ms, item_id))).decode().rstrip("=")


def _decode_cursor(text: str) -> tuple[int, str]:
    try:
        body = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return msgspec.msgpack.decode(body, type=tuple[int, str])
    except (ValueError, msgspec.DecodeError) as error:
        raise InputRefusedError("That is no place to go on from.", reference="cursor-form") from error
