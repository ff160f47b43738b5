"""Which engines a cloud keeps its things on: four URLs, each with a default under one data folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from guardian.stores.events import open_events
from guardian.stores.photos import open_photos
from guardian.stores.ports import Events, Photos, Secrets
from guardian.stores.records import SqlRecords, open_records
from guardian.stores.secret_files import open_secrets


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """URLs; an empty one means the embedded engine under `data` (see `with_defaults`)."""

    data: str = "data"
    records: str = ""  # sqlite:///… | postgresql://…
    photos: str = ""  # file:///… | s3://bucket/prefix?endpoint=…
    events: str = "memory:"  # memory: | nats://…
    secrets: str = ""  # file:///…

    def with_defaults(self) -> StoreSettings:
        """The same with every URL filled in; `data` becomes absolute."""
        data = Path(self.data).expanduser().absolute()
        return StoreSettings(
            data=str(data),
            records=self.records or f"sqlite:///{data / 'records.sqlite'}",
            photos=self.photos or (data / "photos").as_uri(),
            events=self.events or "memory:",
            secrets=self.secrets or (data / "secrets").as_uri(),
        )

    @property
    def embedded(self) -> bool:
        """Whether the records are ours alone: then `guardian serve` migrates at start."""
        return not self.records or self.records.startswith("sqlite:")


class Stores(msgspec.Struct, frozen=True):
    """The opened engines. Close with `close_stores`."""

    records: SqlRecords
    photos: Photos
    events: Events
    secrets: Secrets


def open_stores(settings: StoreSettings, now_ms: Callable[[], int]) -> Stores:
    """Open all four; nothing is started (`stores.events.start()`) and no table is made (`migrate`)."""
    urls = settings.with_defaults()
    Path(urls.data).mkdir(mode=0o700, parents=True, exist_ok=True)
    records = open_records(urls.records)
    return Stores(
        records=records,
        photos=open_photos(urls.photos),
        events=open_events(urls.events, records, now_ms),
        secrets=open_secrets(urls.secrets),
    )


async def close_stores(stores: Stores) -> None:
    """Let go of everything, in the order in which things depend on one another."""
    await stores.events.close()
    await stores.photos.close()
    await stores.records.close()
