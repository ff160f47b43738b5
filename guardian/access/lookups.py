"""Look-ups on record: the question before anything is fetched, what leaves before it leaves (L01, L02, field case G63).

`RecordedLookups` is the `LookupRecorder` of the domain. The seam opens a `Trace` for each request to a look-up's route
and lets no answer leave without a question and a delivery in it; what was begun and never said is closed by the seam.
"""

from __future__ import annotations

import secrets
import sys
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar
from typing import Any

import structlog

from guardian.access.audit import AuditRecord
from guardian.access.chain import entry_of
from guardian.access.reasons import ReasonError, check_case_number, check_purpose, visible
from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.subject import Role, Subject

log = structlog.get_logger(__name__)

OPEN_MAX = 10_000
ELEMENTS_MAX = 20
ELEMENT_CHARS_MAX = 400
TYPED_CHARS_MAX = 200


class Trace:
    """What one request has put on record."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.said: set[str] = set()  # deliveries under way
        self.delivered: set[str] = set()  # deliveries that are durable
        self.streams: list[AsyncGenerator[Any, Any]] = []  # generators that began to run for this request

    @property
    def complete(self) -> bool:
        """Whether a question was put on record and every question's delivery is."""
        return bool(self.begun) and self.delivered.issuperset(self.begun)

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Questions for which no delivery was even begun."""
        return tuple(lookup_id for lookup_id in self.begun if lookup_id not in self.said)

    async def end_streams(self) -> None:
        """End what a broken-off answer has left standing, so that it says now what had left."""
        for stream in self.streams:
            try:
                await stream.aclose()
            except Exception as error:
                log.warning("access.stream_ended_badly", error=type(error).__name__)
        self.streams.clear()


TRACE: ContextVar[Trace | None] = ContextVar("guardian_lookup_trace", default=None)


def follow_streams() -> None:
    """Note every asynchronous generator that begins to run in a look-up's request, in this thread from now on.

    When a client hangs up, the framework leaves a stream's generator standing where it was; its `finally`, which says
    how much had left, would run when the garbage collector comes by. Python tells of each first step by a hook; the
    event loop's own hook is called on.
    """
    hooks = sys.get_asyncgen_hooks()
    if isinstance(hooks.firstiter, _FirstStep):
        return
    sys.set_asyncgen_hooks(firstiter=_FirstStep(hooks.firstiter))


class _FirstStep:
    def __init__(self, further: Callable[[AsyncGenerator[Any, Any]], None] | None) -> None:
        self._further = further

    def __call__(self, generator: AsyncGenerator[Any, Any]) -> None:
        trace = TRACE.get()
        if trace is not None:
            trace.streams.append(generator)
        if self._further is not None:
            self._further(generator)


class RecordedLookups:
    """Writes questions and deliveries into the chain. Fails closed: an error of the record is the caller's error."""

    def __init__(self, audit: AuditRecord) -> None:
        self._audit = audit
        self._open: OrderedDict[str, tuple[Subject, str, Trace | None]] = OrderedDict()

    async def begin(
        self, subject: Subject, action: str, purpose: str, case_number: str, elements: dict[str, str]
    ) -> str:
        elements = {
            str(key)[:40]: str(value)[:ELEMENT_CHARS_MAX] for key, value in list(elements.items())[:ELEMENTS_MAX]
        }
        try:
            purpose, case_number = check_purpose(purpose), check_case_number(case_number)
        except ReasonError as refusal:
            await self._audit.append(
                entry_of(
                    subject,
                    action,
                    at_ms=self._audit.now_ms(),
                    kind="lookup",
                    verdict="refused",
                    reasons=(refusal.reference,),
                    purpose=visible(purpose)[:TYPED_CHARS_MAX],
                    case_number=visible(case_number)[:TYPED_CHARS_MAX],
                    elements=elements,
                )
            )
            raise
        lookup_id = secrets.token_hex(12)
        await self._audit.append(
            entry_of(
                subject,
                action,
                at_ms=self._audit.now_ms(),
                kind="lookup",
                reasons=("purpose-ok", "case-ok"),
                purpose=purpose,
                case_number=case_number,
                elements=elements,
                lookup_id=lookup_id,
            )
        )
        trace = TRACE.get()
        self._open[lookup_id] = (subject, action, trace)
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        if trace is not None:
            trace.begun.append(lookup_id)
        return lookup_id

    async def deliver(self, lookup_id: str, count: int, *, note: str = "") -> None:
        if count < 0:
            raise InputRefusedError("A delivery counts no fewer than 0 items.", reference="delivery-count")
        # The trace of the question, not of the context: a stream that was broken off ends in a context of its own.
        known = self._open.get(lookup_id)
        trace = known[2] if known is not None else TRACE.get()
        if trace is not None:
            trace.said.add(lookup_id)
        await self._deliver(lookup_id, count, note)
        if trace is not None:
            trace.delivered.add(lookup_id)

    async def close_unsaid(self, lookup_id: str, *, left: bool) -> None:
        """Put on record that a question's delivery was never said: nothing left, or nobody counted what did."""
        await self._deliver(lookup_id, None if left else 0, "uncounted" if left else "cancelled")

    async def owner(self, lookup_id: str) -> str | None:
        known = self._open.get(lookup_id)
        if known is not None:
            return known[0].id
        found = await self._audit.find_lookup(lookup_id)
        return found.subject_id if found is not None else None

    async def _deliver(self, lookup_id: str, count: int | None, note: str) -> None:
        # NOTE: for a question of this process nothing is awaited before `append`: a stream that is being cancelled
        # still gets its line in (AuditRecord.append is under way before it yields).
        known = self._open.get(lookup_id)
        if known is None:
            found = await self._audit.find_lookup(lookup_id)
            if found is None:
                raise NotFoundError("There is no such look-up.", reference="lookup-unknown")
            known = (Subject(found.subject_id, Role(found.role), found.subject_name, found.agency), found.action, None)
        subject, action, _ = known
        elements = {"note": note} if note else {}
        await self._audit.append(
            entry_of(
                subject,
                action,
                at_ms=self._audit.now_ms(),
                kind="delivered",
                count=count,
                elements=elements,
                lookup_id=lookup_id,
            )
        )
