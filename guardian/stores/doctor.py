"""How the stores are: configured, reachable, and how full. Looking changes nothing, and no check waits longer than LOOK_S.

A finding says what was seen and by whom ("PostgreSQL answers"), never more than that. Passwords in URLs are not shown.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, func, inspect, select, text

from guardian.domain.errors import GuardianError, NeighbourUnreachableError
from guardian.stores.failures import unreachable
from guardian.stores.files import folder_of
from guardian.stores.migrate import newest_version, version_in
from guardian.stores.photos import open_photos
from guardian.stores.records import SqlRecords, open_records
from guardian.stores.settings import StoreSettings
from guardian.stores.sqlite import SqliteRecords
from guardian.stores.tables import outbox, positions, set_aside

LOOK_S = 8.0
DISK_FREE_BYTES_LOW = 2 * 1024**3
OUTBOX_LAG_HIGH = 10_000


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `verdict`: ok, look (works, but someone should look), wrong."""

    subject: str
    verdict: Literal["ok", "look", "wrong"]
    sentence: str
    figures: Mapping[str, int | str] = {}


def shown(url: str) -> str:
    """`url` without what must not be seen."""
    return re.sub(r"//[^/@]*@", "//…@", url) if "@" in urlsplit(url).netloc else url


async def examine(settings: StoreSettings) -> list[Finding]:
    """Look at all four stores; what fails is a finding, never an error."""
    urls = settings.with_defaults()
    findings: list[Finding] = []
    data = Path(urls.data)
    if not data.exists():  # noqa: ASYNC240 - one look
        embedded = urls.records.startswith("sqlite:")
        findings.append(Finding("data", "look", f"The data folder {data} is not there yet; guardian serve makes it."))
        if embedded:
            return findings
    records: SqlRecords | None = None
    try:
        if not (urls.records.startswith("sqlite:") and not _sqlite_path(urls.records).exists()):
            records = open_records(urls.records)
            findings += await _guarded("records", urls.records, lambda opened=records: _records(opened, urls.records))  # type: ignore[misc]
        else:
            findings.append(Finding("records", "look", "There are no records yet; guardian migrate makes them."))
        findings += await _guarded("photos", urls.photos, lambda: _photos(urls.photos))
        findings += await _guarded("events", urls.events, lambda: _events(urls.events, records))
        findings += await _guarded("secrets", urls.secrets, lambda: _secrets(urls.secrets))
    finally:
        if records is not None:
            await records.close()
    return findings


def _sqlite_path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


async def _guarded(subject: str, url: str, look: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    try:
        async with asyncio.timeout(LOOK_S):
            return await look()
    except GuardianError as error:
        said = f"{error.sentence} {error.hint}".strip()
    except TimeoutError:
        said = f"No answer within {LOOK_S:g} s."
    except Exception as error:  # whatever a library raises about a neighbour is a finding here
        said = f"{type(error).__name__} while looking."
    return [Finding(subject, "wrong", f"{shown(url)}: {said}")]


async def _records(records: SqlRecords, url: str) -> list[Finding]:
    def look(connection: Connection) -> tuple[str, str | None]:
        asked = "SELECT sqlite_version()" if records.dialect == "sqlite" else "SHOW server_version"
        return str(connection.execute(text(asked)).scalar()), version_in(connection)

    engine_version, tables = await records.read(look)
    engine = f"{'SQLite' if records.dialect == 'sqlite' else 'PostgreSQL'} {engine_version}"
    used = await records.bytes_used()
    figures: dict[str, int | str] = {"bytes": used, "engine": engine}
    findings = [Finding("records", "ok", f"{shown(url)}: {engine} answers; {_size(used)}.", figures)]
    if isinstance(records, SqliteRecords):
        findings.append(_disk("records", records.path.parent))
        figures["log_bytes"] = records.wal_bytes()
    expected = newest_version()
    if tables != expected:
        sentence = f"The tables have version {tables or 'none'}, this guardian expects {expected or 'none'}."
        findings.append(Finding("records", "wrong", f"{sentence} Run guardian migrate."))
    return findings


async def _photos(url: str) -> list[Finding]:
    if url.startswith("file:"):
        folder = folder_of(url)
        if not folder.exists():
            return [Finding("photos", "look", f"{shown(url)}: the folder is not there yet.")]
        return [Finding("photos", "ok", f"{shown(url)}: the folder is there."), _disk("photos", folder)]
    photos = open_photos(url)
    await photos.has("0" * 64)
    await photos.close()
    return [Finding("photos", "ok", f"{shown(url)}: the object store answers.")]


async def _events(url: str, records: SqlRecords | None) -> list[Finding]:
    findings: list[Finding] = []
    if url.startswith("memory:"):
        findings.append(Finding("events", "ok", "Events stay within the process."))
    else:
        findings.append(await _nats(url))
    if records is None:
        return findings

    def look(connection: Connection) -> tuple[int, list[tuple[str, int]], int]:
        if not inspect(connection).has_table(outbox.name):
            return 0, [], 0
        newest = connection.execute(select(func.max(outbox.c.number))).scalar() or 0
        held = [(row.consumer_name, row.number) for row in connection.execute(select(positions))]
        aside = connection.execute(select(func.count()).select_from(set_aside)).scalar_one()
        return newest, held, aside

    try:
        newest, held, aside = await records.read(look)
    except NeighbourUnreachableError:
        return findings  # the records have their own finding; it must not hide what NATS said
    for name, number in sorted(held):
        if newest - number > OUTBOX_LAG_HIGH:
            sentence = f"Consumer {name} has up to {newest - number} events before it."
            findings.append(Finding("events", "look", sentence, {"behind": newest - number}))
    if aside:
        sentence = f"{aside} events were set aside after their last try."
        findings.append(Finding("events", "look", sentence, {"set_aside": aside}))
    return findings


async def _nats(url: str) -> Finding:
    import nats
    import nats.errors

    parts = urlsplit(url)
    try:
        client = await nats.connect(
            f"{parts.scheme}://{parts.netloc}",
            connect_timeout=3,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # also the first attempt is repeated for ever otherwise
            reconnect_time_wait=0,
            error_cb=_quiet,
        )
    except (nats.errors.Error, OSError) as error:
        raise unreachable("NATS") from error
    try:
        account = await client.jetstream(timeout=3).account_info()
        version = str(client.connected_server_version)
    finally:
        await client.close()
    figures: dict[str, int | str] = {"bytes": int(account.storage)}
    return Finding(
        "events", "ok", f"{shown(url)}: NATS {version} with JetStream answers; {_size(account.storage)}.", figures
    )


async def _quiet(error: Exception) -> None:
    """The library would print it; the finding says it."""


async def _secrets(url: str) -> list[Finding]:
    folder = folder_of(url)
    if not folder.exists():
        return [Finding("secrets", "look", f"{shown(url)}: the folder is not there yet.")]
    loose = [path.name for path in folder.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        loose.append("the folder itself")
    if loose:
        return [Finding("secrets", "wrong", f"Others may read {', '.join(sorted(loose))}; set modes 600 and 700.")]
    return [Finding("secrets", "ok", f"{shown(url)}: readable by us alone.")]


def _disk(subject: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    verdict: Literal["ok", "look"] = "ok" if free > DISK_FREE_BYTES_LOW else "look"
    return Finding(subject, verdict, f"The disk of {folder} has {_size(free)} free.", {"free_bytes": free})


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
