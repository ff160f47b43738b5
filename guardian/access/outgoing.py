"""What may leave: of a look-up nothing before its record, of a deed that failed a line that says so.

A look-up's answer in one piece waits until its delivery is on record. A stream may begin once the question is on record,
and ends whole only if the delivery is by then: else it breaks off, and the client sees that it did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from litestar.types import Message, Send

from guardian.access.answers import REFERENCE, answer_of, encode
from guardian.access.audit import AuditRecord
from guardian.access.chain import Entry
from guardian.access.lookups import Trace
from guardian.access.model import UnrecordedLookupError

log = structlog.get_logger(__name__)


class HeldAnswer:
    """A `send` that lets a look-up's answer pass when it is on record."""

    def __init__(self, send: Send, scope: Any, trace: Trace) -> None:
        self._send = send
        self._scope = scope
        self._trace = trace
        self._start: Message | None = None
        self._error = False  # an error answer: it tells nothing that was asked for
        self._replaced = False
        self.left = False
        """Whether any part of an answer has left."""

    async def __call__(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self._error = message["status"] >= 400
            if self._error:
                await self._send(message)
            else:
                self._start = message
            return
        if message["type"] != "http.response.body" or self._error:
            await self._send(message)
            return
        more = message.get("more_body", False)
        if more:  # a stream that never waits would let nobody else run, not even who hears that the client hung up
            await asyncio.sleep(0)
        if self._start is not None:
            if not (self._trace.begun if more else self._trace.complete):
                await self._replace()
                return
            self.left = True
            await self._send(self._start)
            self._start = None
        elif not more and not self._trace.complete:
            log.error("access.lookup_unrecorded", route=self._scope.get("path_template", ""))
            raise UnrecordedLookupError("The stream's delivery is not on record; it was broken off.")
        await self._send(message)

    async def _replace(self) -> None:
        """An error in the place of the answer."""
        self._replaced = True
        log.error("access.lookup_unrecorded", route=self._scope.get("path_template", ""))
        error = UnrecordedLookupError(
            "The answer was ready before its record was; it did not leave.", hint="Tell us; it is our bug."
        )
        answer = answer_of(error)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._scope["headers"]}
        body, media_type = encode(answer, headers)
        start: Any = {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())],
        }
        await self._send(start)
        final: Any = {"type": "http.response.body", "body": body, "more_body": False}
        await self._send(final)


def watch_refusal(send: Send, scope: Any, refused: Callable[[str], Awaitable[None]]) -> Send:
    """A `send` that tells `refused` the reference where a room, not the seam, said 401 or 403."""

    async def watching(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (401, 403):
            await refused(scope.get(REFERENCE) or f"status-{message['status']}")
        await send(message)

    return watching


def watch_deed(send: Send, scope: Any, audit: AuditRecord, entry: Entry) -> Send:
    """A `send` that puts on record that a deed, allowed and on record, was not done after all."""

    async def watching(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            reason = scope.get(REFERENCE) or f"status-{message['status']}"
            await audit.append(
                msgspec.structs.replace(entry, at_ms=audit.now_ms(), verdict="refused", reasons=(reason,))
            )
        await send(message)

    return watching
