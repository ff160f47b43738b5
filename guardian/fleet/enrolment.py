"""How a device joins and how it is made to leave.

A code is spent before the key is taken: a crash between the two costs a code, never leaves a key without a device. The
same device that asks again with the same code and key (its answer was lost) gets the same answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, Executable, select, update

from guardian.domain.errors import ConflictError, InputRefusedError, NotAllowedError, NotFoundError
from guardian.domain.event import DeviceChanged, Event
from guardian.domain.subject import Subject
from guardian.domain.wire import EnrolAnswer, EnrolRequest
from guardian.fleet.codes import CODE_MS, code_digest, make_code
from guardian.fleet.ports import DeviceKeys, WatchlistUpdates
from guardian.fleet.tables import fleet_codes, fleet_devices
from guardian.fleet.views import EnrolmentCode, EnrolmentCodeRequest, RevokeRequest
from guardian.stores.ports import Events, Records
from guardian.stores.text import clean_text

log = structlog.get_logger(__name__)

KINDS = ("car", "motorcycle", "foot")
NAME_CHARS_MAX = 60
REASON_CHARS_MAX = 400
TRIES_PER_MINUTE = 30
"""Wrong codes, from everybody together. With 50 bits nobody guesses; this only keeps the work of refusing bounded.
Fails closed for the rest of the minute."""


class _Spent(NamedTuple):
    device_id: str
    unit: str
    again: bool


class Enrolment:
    """Codes, joining and leaving."""

    def __init__(
        self,
        records: Records,
        events: Events,
        device_keys: DeviceKeys,
        watchlist: WatchlistUpdates,
        now_ms: Callable[[], int],
    ) -> None:
        self._records = records
        self._events = events
        self._device_keys = device_keys
        self._watchlist = watchlist
        self._now_ms = now_ms
        self._tries = (0, 0)

    async def make_code(self, request: EnrolmentCodeRequest, by: Subject) -> EnrolmentCode:
        """A code for the next device of a unit; shown once.

        Raises:
            InputRefusedError: no unit, or no such kind.
        """
        unit = " ".join(clean_text(request.unit, chars_max=200).split())
        if not unit or len(unit) > NAME_CHARS_MAX:
            raise InputRefusedError(f"Name the unit in at most {NAME_CHARS_MAX} characters.", reference="device-unit")
        if request.kind not in KINDS:
            raise InputRefusedError(f"A device is one of {', '.join(KINDS)}.", reference="device-kind")
        code, now = make_code(), self._now_ms()
        row = {
            "code_sha256": code_digest(code),
            "unit": unit,
            "kind": request.kind,
            "made_by": by.id,
            "made_ms": now,
            "expires_ms": now + CODE_MS,
            "device_id": "",
        }
        await self._records.write(lambda connection: _do(connection, fleet_codes.insert().values(row)))
        return EnrolmentCode(code, now + CODE_MS)

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """A device joins.

        Raises:
            NotAllowedError: the code is not known, used or too old (`code-refused`; one sentence for all), or too many
                wrong ones came in this minute (`too-many-tries`).
            InputRefusedError: its key, name or kind cannot be taken.
        """
        now = self._now_ms()
        self._count_try(now)
        public_key = _public_key(request.public_key)
        name = " ".join(clean_text(request.name, chars_max=200).split())[:NAME_CHARS_MAX]
        device_id = f"{request.kind if request.kind in KINDS else 'device'}-{secrets.token_hex(5)}"
        key_sha256 = hashlib.sha256(public_key).digest()
        digest = code_digest(request.code)
        spent = await self._records.write(lambda connection: _spend(connection, digest, device_id, key_sha256, now))
        if spent is None:
            raise NotAllowedError(
                "This code is not known, has been used, or is older than a day.",
                hint="Ask an operator for a new one (設備 → 新增設備).",
                reference="code-refused",
            )
        self._tries = (self._tries[0], max(0, self._tries[1] - 1))  # it was a right one
        try:
            await self._device_keys.enrol(spent.device_id, public_key)
        except (ConflictError, InputRefusedError):
            if not spent.again:  # asked again, the key is there already, unless we died between code and key
                await self._records.write(lambda connection: _give_back(connection, digest, device_id))
                raise
        await self._records.write(lambda connection: self._add(connection, spent, name, request, digest, now))
        log.info("device.enrolled", device_id=spent.device_id)
        key = base64.b64encode(self._watchlist.public_key).decode()
        return EnrolAnswer(spent.device_id, key, spent.unit, self._now_ms())

    async def revoke(self, device_id: str, request: RevokeRequest, by: Subject) -> None:
        """Make a device leave; what it has sent stays.

        Raises:
            InputRefusedError: the request names another device, or no reason.
            NotFoundError: no such device.
        """
        reason = " ".join(clean_text(request.reason, chars_max=REASON_CHARS_MAX).split())
        if request.device_id != device_id:
            raise InputRefusedError("The request names another device; nothing was done.", reference="device-mismatch")
        if len(reason) < 2:
            raise InputRefusedError("Say why this device is revoked.", reference="reason-missing")
        known = select(fleet_devices.c.id).where(fleet_devices.c.id == device_id)
        if await self._records.read(lambda connection: connection.execute(known).first()) is None:
            raise NotFoundError("There is no such device.", reference="device-unknown")
        await self._device_keys.revoke(device_id, reason, by)
        now = self._now_ms()

        def end(connection: Connection) -> None:
            mine = (fleet_devices.c.id == device_id) & fleet_devices.c.revoked_ms.is_(None)
            changed = connection.execute(
                update(fleet_devices).where(mine).values(revoked_ms=now, revoked_reason=reason)
            ).rowcount
            if changed:
                stage_change(self._events, connection, device_id, "revoked", now)

        await self._records.write(end)
        log.info("device.revoked", device_id=device_id, by=by.id)

    def _count_try(self, now: int) -> None:
        """Counted before it is looked at, so that many at once are no more tries than one after the other."""
        minute = now // 60_000
        if self._tries[0] != minute:
            self._tries = (minute, 0)
        if self._tries[1] >= TRIES_PER_MINUTE:
            raise NotAllowedError(
                "Too many wrong codes came; none is taken for a minute.", hint="Try again.", reference="too-many-tries"
            )
        self._tries = (minute, self._tries[1] + 1)

    def _add(
        self, connection: Connection, spent: _Spent, name: str, request: EnrolRequest, digest: bytes, now: int
    ) -> None:
        there = select(fleet_devices.c.id).where(fleet_devices.c.id == spent.device_id)
        if connection.execute(there).first() is not None:
            return
        code = connection.execute(select(fleet_codes).where(fleet_codes.c.code_sha256 == digest)).one()
        row = {
            "id": spent.device_id,
            "name": name or spent.unit,
            "unit": spent.unit,
            "kind": request.kind if request.kind in KINDS else code.kind,
            "software": "",
            "enrolled_ms": now,
            "enrolled_by": code.made_by,
            "revoked_reason": "",
            "list_version": 0,
        }
        connection.execute(fleet_devices.insert(), row)
        stage_change(self._events, connection, spent.device_id, "enrolled", now)


def stage_change(events: Events, connection: Connection, device_id: str, kind: str, now_ms: int) -> None:
    """Say `devices.changed` with the transaction that makes it true."""
    body = msgspec.msgpack.encode(DeviceChanged(device_id, kind))
    events.stage(connection, Event(f"device-{device_id}-{kind}-{now_ms:x}", "devices.changed", now_ms, body))


def _spend(connection: Connection, digest: bytes, device_id: str, key_sha256: bytes, now: int) -> _Spent | None:
    code = connection.execute(select(fleet_codes).where(fleet_codes.c.code_sha256 == digest)).first()
    if code is None or now >= code.expires_ms:
        return None
    if code.used_ms is not None:
        same = code.key_sha256 is not None and bytes(code.key_sha256) == key_sha256
        return _Spent(code.device_id, code.unit, True) if same else None
    mine = fleet_codes.c.code_sha256 == digest
    connection.execute(update(fleet_codes).where(mine).values(used_ms=now, device_id=device_id, key_sha256=key_sha256))
    return _Spent(device_id, code.unit, False)


def _give_back(connection: Connection, digest: bytes, device_id: str) -> None:
    mine = (fleet_codes.c.code_sha256 == digest) & (fleet_codes.c.device_id == device_id)
    connection.execute(update(fleet_codes).where(mine).values(used_ms=None, device_id="", key_sha256=None))


def _public_key(typed: str) -> bytes:
    try:
        key = base64.b64decode(typed, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise InputRefusedError("The public key is not 32 bytes in base64.", reference="device-key")
    return key


def _do(connection: Connection, statement: Executable) -> None:
    connection.execute(statement)
