"""Look-ups on record: the question before anything is fetched, what leaves before it leaves (L01, L02, field case G63).

`RecordedLookups` is the `LookupRecorder` of the domain. The seam opens a `Trace` for each request to a look-up's route
and lets no answer leave without a question and a delivery in it; what was begun and never said is closed by the seam.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from contextvars import ContextVar

from guardian.access.audit import AuditRecord
from guardian.access.chain import Entry
from guardian.access.reasons import ReasonError, check_case_number, check_purpose, visible
from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.subject import Role, Subject

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

    @property
    def complete(self) -> bool:
        """Whether a question was put on record and every question's delivery is."""
        return bool(self.begun) and self.delivered.issuperset(self.begun)

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Questions for which no delivery was even begun."""
        return tuple(lookup_id for lookup_id in self.begun if lookup_id not in self.said)


TRACE: ContextVar[Trace | None] = ContextVar("guardian_lookup_trace", default=None)


class RecordedLookups:
    """Writes questions and deliveries into the chain. Fails closed: an error of the record is the caller's error."""

    def __init__(self, audit: AuditRecord) -> None:
        self._audit = audit
        self._open: OrderedDict[str, tuple[Subject, str]] = OrderedDict()

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
                self._entry(
                    subject,
                    action,
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
            self._entry(
                subject,
                action,
                kind="lookup",
                reasons=("purpose-ok", "case-ok"),
                purpose=purpose,
                case_number=case_number,
                elements=elements,
                lookup_id=lookup_id,
            )
        )
        self._open[lookup_id] = (subject, action)
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        trace = TRACE.get()
        if trace is not None:
            trace.begun.append(lookup_id)
        return lookup_id

    async def deliver(self, lookup_id: str, count: int, *, note: str = "") -> None:
        if count < 0:
            raise InputRefusedError("A delivery counts no fewer than 0 items.", reference="delivery-count")
        trace = TRACE.get()
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
            known = (Subject(found.subject_id, Role(found.role), found.subject_name, found.agency), found.action)
        subject, action = known
        elements = {"note": note} if note else {}
        await self._audit.append(
            self._entry(subject, action, kind="delivered", count=count, elements=elements, lookup_id=lookup_id)
        )

    def _entry(
        self,
        subject: Subject,
        action: str,
        *,
        kind: str,
        verdict: str = "allowed",
        reasons: tuple[str, ...] = (),
        purpose: str = "",
        case_number: str = "",
        elements: dict[str, str],
        count: int | None = None,
        lookup_id: str = "",
    ) -> Entry:
        return Entry(
            at_ms=self._audit.now_ms(),
            kind=kind,
            subject_id=subject.id,
            subject_name=subject.name,
            role=subject.role,
            agency=subject.agency,
            action=action,
            verdict=verdict,
            reasons=reasons,
            purpose=purpose,
            case_number=case_number,
            elements=elements,
            count=count,
            lookup_id=lookup_id,
        )
