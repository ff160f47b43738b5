"""One-time codes that a person reads from a screen and types into a device. Pure.

Ten signs of Crockford's base 32 (no I, L, O, U; typed ones are taken for what they look like): 50 random bits, good for
24 hours, once. Kept as SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
CODE_MS = 24 * 3600 * 1000
_LOOKS = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})


def make_code() -> str:
    """A new code as it is shown: two groups of five."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
    return f"{signs[:5]}-{signs[5:]}"


def normal_code(typed: str) -> str:
    """What was typed, without dashes and spaces, half-width, upper case, look-alikes resolved."""
    half = "".join(chr(ord(sign) - 0xFEE0) if 0xFF01 <= ord(sign) <= 0xFF5E else sign for sign in typed[:64])
    return "".join(sign for sign in half.upper() if sign.isalnum()).translate(_LOOKS)


def code_digest(typed: str) -> bytes:
    """What is kept of a code."""
    return hashlib.sha256(normal_code(typed).encode()).digest()
