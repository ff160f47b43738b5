"""A journal of sealed records in segment files, made so that damage costs only the records that it touches.

Each record stands on its own: a mark, its length, and its sealed bytes. A reader that meets something else looks for
the next mark and goes on, so a torn end, zeros, a flipped bit or an emptied file never hide the records around them
(field case G15). A database would be shorter here, but its first page and its tree are shared by all rows: one bit
there, or a lost write-ahead file, and everything is gone. `docs/decisions` has the longer answer.

Nothing is ever written behind a damaged end: each start opens a new segment.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

import msgspec

from guardian.device.disk import Disk
from guardian.device.seal import SEAL_BYTES, SealBrokenError, Sealer
from guardian.domain.errors import DiskFullError

_MARK = b"\xa7GR1"
_HEAD = struct.Struct(">4sI")
RECORD_BYTES_MAX = 1 << 20
SEGMENT_BYTES = 4 << 20
SET_ASIDE_MAX = 32
"""So many damaged pieces are kept for a look; more are counted only."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a record lies: segment number, offset and whole length in bytes."""

    segment: int
    offset: int
    length: int


class Damage(msgspec.Struct, frozen=True):
    """A stretch of a segment that holds no whole record; `unread`: the whole file, which the disk would not give."""

    segment: int
    offset: int
    length: int
    at_end: bool
    unread: bool = False


def scan(data: bytes, segment: int, sealer: Sealer) -> Iterator[tuple[Place, bytes] | Damage]:
    """Every whole record of a segment in order, and every stretch between that is none."""
    offset, bad_from = 0, -1
    while offset < len(data):
        found = data.find(_MARK, offset)
        if found < 0:
            break
        if found > offset and bad_from < 0:
            bad_from = offset
        offset = found
        plain = _open_at(data, offset, sealer)
        if plain is None:
            if bad_from < 0:
                bad_from = offset
            offset += 1
            continue
        if bad_from >= 0:
            yield Damage(segment, bad_from, offset - bad_from, False)
            bad_from = -1
        whole = _HEAD.size + len(plain) + SEAL_BYTES
        yield Place(segment, offset, whole), plain
        offset += whole
    end_from = bad_from if bad_from >= 0 else offset
    if end_from < len(data):
        yield Damage(segment, end_from, len(data) - end_from, True)


def _open_at(data: bytes, offset: int, sealer: Sealer) -> bytes | None:
    if offset + _HEAD.size > len(data):
        return None
    mark, length = _HEAD.unpack_from(data, offset)
    end = offset + _HEAD.size + length
    if mark != _MARK or not SEAL_BYTES <= length <= RECORD_BYTES_MAX or end > len(data):
        return None
    try:
        return sealer.open(data[offset + _HEAD.size : end])
    except SealBrokenError:
        return None


class Journal:
    """Segments `<folder>/<number>.log`, the newest one open for appending.

    Not thread-safe; the spool holds the lock.
    """

    def __init__(self, disk: Disk, folder: str, sealer: Sealer) -> None:
        self._disk = disk
        self._folder = folder
        self._sealer = sealer
        self._segment = max(self.segments(), default=0)
        self._end = -1  # no segment of this start yet

    def path(self, segment: int) -> str:
        """The file of a segment."""
        return f"{self._folder}/{segment:010d}.log"

    def segments(self) -> list[int]:
        """Numbers of the segments on disk, oldest first."""
        return [int(n[:-4]) for n in self._disk.names(self._folder) if n.endswith(".log") and n[:-4].isdigit()]

    @property
    def newest(self) -> int:
        """The segment that is being written, or the last one on disk."""
        return self._segment

    def replay(self) -> Iterator[tuple[Place, bytes] | Damage]:
        """Everything on disk, oldest first; damaged stretches are set aside for a look. An unreadable file counts whole."""
        for segment in self.segments():
            try:
                data = self._disk.read(self.path(segment))
            except OSError:
                yield Damage(segment, 0, self._disk.size(self.path(segment)), False, unread=True)
                continue
            if not data:
                # Emptied by the power cut, or made just before it: what it held cannot be counted, but it is said.
                yield Damage(segment, 0, 0, True)
                continue
            for item in scan(data, segment, self._sealer):
                if isinstance(item, Damage):
                    self._set_aside(item, data)
                yield item

    def _set_aside(self, damage: Damage, data: bytes) -> None:
        folder = f"{self._folder}-set-aside"
        path = f"{folder}/{damage.segment:010d}-{damage.offset:010d}.bin"
        if self._disk.size(path) or len(self._disk.names(folder)) >= SET_ASIDE_MAX:
            return
        piece = data[damage.offset : damage.offset + damage.length]
        try:
            self._disk.append(path, piece[: 1 << 20])
        except (DiskFullError, OSError):  # only a look is lost; a device that would not start for it would lose more
            with contextlib.suppress(OSError):
                self._disk.remove(path)

    def append(self, plain: bytes) -> Place:
        """Write one record durably.

        Raises:
            DiskFullError, OSError: nothing of it counts; what of it is on disk is taken back, or left behind for good.
        """
        record = self.sealed(plain)
        fresh = self._end < 0 or self._end >= SEGMENT_BYTES
        if fresh:
            self._segment += 1
            self._end = 0
        path = self.path(self._segment)
        try:
            self._disk.append(path, record)
            self._disk.sync(path)
            if fresh:
                self._disk.sync_folder(self._folder)
        except (DiskFullError, OSError):
            self._take_back(path, fresh)
            raise
        place = Place(self._segment, self._end, len(record))
        self._end += len(record)
        return place

    def _take_back(self, path: str, fresh: bool) -> None:
        """Make the file end where its last good record ends; where that cannot be done, write to it no more."""
        try:
            if fresh:
                self._disk.remove(path)
                self._end = -1
            else:
                self._disk.cut(path, self._end)
        except OSError:
            self._end = -1  # the next record begins a segment of its own: its place would be wrong behind a torn one

    def sealed(self, plain: bytes) -> bytes:
        """A record's bytes as they would stand in a segment, for keeping one elsewhere."""
        sealed = self._sealer.seal(plain)
        return _HEAD.pack(_MARK, len(sealed)) + sealed

    def read_all(self, places: list[Place]) -> list[bytes | None]:
        """Several records, each file read once; None where one is damaged."""
        files: dict[int, bytes] = {}
        found: list[bytes | None] = []
        for place in places:
            if place.segment not in files:
                try:
                    files[place.segment] = self._disk.read(self.path(place.segment))
                except OSError:
                    files[place.segment] = b""
            piece = files[place.segment][place.offset : place.offset + place.length]
            try:
                found.append(self._sealer.open(piece[_HEAD.size :]))
            except SealBrokenError:
                found.append(None)
        return found

    def remove(self, segment: int) -> int:
        """Remove a segment that nobody needs any more; gives the bytes freed."""
        path = self.path(segment)
        size = self._disk.size(path)
        self._disk.remove(path)
        return size

    def bytes_on_disk(self) -> int:
        """Bytes of all segments."""
        return sum(self._disk.size(self.path(s)) for s in self.segments())
