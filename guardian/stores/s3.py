"""Photos in any S3-compatible store, through obstore.

Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and are in no URL, no log and no error. A put is whole or not
at all (S3 promises that) and always writes, so a damaged object is mended by the next put; what comes back is checked against
its name. `has` and `list_missing` ask for the name alone: the store's ETag is no promise about the bytes that lie there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.exceptions import NotFoundError as ObjectNotFoundError
from obstore.store import S3Store

from guardian.domain.errors import InputRefusedError, NeighbourUnreachableError
from guardian.stores.failures import unreachable
from guardian.stores.photos import check_asked, check_body, check_found, check_name, not_here

TIMEOUT_S = 15
RETRIES_MAX = 2
ASKED_AT_ONCE = 16


class S3Photos:
    """Made by `open_photos("s3://bucket/prefix?endpoint=https://host:port&region=…")`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        unknown = set(query) - {"endpoint", "region"}
        if unknown or not parts.hostname or parts.username:
            raise InputRefusedError(
                "The address of the photos' bucket is not understood.",
                hint="Use s3://bucket/prefix?endpoint=https://host:port&region=…, keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
                reference="store-url",
            )
        config: dict[str, Any] = {"region": query.get("region", "us-east-1"), "virtual_hosted_style_request": False}
        options: Any = {"timeout": timedelta(seconds=TIMEOUT_S), "connect_timeout": timedelta(seconds=5)}
        if endpoint := query.get("endpoint"):
            config["endpoint"] = endpoint
            options["allow_http"] = endpoint.startswith("http://")
        self._store = S3Store(
            parts.netloc.partition("?")[0],
            prefix=parts.path.strip("/") or None,
            client_options=options,
            retry_config={"max_retries": RETRIES_MAX, "retry_timeout": timedelta(seconds=TIMEOUT_S)},
            **config,
        )
        self._asking = asyncio.Semaphore(ASKED_AT_ONCE)

    @staticmethod
    def _key(sha256: str) -> str:
        return f"{check_name(sha256)[:2]}/{sha256}"

    async def put(self, sha256: str, body: bytes) -> None:
        await asyncio.to_thread(check_body, sha256, body)
        try:
            # One plain PUT: photos are below the size where parts pay.
            await obstore.put_async(self._store, self._key(sha256), body, use_multipart=False)
        except (BaseError, OSError) as error:  # also FileNotFoundError: then the bucket itself is missing
            raise _away() from error

    async def get(self, sha256: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, self._key(sha256))
            body = bytes(await found.bytes_async())
        except (ObjectNotFoundError, FileNotFoundError):
            raise not_here() from None
        except (BaseError, OSError) as error:
            raise _away() from error
        return await asyncio.to_thread(check_found, sha256, body)

    async def has(self, sha256: str) -> bool:
        try:
            async with self._asking:
                await obstore.head_async(self._store, self._key(sha256))
        except (ObjectNotFoundError, FileNotFoundError):
            return False
        except (BaseError, OSError) as error:
            raise _away() from error
        return True

    async def list_missing(self, hashes: Iterable[str]) -> set[str]:
        asked = check_asked(hashes)
        here = await asyncio.gather(*(self.has(sha256) for sha256 in asked))
        return {sha256 for sha256, found in zip(asked, here, strict=True) if not found}

    async def delete(self, sha256: str) -> None:
        try:
            await obstore.delete_async(self._store, self._key(sha256))
        except (ObjectNotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise _away() from error

    async def close(self) -> None:
        """Nothing is held open."""


def _away() -> NeighbourUnreachableError:
    return unreachable("The store of photos")
