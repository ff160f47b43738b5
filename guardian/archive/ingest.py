"""A signed batch in, a verdict per item out, everything durable before the answer.

decode → check → dedupe → one transaction (journal, spans, quarantine, event) → answer. The signature over the bytes
that came has been checked before (field case G33); nothing here is parsed twice or written anew before that.

Identity is the read's, never the batch's (field case G30). What cannot be stored is set apart with its reason and the
device need not keep it: one bad item of a thousand spoils none (G17), and a batch is never lost.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog
from sqlalchemy import Connection, func, select

from guardian.archive import journal
from guardian.archive.check import ITEM_BYTES_MAX, SENTENCES, Fault, all_pass, check, clean, fault
from guardian.archive.loose_photos import names_within, note_named
from guardian.archive.model import StoredBatch
from guardian.archive.ports import Archive
from guardian.archive.rows import photos_of_all
from guardian.archive.stored_reads import StoredReads
from guardian.archive.tables import quarantine
from guardian.domain.errors import DiskFullError, InputRefusedError, NeighbourUnreachableError
from guardian.domain.event import DeviceChanged, Event, ReadsStored
from guardian.domain.read import Read
from guardian.domain.wire import BATCH_ITEMS_MAX, Batch, BatchAnswer, Verdict
from guardian.stores.ports import Events, Records
from guardian.stores.statements import insert

log = structlog.get_logger(__name__)

HELD_ITEMS_MAX = 50_000
"""Items of one device that may wait in quarantine. Past it the batch is refused and stays in the device's spool."""
HELD_LARGE_MAX = 100
"""Of them larger than any item may be, whole bodies that could not be read for example: together 800 MB at most."""

BACKLOG_READS_MAX = 5_000_000
"""Three and a half days of Taiwan's patrol reads, 2 GB of journal: past it the column store is broken, not slow."""

MSGPACK, JSON = "application/msgpack", "application/json"


class _TypedBatch(msgspec.Struct, frozen=True):
    """A batch whose every item is a read: one pass of the decoder instead of a thousand and one."""

    device_id: str
    items: tuple[Read, ...]
    v: int = 1


_typed = {
    MSGPACK: msgspec.msgpack.Decoder(_TypedBatch).decode,
    JSON: msgspec.json.Decoder(_TypedBatch).decode,
}
_loose = {MSGPACK: msgspec.msgpack.Decoder(Batch).decode, JSON: msgspec.json.Decoder(Batch).decode}
_one = {MSGPACK: msgspec.msgpack.Decoder(Read).decode, JSON: msgspec.json.Decoder(Read).decode}
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Judged:
    """What checking made of a batch: good items with their bytes, bad ones with theirs."""

    reads: list[Read] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    bad: list[tuple[int, Fault, bytes]] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Settled:
    """What the transaction made of the good items (places in `Judged.reads`)."""

    number: int = 0
    fresh: list[int] = field(default_factory=list)
    already: list[int] = field(default_factory=list)
    forked: list[int] = field(default_factory=list)
    unresolved: list[int] = field(default_factory=list)


def content_kind(content_type: str) -> str:
    """MessagePack or JSON, by the request's content type.

    Raises:
        InputRefusedError: neither.
    """
    bare = content_type.split(";", 1)[0].strip().lower()
    if bare in (MSGPACK, "application/x-msgpack", "application/vnd.msgpack"):
        return MSGPACK
    if bare == JSON or bare.endswith("+json"):
        return JSON
    raise InputRefusedError(f"Batches come as {MSGPACK} or {JSON}, not as '{bare[:64]}'.", reference="content-type")


def quarantine_id(device_id: str, reason_free_body: bytes) -> str:
    """An item's place in quarantine: the same device and bytes give the same, so sending twice is keeping once."""
    return hashlib.sha256(device_id.encode() + b"\0" + reason_free_body).hexdigest()[:32]


class Ingest:
    """The one door by which reads come into the cloud."""

    def __init__(
        self,
        records: Records,
        events: Events,
        archive: Archive,
        stored_reads: StoredReads,
        *,
        now_ms: Callable[[], int],
        wake: Callable[[int, int], None] = lambda number, reads: None,
        backlog: Callable[[], int] = lambda: 0,
    ) -> None:
        """Wire the door.

        Args:
            archive: asked for the content of repeated items that the journal has let go.
            stored_reads: gets each stored batch decoded, so that matching and filling need not decode again.
            wake: called with the journal number and the reads of each stored batch (`filler.wake`).
            backlog: how many reads the column store does not hold yet (`filler.lag_reads`).
        """
        self._records = records
        self._events = events
        self._archive = archive
        self._stored_reads = stored_reads
        self._now_ms = now_ms
        self._wake = wake
        self._backlog = backlog

    async def accept(
        self, device_id: str, body: bytes, content_type: str, received_ms: int | None = None
    ) -> BatchAnswer:
        """Take one batch of one device.

        Args:
            device_id: who signed it.
            body: the bytes whose signature was checked.
            content_type: of the request; MessagePack or JSON.
            received_ms: when it came; now, where not given.

        Raises:
            InputRefusedError: more than BATCH_ITEMS_MAX items, or a content type that is neither.
            DiskFullError: no room; nothing was kept and the device keeps its spool.
            NeighbourUnreachableError: the column store is BACKLOG_READS_MAX behind; likewise.
        """
        if self._backlog() >= BACKLOG_READS_MAX:
            raise NeighbourUnreachableError(
                f"The archive is {BACKLOG_READS_MAX:,} reads behind; the batch was not taken.",
                hint="Keep it and send it again; see `guardian doctor`.",
                reference="archive-behind",
            )
        received_ms = self._now_ms() if received_ms is None else received_ms
        kind = content_kind(content_type)
        judged = self._judge(device_id, body, kind, received_ms)
        return await self.store(device_id, judged, kind, received_ms)

    def _judge(self, device_id: str, body: bytes, kind: str, received_ms: int) -> Judged:
        judged = Judged()
        try:
            batch = _typed[kind](body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._judge_one_by_one(device_id, body, kind, received_ms)
        _refuse_size(len(batch.items))
        if batch.v != 1 or batch.device_id != device_id:
            return self._judge_one_by_one(device_id, body, kind, received_ms)
        try:
            if all_pass(batch.items, device_id, received_ms):
                bodies = _bodies(body, kind, batch.items)
                if not bodies or max(map(len, bodies)) <= ITEM_BYTES_MAX:
                    return Judged([*batch.items], bodies, [*range(len(bodies))])
            for place, read in enumerate(batch.items):
                cleaned = clean(read)
                found = check(cleaned, device_id, received_ms)
                packed = _encode(cleaned)
                if found is None and len(packed) > ITEM_BYTES_MAX:
                    found = fault("item-size")
                if found is not None:
                    judged.bad.append((place, found, packed if kind == MSGPACK else msgspec.json.encode(read)))
                    continue
                judged.reads.append(cleaned)
                judged.bodies.append(packed)
                judged.places.append(place)
        except (UnicodeEncodeError, OverflowError):  # by way of JSON: half of a surrogate pair, a number beyond 64 bits
            return self._judge_one_by_one(device_id, body, kind, received_ms)
        return judged

    def _judge_one_by_one(self, device_id: str, body: bytes, kind: str, received_ms: int) -> Judged:
        judged = Judged()
        try:
            batch = _loose[kind](body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            judged.bad.append((0, fault("batch-form", "", _said(error)), body))
            return judged
        _refuse_size(len(batch.items))
        for place, raw in enumerate(batch.items):
            if batch.device_id != device_id:
                judged.bad.append((place, fault("device-other", "device_id"), bytes(raw)))
                continue
            result = judge_item(bytes(raw), kind, device_id, received_ms)
            if isinstance(result, Fault):
                judged.bad.append((place, result, bytes(raw)))
            else:
                judged.reads.append(result[0])
                judged.bodies.append(result[1])
                judged.places.append(place)
        return judged

    async def store(
        self, device_id: str, judged: Judged, kind: str, received_ms: int, *, time_doubtful: bool = False
    ) -> BatchAnswer:
        """Keep what checking let through, set the rest apart, and say so. Used by ingest and by replay."""
        batch_id = f"{received_ms:012x}{secrets.token_hex(6)}"
        settled = await self._records.write(
            lambda connection: self._settle(connection, batch_id, device_id, judged, kind, received_ms, time_doubtful)
        )
        if settled.unresolved:
            await self._resolve(device_id, judged, settled, received_ms)
        if settled.fresh:
            self._remember(batch_id, device_id, judged, settled, received_ms, time_doubtful)
            self._wake(settled.number, len(settled.fresh))
        return self._answer(batch_id, judged, settled, received_ms)

    def _settle(
        self,
        connection: Connection,
        batch_id: str,
        device_id: str,
        judged: Judged,
        kind: str,
        received_ms: int,
        time_doubtful: bool,
    ) -> Settled:
        settled = Settled()
        if judged.bad:
            set_apart(connection, device_id, received_ms, [(found, kind, body) for _, found, body in judged.bad])
        self._sort_out(connection, device_id, judged, settled)
        if settled.forked:
            self._flag_fork(connection, device_id, received_ms, [judged.bodies[i] for i in settled.forked])
        named = photos_of_all(judged.reads[i] for i in (*settled.fresh, *settled.forked, *settled.unresolved))
        named += [name for _, _, body in judged.bad for name in names_within(body)]
        note_named(connection, batch_id, device_id, received_ms, named)
        if settled.fresh:
            settled.number = journal.append(
                connection,
                batch_id,
                received_ms,
                [judged.reads[i] for i in settled.fresh],
                [judged.bodies[i] for i in settled.fresh],
                time_doubtful=time_doubtful,
            )
            self._events.stage(
                connection,
                Event(
                    id=f"reads-{batch_id}",
                    topic="reads.stored",
                    at_ms=received_ms,
                    body=_encode(ReadsStored(batch_id, device_id, len(settled.fresh), time_doubtful)),
                ),
            )
        return settled

    def _sort_out(self, connection: Connection, device_id: str, judged: Judged, settled: Settled) -> None:
        first_place: dict[tuple[int, int], int] = {}
        wanted: dict[int, list[int]] = {}
        repeated: list[int] = []
        for i, read in enumerate(judged.reads):
            key = (read.boot, read.sequence)
            if key in first_place:
                same = judged.reads[first_place[key]] == read
                (settled.already if same else settled.forked).append(i)
                continue
            first_place[key] = i
            numbers = wanted.get(read.boot)
            if numbers is None:
                wanted[read.boot] = numbers = []
            numbers.append(read.sequence)
        fresh = journal.take_numbers(connection, device_id, wanted) if wanted else {}
        for (boot, sequence), i in first_place.items():
            if sequence in fresh[boot]:
                settled.fresh.append(i)
            else:
                repeated.append(i)
        if not repeated:
            return
        keys = [(judged.reads[i].boot, judged.reads[i].sequence) for i in repeated]
        known = journal.find_bodies(connection, device_id, keys)
        for i, key in zip(repeated, keys, strict=True):
            body = known.get(key)
            if body is None:
                settled.unresolved.append(i)
            elif body == judged.bodies[i] or _one[MSGPACK](body) == judged.reads[i]:
                settled.already.append(i)
            else:
                settled.forked.append(i)

    async def _resolve(self, device_id: str, judged: Judged, settled: Settled, received_ms: int) -> None:
        """Compare repeated items with the archive where the journal has let them go."""
        held = await self._archive.find_many([judged.reads[i].id for i in settled.unresolved])
        forked = []
        for i in settled.unresolved:
            kept = held.get(judged.reads[i].id)
            if kept is not None and kept.read != judged.reads[i]:
                forked.append(i)
            else:  # not in the archive either: destroyed when due; the number stays taken
                settled.already.append(i)
        if forked:
            settled.forked += forked
            bodies = [judged.bodies[i] for i in forked]
            await self._records.write(lambda connection: self._flag_fork(connection, device_id, received_ms, bodies))

    def _flag_fork(self, connection: Connection, device_id: str, received_ms: int, bodies: Sequence[bytes]) -> None:
        """Two machines under one identity: what came second is kept apart, and the device is named (G31)."""
        new = set_apart(
            connection, device_id, received_ms, [(fault("identity-forked"), MSGPACK, body) for body in bodies]
        )
        if not new:
            return
        log.warning("ingest.identity_forked", device_id=device_id, items=new)
        self._events.stage(
            connection,
            Event(
                id=f"fork-{device_id}-{received_ms:x}",
                topic="devices.changed",
                at_ms=received_ms,
                body=_encode(DeviceChanged(device_id, "forked")),
            ),
        )

    def _remember(
        self,
        batch_id: str,
        device_id: str,
        judged: Judged,
        settled: Settled,
        received_ms: int,
        time_doubtful: bool,
    ) -> None:
        every = len(settled.fresh) == len(judged.reads)
        self._stored_reads.remember(
            StoredBatch(
                batch_id=batch_id,
                number=settled.number,
                device_id=device_id,
                received_ms=received_ms,
                reads=tuple(judged.reads if every else [judged.reads[i] for i in settled.fresh]),
                bodies=tuple(judged.bodies if every else [judged.bodies[i] for i in settled.fresh]),
                time_doubtful=time_doubtful,
            )
        )

    def _answer(self, batch_id: str, judged: Judged, settled: Settled, received_ms: int) -> BatchAnswer:
        exceptions = [Verdict(place, "quarantined", found.reason, found.sentence) for place, found, _ in judged.bad]
        exceptions += [Verdict(judged.places[i], "already") for i in settled.already]
        exceptions += [
            Verdict(judged.places[i], "quarantined", "identity-forked", SENTENCES["identity-forked"])
            for i in settled.forked
        ]
        exceptions.sort(key=lambda verdict: verdict.index)
        # A picture of a read that was never here cannot be here; of repeated reads it was asked for when they came.
        wanted: dict[str, None] = {}
        for i in (*settled.fresh, *settled.already):
            for photo in (judged.reads[i].crop, judged.reads[i].overview):
                if photo is not None:
                    wanted[photo.sha256] = None
        return BatchAnswer(
            batch_id=batch_id,
            stored=len(settled.fresh),
            already=len(settled.already),
            quarantined=len(judged.bad) + len(settled.forked),
            exceptions=tuple(exceptions),
            server_ms=received_ms,
            photos_wanted=tuple(wanted),
            notice="identity-forked" if settled.forked else "",
        )


def _bodies(body: bytes, kind: str, reads: Sequence[Read]) -> list[bytes]:
    """Each item's MessagePack: as it came, where it came so; what two spellings say is compared by the reads, not by these."""
    if kind == MSGPACK:
        return [bytes(item) for item in _loose[kind](body).items]
    return [_encode(read) for read in reads]


def judge_item(
    raw: bytes, kind: str, device_id: str, received_ms: int, *, doubtful_time_taken: bool = False
) -> Fault | tuple[Read, bytes]:
    """One item by itself: the read and its MessagePack, or why not. Used where the fast way failed, and by replay."""
    try:
        read = clean(_one[kind](raw))
        packed = _encode(read)
    except msgspec.ValidationError as error:
        return fault("item-form", _field_of(error), _said(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return fault("item-form", "", _said(error))
    except UnicodeEncodeError:
        return fault("text-control", "", "Half of a surrogate pair is no character.")
    except OverflowError:
        return fault("item-form", "", "It holds a number beyond 64 bits.")
    found = check(read, device_id, received_ms, doubtful_time_taken=doubtful_time_taken)
    if found is None and len(packed) > ITEM_BYTES_MAX:
        found = fault("item-size", "", f"It has {len(packed)} bytes.")
    return found if found is not None else (read, packed)


def set_apart(
    connection: Connection, device_id: str, received_ms: int, items: Sequence[tuple[Fault, str, bytes]]
) -> int:
    """Put items into quarantine; those that lie there already stay as they are. Gives how many are new.

    Raises:
        DiskFullError: the device has HELD_ITEMS_MAX items there, or HELD_LARGE_MAX large ones and this is one more.
    """
    held = connection.execute(
        select(func.count())
        .select_from(quarantine)
        .where(quarantine.c.device_id == device_id, quarantine.c.state == "held")
    ).scalar_one()
    large = 0
    if any(len(body) > ITEM_BYTES_MAX for _, _, body in items):
        large = connection.execute(
            select(func.count())
            .select_from(quarantine)
            .where(
                quarantine.c.device_id == device_id,
                quarantine.c.state == "held",
                func.length(quarantine.c.body) > ITEM_BYTES_MAX,
            )
        ).scalar_one()
    if held + len(items) > HELD_ITEMS_MAX or large >= HELD_LARGE_MAX:
        raise DiskFullError(
            f"Device {device_id} has {held} items in quarantine; its batch was not taken.",
            hint="Decide on the items there; the device keeps the batch and sends it again.",
            reference="quarantine-full",
        )
    new = 0
    for found, kind, body in items:
        result = connection.execute(
            insert(connection, quarantine)
            .values(
                id=quarantine_id(device_id, body),
                reason=found.reason,
                sentence=found.sentence,
                field=found.field,
                device_id=device_id,
                received_ms=received_ms,
                content_type=kind,
                body=body,
                state="held",
                decided_by="",
                note="",
            )
            .on_conflict_do_nothing()
        )
        new += max(result.rowcount, 0)
    return new


def _refuse_size(items: int) -> None:
    if items > BATCH_ITEMS_MAX:
        raise InputRefusedError(
            f"The batch has {items} items; at most {BATCH_ITEMS_MAX} are taken. None was stored.",
            hint="Send it in smaller batches.",
            reference="batch-size",
        )


def _said(error: Exception) -> str:
    """The decoder's words without the values it quotes (they may hold a plate)."""
    said = str(error).replace("\n", " ")
    return f"Decoder: {said[:200]}."


def _field_of(error: msgspec.ValidationError) -> str:
    said = str(error)
    return said.rsplit("`$.", 1)[1].rstrip("`") if "`$." in said else ""
