"""The watchlist that lies on the device, and the only way to replace it.

`listupdate.py` says which update is believed. It is taken whole or not at all: content, number and digest change in one
transaction, so the version on screen is never ahead of the content (field case G22).
Until a good update arrives the old list stays, however old, and every alarm says so (G27).

The file is an SQLite database under SQLite3 Multiple Ciphers (ChaCha20-Poly1305); a wrong key is refused.
"""

from __future__ import annotations

import base64
import threading
from pathlib import Path

import apsw
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guardian.device.listupdate import ListRefusedError, apply_update, open_update
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import SignedWatchlistUpdate, WatchlistUpdate, list_digest
from guardian.watch.matcher import Matcher

log = structlog.get_logger("device.list")

_SCHEMA = """
create table if not exists entry (id text primary key, body blob not null) without rowid;
create table if not exists head (
  one integer primary key check (one = 1), version integer not null, issued_ms integer not null, digest text not null);
"""


class ListInForce(msgspec.Struct, frozen=True):
    """One version of the list, with the matcher over it. Never changed; a new version is a new value."""

    version: int
    issued_ms: int
    digest: str
    entries: dict[str, WatchEntry]
    matcher: Matcher


class ListCopy:
    """The list on disk and in memory. `in_force` may be read from any thread."""

    def __init__(self, path: Path, *, key: bytes, list_key: str = "") -> None:
        self._lock = threading.Lock()
        self._list_key = list_key
        self.damaged = ""  # why the file on disk was set aside at the start, if it was
        self._db = self._open(path, key)
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
        head = next(iter(self._db.execute("select version, issued_ms, digest from head")), (0, 0, list_digest({})))
        decode = msgspec.msgpack.Decoder(WatchEntry).decode
        entries = {entry_id: decode(body) for entry_id, body in self._db.execute("select id, body from entry")}
        version, issued_ms, digest = head
        if list_digest(entries) != digest:
            log.error("list-digest-differs", version=version)
            self.damaged = "digest"
            with self._db:
                self._db.execute("delete from entry")
                self._db.execute("delete from head")
            entries, version, issued_ms, digest = {}, 0, 0, list_digest({})
        return ListInForce(version, issued_ms, digest, entries, Matcher(tuple(entries.values()), version, issued_ms))

    def trust(self, list_key: str) -> None:
        """The cloud's key from enrolment: base64 of 32 bytes."""
        self._list_key = list_key

    def take(self, signed: SignedWatchlistUpdate) -> ListInForce:
        """Check an update and bring it into force.

        Raises:
            ListRefusedError: not to be trusted, does not fit, or cannot be written; the list in force stays.
        """
        if not self._list_key:
            raise ListRefusedError("No cloud's key is known; enrol first.", reference="list-signature")
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self._list_key))
        update = open_update(signed, key)
        with self._lock:
            held = self.in_force
            after = apply_update(held.entries, held.version, held.digest, update)
            # The matcher first: what cannot be matched with never comes into force.
            matcher = Matcher(tuple(after.values()), update.version, update.issued_ms)
            self._store(update)
            self.in_force = ListInForce(update.version, update.issued_ms, update.digest, after, matcher)
            log.info("list-in-force", version=update.version, entries=len(after))
            return self.in_force

    def _store(self, update: WatchlistUpdate) -> None:
        encode = msgspec.msgpack.Encoder().encode
        try:
            with self._db:
                if update.base_version == 0:
                    self._db.execute("delete from entry")
                self._db.executemany("delete from entry where id = ?", ((i,) for i in update.removed))
                self._db.executemany(
                    "insert or replace into entry (id, body) values (?, ?)", ((e.id, encode(e)) for e in update.put)
                )
                self._db.execute(
                    "insert or replace into head values (1, ?, ?, ?)", (update.version, update.issued_ms, update.digest)
                )
        except apsw.Error as error:
            raise ListRefusedError(
                f"List {update.version} could not be written; list {self.in_force.version} stays in force.",
                hint="Free some room on the device.",
                reference="list-not-written",
            ) from error

    def close(self) -> None:
        """Fold the write-ahead file in and let go."""
        self._db.close()


def _connect(path: Path, key: bytes) -> apsw.Connection:
    db = apsw.Connection(str(path))
    db.pragma("cipher", "chacha20")
    db.pragma("hexkey", key.hex())
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "full")
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    return db
