"""Photos in a folder: `ab/cd/abcd….`, each written beside, made durable, then given its name.

A crash leaves at most a nameless file in `.incoming`, which a start an hour later removes. A file that rotted or was cut short
is written anew when its picture comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from guardian.domain.errors import NeighbourUnreachableError
from guardian.stores.failures import disk_full, is_disk_full
from guardian.stores.photos import check_asked, check_body, check_found, check_name, damaged, not_here


def folder_of(url: str) -> Path:
    """The folder of `file:///absolute` or `file:relative`."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)).absolute()


LEFT_S = 3600


class FilePhotos:
    """Made by `open_photos("file:///…")`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process has just given it its name
                if time.time() - left.stat().st_mtime > LEFT_S:  # younger ones may be another process's, right now
                    left.unlink()

    def path_of(self, sha256: str) -> Path:
        check_name(sha256)
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    async def put(self, sha256: str, body: bytes) -> None:
        await asyncio.to_thread(self._put, sha256, body)

    def _put(self, sha256: str, body: bytes) -> None:
        check_body(sha256, body)
        path = self.path_of(sha256)
        if _holds(path, body):
            return
        beside = self._incoming / f"{sha256[:16]}-{secrets.token_hex(8)}"
        try:
            self._make_folders(path.parent)
            with beside.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            beside.rename(path)
            _sync_folder(path.parent)
        except OSError as error:
            beside.unlink(missing_ok=True)
            if is_disk_full(error):
                raise disk_full("photos") from error
            raise NeighbourUnreachableError("The folder of photos cannot be written.") from error

    def _make_folders(self, folder: Path) -> None:
        if folder.exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)
        _sync_folder(self.folder)

    async def get(self, sha256: str) -> bytes:
        return await asyncio.to_thread(self._get, sha256)

    def _get(self, sha256: str) -> bytes:
        try:
            body = self.path_of(sha256).read_bytes()
        except FileNotFoundError:
            raise not_here() from None
        except OSError as error:
            if error.errno == errno.EIO:  # the folder is there, this file's sectors are not
                raise damaged() from error
            raise NeighbourUnreachableError("The folder of photos cannot be read.") from error
        return check_found(sha256, body)

    async def has(self, sha256: str) -> bool:
        return await asyncio.to_thread(self.path_of(sha256).exists)

    async def list_missing(self, hashes: Iterable[str]) -> set[str]:
        asked = check_asked(hashes)
        return await asyncio.to_thread(lambda: {sha256 for sha256 in asked if not self.path_of(sha256).exists()})

    async def delete(self, sha256: str) -> None:
        def remove() -> None:
            path = self.path_of(sha256)
            try:
                path.unlink(missing_ok=True)
                if path.parent.exists():
                    _sync_folder(path.parent)
            except OSError as error:
                raise NeighbourUnreachableError("The folder of photos cannot be written.") from error

        await asyncio.to_thread(remove)

    async def close(self) -> None:
        """Nothing is held open."""


def _holds(path: Path, body: bytes) -> bool:
    """Whether exactly these bytes lie there. A new picture costs one look; only a file of the same size is read."""
    try:
        return path.stat().st_size == len(body) and path.read_bytes() == body
    except OSError:  # not there, or it cannot be read: written anew either way
        return False


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable (a renamed file is not, before)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
