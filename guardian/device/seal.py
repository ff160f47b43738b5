"""Sealing what lies on the device's disk: AES-256-GCM, one nonce for each piece.

The key comes from the device's key store (`identity.py`). What is sealed cannot be read from a stolen disk, and a piece
that was torn or changed is noticed: it is refused as a whole, never half believed.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardian.domain.errors import GuardianError

NONCE_BYTES = 12
SEAL_BYTES = NONCE_BYTES + 16
"""What sealing adds: nonce before, tag behind."""


class SealBrokenError(GuardianError):
    """A sealed piece was torn, changed, or sealed by another device's key."""

    reference = "seal-broken"


class Sealer:
    """Seals and opens with one key.

    Random 96-bit nonces stay far from colliding: a device that sealed 100 pieces a second for ten years is still below
    2^-30 (NIST SP 800-38D, 8.3, asks for fewer than 2^32 pieces per key).
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, *, about: bytes = b"") -> bytes:
        """Nonce, ciphertext and tag; `about` is bound to it but not kept in it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, about)

    def open(self, sealed: bytes, *, about: bytes = b"") -> bytes:
        """What was sealed.

        Raises:
            SealBrokenError: torn, changed, or not ours.
        """
        if len(sealed) < SEAL_BYTES:
            raise SealBrokenError("A sealed piece is too short; it was set aside.")
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
        except InvalidTag as error:
            raise SealBrokenError("A sealed piece is damaged; it was set aside.") from error
