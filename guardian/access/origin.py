"""Where a browser's request comes from, and what our answers tell the browser to refuse. Pure.

- Host: only names that we are known by. A foreign name that resolves to loopback (DNS rebinding) gets nothing.
- Cross-site: a request that changes something must say that one of our own pages sent it. Every browser says so
  (`Sec-Fetch-Site`, or `Origin`); what says neither is no browser's page of ours and is refused (fails closed).
- Headers: nothing from elsewhere is loaded, framed, or told where it was called from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

SAFE_METHODS = frozenset({"GET", "HEAD"})

SECURITY_HEADERS: dict[str, str] = {
    # worker-src blob: MapLibre starts its workers from a blob. style-src-attr: style attributes that a component sets;
    # no style sheet and no script from anywhere but us. img-src: MapLibre draws its own signs from data and blobs.
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; "
        "script-src 'self'; worker-src 'self' blob:; child-src 'self' blob:; connect-src 'self'; "
        "img-src 'self' data: blob:; style-src 'self'; style-src-attr 'unsafe-inline'; font-src 'self'; media-src 'self'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?")


def host_name(host: str) -> str:
    """The name of a Host header without its port, lower case; empty where it is none."""
    match = _HOST.fullmatch(host.lower())
    return match[1].rstrip(".") if match is not None else ""


def host_is_ours(host: str, names: Iterable[str]) -> bool:
    """Whether a Host header names one of `names` (any port)."""
    name = host_name(host)
    return bool(name) and name in {own.lower() for own in names}


def is_same_origin(method: str, host: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser's request may change something: it is none that changes, or our own page sent it.

    Args:
        host: the Host header, already known to be ours.
        headers: by lower-case name.
    """
    if method in SAFE_METHODS:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is None:
        return False
    scheme, separator, rest = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and rest.lower() == host.lower()
