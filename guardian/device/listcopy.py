"""The watchlist that lies on the device, and the only way to replace it.

`listupdate.py` says which update is believed. It is taken whole or not at all: content, number and digest change in one
transaction, so the version on screen is never ahead of the content (field case G22).
Until a good update arrives the old list stays, however old, and every alarm says so (G27).

A list too long for one body comes in stretches (`domain.wire.WatchlistPart`). They are gathered in a table beside the one
in force, over restarts and broken lines, and take its place in one step when the last is there and the digest is right.

The file is an SQLite database under SQLite3 Multiple Ciphers (ChaCha20-Poly1305); a wrong key is refused.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guardian.device.listindex import ListIndex
from guardian.device.listupdate import (
    ListRefusedError,
    digest_after,
    open_part,
    open_update,
    require_digest,
    require_fitting,
)
from guardian.domain.errors import GuardianError
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import PART_ENTRIES_MAX, SignedWatchlistUpdate, WatchlistUpdate, list_digest
from guardian.watch.in_force import MatcherInForce
from guardian.watch.matcher import Matcher

log = structlog.get_logger("device.list")

_SCHEMA = """
create table if not exists entry (id text primary key, body blob not null) without rowid;
create table if not exists head (
  one integer primary key check (one = 1), version integer not null, issued_ms integer not null, digest text not null);
create table if not exists coming (id text primary key, body blob not null) without rowid;
create table if not exists coming_head (
  one integer primary key check (one = 1), version integer not null, issued_ms integer not null, digest text not null,
  after text not null, entries integer not null, total integer not null, whole integer not null);
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(WatchEntry).decode
_MODULUS = 1 << 256
_EMPTY = list_digest({})


class ListUnreadableError(GuardianError):
    """The disk does not give back what was written; the matcher, in memory, goes on."""

    reference = "list-unreadable-on-disk"


class EntriesOnDisk(Mapping[str, WatchEntry]):
    """The entries by id, as they lie on disk now. Thread-safe; a look takes some 20 µs."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._lock = threading.Lock()

    def __getitem__(self, entry_id: str) -> WatchEntry:
        try:
            with self._lock:
                row = next(iter(self._db.execute("select body from entry where id = ?", (entry_id,))), None)
        except apsw.Error as error:
            raise ListUnreadableError("An entry of the list cannot be read from the disk.") from error
        if row is None:
            raise KeyError(entry_id)
        return _decode(row[0])

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter([row[0] for row in self._db.execute("select id from entry")])

    def __len__(self) -> int:
        with self._lock:
            return int(next(iter(self._db.execute("select count(*) from entry")))[0])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


@dataclass(frozen=True, slots=True)
class ListInForce:
    """One version of the list, with the matcher over it. A new version is a new value.

    `entries` reads the disk: in the instant in which a new version comes into force it may already be that one's. An entry
    that a match names and that is not there any more was removed just now.
    """

    version: int
    issued_ms: int
    digest: str
    entries: Mapping[str, WatchEntry]
    matcher: MatcherInForce
    count: int


@dataclass(frozen=True, slots=True)
class Coming:
    """How far a long list has come: entries here and in all, the version at its beginning, where to go on, whether whole."""

    version: int
    after: str
    entries: int
    total: int
    whole: bool


class ListCopy:
    """The list on disk and in memory. `in_force` may be read from any thread."""

    def __init__(self, path: Path, *, key: bytes, list_key: str = "") -> None:
        self._lock = threading.RLock()
        self._list_key = list_key
        self.damaged = ""  # why the file on disk was set aside at the start, if it was
        self._db = self._open(path, key)
        self._entries = EntriesOnDisk(_connect(path, key))
        self.in_force = self._load()

    def _open(self, path: Path, key: bytes) -> apsw.Connection:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return _connect(path, key)
        except apsw.Error as error:
            # The list can be had again; a device that will not start cannot. The damaged file is kept for a look.
            self.damaged = type(error).__name__
            log.error("list-file-damaged", error=self.damaged)
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                old = path.with_name(name)
                if old.exists():
                    old.replace(path.with_name(f"{name}.set-aside"))
            return _connect(path, key)

    def _load(self) -> ListInForce:
        version, issued_ms, digest = next(
            iter(self._db.execute("select version, issued_ms, digest from head")), (0, 0, _EMPTY)
        )
        total = 0

        def bodies() -> Iterator[bytes]:
            nonlocal total
            for (body,) in self._db.execute("select body from entry"):
                total += int.from_bytes(hashlib.sha256(body).digest(), "big")
                yield body

        index = ListIndex(bodies())
        if f"{total % _MODULUS:064x}" != digest:
            log.error("list-digest-differs", version=version)
            self.damaged = "digest"
            with self._db:
                self._db.execute("delete from entry")
                self._db.execute("delete from head")
            index, version, issued_ms, digest = ListIndex(()), 0, 0, _EMPTY
        return self._made(version, issued_ms, digest, index)

    def _made(self, version: int, issued_ms: int, digest: str, index: ListIndex) -> ListInForce:
        matcher = MatcherInForce(version, issued_ms, Matcher(index, version, issued_ms))
        return ListInForce(version, issued_ms, digest, self._entries, matcher, len(index))

    def trust(self, list_key: str) -> None:
        """The cloud's key from enrolment: base64 of 32 bytes."""
        self._list_key = list_key

    def _key(self) -> Ed25519PublicKey:
        if not self._list_key:
            raise ListRefusedError("No cloud's key is known; enrol first.", reference="list-signature")
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(self._list_key))

    # ---- changes -----------------------------------------------------------------------------------------------------

    def take(self, signed: SignedWatchlistUpdate) -> ListInForce:
        """Check an update and bring it into force.

        Raises:
            ListRefusedError: not to be trusted, does not fit, or cannot be written; the list in force stays.
        """
        update = open_update(signed, self._key())
        with self._lock:
            held = self.in_force
            require_fitting(held.version, update)
            whole = update.base_version == 0
            if whole:
                found, count = digest_after(_EMPTY, lambda _id: None, update)
            else:
                found, growth = digest_after(held.digest, self._entries.get, update)
                count = held.count + growth
            require_digest(found, update.version, update.digest, held.version)
            # The matcher first: what cannot be matched with never comes into force.
            if whole:
                after = self._made(
                    update.version, update.issued_ms, update.digest, ListIndex(map(_encode, _last_of_each(update)))
                )
            else:
                matcher = held.matcher.follow(update.version, update.issued_ms, update.put, update.removed)
                after = ListInForce(update.version, update.issued_ms, found, self._entries, matcher, count)
            with self._written(update.version):
                if whole:
                    self._db.execute("delete from entry")
                    self._drop_coming()
                self._change("entry", update)
                self._set_head(after)
            self.in_force = after
            if after.matcher.overgrown:
                self.in_force = self._load()
            log.info("list-in-force", version=update.version, entries=count)
            return self.in_force

    def _change(self, table: str, update: WatchlistUpdate) -> None:
        self._db.executemany(f"delete from {table} where id = ?", ((i,) for i in update.removed))  # noqa: S608 - ours
        self._db.executemany(
            f"insert or replace into {table} (id, body) values (?, ?)",  # noqa: S608 - one of our two tables
            ((e.id, _encode(e)) for e in update.put),
        )

    def _set_head(self, after: ListInForce) -> None:
        self._db.execute(
            "insert or replace into head values (1, ?, ?, ?)", (after.version, after.issued_ms, after.digest)
        )

    def _written(self, version: int) -> _Written:
        return _Written(self._db, version, self.in_force.version)

    # ---- a long list, in stretches -----------------------------------------------------------------------------------

    def coming(self) -> Coming | None:
        """How far a long list has come; None where none is being fetched."""
        with self._lock:
            row = next(iter(self._db.execute("select version, after, entries, total, whole from coming_head")), None)
            return None if row is None else Coming(row[0], row[1], row[2], row[3], bool(row[4]))

    def take_part(self, signed: SignedWatchlistUpdate) -> Coming:
        """Gather a stretch; the first one begins anew.

        Raises:
            ListRefusedError: not to be trusted, not the one that follows, or cannot be written. What is gathered stays.
        """
        part = open_part(signed, self._key())
        with self._lock:
            before = self.coming()
            wanted = before.after if before is not None and not before.whole else ""
            empty = not part.put and not part.last
            if part.after not in ("", wanted) or empty or len(part.put) > PART_ENTRIES_MAX:
                raise ListRefusedError(
                    "A stretch of the list is not the one that follows; the list in force stays.",
                    hint="The device begins the list anew by itself.",
                    reference="list-gap",
                )
            with self._written(part.version):
                if part.after == "":
                    self._drop_coming()
                    self._db.execute(
                        "insert into coming_head values (1, ?, ?, ?, '', 0, 0, 0)",
                        (part.version, part.issued_ms, part.digest),
                    )
                self._db.executemany(
                    "insert or replace into coming (id, body) values (?, ?)", ((e.id, _encode(e)) for e in part.put)
                )
                last_id = part.put[-1].id if part.put else part.after
                self._db.execute(
                    "update coming_head set after = ?, entries = entries + ?, total = ?, whole = ?",
                    (last_id, len(part.put), part.total, part.last),
                )
            after = self.coming()
            assert after is not None  # noqa: S101 - written just now
            return after

    def finish(self, signed: SignedWatchlistUpdate | None) -> ListInForce:
        """Bring the gathered list into force.

        Args:
            signed: the change since the version at which gathering began; None where there is none.

        Raises:
            ListRefusedError: it does not come out as promised; what was gathered is dropped, the list in force stays.
        """
        with self._lock:
            try:
                return self._finish(signed)
            except ListRefusedError as error:
                if error.reference != "list-not-written":
                    self.drop_coming()
                raise

    def _finish(self, signed: SignedWatchlistUpdate | None) -> ListInForce:
        held, coming = self.in_force, self.coming()
        if coming is None or not coming.whole:
            raise ListRefusedError("The list is not whole yet; the one in force stays.", reference="list-gap")
        if signed is not None:
            update = open_update(signed, self._key())
            require_fitting(coming.version, update)
            with self._written(update.version):
                if update.base_version == 0:
                    self._db.execute("delete from coming")
                self._change("coming", update)
                self._db.execute(
                    "update coming_head set version = ?, issued_ms = ?, digest = ?",
                    (update.version, update.issued_ms, update.digest),
                )
        version, issued_ms, digest = next(iter(self._db.execute("select version, issued_ms, digest from coming_head")))
        if version <= held.version:
            raise ListRefusedError(
                f"List {version} is not above {held.version}, which is in force. Kept {held.version}.",
                reference="list-rollback",
            )
        total = 0

        def bodies() -> Iterator[bytes]:
            nonlocal total
            for (body,) in self._db.execute("select body from coming"):
                total += int.from_bytes(hashlib.sha256(body).digest(), "big")
                yield body

        index = ListIndex(bodies())
        require_digest(f"{total % _MODULUS:064x}", version, digest, held.version)
        after = self._made(version, issued_ms, digest, index)
        with self._written(version):
            self._db.execute("drop table entry")
            self._db.execute("alter table coming rename to entry")
            self._db.execute(_SCHEMA.split(";")[2])
            self._db.execute("delete from coming_head")
            self._set_head(after)
        self.in_force = after
        log.info("list-in-force", version=version, entries=len(index), in_parts=True)
        return after

    def drop_coming(self) -> None:
        """Begin a long list anew."""
        with self._lock, self._written(0):
            self._drop_coming()

    def _drop_coming(self) -> None:
        self._db.execute("delete from coming")
        self._db.execute("delete from coming_head")

    def close(self) -> None:
        """Fold the write-ahead file in and let go."""
        self._entries.close()
        self._db.close()


class _Written:
    """A transaction whose failing is a refused list, in a person's words."""

    def __init__(self, db: apsw.Connection, version: int, kept: int) -> None:
        self._db, self._version, self._kept = db, version, kept

    def __enter__(self) -> None:
        self._db.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            self._db.__exit__(kind, error, trace)  # type: ignore[arg-type]
        except apsw.Error as fault:
            error = fault
        if isinstance(error, apsw.Error):
            raise ListRefusedError(
                f"List {self._version} could not be written; list {self._kept} stays in force.",
                hint="Free some room on the device.",
                reference="list-not-written",
            ) from error


def _last_of_each(update: WatchlistUpdate) -> list[WatchEntry]:
    return list({entry.id: entry for entry in update.put}.values())


def _connect(path: Path, key: bytes) -> apsw.Connection:
    db = apsw.Connection(str(path))
    db.pragma("cipher", "chacha20")
    db.pragma("hexkey", key.hex())
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "full")
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    return db
