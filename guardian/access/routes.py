"""Access over HTTP: sign in by a one-time link, links for others, and the auditor's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

from litestar import Response, Router, delete, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, JSONBody
from litestar.response import Stream

from guardian.access.audit import AuditRecord
from guardian.access.model import NotSignedInError
from guardian.access.policy import actions_of
from guardian.access.seam import COOKIE
from guardian.access.sessions import Session, Sessions
from guardian.access.views import AuditPage, AuditRow, ChainReport, LinkAnswer, LinkRequest, SessionRequest, SessionView
from guardian.domain.csv_text import BOM, csv_row
from guardian.domain.errors import InputRefusedError
from guardian.domain.moment import TAIPEI, format_instant
from guardian.domain.subject import Role, Subject

SESSION_BYTES_MAX = 4 * 1024
"""Anybody may knock here: nobody unknown makes us read more."""


@post("/session", opt={"action": "session.open"}, status_code=200, request_max_body_size=SESSION_BYTES_MAX)
async def open_session(
    data: JSONBody[SessionRequest], sessions: NamedDependency[Sessions], audit: NamedDependency[AuditRecord]
) -> Response[SessionView]:
    """Redeem a link's token; the session comes as a cookie."""
    cookie, session = await sessions.open(data.token)
    return Response(
        _view(session, audit.now_ms()),
        cookies=[Cookie(key=COOKIE, value=cookie, path="/", httponly=True, samesite="strict")],
    )


@get("/session", opt={"action": "session.view"})
async def view_session(
    subject: NamedDependency[Subject], sessions: NamedDependency[Sessions], audit: NamedDependency[AuditRecord]
) -> SessionView:
    """Who I am and what I may do."""
    session = await sessions.find_by_id(subject.session_id)
    if session is None:
        raise NotSignedInError("The session has ended.", hint="Open a one-time link.")
    return _view(session, audit.now_ms())


@delete("/session", opt={"action": "session.close"}, status_code=204)
async def close_session(subject: NamedDependency[Subject], sessions: NamedDependency[Sessions]) -> Response[None]:
    """Sign out: the cookie opens nothing any more."""
    await sessions.close(subject.session_id)
    return Response(None, status_code=204, cookies=[Cookie(key=COOKIE, value="", path="/", max_age=0, httponly=True)])


@post("/links", opt={"action": "links.make"}, status_code=201)
async def make_link(
    data: JSONBody[LinkRequest], subject: NamedDependency[Subject], sessions: NamedDependency[Sessions]
) -> LinkAnswer:
    """A one-time link for another person; its token is shown this once."""
    try:
        role = Role(data.role)
    except ValueError as error:
        raise InputRefusedError("That is no role of a person.", reference="link-role") from error
    link = await sessions.make_link(data.name, role, data.agency, made_by=subject.id, by=subject)
    return LinkAnswer(link.path, link.expires_ms)


@get("/audit", opt={"action": "audit.view"})
async def view_audit(
    audit: NamedDependency[AuditRecord],
    cursor: FromQuery[str] = "",
    kind: FromQuery[str] = "",
    subject_id: FromQuery[str] = "",
) -> AuditPage:
    """The record, newest first."""
    return await audit.page(cursor=cursor, kind=kind, subject=subject_id)


@post("/audit/verify", opt={"action": "audit.view"}, status_code=200)
async def verify_audit(audit: NamedDependency[AuditRecord]) -> ChainReport:
    """Walk the chain and name the first line that does not fit."""
    return await audit.verify()


@get(
    "/audit/export.csv",
    opt={"action": "audit.export"},
    responses={200: ResponseSpec(bytes, generate_examples=False, description="The table", media_type="text/csv")},
)
async def export_audit(audit: NamedDependency[AuditRecord]) -> Stream:
    """Every line as a table for a spreadsheet, with each line's hash so that the chain can be checked elsewhere."""
    return Stream(
        _csv(audit.rows()),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="guardian-audit.csv"'},
    )


def _view(session: Session, now_ms: int) -> SessionView:
    subject = session.subject
    return SessionView(
        subject.id, subject.name, subject.agency, subject.role, actions_of(subject.role), session.expires_ms, now_ms
    )


_HEAD = (
    "編號", "時間", "種類", "人員代號", "姓名", "單位", "角色", "動作", "結果", "理由", "查詢事由", "案號", "內容", "筆數",
    "查詢代號", "雜湊",
)  # fmt: skip


async def _csv(rows: AsyncIterator[AuditRow]) -> AsyncIterator[str]:
    yield BOM + csv_row(_HEAD)
    piece: list[str] = []
    async for row in rows:
        elements = "; ".join(f"{name}={value}" for name, value in row.elements.items())
        at = format_instant(row.at_ms, zone=TAIPEI)
        cells = (
            row.number, at, row.kind, row.subject_id, row.subject_name, row.agency, row.role, row.action, row.verdict,
            " ".join(row.reasons), row.purpose, row.case_number, elements, row.count, row.lookup_id, row.hash,
        )  # fmt: skip
        piece.append(csv_row(cells))
        if len(piece) >= 500:
            yield "".join(piece)
            piece = []
    yield "".join(piece)


router = Router(
    "/api",
    route_handlers=[open_session, view_session, close_session, make_link, view_audit, verify_audit, export_audit],
    tags=["access"],
)
