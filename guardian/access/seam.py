"""The one seam: subject → decision → recorded, for every request to every route.

For each request, in this order:
1. the route names its action (`opt["action"]`), or it is our bug and nothing is done;
2. the Host is one of ours, and no header that a decision rests on comes twice;
3. the subject: a device by its signature over the bytes that came, a person by the session's cookie, else nobody;
4. a person's request that changes something came from our own pages;
5. the decision by the policy table;
6. the record, as the table says (`policy.Keeping`); if it cannot be written, nothing is done (fails closed);
7. the route; and of a look-up no answer leaves that is not on record (`outgoing`).

The seam is a middleware of every route; what no route answers (404, 405) has passed no room.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from litestar import Litestar, Request
from litestar.config.app import AppConfig
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import MethodNotAllowedException
from litestar.middleware import DefineMiddleware
from litestar.plugins import InitPlugin
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from guardian.access.answers import EXCEPTION_HANDLERS
from guardian.access.audit import AuditRecord
from guardian.access.body import GoneError, read_body, unpack
from guardian.access.chain import entry_of
from guardian.access.device_proof import DeviceProof
from guardian.access.lookups import TRACE, RecordedLookups, Trace, follow_streams
from guardian.access.model import (
    NOBODY,
    CrossSiteError,
    DeviceProofError,
    NotSignedInError,
    UnguardedRouteError,
)
from guardian.access.origin import LOOPBACK_NAMES, SECURITY_HEADERS, host_is_ours, is_same_origin
from guardian.access.outgoing import HeldAnswer, watch_deed, watch_refusal
from guardian.access.policy import POLICY, Keeping, decide
from guardian.access.sessions import Sessions
from guardian.access.tally import FLUSH_MS, Tally
from guardian.domain.errors import GuardianError, NotAllowedError
from guardian.domain.subject import Role, Subject
from guardian.domain.wire import BODY_BYTES_MAX, HEADER_COUNTER, HEADER_DEVICE, HEADER_SIGNATURE
from guardian.stores.ports import Records

log = structlog.get_logger(__name__)

COOKIE = "guardian_session"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LOOKUP_BODY_BYTES_MAX = 256 * 1024
SINGLE_HEADERS = frozenset(
    {
        b"host", b"origin", b"sec-fetch-site", b"content-type", b"content-encoding", b"content-length",
        HEADER_DEVICE.encode(), HEADER_COUNTER.encode(), HEADER_SIGNATURE.encode(),
    }
)  # fmt: skip
"""What a decision rests on comes once: of two, a proxy, the seam and a route might each believe another."""


class Access:
    """All of access that a program needs: the services, and the plugin that puts the seam before every route.

    Args:
        records: where access keeps its tables.
        now_ms: the clock.
        hosts: names by which we may be called (Host header), without port.
    """

    def __init__(self, records: Records, now_ms: Callable[[], int], *, hosts: tuple[str, ...] = LOOPBACK_NAMES) -> None:
        self.now_ms = now_ms
        self.hosts = hosts
        self.audit = AuditRecord(records, now_ms)
        self.sessions = Sessions(records, self.audit, now_ms)
        self.device_keys = DeviceProof(records, self.audit, now_ms)
        self.lookups = RecordedLookups(self.audit)
        self.tally = Tally()

    def plugin(self) -> AccessPlugin:
        """For `Litestar(plugins=[access.plugin()])`."""
        return AccessPlugin(self)

    async def flush(self) -> None:
        """Write the counts of the hour into the record."""
        for entry in self.tally.take(self.now_ms()):
            await self.audit.append(entry)

    async def close(self) -> None:
        """Write what is still only counted, and wait for lines under way."""
        await self.flush()
        await self.audit.settle()


class AccessPlugin(InitPlugin):
    """Puts the seam, the error shape, the security headers and the injected services into an application."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        access = self._access
        app_config.middleware.insert(0, DefineMiddleware(Seam, access=access))
        app_config.exception_handlers = {**EXCEPTION_HANDLERS, **app_config.exception_handlers}
        app_config.before_send.append(add_security_headers)
        app_config.lifespan.append(self._flush_hourly)
        provided: dict[str, Callable[..., Any]] = {
            "subject": subject_of,
            "sessions": lambda: access.sessions,
            "audit": lambda: access.audit,
            "lookups": lambda: access.lookups,
            "device_keys": lambda: access.device_keys,
        }
        for name, provider in provided.items():
            app_config.dependencies.setdefault(name, Provide(provider, sync_to_thread=False))
        return app_config

    @asynccontextmanager
    async def _flush_hourly(self, _: Litestar) -> AsyncIterator[None]:
        async def tick() -> None:
            while True:
                await asyncio.sleep(FLUSH_MS / 1000)
                try:
                    await self._access.flush()
                except GuardianError as error:
                    log.warning("audit.counts_not_written", reference=error.reference)

        ticking = asyncio.create_task(tick())
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await self._access.close()


def subject_of(request: Request[Any, Any, Any]) -> Subject:
    """The subject that the seam found; injected as `subject`."""
    subject: Subject = request.scope["user"]
    return subject


def unguarded_routes(app: Litestar) -> list[str]:
    """Routes that the seam would refuse to everybody, each with why; a program with one must not start."""
    found: list[str] = []
    for route in app.routes:
        handlers = getattr(route, "route_handlers", None) or [route.route_handler]  # type: ignore[union-attr]
        for handler in handlers:
            methods = sorted(str(method) for method in getattr(handler, "http_methods", {"ANY"}))
            if methods == ["OPTIONS"] and "action" not in handler.opt:
                continue  # made by the framework; the seam answers 405
            where = f"{'/'.join(methods)} {route.path}"
            action = handler.opt.get("action")
            if action is None:
                found.append(f"{where}: names no action")
            elif action not in POLICY:
                found.append(f"{where}: no rule for the action {action}")
            elif bool(handler.opt.get("lookup")) != (POLICY[action].keeping is Keeping.LOOKUP):
                found.append(f"{where}: look-up in the route or in the policy, not in both ({action})")
    return sorted(found)


async def add_security_headers(message: Message, _: Scope) -> None:
    """Before any answer leaves, errors and 404 too."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")


class Seam:
    """The middleware. One for each route; they share one `Access`."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:  # there is no rule for web sockets: nobody may
            closing: Any = {"type": "websocket.close", "code": 1008, "reason": "unguarded-route"}
            await send(closing)
            return
        try:
            await self._pass(scope, receive, send)
        except GoneError:
            return

    async def _pass(self, scope: Any, receive: Receive, send: Send) -> None:
        access = self.access
        method: str = scope["method"]
        opt = scope["route_handler"].opt
        action: str = opt.get("action", "")
        if not action and method == "OPTIONS":
            raise MethodNotAllowedException
        rule = POLICY.get(action)
        if rule is None:
            where = f"{method} {scope.get('path_template', '')}"
            log.error("access.unguarded_route", route=where, action=action)
            raise UnguardedRouteError(
                "This address has no rule of access; nothing was done.", hint="Tell us; it is our bug."
            )
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        elements = {str(name): str(value)[:100] for name, value in scope.get("path_params", {}).items()}
        claimed = NOBODY
        try:
            host = headers.get("host", "")
            named = [name.lower() for name, _ in scope["headers"]]
            if any(named.count(name) > 1 for name in SINGLE_HEADERS):
                raise CrossSiteError("A header that a decision rests on came twice.", reference="header-repeated")
            if any(_CONTROL.search(str(value)) for value in scope.get("path_params", {}).values()):
                raise CrossSiteError("The address holds control characters.", reference="address-form")
            if not host_is_ours(host, access.hosts):
                raise CrossSiteError("This server is not known by that name.", reference="host-unknown")
            if HEADER_DEVICE in headers:
                subject, receive = await self._device(
                    scope, headers, receive, opt.get("body_bytes_max", BODY_BYTES_MAX)
                )
            else:
                subject = await self._person(headers)
                claimed = subject
                if (subject.session_id or action == "session.open") and not is_same_origin(method, host, headers):
                    raise CrossSiteError(
                        "A request that changes something must come from our own pages.",
                        hint="Programs: send the header Origin with this server's address.",
                    )
            claimed = subject
            decision = decide(subject, action)
            if not decision.allowed:
                raise _refusal(subject, action, decision.reasons)
        except NotAllowedError as refusal:
            if isinstance(refusal, DeviceProofError):
                elements["device_id"] = headers.get(HEADER_DEVICE, "")[:64]
                if refusal.reference in ("device-revoked", "request-replayed"):  # the signature held
                    claimed = Subject(refusal.device_id, Role.DEVICE, refusal.device_id)
            log.info("access.refused", action=action, reference=refusal.reference, subject=claimed.id)
            reasons = getattr(refusal, "reasons", None) or (refusal.reference,)
            await self._record_refusal(claimed, action, reasons, elements)
            raise
        scope["user"] = subject
        if rule.keeping is Keeping.LOOKUP:
            await self._pass_lookup(scope, headers, receive, send)
            return
        if rule.keeping is Keeping.COUNTED:
            access.tally.count(subject, action, "allowed", access.now_ms())

            async def refused(reference: str) -> None:
                await self._record_refusal(subject, action, (reference,), elements)

            await self.app(scope, receive, watch_refusal(send, scope, refused))
            return
        kind = "decision" if method in ("GET", "HEAD") else "deed"
        entry = entry_of(subject, action, at_ms=access.now_ms(), kind=kind, elements=elements, reasons=decision.reasons)
        await access.audit.append(entry)
        await self.app(scope, receive, watch_deed(send, scope, access.audit, entry))

    async def _person(self, headers: dict[str, str]) -> Subject:
        cookie = cookie_of(headers.get("cookie", ""))
        session = await self.access.sessions.find(cookie) if cookie else None
        return session.subject if session is not None else NOBODY

    async def _device(
        self, scope: Any, headers: dict[str, str], receive: Receive, bytes_max: int
    ) -> tuple[Subject, Receive]:
        """The device, and a `receive` that gives the proved bytes (unpacked) to the route."""
        claim = await self.access.device_keys.read_claim(headers)
        body = await read_body(receive, bytes_max=bytes_max, announced=headers.get("content-length", ""))
        subject = await self.access.device_keys.prove(claim, scope["method"], target_of(scope), body)
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding:
            plain = await asyncio.to_thread(unpack, body, encoding, bytes_max=bytes_max)
            dropped = (b"content-encoding", b"content-length")
            kept = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
            scope["headers"] = [*kept, (b"content-length", str(len(plain)).encode())]
            body = plain
        return subject, _given(body, receive)

    async def _pass_lookup(self, scope: Any, headers: dict[str, str], receive: Receive, send: Send) -> None:
        """Run a look-up's route: cancelled when the client hangs up before the answer, closed on record in any case."""
        body = await read_body(receive, bytes_max=LOOKUP_BODY_BYTES_MAX, announced=headers.get("content-length", ""))
        gone = asyncio.Event()
        trace = Trace()
        held = HeldAnswer(send, scope, trace)
        follow_streams()
        token = TRACE.set(trace)
        try:
            answering = asyncio.ensure_future(self.app(scope, _given(body, _until(gone)), held))
        finally:
            TRACE.reset(token)

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()
            if not held.left:
                answering.cancel()

        watching = asyncio.ensure_future(watch())
        try:
            await answering
        except asyncio.CancelledError:
            if not gone.is_set():  # it is we who are ended (the server stops)
                answering.cancel()
                await asyncio.wait([answering])
                raise
        finally:
            watching.cancel()
            await trace.end_streams()
            for lookup_id in trace.unsaid:
                await self.access.lookups.close_unsaid(lookup_id, left=held.left)

    async def _record_refusal(
        self, subject: Subject, action: str, reasons: tuple[str, ...], elements: dict[str, str]
    ) -> None:
        now = self.access.now_ms()
        if self.access.tally.line_due(subject, action, now):
            await self.access.audit.append(
                entry_of(
                    subject,
                    action,
                    at_ms=now,
                    kind="decision",
                    verdict="refused",
                    reasons=reasons,
                    elements=elements,
                )
            )


def cookie_of(header: str) -> str:
    """The session's token in a Cookie header; empty where there is none."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value[:200]
    return ""


def target_of(scope: Any) -> str:
    """Path and query as they were sent (servers differ in whether `raw_path` holds the query)."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    path = raw.partition(b"?")[0]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _refusal(subject: Subject, action: str, reasons: tuple[str, ...]) -> NotAllowedError:
    if subject.role is Role.NOBODY:
        refusal: NotAllowedError = NotSignedInError("Nobody is signed in.", hint="Open a one-time link.")
    else:
        refusal = NotAllowedError(
            f"The role {subject.role} may not do this ({action}).", hint="Ask someone whose work it is."
        )
    refusal.reasons = reasons  # type: ignore[attr-defined]
    return refusal


def _given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` once and then what comes."""
    given = False

    async def replay() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _until(gone: asyncio.Event) -> Callable[[], Awaitable[Any]]:
    """A `receive` that waits for the client to hang up."""

    async def wait() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    return wait
