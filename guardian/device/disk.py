"""The few things that the device asks of a disk, as a port: every durable write of the spool goes through it.

Tests put a disk in its place that dies at the n-th operation and forgets what was never synced; that is how "killed at
any instant" is enumerated rather than sampled. Paths are relative to the device's home.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Protocol

from guardian.domain.errors import DiskFullError


class Disk(Protocol):
    """Durable bytes. A write is durable after `sync` of the file and, for a new or renamed name, `sync_folder`."""

    def read(self, path: str) -> bytes:
        """The whole file. Raises FileNotFoundError or OSError."""
        ...

    def names(self, folder: str) -> list[str]:
        """File names in a folder, sorted; empty where the folder is not there."""
        ...

    def size(self, path: str) -> int:
        """Bytes in a file; 0 where it is not there."""
        ...

    def append(self, path: str, data: bytes) -> None:
        """Add to the end of a file, which is made where it is not there. Raises DiskFullError."""
        ...

    def cut(self, path: str, size: int) -> None:
        """Shorten a file: takes back an append that failed half-way."""
        ...

    def sync(self, path: str) -> None:
        """Make the file's bytes durable. Raises DiskFullError."""
        ...

    def sync_folder(self, folder: str) -> None:
        """Make names in a folder durable."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file its final name; replaces what was there."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens where it is not there."""
        ...

    def free_bytes(self) -> int:
        """Room left for us."""
        ...

    def total_bytes(self) -> int:
        """Size of the file system."""
        ...


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RealDisk:
    """A folder on the real file system. Keeps one file open for appending, since the spool appends to one at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open: tuple[str, int] | None = None

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(entry.name for entry in os.scandir(self.root / folder) if entry.is_file())
        except FileNotFoundError:
            return []

    def size(self, path: str) -> int:
        try:
            return (self.root / path).stat().st_size
        except FileNotFoundError:
            return 0

    def _fd(self, path: str) -> int:
        if self._open is not None:
            if self._open[0] == path:
                return self._open[1]
            os.close(self._open[1])
            self._open = None
        whole = self.root / path
        try:
            whole.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(whole, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._told(error) from error
        self._open = (path, fd)
        return fd

    def append(self, path: str, data: bytes) -> None:
        fd = self._fd(path)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(fd, view) :]
        except OSError as error:
            raise self._told(error) from error

    def cut(self, path: str, size: int) -> None:
        os.ftruncate(self._fd(path), size)

    def sync(self, path: str) -> None:
        try:
            os.fsync(self._fd(path))
        except OSError as error:
            raise self._told(error) from error

    def sync_folder(self, folder: str) -> None:
        fd = os.open(self.root / folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, old: str, new: str) -> None:
        self.close()
        (self.root / old).replace(self.root / new)

    def remove(self, path: str) -> None:
        if self._open is not None and self._open[0] == path:
            self.close()
        (self.root / path).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        told = os.statvfs(self.root)
        return told.f_bavail * told.f_frsize

    def total_bytes(self) -> int:
        told = os.statvfs(self.root)
        return told.f_blocks * told.f_frsize

    def close(self) -> None:
        """Let go of the open file."""
        if self._open is not None:
            os.close(self._open[1])
            self._open = None

    @staticmethod
    def _told(error: OSError) -> Exception:
        if error.errno in _FULL:
            return DiskFullError("The device's disk is full.", hint="Free some room; nothing that was kept is lost.")
        return error


def write_whole(disk: Disk, path: str, data: bytes) -> None:
    """Put a file in place so that after a power cut it is there whole or not at all.

    Raises:
        DiskFullError: no room; the unfinished file is removed.
    """
    folder = path.rpartition("/")[0]
    unfinished = f"{path}.part"
    disk.remove(unfinished)
    try:
        disk.append(unfinished, data)
        disk.sync(unfinished)
    except DiskFullError:
        disk.remove(unfinished)
        raise
    disk.rename(unfinished, path)
    disk.sync_folder(folder)


class NumberOnDisk:
    """A number that never goes back, kept in the *name* of an empty file: there is no content that could be torn.

    The newest two names stay; an older one can only be read if both newer ones are gone, and even then the caller's
    floor (what the spool has seen) keeps the number from going back.
    """

    def __init__(self, disk: Disk, folder: str) -> None:
        self._disk = disk
        self._folder = folder

    def last(self) -> int:
        """The highest number given so far; 0 at first."""
        return max((int(name) for name in self._disk.names(self._folder) if name.isdigit()), default=0)

    def advance_to(self, number: int) -> None:
        """Make a number durable before it is used. Works on a full disk: an empty file needs no data block."""
        self._disk.append(f"{self._folder}/{number:015d}", b"")
        self._disk.sync_folder(self._folder)
        for name in [n for n in self._disk.names(self._folder) if n.isdigit()][:-2]:
            self._disk.remove(f"{self._folder}/{name}")
