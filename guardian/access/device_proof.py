"""Proof of the device (設備鑑別): the key it signs with, and that a request of it comes once.

A request is believed if, in this order,
1. it names a device, a counter and a signature in their forms,
2. the device's key signed method, target, content type and encoding, device, counter and the bytes that came
   (`wire.signed_text`),
3. the device is not revoked, and
4. its counter has not been seen (`counters`).

Nothing of the body is parsed before that, and no clock is asked: a device whose clock says 1970 signs as well as any.
Only who holds the key learns that it is revoked. A key that was revoked never comes back, under no id (Z07).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select, update

from guardian.access.audit import AuditRecord
from guardian.access.chain import entry_of
from guardian.access.counters import SeenCounters, next_lease
from guardian.access.model import DeviceProofError
from guardian.access.tables import access_device_keys
from guardian.domain.errors import ConflictError, InputRefusedError, NotFoundError
from guardian.domain.subject import Role, Subject
from guardian.domain.wire import COUNTER_MAX, HEADER_COUNTER, HEADER_DEVICE, HEADER_SIGNATURE, signed_text
from guardian.stores.ports import Records

KEY_FRESH_MS = 2000
"""How long another process's revocation may go unnoticed here; in the same process it counts at once."""
DEVICES_MAX = 20_000
LARGE_BYTES = 1024 * 1024
"""Bodies above this are hashed in a thread: 8 MiB would hold up everybody else for some 20 ms."""

_DEVICE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_COUNTER = re.compile(r"[1-9][0-9]{0,15}")


class Claim(NamedTuple):
    """Who a request says it is from, and how its body is to be read. Not believed yet. The signature has 64 bytes."""

    device_id: str
    counter: int
    signature: bytes
    content_type: str
    content_encoding: str

    def signed_text(self, method: str, target: str, body: bytes) -> bytes:
        """What the device must have signed."""
        return signed_text(
            method,
            target,
            self.device_id,
            self.counter,
            body,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
        )


class _Key:
    __slots__ = ("public_key", "read_ms", "revoked")

    def __init__(self, public_key: Ed25519PublicKey, revoked: bool, read_ms: int) -> None:
        self.public_key = public_key
        self.revoked = revoked
        self.read_ms = read_ms


class _Counters:
    __slots__ = ("leasing", "lock", "seen")

    def __init__(self) -> None:
        self.seen = SeenCounters()
        self.lock = asyncio.Lock()
        self.leasing: asyncio.Task[None] | None = None


class DeviceProof:
    """Keeps devices' keys and believes their requests. It is the `DeviceKeys` that `fleet` asks for.

    Args:
        records: where keys and counters' ceilings are kept.
        audit: enrolling and revoking are recorded.
        now_ms: the clock, for records and caches only.
    """

    def __init__(self, records: Records, audit: AuditRecord, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._audit = audit
        self._now_ms = now_ms
        self._keys: OrderedDict[str, _Key | None] = OrderedDict()
        self._unknown: OrderedDict[str, int] = OrderedDict()
        self._counters: OrderedDict[str, _Counters] = OrderedDict()

    async def enrol(self, device_id: str, public_key: bytes) -> None:
        """Take a new device's key.

        Raises:
            InputRefusedError: no Ed25519 public key of 32 bytes, or no id of a device.
            ConflictError: the id is taken, or the key was seen before (`device-key-used`).
        """
        if _DEVICE_ID.fullmatch(device_id) is None:
            raise InputRefusedError("That is no id of a device.", reference="device-id")
        try:
            Ed25519PublicKey.from_public_bytes(public_key)
        except ValueError as error:
            raise InputRefusedError("The public key is not 32 bytes of Ed25519.", reference="device-key") from error
        row = {
            "device_id": device_id,
            "public_key": public_key,
            "enrolled_ms": self._now_ms(),
            "counter_ceiling": 0,
            "revoked_by": "",
            "revoked_reason": "",
        }
        taken = select(access_device_keys.c.device_id).where(
            (access_device_keys.c.device_id == device_id) | (access_device_keys.c.public_key == public_key)
        )

        def add(connection: Connection) -> bool:
            if connection.execute(taken).first() is not None:
                return False
            connection.execute(access_device_keys.insert(), row)
            return True

        if not await self._records.write(add):
            raise ConflictError(
                "This device or its key has been enrolled before; nothing was changed.",
                hint="Let the device make a new key.",
                reference="device-key-used",
            )
        self._unknown.pop(device_id, None)
        await self._audit.append(
            entry_of(
                Subject(device_id, Role.DEVICE, device_id),
                "device.enrol",
                at_ms=self._now_ms(),
                reasons=("code-ok", "key-taken"),
                elements={"key_sha256": hashlib.sha256(public_key).hexdigest()[:32]},
            )
        )

    async def revoke(self, device_id: str, reason: str, by: Subject) -> None:
        """Believe nothing of this device any more. Revoking twice is once; the first reason stays.

        Raises:
            NotFoundError: no such device.
        """
        now = self._now_ms()
        statement = (
            update(access_device_keys)
            .where(access_device_keys.c.device_id == device_id, access_device_keys.c.revoked_ms.is_(None))
            .values(revoked_ms=now, revoked_by=by.id, revoked_reason=reason)
        )
        there = select(access_device_keys.c.device_id).where(access_device_keys.c.device_id == device_id)

        def end(connection: Connection) -> tuple[bool, bool]:
            changed = connection.execute(statement).rowcount == 1
            return changed, connection.execute(there).first() is not None

        changed, known = await self._records.write(end)
        if not known:
            raise NotFoundError(f"There is no device {device_id}.", reference="device-unknown")
        self._keys.pop(device_id, None)
        if changed:
            await self._audit.append(
                entry_of(
                    by,
                    "devices.revoke",
                    at_ms=now,
                    reasons=("key-revoked",),
                    elements={"device_id": device_id, "reason": reason[:400]},
                )
            )

    async def read_claim(self, headers: Mapping[str, str]) -> Claim:
        """What a request claims, before its body is read: nobody unknown makes us hold eight megabytes.

        Args:
            headers: the three of `domain.wire`, content type and encoding, by lower-case name.

        Raises:
            DeviceProofError: `signature-missing` or `device-unknown`.
        """
        claim = _parse(headers)
        if await self._key(claim.device_id) is None:
            raise DeviceProofError(
                "No device is enrolled under this id.",
                hint="Enrol it with a one-time code.",
                reference="device-unknown",
            )
        return claim

    async def prove(self, claim: Claim, method: str, target: str, body: bytes) -> Subject:
        """The device that sent this request.

        Args:
            method: as sent.
            target: path and query as sent.
            body: the bytes that came, as they came.

        Raises:
            DeviceProofError: not believed; its reference says which of the steps failed.
        """
        device_id, counter, signature = claim.device_id, claim.counter, claim.signature
        key = await self._key(device_id)
        if key is None:
            raise DeviceProofError("No device is enrolled under this id.", reference="device-unknown")
        if len(body) > LARGE_BYTES:
            text = await asyncio.to_thread(claim.signed_text, method, target, body)
        else:
            text = claim.signed_text(method, target, body)
        try:
            key.public_key.verify(signature, text)
        except InvalidSignature as error:
            raise DeviceProofError(
                "The signature does not fit the bytes that came; they were not read.",
                hint="Sign method, target, content type and encoding, device, counter and the body exactly as they are sent.",
                device_id=device_id,
            ) from error
        if key.revoked:
            raise DeviceProofError(
                "This device has been revoked; nothing was taken.",
                hint="Enrol it again with a new key, if it is to serve again.",
                reference="device-revoked",
                device_id=device_id,
            )
        await self._take(device_id, counter)
        return Subject(id=device_id, role=Role.DEVICE, name=device_id)

    async def _key(self, device_id: str) -> _Key | None:
        now = self._now_ms()
        key = self._keys.get(device_id)
        if key is not None and 0 <= now - key.read_ms < KEY_FRESH_MS:
            return key
        if 0 <= now - self._unknown.get(device_id, -KEY_FRESH_MS) < KEY_FRESH_MS:
            return None
        columns = (access_device_keys.c.public_key, access_device_keys.c.revoked_ms)
        query = select(*columns).where(access_device_keys.c.device_id == device_id)
        row = await self._records.read(lambda connection: connection.execute(query).first())
        if row is None:
            self._unknown[device_id] = now
            _bound(self._unknown)
            return None
        public_key = key.public_key if key is not None else Ed25519PublicKey.from_public_bytes(bytes(row.public_key))
        fresh = _Key(public_key, row.revoked_ms is not None, now)
        self._keys[device_id] = fresh
        self._keys.move_to_end(device_id)
        _bound(self._keys)
        return fresh

    async def _take(self, device_id: str, counter: int) -> None:
        counters = self._counters.get(device_id)
        if counters is None:
            counters = self._counters[device_id] = _Counters()
            _bound(self._counters)  # a forgotten device is refused once and told the ceiling
        else:
            self._counters.move_to_end(device_id)
        floor = counters.seen.newest
        if counters.seen.lease_needed(counter):
            async with counters.lock:
                if counters.seen.lease_needed(counter):
                    floor = max(floor, await self._lease(device_id, counters.seen, counter))
        if not counters.seen.take(counter):
            raise DeviceProofError(
                f"Request {counter} of this device has been seen, or is too old to tell; nothing was taken.",
                hint=f"Go on with a counter above {max(floor, counters.seen.newest)}.",
                reference="request-replayed",
                counter_floor=max(floor, counters.seen.newest),
                device_id=device_id,
            )
        if counters.seen.lease_soon() and (counters.leasing is None or counters.leasing.done()):
            counters.leasing = asyncio.ensure_future(self._lease_ahead(device_id, counters))

    async def _lease_ahead(self, device_id: str, counters: _Counters) -> None:
        async with counters.lock:
            if counters.seen.lease_soon():
                await self._lease(device_id, counters.seen, counters.seen.ceiling + 1)

    async def _lease(self, device_id: str, seen: SeenCounters, counter: int) -> int:
        """Lease what makes `counter` believable, if it lies above the durable ceiling; gives that ceiling."""

        def lease(connection: Connection) -> tuple[int, tuple[int, int] | None]:
            mine = access_device_keys.c.device_id == device_id
            ceiling = int(connection.execute(select(access_device_keys.c.counter_ceiling).where(mine)).scalar_one())
            if counter <= ceiling:
                return ceiling, None
            above, new_ceiling = next_lease(ceiling, counter)
            connection.execute(update(access_device_keys).where(mine).values(counter_ceiling=new_ceiling))
            return ceiling, (above, new_ceiling)

        ceiling, given = await self._records.write(lease)
        if given is not None:
            seen.add_lease(*given)
        return ceiling


def _bound(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > DEVICES_MAX:
        kept.popitem(last=False)


def _parse(headers: Mapping[str, str]) -> Claim:
    """The claim of a request whose device id, counter and signature are in their forms."""
    device_id = headers.get(HEADER_DEVICE, "")
    counter = headers.get(HEADER_COUNTER, "")
    try:
        signature = base64.b64decode(headers.get(HEADER_SIGNATURE, ""), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if (
        _DEVICE_ID.fullmatch(device_id) is None
        or _COUNTER.fullmatch(counter) is None
        or int(counter) > COUNTER_MAX
        or len(signature) != 64
    ):
        raise DeviceProofError(
            f"The request lacks a well-formed signature ({HEADER_DEVICE}, {HEADER_COUNTER}, {HEADER_SIGNATURE}).",
            reference="signature-missing",
        )
    return Claim(
        device_id, int(counter), signature, headers.get("content-type", ""), headers.get("content-encoding", "")
    )
