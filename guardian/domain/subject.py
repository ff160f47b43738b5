"""Who asks, as every room sees them, and the port by which a look-up is put on record before its answer leaves."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec


class Role(StrEnum):
    """What kind of subject; which deeds each may do is the policy table of `access`."""

    OPERATOR = "operator"  # dispatcher, checker, list owner, device operator: the first user of a station
    DETECTIVE = "detective"
    AUDITOR = "auditor"
    DEVICE = "device"
    NOBODY = "nobody"


class Subject(msgspec.Struct, frozen=True):
    """A person or device that has been identified (存取主體). `name` is how screens and facts call them."""

    id: str
    role: Role
    name: str
    agency: str = ""
    session_id: str = ""


@runtime_checkable  # injected by type into routes, which asks `isinstance`
class LookupRecorder(Protocol):
    """Asking is an act: who, why, for which case, about what. Fails closed: no record, no answer."""

    async def begin(
        self, subject: Subject, action: str, purpose: str, case_number: str, elements: dict[str, str]
    ) -> str:
        """Record the question and give its id.

        Args:
            action: `reads.search`, `reads.export`, `reads.view` …
            purpose: why (查詢事由), from the list of purposes or free text that says something.
            case_number: 案號; required.
            elements: what was asked, as shown to the auditor (pattern, area, time, device).

        Raises:
            NotAllowedError: the purpose or case says nothing; the refusal is recorded too.
        """
        ...

    async def deliver(self, lookup_id: str, count: int, *, note: str = "") -> None:
        """Record what is about to leave: `count` items; `note` says e.g. `cancelled`."""
        ...

    async def owner(self, lookup_id: str) -> str | None:
        """The subject's id that asked, or None where there is no such look-up."""
        ...
