"""Which list update a device believes, in this order and no other. Pure: keeping it is `listcopy.py`'s work.

1. the cloud's key that was learnt at enrolment signed the bytes; nothing is parsed before that,
2. its number is above the one in force (a replay is refused),
3. it begins at the version in force, or is the whole list, and
4. the content after it has the digest that it names.

Dates play no part, so a device that does not know the time can check it too (field case G14).
"""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guardian.domain.errors import GuardianError
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import ListDigest, SignedWatchlistUpdate, WatchlistUpdate


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
    try:
        key.verify(signed.signature, signed.body)
    except InvalidSignature as error:
        raise ListRefusedError(
            "A list update bears another signature than the cloud's; the list in force stays.",
            hint="If the cloud's key was changed, enrol the device again.",
            reference="list-signature",
        ) from error
    try:
        return msgspec.msgpack.decode(signed.body, type=WatchlistUpdate)
    except msgspec.DecodeError as error:
        raise ListRefusedError(
            "A list update is signed but cannot be understood; the list in force stays.",
            hint="The device's software may be too old.",
            reference="list-unreadable",
        ) from error


def apply_update(
    held: dict[str, WatchEntry], version: int, digest: str, update: WatchlistUpdate
) -> dict[str, WatchEntry]:
    """The entries by id after the update; `held` is untouched.

    Args:
        version, digest: of `held`.

    Raises:
        ListRefusedError: `list-rollback`, `list-gap` (ask again with what is held) or `list-digest` (ask for the whole).
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
    whole = update.base_version == 0
    after = {} if whole else dict(held)
    running = ListDigest() if whole else ListDigest(digest)
    for entry_id in update.removed:
        gone = after.pop(entry_id, None)
        if gone is not None:
            running.remove(gone)
    for entry in update.put:
        former = after.get(entry.id)
        if former is not None:
            running.remove(former)
        after[entry.id] = entry
        running.add(entry)
    if running.hex != update.digest:
        raise ListRefusedError(
            f"The content of list {update.version} does not come out as its digest says. Kept {version}.",
            reference="list-digest",
        )
    return after
