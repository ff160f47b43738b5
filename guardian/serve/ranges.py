"""Pieces of files by byte range, as map readers ask for them (RFC 9110, section 14; field case G41).

A range is answered with exactly its bytes and never compressed; a range that cannot be met is 416; several ranges come
as `multipart/byteranges`; a changed file (If-Range) comes whole.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from litestar import Response

_PART = "guardian-range"
RANGES_MAX = 8


class UnsatisfiableError(Exception):
    """No byte of the file lies in the range."""


def parse_ranges(header: str, size: int) -> list[tuple[int, int]] | None:
    """Inclusive byte pairs that a `Range` header asks for; None where it is to be ignored (no bytes, malformed).

    Raises:
        UnsatisfiableError: well-formed, but nothing of the file is in it.
    """
    match = re.fullmatch(r"\s*bytes\s*=\s*(.+)", header)
    if match is None:
        return None
    parts = [p.strip() for p in match[1].split(",") if p.strip()]
    if not parts or len(parts) > RANGES_MAX:
        return None
    pairs: list[tuple[int, int]] = []
    for part in parts:
        piece = re.fullmatch(r"([0-9]{0,18})\s*-\s*([0-9]{0,18})", part)
        if piece is None or (not piece[1] and not piece[2]):
            return None
        if not piece[1]:
            length = min(int(piece[2]), size)
            if length:
                pairs.append((size - length, size - 1))
            continue
        first = int(piece[1])
        last = min(int(piece[2]), size - 1) if piece[2] else size - 1
        if piece[2] and int(piece[2]) < first:
            raise UnsatisfiableError
        if first < size:
            pairs.append((first, last))
    if not pairs:
        raise UnsatisfiableError
    return pairs


@lru_cache(maxsize=64)
def _etag(path: Path, mtime_ns: int, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return f'"{digest.hexdigest()[:32]}"'


def etag_of(path: Path) -> str:
    """A strong entity tag of the file's content."""
    stat = path.stat()
    return _etag(path, stat.st_mtime_ns, stat.st_size)


def answer_file(
    path: Path,
    *,
    media_type: str,
    range_header: str = "",
    if_range: str = "",
    if_none_match: str = "",
    cache: str = "no-cache",
) -> Response[bytes]:
    """The file, or the pieces of it that were asked for."""
    size, tag = path.stat().st_size, etag_of(path)
    headers = {"accept-ranges": "bytes", "etag": tag, "cache-control": f"{cache}, no-transform"}
    if if_none_match and tag in {t.strip() for t in if_none_match.split(",")}:
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    pairs: list[tuple[int, int]] | None = None
    if range_header and (not if_range or if_range.strip() == tag):
        try:
            pairs = parse_ranges(range_header, size)
        except UnsatisfiableError:
            headers["content-range"] = f"bytes */{size}"
            return Response(b"", status_code=416, headers=headers, media_type=media_type)
    if pairs is None:
        return Response(path.read_bytes(), status_code=200, headers=headers, media_type=media_type)
    pieces: list[bytes] = []
    with path.open("rb") as file:
        for first, last in pairs:
            file.seek(first)
            pieces.append(file.read(last - first + 1))
    if len(pairs) == 1:
        first, last = pairs[0]
        headers["content-range"] = f"bytes {first}-{last}/{size}"
        return Response(pieces[0], status_code=206, headers=headers, media_type=media_type)
    body = b""
    for (first, last), piece in zip(pairs, pieces, strict=True):
        head = f"--{_PART}\r\ncontent-type: {media_type}\r\ncontent-range: bytes {first}-{last}/{size}\r\n\r\n"
        body += head.encode() + piece + b"\r\n"
    body += f"--{_PART}--\r\n".encode()
    return Response(body, status_code=206, headers=headers, media_type=f"multipart/byteranges; boundary={_PART}")
