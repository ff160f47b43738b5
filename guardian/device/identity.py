"""Who this device is: its folder, its keys, its numbers that never go back.

The home folder holds `device.json` (id, cloud's address, the key that signs lists), the device's own Ed25519 key and the
key that seals what lies on its disk, both readable by their owner only, and two numbers: the boot counter, a part of
every read's identity, and the request counter, which the cloud checks against replays.

A key store of the operating system or a TPM takes the place of the key files later; `Keys` is the seam.
"""

from __future__ import annotations

import base64
import errno
import os
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.device.disk import NumberOnDisk, RealDisk, write_whole
from guardian.domain.errors import GuardianError, InputRefusedError
from guardian.domain.wire import HEADER_COUNTER, HEADER_DEVICE, HEADER_SIGNATURE, signed_text

COUNTER_BLOCK = 1000
"""Request numbers are set aside in blocks, so that not every request costs a durable write; a restart skips the rest."""

LONE_ID = "unenrolled"


class DeviceFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """`device.json`."""

    device_id: str
    name: str
    cloud: str = ""
    list_key: str = ""  # base64, Ed25519
    unit: str = ""
    kind: str = "car"
    v: int = 1


class NotEnrolledError(GuardianError):
    """The device has no identity yet."""

    reference = "not-enrolled"


class Keys:
    """The device's two secrets, made at first use."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder

    def _secret(self, name: str) -> bytes:
        path = self._folder / name
        if not path.exists():
            disk = RealDisk(self._folder)
            write_whole(disk, name, os.urandom(32))
            disk.close()
        secret = path.read_bytes()
        if len(secret) != 32:
            raise GuardianError(
                f"The key file {name} is damaged.",
                hint="Enrol the device again with a new home folder; keep the old one for what it still holds.",
                reference="key-damaged",
            )
        return secret

    @cached_property
    def at_rest(self) -> bytes:
        """32 bytes that seal the spool and the list."""
        return self._secret("at-rest.key")

    @cached_property
    def own(self) -> Ed25519PrivateKey:
        """The key with which the device signs what it sends."""
        return Ed25519PrivateKey.from_private_bytes(self._secret("device.key"))

    @cached_property
    def public(self) -> str:
        """The public half, as the cloud is told at enrolment: base64 of 32 bytes."""
        return base64.b64encode(self.own.public_key().public_bytes_raw()).decode()


def require_writable(home: Path) -> None:
    """That a device can live in a folder: what it reads must be kept.

    Raises:
        InputRefusedError: it cannot be made, is no folder, or takes no files; nothing was started.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return  # a full disk has its own way (G16)
        raise InputRefusedError(
            f"The device's folder {home} cannot be written to ({os.strerror(error.errno or 0).lower()}); nothing was started.",
            hint="Name another with --home, or give this user write access to it.",
            reference="home-not-writable",
        ) from error


class Identity:
    """An opened home folder.

    Raises:
        InputRefusedError: it cannot be written to, or `device.json` is there and cannot be read.
    """

    def __init__(self, home: Path) -> None:
        require_writable(home)
        self.home = home
        self.disk = RealDisk(home)
        self.keys = Keys(home / "keys")
        self.file = _load(home / "device.json")
        self._boots = NumberOnDisk(self.disk, "boot")
        self._requests = NumberOnDisk(self.disk, "request")
        self._counter = self._set_aside = self._requests.last()

    @property
    def enrolled(self) -> bool:
        """Whether a cloud knows this device."""
        return bool(self.file.cloud)

    def enrol(self, file: DeviceFile) -> None:
        """Keep what the cloud answered."""
        write_whole(self.disk, "device.json", msgspec.json.format(msgspec.json.encode(file), indent=2))
        self.file = file

    def next_boot(self, *, seen: int = 0) -> int:
        """This start's number, durable before any read is made with it; above all that the spool has seen."""
        boot = max(self._boots.last(), seen) + 1
        self._boots.advance_to(boot)
        return boot

    def next_counter(self) -> int:
        """A request number that was never used, over restarts too. The caller holds a lock.

        Raises:
            DiskFullError, OSError: it could not be made durable; none was given.
        """
        counter = self._counter + 1
        if counter > self._set_aside:
            ahead = counter + COUNTER_BLOCK
            # Durable first: a number given before that could come again after a restart.
            self._requests.advance_to(ahead)
            self._set_aside = ahead
        self._counter = counter
        return counter

    def raise_counter(self, floor: int) -> None:
        """Go on above a number that the cloud named. The caller holds a lock."""
        self._counter = max(self._counter, floor)

    def headers(self, method: str, target: str, body: bytes, counter: int, *, content_type: str) -> dict[str, str]:
        """What proves a request to be this device's (`domain.wire`), with the content type that it is sent with.

        Args:
            target: the path with its query.
        """
        text = signed_text(method, target, self.file.device_id, counter, body, content_type=content_type)
        return {
            "content-type": content_type,
            HEADER_DEVICE: self.file.device_id,
            HEADER_COUNTER: str(counter),
            HEADER_SIGNATURE: base64.b64encode(self.keys.own.sign(text)).decode(),
        }

    def require_enrolled(self) -> None:
        """Raises NotEnrolledError where no cloud knows this device."""
        if not self.enrolled:
            raise NotEnrolledError(
                "This device belongs to no cloud yet.",
                hint="Ask an operator for a one-time code, then: guardian device enrol --cloud URL --code CODE --name NAME",
            )


def _load(path: Path) -> DeviceFile:
    if not path.exists():
        return DeviceFile(LONE_ID, "")
    try:
        return msgspec.json.decode(path.read_bytes(), type=DeviceFile)
    except msgspec.DecodeError as error:
        raise InputRefusedError(
            "The device's own file (device.json) cannot be read.", hint="Enrol again, or put a copy of it back."
        ) from error
