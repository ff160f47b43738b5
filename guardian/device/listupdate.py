"""Which list update a device believes, in this order and no other. Pure: keeping it is `listcopy.py`'s work.

1. the cloud's key that was learnt at enrolment signed the bytes; nothing is parsed before that,
2. its number is above the one in force (a replay is refused),
3. it begins at the version in force, or is the whole list, and
4. the content after it has the digest that it names.

Dates play no part, so a device that does not know the time can check it too (field case G14).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guardian.domain.errors import GuardianError
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import ListDigest, SignedWatchlistUpdate, WatchlistPart, WatchlistUpdate

T = TypeVar("T")


class ListRefusedError(GuardianError):
    """An update was not taken; the list in force stays.

    References: `list-signature`, `list-unreadable`, `list-rollback`, `list-gap`, `list-digest`, `list-not-written`.
    """

    reference = "list-refused"


def open_update(signed: SignedWatchlistUpdate, key: Ed25519PublicKey) -> WatchlistUpdate:
    """The update that the cloud signed.

    Raises:
        ListRefusedError: `list-signature`, or `list-unreadable` (signed, but not understood).
    """
    return _opened(signed, key, WatchlistUpdate)


def open_part(signed: SignedWatchlistUpdate, key: Ed25519PublicKey) -> WatchlistPart:
    """The stretch of a long list that the cloud signed. Raises as `open_update`."""
    return _opened(signed, key, WatchlistPart)


def _opened(signed: SignedWatchlistUpdate, key: Ed25519PublicKey, kind: type[T]) -> T:
    try:
        key.verify(signed.signature, signed.body)
    except InvalidSignature as error:
        raise ListRefusedError(
            "A list update bears another signature than the cloud's; the list in force stays.",
            hint="If the cloud's key was changed, enrol the device again.",
            reference="list-signature",
        ) from error
    try:
        return msgspec.msgpack.decode(signed.body, type=kind)
    except msgspec.DecodeError as error:
        raise ListRefusedError(
            "A list update is signed but cannot be understood; the list in force stays.",
            hint="The device's software may be too old.",
            reference="list-unreadable",
        ) from error


def require_fitting(version: int, update: WatchlistUpdate) -> None:
    """That an update follows the list in force.

    Args:
        version: in force.

    Raises:
        ListRefusedError: `list-rollback`, or `list-gap` (ask again with what is held).
    """
    if update.version <= version:
        raise ListRefusedError(
            f"List {update.version} is not above {version}, which is in force. Kept {version}.",
            reference="list-rollback",
        )
    if update.base_version not in (0, version):
        raise ListRefusedError(
            f"List {update.version} builds on {update.base_version}; {version} is in force. Kept {version}.",
            reference="list-gap",
        )


def digest_after(digest: str, find: Callable[[str], WatchEntry | None], update: WatchlistUpdate) -> tuple[str, int]:
    """The digest of the content after an update, and by how many entries it grows.

    Args:
        digest: of the content before; that of the empty list for a whole one.
        find: an entry of the content before, by its id.
    """
    running = ListDigest(digest)
    changed: dict[str, WatchEntry | None] = dict.fromkeys(update.removed)
    changed |= {entry.id: entry for entry in update.put}
    growth = 0
    for entry_id, entry in changed.items():
        former = find(entry_id)
        if former is not None:
            running.remove(former)
            growth -= 1
        if entry is not None:
            running.add(entry)
            growth += 1
    return running.hex, growth


def require_digest(found: str, version: int, digest: str, kept: int) -> None:
    """That content comes out as promised.

    Raises:
        ListRefusedError: `list-digest` (ask for the whole list).
    """
    if found != digest:
        raise ListRefusedError(
            f"The content of list {version} does not come out as its digest says. Kept {kept}.",
            reference="list-digest",
        )
