"""Second opinions that the cloud has not been told yet, kept like reads: sealed, durable, damage costs itself only.

An opinion comes up to a second after its read, which is durable by then and may have been sent; so it is a record of its own
and never a change of the read. Killed between the two, the read stands without an opinion, and the hit says that none has
come. Where the disk is full, opinions wait in memory, bounded.
"""

from __future__ import annotations

import itertools
import threading

import msgspec
import structlog

from guardian.device.disk import Disk
from guardian.device.journal import Damage, Journal
from guardian.device.seal import Sealer
from guardian.device.spooled import Key
from guardian.domain.errors import DiskFullError
from guardian.domain.opinion import SecondOpinion

log = structlog.get_logger("device.opinions")

WAITING_MAX = 10_000
"""Months of would-be hits without a line, some 3 MB; beyond it the oldest go, counted in the log."""


class Opined(msgspec.Struct, frozen=True, tag="opinion", array_like=True):
    """An opinion in the journal."""

    key: Key
    opinion: SecondOpinion


class Told(msgspec.Struct, frozen=True, tag="told", array_like=True):
    """The cloud knows these."""

    keys: tuple[Key, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Opined | Told).decode


class OpinionBook:
    """Opened on a disk of its own (one file open for appending belongs to one lock); thread-safe."""

    def __init__(self, disk: Disk, sealer: Sealer, *, folder: str = "spool/opinions") -> None:
        self._lock = threading.Lock()
        self._journal = Journal(disk, folder, sealer)
        self._waiting: dict[Key, SecondOpinion] = {}
        self._segments: dict[Key, int] = {}
        self._held_back: set[int] = set()  # segments that hold what this program does not understand
        damaged = 0
        for item in self._journal.replay():
            if isinstance(item, Damage):
                damaged += 1
                if item.unread:
                    self._held_back.add(item.segment)
                continue
            place, plain = item
            try:
                record = _decode(plain)
            except msgspec.DecodeError:
                self._held_back.add(place.segment)  # a newer program wrote it
                continue
            if isinstance(record, Opined):
                self._waiting[record.key], self._segments[record.key] = record.opinion, place.segment
            else:
                self._forget(record.keys)
        if damaged:
            log.warning("opinions-damaged", pieces=damaged)
        self._drop_spent()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, key: Key, opinion: SecondOpinion) -> None:
        """Keep one; comes back when it is durable, or held in memory where the disk takes nothing."""
        with self._lock:
            segment = self._append(Opined(key, opinion))
            self._waiting[key] = opinion
            if segment is not None:
                self._segments[key] = segment
            if len(self._waiting) > WAITING_MAX:
                oldest = next(iter(self._waiting))
                log.warning("opinion-given-up", waiting=len(self._waiting))
                self._forget([oldest])

    def batch(self, limit: int) -> list[tuple[Key, SecondOpinion]]:
        """The next ones to tell, in the order in which they came."""
        with self._lock:
            return list(itertools.islice(self._waiting.items(), limit))

    def told(self, keys: list[Key]) -> None:
        """The cloud knows these. A mark that cannot be written is no harm: told again, they change nothing there."""
        with self._lock:
            known = tuple(key for key in keys if key in self._waiting)
            if not known:
                return
            self._append(Told(known))
            self._forget(known)
            self._drop_spent()

    def _append(self, record: Opined | Told) -> int | None:
        try:
            return self._journal.append(_encode(record)).segment
        except (DiskFullError, OSError) as error:
            log.warning("opinion-not-written", error=type(error).__name__)
            return None

    def _forget(self, keys: tuple[Key, ...] | list[Key]) -> None:
        for key in keys:
            self._waiting.pop(key, None)
            self._segments.pop(key, None)

    def _drop_spent(self) -> None:
        """Remove segments from the oldest on, as long as nothing in them waits: a later one holds the marks for an earlier."""
        needed = set(self._segments.values()) | self._held_back
        for segment in self._journal.segments():
            if segment == self._journal.newest or segment in needed:
                return
            try:
                self._journal.remove(segment)
            except OSError as error:
                log.warning("opinions-segment-not-removed", errno=error.errno)
                return
