"""No room on the disk: a clear error, nothing acknowledged lost, reads go on, and writes too once there is room.

The small disk is a tmpfs of 4 MB where we may mount one (root). Elsewhere SQLite is held to a number of pages
(`max_page_count`, the same SQLITE_FULL), and files to a size (RLIMIT_FSIZE).
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardian.domain.errors import DiskFullError
from guardian.stores import create_missing, open_photos, open_records, open_secrets
from guardian.stores.records import SqlRecords

pytestmark = pytest.mark.anyio

tables = sa.MetaData()
things = sa.Table(
    "full_things",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary),
)
DISK_BYTES = 4 * 1024 * 1024


class SmallDisk:
    """A folder without much room; `fill` takes what is left, `free` gives it back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        self._ballast = folder / "ballast"

    def fill(self, *, but_bytes: int = 0) -> None:
        if self.mounted:
            found = os.statvfs(self.folder)
            with self._ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(4096, found.f_bavail * found.f_frsize - but_bytes))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max(1000, but_bytes), resource.RLIM_INFINITY))

    def free(self) -> None:
        if self.mounted:
            self._ballast.unlink(missing_ok=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def remove(self) -> None:
        self.free()
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.remove()


def put(number: int):
    return lambda connection: connection.execute(things.insert().values(id=number, body=bytes(50_000)))


def ids(connection: sa.Connection) -> list[int]:
    return list(connection.execute(sa.select(things.c.id).order_by(things.c.id)).scalars())


async def limit_pages(records: SqlRecords, pages: int) -> None:
    await records.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))


@pytest.mark.parametrize("way", ["disk", "pages"])
async def test_records_say_that_the_disk_is_full_lose_nothing_and_recover(disk: SmallDisk, way: str) -> None:
    records = open_records(f"sqlite:///{disk.folder}/records.sqlite")
    await create_missing(records, tables)
    by_pages = way == "pages" or not disk.mounted
    if by_pages:
        await limit_pages(records, 200)
    else:
        disk.fill(but_bytes=1_000_000)
    kept: list[int] = []
    with pytest.raises(DiskFullError) as caught:
        for number in range(200):
            await records.write(put(number))
            kept.append(number)
    assert caught.value.reference == "disk-full" and str(disk.folder) not in str(caught.value)
    assert len(kept) > 3
    assert await records.read(ids) == kept
    if by_pages:
        await limit_pages(records, 1_000_000)
    else:
        disk.free()
    await records.write(put(1000))
    assert await records.read(ids) == [*kept, 1000]
    await records.close()


async def test_photos_say_that_the_disk_is_full_and_leave_nothing_behind(disk: SmallDisk) -> None:
    photos = open_photos((disk.folder / "photos").as_uri())
    body = os.urandom(200_000)
    name = hashlib.sha256(body).hexdigest()
    disk.fill(but_bytes=100_000)
    with pytest.raises(DiskFullError):
        await photos.put(name, body)
    assert not await photos.has(name)
    assert not [path for path in (disk.folder / "photos").rglob("*") if path.is_file()]
    disk.free()
    await photos.put(name, body)
    assert await photos.get(name) == body


def test_secrets_say_that_the_disk_is_full_and_are_made_later(disk: SmallDisk) -> None:
    secrets = open_secrets((disk.folder / "secrets").as_uri())
    disk.fill()
    with pytest.raises(DiskFullError):
        secrets.get_or_create("key", lambda: bytes(8000))
    assert secrets.find("key") is None
    disk.free()
    assert secrets.get_or_create("key", lambda: bytes(8000)) == bytes(8000)
    assert len(list((disk.folder / "secrets").iterdir())) == 1
