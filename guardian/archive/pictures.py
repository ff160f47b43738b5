"""Pictures in from devices and out to people: checked by their hash, JPEG only, within a bound."""

from __future__ import annotations

import hashlib
import re

from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.wire import PHOTO_BYTES_MAX
from guardian.stores.ports import Photos

_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch


def require_hash(sha256: str) -> str:
    """The name of a picture, or a refusal.

    Raises:
        InputRefusedError: not 64 lower-case hex digits.
    """
    if _SHA256(sha256) is None:
        raise InputRefusedError("That is no name of a picture.", reference="photo-name")
    return sha256


async def take_photo(photos: Photos, sha256: str, body: bytes) -> bool:
    """Keep a device's picture; True where it was not here before.

    Raises:
        InputRefusedError: too large, no whole JPEG, or not what its name says; nothing was kept.
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
    if await photos.has(sha256):
        return False
    await photos.put(sha256, body)
    return True


def unseen() -> NotFoundError:
    """The one answer for a picture that is not there and for one that this person was not shown: the same words."""
    return NotFoundError(
        "There is no such picture for you here.",
        hint="Open the read or the hit again.",
        reference="photo-not-found",
    )
