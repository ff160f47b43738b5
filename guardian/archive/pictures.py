"""Pictures in from devices and out to people: checked by their hash, JPEG only, within a bound.

Whether a read names a picture, and what becomes of one that none names, is `loose_photos`'.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from guardian.archive.loose_photos import LOOSE_BYTES_MAX, admit, is_loose, is_named, release
from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.wire import PHOTO_BYTES_MAX
from guardian.stores.ports import Photos, Records

_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch


def require_hash(sha256: str) -> str:
    """The name of a picture, or a refusal.

    Raises:
        InputRefusedError: not 64 lower-case hex digits.
    """
    if _SHA256(sha256) is None:
        raise InputRefusedError("That is no name of a picture.", reference="photo-name")
    return sha256


class PhotoIntake:
    """The one door by which devices' pictures come in.

    Args:
        loose_bytes_max: of one device, of pictures that no read names yet.
    """

    def __init__(
        self,
        records: Records,
        photos: Photos,
        *,
        now_ms: Callable[[], int],
        loose_bytes_max: int = LOOSE_BYTES_MAX,
    ) -> None:
        self._records = records
        self._photos = photos
        self._now_ms = now_ms
        self._loose_bytes_max = loose_bytes_max

    async def take(self, device_id: str, sha256: str, body: bytes) -> bool:
        """Keep a device's picture; True where it was not here before, or not whole any more.

        Raises:
            InputRefusedError: too large, no whole JPEG, or not what its name says; nothing was kept.
            DiskFullError: no read of this device names it, and its room for such is full (`photos-unnamed-full`); the
                device keeps it and tries again later.
        """
        check_photo(sha256, body)
        here = await self._photos.has(sha256)
        named, loose = await self._records.read(
            lambda connection: (
                not here and is_named(connection, device_id, sha256),
                here and is_loose(connection, sha256) and is_named(connection, device_id, sha256),
            )
        )
        if here:
            if loose:  # it came as another device's guest, and is this one's by right
                await self._records.write(lambda connection: release(connection, [sha256]))
            return await self._mend(sha256, body)
        if not named:
            now = self._now_ms()
            await self._records.write(
                lambda connection: admit(
                    connection, device_id, sha256, len(body), now_ms=now, bytes_max=self._loose_bytes_max
                )
            )
        await self._photos.put(sha256, body)
        return True

    async def _mend(self, sha256: str, body: bytes) -> bool:
        """Put these bytes in the place of a picture that rotted in its store; whether it had."""
        try:
            await self._photos.get(sha256)
        except NotFoundError as error:
            if error.reference != "photo-damaged":
                return False  # destroyed since it was looked for, and stays so
            await self._photos.put(sha256, body)
            return True
        return False


def check_photo(sha256: str, body: bytes) -> None:
    """That these bytes are a whole JPEG of this name, within the bound.

    Raises:
        InputRefusedError: they are not.
    """
    require_hash(sha256)
    if len(body) > PHOTO_BYTES_MAX:
        raise InputRefusedError(
            f"The picture has {len(body)} bytes; at most {PHOTO_BYTES_MAX} are taken.",
            hint="Send a smaller one.",
            reference="photo-size",
        )
    if hashlib.sha256(body).hexdigest() != sha256:
        raise InputRefusedError(
            "The picture's bytes do not fit its name: it was damaged on the way.",
            hint="Send it again.",
            reference="photo-hash",
        )
    # Start and end of image; what is between is looked at where it is decoded, behind the reader's own bounds.
    if not (body.startswith(b"\xff\xd8\xff") and body.rstrip(b"\0")[-2:] == b"\xff\xd9"):
        raise InputRefusedError("The picture is no whole JPEG.", hint="Only JPEG is taken.", reference="photo-form")


def unseen() -> NotFoundError:
    """The one answer for a picture that is not there and for one that this person was not shown: the same words."""
    return NotFoundError(
        "There is no such picture for you here.",
        hint="Open the read or the hit again.",
        reference="photo-not-found",
    )
