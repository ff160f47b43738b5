"""From one version of the list to another: signed by the cloud, believed by a device in this order and no other:
1. the cloud's key signed the bytes; 2. they begin at the version that is held (or are the whole list) and lead upwards;
3. the content after the change has the digest that was promised.
A change is taken whole or not at all (field case G22). Pure: keeping is the holder's work.
"""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guardian.domain.errors import ConflictError, GuardianError
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import ListDigest, SignedWatchlistUpdate, WatchlistUpdate


class UpdateRefusedError(GuardianError):
    """An update of the list was not taken; the list in force stays."""

    reference = "list-update-refused"


class GapError(ConflictError):
    """The update does not begin where the list held stands: ask again with the version that is held."""

    reference = "list-update-gap"


def sign_update(body: bytes, key: Ed25519PrivateKey) -> SignedWatchlistUpdate:
    """The bytes of a `WatchlistUpdate` with the cloud's signature."""
    return SignedWatchlistUpdate(body, key.sign(body))


def open_update(signed: SignedWatchlistUpdate, key: Ed25519PublicKey) -> WatchlistUpdate:
    """The update, its signature checked before anything is parsed.

    Raises:
        UpdateRefusedError: not signed by `key`, or not an update.
    """
    try:
        key.verify(signed.signature, signed.body)
    except InvalidSignature as error:
        raise UpdateRefusedError(
            "The update of the list is not signed by the cloud's key; the list in force stays.",
            hint="If the cloud's key was changed, enrol the device again.",
            reference="list-signature",
        ) from error
    try:
        return msgspec.msgpack.decode(signed.body, type=WatchlistUpdate)
    except msgspec.MsgspecError as error:
        raise UpdateRefusedError("The update of the list cannot be read; the list in force stays.") from error


def check_base(update: WatchlistUpdate, have: int) -> None:
    """Whether `update` may follow version `have`.

    Raises:
        UpdateRefusedError: it leads to a version that is held already, or back (`list-rollback`).
        GapError: it begins at another version.
    """
    if update.version <= have:
        raise UpdateRefusedError(
            f"Update to version {update.version} is not above version {have}, which is in force. Kept {have}.",
            reference="list-rollback",
        )
    if update.base_version not in (0, have):
        raise GapError(f"The update begins at version {update.base_version}; version {have} is held. Kept {have}.")


def apply_update(
    held: dict[str, WatchEntry], have: int, digest: str, update: WatchlistUpdate
) -> tuple[dict[str, WatchEntry], str]:
    """The entries by id after the update, and their digest; `held` is untouched.

    Args:
        have: the version that `held` is.
        digest: of `held`; empty where it is not known.

    Raises:
        UpdateRefusedError, GapError: see `check_base`; or the content would not be what the cloud holds
        (`list-digest`): ask for the whole list (version 0).
    """
    check_base(update, have)
    after = {} if update.base_version == 0 else dict(held)
    running = ListDigest(digest or "0")
    if update.base_version == 0 or not digest:
        running = ListDigest()
        for entry in after.values():
            running.add(entry)
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
        raise UpdateRefusedError(
            f"After the update to version {update.version} the list would not be the cloud's. Kept {have}.",
            hint="Ask for the whole list.",
            reference="list-digest",
        )
    return after, running.hex
