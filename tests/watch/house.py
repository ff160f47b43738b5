"""A house with lists and hits on real stores, a clock that the test turns, and an archive that is a list of reads.

async with open_house(tmp_path) as house:
    await house.enter("BKD-8869", case_number="A1")
    await house.arrive(house.read("BKD8869"))
    (card,) = (await house.desk.list_hits(house.lin)).hits
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import select

from guardian.domain.errors import NotFoundError
from guardian.domain.event import Event, ListChanged, ReadsStored
from guardian.domain.position import Position
from guardian.domain.read import Read
from guardian.domain.subject import Role, Subject
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import ListDigest, WatchlistUpdate
from guardian.stores import create_missing, metadata, open_events, open_records, open_secrets
from guardian.watch import tables
from guardian.watch.csv_import import ListImporter
from guardian.watch.desk import HitDesk
from guardian.watch.keeper import ListKeeper
from guardian.watch.register import ListRegister
from guardian.watch.views import EntryDraft, ListChangeAnswer, ListChangeRequest

NOW_MS = 1_795_600_000_000  # 2026-11-25, 17:46 in Taipei
SURE = 0.99


class Archive:
    """Batches by id, and all reads for looking back."""

    def __init__(self) -> None:
        self.batches: dict[str, list[Read]] = {}
        self.holds_back = False  # as an archive that has not caught up yet

    async def get_batch(self, batch_id: str) -> list[Read]:
        if batch_id not in self.batches:
            raise NotFoundError("gone", reference="batch-gone")
        return self.batches[batch_id]

    async def find_by_texts(self, texts: Sequence[str], since_ms: int) -> list[Read]:
        if self.holds_back:
            return []
        every = {read.id: read for batch in self.batches.values() for read in batch}
        return [read for read in every.values() if read.text in set(texts) and read.captured_ms >= since_ms]


class House:
    """What tests hold in their hands."""

    lin = Subject("u1", Role.OPERATOR, "林怡君")
    chen = Subject("u2", Role.OPERATOR, "陳柏宇")

    def __init__(self, url: str, folder: Path, **keeper_options: object) -> None:
        self.now = NOW_MS
        self.records = open_records(url)
        self.events = open_events("memory:", self.records, lambda: self.now)
        secrets = open_secrets((folder / "secrets").as_uri())
        self.archive = Archive()
        self.keeper = ListKeeper(self.records, self.events, secrets, lambda: self.now, **keeper_options)  # type: ignore[arg-type]
        self.importer = ListImporter(self.records, self.keeper, lambda: self.now)
        self.register = ListRegister(self.records, self.keeper, lambda: self.now)
        self.desk = HitDesk(self.records, self.events, self.keeper, self.archive, lambda: self.now, recent=self.archive)
        self._sequence = 0
        self._batch = 0

    # lists

    async def enter(self, plate: str, category: str = "失竊", list_id: str = "stolen", **fields: object) -> str:
        """One entry; gives its id."""
        draft = EntryDraft(plate=plate, category=category, **fields)  # type: ignore[arg-type]
        await self.save(put=[draft], list_id=list_id)
        page = await self.keeper.entries_page(list_id, find=plate)
        await self.digest_events()
        return page.entries[0].entry.id

    async def save(
        self,
        *,
        put: Sequence[EntryDraft] = (),
        remove: Sequence[str] = (),
        list_id: str = "stolen",
        confirmed_twins: bool = False,
    ) -> ListChangeAnswer:
        request = ListChangeRequest(self.keeper.newest.version, tuple(put), tuple(remove), confirmed_twins)
        answer = await self.keeper.change(list_id, request, self.lin)
        await self.digest_events()
        return answer

    async def digest_events(self) -> None:
        """Deliver `lists.changed` of the newest version, as the bus does."""
        version = self.keeper.newest
        if version.version:
            body = msgspec.msgpack.encode(ListChanged(version.version, version.put, version.removed))
            await self.desk.on_list_changed(Event(f"list.{version.version}", "lists.changed", self.now, body))

    async def entries(self) -> dict[str, WatchEntry]:
        """All entries in force, as the database has them."""
        rows = await self.records.read(lambda c: c.execute(select(tables.entries.c.body)).scalars().all())
        return {entry.id: entry for entry in (msgspec.msgpack.decode(row, type=WatchEntry) for row in rows)}

    async def update(self, have: int) -> WatchlistUpdate:
        """The change since `have`, as a device would open it."""
        signed = await self.keeper.update_since(have)
        assert signed is not None
        return msgspec.msgpack.decode(signed.body, type=WatchlistUpdate)

    # reads

    def read(self, text: str, **fields: object) -> Read:
        self._sequence += 1
        values: dict[str, object] = {
            "device_id": "car-1", "boot": 1, "sequence": self._sequence, "captured_ms": self.now, "text": text,
            "raw_text": text, "char_probs": (SURE,) * len(text), "confidence_prob": SURE, "unit": "大安 3 號",
            "position": Position(25.033, 121.5654, self.now),
        }  # fmt: skip
        return Read(**{**values, **fields})  # type: ignore[arg-type]

    async def arrive(self, *reads: Read) -> None:
        """A batch is stored, and the bus says so."""
        self._batch += 1
        batch_id = f"b{self._batch}"
        self.archive.batches[batch_id] = list(reads)
        await self.tell(batch_id)

    async def tell(self, batch_id: str) -> None:
        body = msgspec.msgpack.encode(ReadsStored(batch_id, "car-1", len(self.archive.batches[batch_id])))
        await self.desk.on_reads_stored(Event(f"stored.{batch_id}", "reads.stored", self.now, body))

    async def hits(self, state: str = "open", subject: Subject | None = None):  # type: ignore[no-untyped-def]
        return (await self.desk.list_hits(subject or self.lin, state)).hits


@asynccontextmanager
async def open_house(folder: Path, url: str = "", **keeper_options: object) -> AsyncIterator[House]:
    """A house on SQLite under `folder`, or on the records behind `url` (whose tables of this room are emptied)."""
    house = House(url or f"sqlite:///{folder}/records.sqlite", folder, **keeper_options)
    if url:
        await house.records.write(lambda connection: metadata.drop_all(connection))
    await create_missing(house.records, metadata)
    await house.keeper.open()
    try:
        yield house
    finally:
        await house.keeper.close()
        await house.records.close()


def apply_update(held: dict[str, WatchEntry], update: WatchlistUpdate) -> dict[str, WatchEntry]:
    """What a device holds after an update; fails where the digest does not fit."""
    after = {} if update.base_version == 0 else dict(held)
    for entry_id in update.removed:
        after.pop(entry_id, None)
    for entry in update.put:
        after[entry.id] = entry
    digest = ListDigest()
    for entry in after.values():
        digest.add(entry)
    assert digest.hex == update.digest
    return after


async def settle() -> None:
    """Let tasks that are ready run."""
    for _ in range(5):
        await asyncio.sleep(0)
