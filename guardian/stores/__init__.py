"""Where things are kept: records (SQL), photos (objects), events (a bus), secrets. The engine is chosen by URL.

    stores = open_stores(StoreSettings(data="data"), now_ms)
    await create_missing(stores.records, metadata)
    await stores.records.write(lambda connection: connection.execute(hits.insert().values(…)))

Rooms see the ports (`ports.py`), `metadata` for their tables, `insert` for what engines spell differently, and
`text_problem` for text that one engine would refuse. Nothing outside this room knows which engine is there.
"""

from guardian.stores.events import open_events
from guardian.stores.failures import ReadCutOffError, StoreBusyError
from guardian.stores.metadata import SerialNumber, metadata
from guardian.stores.photos import open_photos
from guardian.stores.ports import Events, Photos, Records, Secrets, Tail
from guardian.stores.records import create_missing, open_records
from guardian.stores.secret_files import open_secrets
from guardian.stores.settings import Stores, StoreSettings, close_stores, open_stores
from guardian.stores.statements import insert, insert_if_new
from guardian.stores.text import clean_text, text_problem

__all__ = [
    "Events",
    "Photos",
    "ReadCutOffError",
    "Records",
    "Secrets",
    "SerialNumber",
    "StoreBusyError",
    "StoreSettings",
    "Stores",
    "Tail",
    "clean_text",
    "close_stores",
    "create_missing",
    "insert",
    "insert_if_new",
    "metadata",
    "open_events",
    "open_photos",
    "open_records",
    "open_secrets",
    "open_stores",
    "text_problem",
]
