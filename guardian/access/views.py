"""What the console sees of access and audit: the JSON of this room's routes."""

from __future__ import annotations

import msgspec


class SessionRequest(msgspec.Struct, frozen=True):
    """The one-time token of the link (it stands in the link's fragment, which no server log sees)."""

    token: str


class SessionView(msgspec.Struct, frozen=True):
    """Who I am and what I may do: `actions` are the names that routes carry."""

    subject_id: str
    name: str
    agency: str
    role: str
    actions: tuple[str, ...]
    expires_ms: int
    server_ms: int


class LinkRequest(msgspec.Struct, frozen=True):
    """A one-time link for another person."""

    name: str
    role: str
    agency: str = ""


class LinkAnswer(msgspec.Struct, frozen=True):
    """The link's path with its token in the fragment; shown once."""

    path: str
    expires_ms: int


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit record. `kind`: decision | deed | lookup | delivered | counted (see `chain.Entry`)."""

    number: int
    at_ms: int
    kind: str
    subject_id: str
    subject_name: str
    role: str
    action: str
    verdict: str  # allowed | refused
    reasons: tuple[str, ...] = ()
    purpose: str = ""
    case_number: str = ""
    elements: dict[str, str] = {}
    count: int | None = None
    lookup_id: str = ""
    hash: str = ""
    agency: str = ""


class StandOut(msgspec.Struct, frozen=True):
    """One whose look-ups stand out (field case G44): so many different questions under one case within an hour.

    `sentence` says it in zh-TW, for whoever has no words of their own.
    """

    who: str
    case_number: str
    questions: int
    until_ms: int
    sentence: str


class AuditPage(msgspec.Struct, frozen=True):
    """Newest first. `standouts` are those whose look-ups stand out, the most striking first."""

    rows: tuple[AuditRow, ...]
    next_cursor: str
    standouts: tuple[StandOut, ...] = ()


class ChainReport(msgspec.Struct, frozen=True):
    """The hash chain, verified: `problem` names the first line that does not fit, else empty."""

    rows: int
    first: int
    last: int
    head_hash: str
    problem: str
