"""The bytes of a request, within bounds: read whole before a signature is checked, unpacked after it.

Both bounds are the route's (`wire.BODY_BYTES_MAX`); a body that is larger, slower than READ_S, or larger once unpacked is
refused, and nothing beyond the bound is held.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from guardian.access.model import BodyTooLargeError
from guardian.domain.errors import InputRefusedError

READ_S = 60.0

Receive = Callable[[], Awaitable[Any]]


class GoneError(Exception):
    """The client hung up before its request was whole: there is nobody to answer."""


async def read_body(receive: Receive, *, bytes_max: int, announced: str = "") -> bytes:
    """The whole body.

    Args:
        announced: the Content-Length header, if any; one above the bound is refused before anything is read.

    Raises:
        BodyTooLargeError: over the bound.
        InputRefusedError: took longer than READ_S (`body-too-slow`).
        GoneError: the client hung up.
    """
    if announced.isdigit() and int(announced) > bytes_max:
        raise _too_large(bytes_max)
    pieces: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(READ_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise GoneError
                piece = message.get("body", b"")
                length += len(piece)
                if length > bytes_max:
                    raise _too_large(bytes_max)
                pieces.append(piece)
                if not message.get("more_body", False):
                    return b"".join(pieces)
    except TimeoutError as error:
        raise InputRefusedError(
            f"The body was not whole after {READ_S:g} s.", hint="Send smaller batches.", reference="body-too-slow"
        ) from error


def unpack(body: bytes, encoding: str, *, bytes_max: int) -> bytes:
    """The body without its Content-Encoding.

    Raises:
        BodyTooLargeError: unpacks to more than the bound.
        InputRefusedError: an encoding that we do not take, or broken (`body-encoding`).
    """
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise InputRefusedError("Only gzip is taken as content encoding.", reference="body-encoding")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unpacker.decompress(body, bytes_max + 1)
    except zlib.error as error:
        raise InputRefusedError("The body is no whole gzip.", reference="body-encoding") from error
    if len(plain) > bytes_max:
        raise _too_large(bytes_max)
    if not unpacker.eof or unpacker.unused_data:
        raise InputRefusedError("The body is no whole gzip.", reference="body-encoding")
    return plain


def _too_large(bytes_max: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"The body is larger than {bytes_max} bytes.", hint="Send it in smaller parts.")
