"""The spool: what the device has read and the cloud does not yet hold for certain (暫存佇列).

Promises, each with its test:
- a read that was put here is durable, under an identity that was given before the write; killed at any instant it is
  neither lost nor made twice downstream (tests/faults/test_spool_killed.py);
- an item leaves only when the cloud has answered for it; no number of tries and no age removes anything (G58);
- when room runs out it gives up, in this order, oldest first: overviews of reads without a hit, then crops of reads
  without a hit. Never reads, never anything of a hit. It says so once, with numbers, and goes back to normal by itself
  (G16). Where not even a read fits, reads wait in memory, bounded, and that is said too;
- a damaged piece costs itself only; it is counted, set aside and said (G15).

Reads lie in `journal.py`'s segments, pictures as sealed files beside them. Sending is `uplink.py`'s work.
"""

from __future__ import annotations

import contextlib
import heapq
import threading
from collections.abc import Callable, Collection, Mapping

import msgspec
import structlog

from guardian.device.clock import Stamp
from guardian.device.disk import Disk
from guardian.device.journal import Damage, Journal, Place
from guardian.device.photos import NO_PICTURES, Kind, PhotoShelf
from guardian.device.seal import Sealer
from guardian.device.spooled import (
    Done,
    Kept,
    Key,
    Recovery,
    Refused,
    SpoolState,
    Waiting,
    decode_record,
    encode_record,
)
from guardian.domain.errors import DiskFullError
from guardian.domain.read import Read

log = structlog.get_logger("device.spool")

IN_MEMORY_MAX = 20_000
"""Reads that wait in memory while not even a read fits on the disk: about 20 MB."""
MARKS_AT_ONCE = 5_000
REFUSED_KEPT = 1_000


class Spool:
    """Opened on a disk; thread-safe.

    Args:
        disk: where it lies.
        sealer: seals all of it.
        room_bytes: it never takes more than this for pictures and reads together, as long as pictures can make room.
        say: told once per change: a sentence for the screen, in zh-TW, with its kebab-case reference.
    """

    def __init__(
        self,
        disk: Disk,
        sealer: Sealer,
        *,
        room_bytes: int = 2 << 30,
        reserve_bytes: int | None = None,
        say: Callable[[str, str], None] = lambda _reference, _sentence: None,
        folder: str = "spool",
    ) -> None:
        self._disk = disk
        self._say = say
        self._lock = threading.RLock()
        self.room_bytes = room_bytes
        # Pictures stop while so much is still free: the last bytes belong to reads and hits.
        self._reserve = (
            reserve_bytes if reserve_bytes is not None else min(256 << 20, max(1 << 20, disk.total_bytes() // 10))
        )
        # Room is back only when a twentieth of all is free: else each picture given up would be told as a relief.
        self._ease = min(room_bytes, disk.total_bytes()) // 20
        self._journal = Journal(disk, f"{folder}/reads", sealer)
        self.photos = PhotoShelf(disk, f"{folder}/photos", sealer)
        self._folder = folder
        self._waiting: dict[Key, Waiting] = {}
        self._segment_keys: dict[int, set[Key]] = {}
        self._marks_owed: set[Key] = set()  # delivered, but the mark could not be written yet
        self._journal_bytes = 0
        self._given_up = {"overview": 0, "crop": 0, "vote": 0}
        self._pressed = False
        self._memory_said = False
        self._refused = 0
        self._lost = 0
        self.highest_boot = 0
        self.changed = threading.Event()
        """Set when something new waits to be sent."""
        self.recovery = self._recover()

    # ---- start -------------------------------------------------------------------------------------------------------

    def _recover(self) -> Recovery:
        torn = damaged = damaged_bytes = 0
        seen: dict[int, list[int]] = {}
        gone: set[Key] = set()
        for item in self._journal.replay():
            if isinstance(item, Damage):
                torn += item.at_end
                damaged += not item.at_end
                damaged_bytes += item.length
                if item.unread:
                    # The next start may read it, or whoever repairs the disk: its reads are not ours to remove.
                    self._segment_keys.setdefault(item.segment, set()).add((-1, item.offset))
                continue
            place, plain = item
            try:
                record = decode_record(plain)
            except msgspec.DecodeError:
                # Whole but not understood: a newer program wrote it. It stays where it is.
                self._segment_keys.setdefault(place.segment, set()).add((-1, place.offset))
                continue
            if isinstance(record, Kept):
                key = (record.read.boot, record.read.sequence)
                seen.setdefault(key[0], []).append(key[1])
                if key not in gone and key not in self._waiting:
                    self._remember(key, record, place)
            elif isinstance(record, Done):
                gone.update(record.keys)
                for key in record.keys:
                    seen.setdefault(key[0], []).append(key[1])
                    self._forget(key)
            else:
                gone.add(record.key)
                self._refused += 1
                self._forget(record.key)
        missing = sum(max(numbers) - min(numbers) + 1 - len(set(numbers)) for numbers in seen.values())
        self.highest_boot = max(seen, default=0)
        self._journal_bytes = self._journal.bytes_on_disk()
        self._drop_spent_segments()
        self.photos.open()
        found = Recovery(len(self._waiting), torn, damaged, damaged_bytes, missing)
        if not found.clean:
            log.warning("spool-damaged", **msgspec.structs.asdict(found))
            pieces = torn + damaged
            self._say(
                "spool-damaged",
                f"上次斷電留下 {pieces} 處損壞，已另存；完好的 {found.reads_waiting} 筆照常傳送"
                + (f"，缺 {missing} 個編號" if missing else ""),
            )
        return found

    def _remember(self, key: Key, record: Kept, place: Place | None, unsaved: bytes | None = None) -> None:
        read = record.read
        photos = tuple(p.sha256 for p in (read.crop, read.overview) if p is not None)
        photos += tuple(v.crop_sha256 for v in read.votes if v.crop_sha256 and v.crop_sha256 not in photos)
        order = (key[0], record.stamp.mono_ms, key[1])
        self._waiting[key] = Waiting(order, read.captured_ms, bool(read.hits), place, unsaved, photos)
        if place is not None:
            self._segment_keys.setdefault(place.segment, set()).add(key)

    def _forget(self, key: Key) -> Waiting | None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None and waiting.place is not None:
            self._segment_keys.get(waiting.place.segment, set()).discard(key)
        return waiting

    def _drop_spent_segments(self) -> None:
        """Remove segments from the oldest on, as long as nothing in them waits.

        Only from the oldest: a later segment holds the marks that say that an earlier one's reads are delivered.
        """
        for segment in self._journal.segments():
            if segment == self._journal.newest or self._segment_keys.get(segment):
                break
            try:
                self._journal_bytes -= self._journal.remove(segment)
            except OSError as error:
                log.warning("spool-segment-not-removed", errno=error.errno)
                break
            self._segment_keys.pop(segment, None)

    # ---- keeping -----------------------------------------------------------------------------------------------------

    def put(
        self,
        read: Read,
        stamp: Stamp,
        *,
        crop: bytes | None = None,
        overview: bytes | None = None,
        votes: Mapping[str, bytes] = NO_PICTURES,
    ) -> None:
        """Keep a read and its pictures (JPEG; `votes` by SHA-256, of hits). Comes back when the read is durable, or held in memory on a full disk.

        Pictures first: a read that is durable points at pictures that are.
        """
        with self._lock:
            hit = bool(read.hits)
            for kind, ref, data in (("crop", read.crop, crop), ("overview", read.overview, overview)):
                if ref is not None and data is not None:
                    self._put_photo(ref.sha256, data, "crop" if kind == "crop" else "overview", hit)
            for sha256, data in votes.items():
                self._put_photo(sha256, data, "vote", hit)
            record = Kept(read, stamp)
            key = (read.boot, read.sequence)
            plain = encode_record(record)
            self._make_room(len(plain), for_read=True)
            place = self._append(plain)
            if place is None:
                self._hold_in_memory(key, record, plain)
            else:
                self._remember(key, record, place)
                self._write_held()
            self.changed.set()

    def _append(self, plain: bytes) -> Place | None:
        """Write a record, giving up pictures for it if need be; None where it does not fit even so."""
        while True:
            try:
                place = self._journal.append(plain)
            except DiskFullError:
                if self.give_up_one():
                    continue
                return None
            except OSError as error:
                log.error("spool-write-failed", errno=error.errno)
                return None
            self._journal_bytes += place.length
            return place

    def _hold_in_memory(self, key: Key, record: Kept, plain: bytes) -> None:
        held = [k for k, w in self._waiting.items() if w.unsaved is not None]
        if len(held) >= IN_MEMORY_MAX:
            plainest = [k for k in held if not self._waiting[k].hit] or held
            self._forget(plainest[0])
            self._lose("磁碟與記憶體都滿了")
        self._remember(key, record, None, plain)
        if not self._memory_said:
            self._memory_said = True
            log.error("spool-full", reads_waiting=len(self._waiting))
            self._say(
                "spool-full", f"磁碟已滿，連車行紀錄也寫不下；新紀錄暫存記憶體（上限 {IN_MEMORY_MAX:,} 筆），勿關機"
            )

    def _lose(self, why: str) -> None:
        """A read is gone for good: counted, and said at once; after the first, once for each hundred (G16)."""
        self._lost += 1
        if self._lost == 1 or self._lost % 100 == 0:
            log.error("reads-lost", count=self._lost)
            self._say("reads-lost", f"{why}：已遺失 {self._lost:,} 筆紀錄；讓設備連線補送或騰出空間，並通知設備管理員")

    def _write_held(self) -> None:
        """Bring what waits in memory onto the disk, as far as it fits now."""
        if not self._memory_said:
            return
        for key in [k for k, w in self._waiting.items() if w.unsaved is not None]:
            waiting = self._waiting[key]
            assert waiting.unsaved is not None  # noqa: S101 - the line above chose it so
            place = self._append(waiting.unsaved)
            if place is None:
                return
            waiting.place, waiting.unsaved = place, None
            self._segment_keys.setdefault(place.segment, set()).add(key)
        self._memory_said = False
        log.info("spool-room-again", reads_waiting=len(self._waiting))
        self._say("spool-room-again", "磁碟又有空間，暫存的紀錄已全部寫入")

    def _put_photo(self, sha256: str, data: bytes, kind: Kind, hit: bool) -> None:
        if self.photos.has(sha256):
            if hit:
                with contextlib.suppress(OSError):
                    self.photos.make_important(sha256)
            return
        if not hit and not self._make_room(len(data), for_read=False, kind=kind):
            self._count_given_up(kind)
            return
        if hit:
            self._make_room(len(data), for_read=True)
        while True:
            try:
                self.photos.put(sha256, data, kind, hit)
                return
            except DiskFullError:
                if not hit or not self.give_up_one():
                    self._count_given_up(kind)
                    return
            except OSError as error:
                log.error("photo-write-failed", errno=error.errno)
                self._count_given_up(kind)
                return

    # ---- room --------------------------------------------------------------------------------------------------------

    def _room_left(self) -> int:
        ours = self._journal_bytes + self.photos.bytes
        return min(self.room_bytes - ours, self._disk.free_bytes() - self._reserve)

    def _make_room(self, size: int, *, for_read: bool, kind: str = "") -> bool:
        """Give up pictures until `size` fits; gives whether it fits now.

        A new overview may only push out older overviews, so that crops outlive overviews whatever comes last.
        """
        left = self._room_left()
        while left < size:
            victim = self.photos.next_to_give_up(overviews_only=kind == "overview")
            if victim is None:
                self._press(True)
                return False
            left += self._give_up(victim)
        if self._pressed and not for_read and left > max(size * 4, self._ease):
            self._press(False)
        return True

    def give_up_one(self) -> bool:
        """Give up the least important picture; False where none may be."""
        victim = self.photos.next_to_give_up()
        if victim is None:
            return False
        self._give_up(victim)
        return True

    def _give_up(self, sha256: str) -> int:
        kind, size = self.photos.remove(sha256)
        self._count_given_up(kind)
        return size

    def _count_given_up(self, kind: str) -> None:
        self._given_up[kind] += 1
        self._press(True)

    def _press(self, pressed: bool) -> None:
        """Say once that room has run out, and once that it is back: never a line per picture (G16)."""
        if pressed == self._pressed:
            return
        self._pressed = pressed
        if pressed:
            log.warning("spool-giving-up-photos", bytes=self._journal_bytes + self.photos.bytes, room=self.room_bytes)
            self._say(
                "spool-pressed", "空間不足：先捨棄無比對紀錄的全景照片，再捨棄其車牌照片；車行紀錄與比對相符照常保存"
            )
        else:
            log.info("spool-keeping-photos-again", given_up=sum(self._given_up.values()))
            self._say(
                "spool-relaxed",
                f"空間恢復，照片照常保存；期間捨棄全景 {self._given_up['overview']:,} 張、車牌 {self._given_up['crop']:,} 張",
            )

    # ---- sending -----------------------------------------------------------------------------------------------------

    def batch(self, limit: int) -> list[tuple[Key, Kept]]:
        """The next reads to send, in order of capture; a record that has gone bad meanwhile is counted and left out."""
        with self._lock:
            keys = heapq.nsmallest(limit, self._waiting, key=lambda k: self._waiting[k].order)
            places = [p for k in keys if (p := self._waiting[k].place) is not None]
            plains = iter(self._journal.read_all(places))
            found: list[tuple[Key, Kept]] = []
            for key in keys:
                waiting = self._waiting[key]
                plain = waiting.unsaved if waiting.place is None else next(plains)
                record = decode_record(plain) if plain is not None else None
                if isinstance(record, Kept):
                    found.append((key, record))
                else:
                    log.error("spool-record-damaged", segment=waiting.place.segment if waiting.place else -1)
                    self._lose("暫存紀錄在磁碟上損壞")
                    self._forget(key)
            if not self._waiting:
                self.changed.clear()
            return found

    def delivered(self, keys: list[Key]) -> None:
        """The cloud holds these. Where the mark cannot be written they stay marked in memory, and the mark is owed:
        after a restart they may go again under the same identity, which is harmless (G58)."""
        with self._lock:
            for key in keys:
                if self._forget(key) is not None:
                    self._marks_owed.add(key)
            self._pay_marks()
            self._write_held()

    def settle(self) -> None:
        """Try again what could not be written: owed marks, and reads that wait in memory."""
        with self._lock:
            if self._marks_owed:
                self._pay_marks()
            self._write_held()

    def _pay_marks(self) -> None:
        owed = sorted(self._marks_owed)
        for start in range(0, len(owed), MARKS_AT_ONCE):
            part = owed[start : start + MARKS_AT_ONCE]
            try:
                place = self._journal.append(encode_record(Done(tuple(part))))
            except (DiskFullError, OSError) as error:
                log.warning("spool-mark-owed", count=len(self._marks_owed), error=type(error).__name__)
                break  # what is spent may go all the same: a removed read needs no mark
            self._journal_bytes += place.length
            self._marks_owed.difference_update(part)
        self._drop_spent_segments()

    def refuse(self, key: Key, reason: str) -> None:
        """The cloud will not take this one, ever: it leaves the queue, its record stays aside for a look (G17).

        The first REFUSED_KEPT stay; where one cannot be kept, that is said, and it is gone.
        """
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is None:
                return
            kept = self._keep_refused(key, waiting)
            self._forget(key)
            self._refused += 1
            if self._append(encode_record(Refused(key, reason))) is None:
                self._marks_owed.add(key)
            self._drop_spent_segments()
        log.warning("read-refused-by-cloud", reason=reason, kept=kept)
        fate = "已另存" if kept else "無法另存，已捨棄"
        self._say("read-refused", f"雲端退回 1 筆紀錄（{reason}），{fate}，其餘照常傳送")

    def _keep_refused(self, key: Key, waiting: Waiting) -> bool:
        plain = waiting.unsaved
        if waiting.place is not None:
            (plain,) = self._journal.read_all([waiting.place])
        folder = f"{self._folder}/refused"
        if plain is None or len(self._disk.names(folder)) >= REFUSED_KEPT:
            return False
        path = f"{folder}/{key[0]:010d}-{key[1]:012d}.rec"
        try:
            self._disk.append(path, self._journal.sealed(plain))
            self._disk.sync(path)
        except (DiskFullError, OSError):
            with contextlib.suppress(OSError):
                self._disk.remove(path)
            return False
        return True

    def has_photo(self, sha256: str) -> bool:
        """Whether a picture waits here."""
        with self._lock:
            return self.photos.has(sha256)

    def next_photo(
        self, wanted: frozenset[str] = frozenset(), *, later: Collection[str] = ()
    ) -> tuple[str, bytes] | None:
        """A picture whose read the cloud holds: those it asks for first, then hits', crops before overviews before votes.

        Args:
            later: pictures that are passed over this time.
        """
        with self._lock:
            unsent = {sha for w in self._waiting.values() for sha in w.photos}.union(later)
            while True:
                sha = self.photos.next_to_send(unsent, wanted)
                if sha is None:
                    return None
                data = self.photos.read(sha)
                if data is not None:
                    return sha, data
                log.warning("photo-damaged")
                self._say("photo-damaged", "一張暫存照片在磁碟上損壞，已另存；其紀錄不受影響")

    def photo_sent(self, sha256: str) -> None:
        """The cloud holds it."""
        with self._lock:
            self.photos.remove(sha256)

    def state(self) -> SpoolState:
        """For screen and heartbeat."""
        with self._lock:
            waiting = self._waiting.values()
            return SpoolState(
                reads=len(self._waiting),
                oldest_ms=min((w.captured_ms for w in waiting), default=None),
                photos=len(self.photos),
                bytes=self._journal_bytes + self.photos.bytes,
                bytes_max=self.room_bytes,
                given_up_overviews=self._given_up["overview"],
                given_up_crops=self._given_up["crop"],
                reads_in_memory=sum(w.unsaved is not None for w in waiting),
                reads_refused_by_cloud=self._refused,
                reads_lost=self._lost,
                pressed=self._pressed,
            )
