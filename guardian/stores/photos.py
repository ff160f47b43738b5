"""Pictures, kept under the SHA-256 of their bytes: written twice they are one, and a changed one is noticed.

`open_photos` chooses by URL between a folder (`files.py`) and an object store (`s3.py`). Their age and destruction
belong to the archive; never on the hot path of a read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import islice

from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.wire import PHOTO_BYTES_MAX
from guardian.stores.ports import Photos

_SHA256 = re.compile(r"[0-9a-f]{64}")
HASHES_ASKED_MAX = 1000


def check_name(sha256: str) -> str:
    """`sha256` if it is 64 lower-case hex digits.

    Raises:
        InputRefusedError: it is something else (`photo-name`), a path for example.
    """
    if not _SHA256.fullmatch(sha256):
        raise InputRefusedError("A photo is named by 64 lower-case hex digits.", reference="photo-name")
    return sha256


def check_body(sha256: str, body: bytes) -> None:
    """Raises:
    InputRefusedError: too large (`photo-too-large`), or not what its name says (`photo-hash-wrong`).
    """
    check_name(sha256)
    if len(body) > PHOTO_BYTES_MAX:
        raise InputRefusedError(
            f"The photo has {len(body)} bytes; {PHOTO_BYTES_MAX} are allowed.", reference="photo-too-large"
        )
    if hashlib.sha256(body).hexdigest() != sha256:
        raise InputRefusedError(
            "The photo's bytes do not have the hash that it is named by; it was not kept.",
            hint="Send it again.",
            reference="photo-hash-wrong",
        )


def check_asked(hashes: Iterable[str]) -> list[str]:
    """Raises:
    InputRefusedError: more than HASHES_ASKED_MAX (`too-many-photos`), or one is no name.
    """
    asked = [check_name(sha256) for sha256 in islice(hashes, HASHES_ASKED_MAX + 1)]
    if len(asked) > HASHES_ASKED_MAX:
        raise InputRefusedError(
            f"At most {HASHES_ASKED_MAX} photos are asked for at once.", reference="too-many-photos"
        )
    return asked


def check_found(sha256: str, body: bytes) -> bytes:
    """What was found, if it is still what was put there.

    Raises:
        NotFoundError: it has changed since (`photo-damaged`).
    """
    if hashlib.sha256(body).hexdigest() != sha256:
        raise damaged()
    return body


def damaged() -> NotFoundError:
    return NotFoundError("The photo was damaged in its store.", reference="photo-damaged")


def not_here() -> NotFoundError:
    return NotFoundError("There is no such photo here.", reference="photo-not-found")


def open_photos(url: str) -> Photos:
    """The photos behind `url`.

    Args:
        url: `file:///folder` (or `file:relative`), or `s3://bucket/prefix?endpoint=https://host:port&region=…`; keys for
            S3 come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, never from the URL.

    Raises:
        InputRefusedError: no such engine (`store-url`).
    """
    scheme = url.partition(":")[0]
    if scheme == "file":
        from guardian.stores.files import FilePhotos, folder_of

        return FilePhotos(folder_of(url))
    if scheme == "s3":
        from guardian.stores.s3 import S3Photos

        return S3Photos(url)
    raise InputRefusedError(
        f"No engine for photos is called {scheme!r}.", hint="Use file:///… or s3://….", reference="store-url"
    )
