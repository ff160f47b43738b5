"""One-time links and the sessions that they open.

A link's token stands in the fragment of an address, which no server and no proxy writes into a log; it holds for ten
minutes and opens one session. A session is a cookie that scripts cannot read and other sites cannot send; it ends after
an idle time, after an absolute time, or when it is closed. Tokens are kept as SHA-256 only: who reads the database can
sign in as nobody. They are 256 random bits, so guessing needs no lock.

Who a person is: name, role and agency of the link; the same three give the same subject id, so that what one person does
over many sessions stays together. Identity that is proved (passkeys, Z01) takes this place.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Executable, Row, func, select, update

from guardian.access.audit import AuditRecord
from guardian.access.chain import entry_of
from guardian.access.model import NotSignedInError
from guardian.access.tables import access_links, access_sessions
from guardian.domain.errors import InputRefusedError
from guardian.domain.subject import Role, Subject
from guardian.stores.ports import Records

LINK_MS = 10 * 60 * 1000
IDLE_MS = 30 * 60 * 1000
ABSOLUTE_MS = 12 * 3600 * 1000
"""A long shift. Both are this house's choice; an agency may shorten them."""
SEEN_STEP_MS = 60 * 1000
"""A session's last use is written at most this often: idle time is that much coarse, and a click costs no write."""
CACHE_MS = 1000
"""How long another process's closing of a session may go unnoticed here."""
CACHE_MAX = 4096
PEOPLE_ROLES = (Role.OPERATOR, Role.DETECTIVE, Role.AUDITOR)
NAME_CHARS_MAX = 60
FIRST_NAME = "值勤員"


class Link(msgspec.Struct, frozen=True):
    """A one-time link, as it is shown once."""

    token: str
    expires_ms: int

    @property
    def path(self) -> str:
        return f"/enter#token={self.token}"


class Session(msgspec.Struct, frozen=True):
    """A session in force."""

    subject: Subject
    expires_ms: int  # absolute
    seen_ms: int


class Sessions:
    """Makes links, opens and finds sessions, closes them.

    Args:
        records: where links and sessions are kept.
        audit: an opening is recorded under the name that it gives (a refusal by the seam).
        now_ms: the clock.
    """

    def __init__(
        self,
        records: Records,
        audit: AuditRecord,
        now_ms: Callable[[], int],
        *,
        idle_ms: int = IDLE_MS,
        absolute_ms: int = ABSOLUTE_MS,
    ) -> None:
        self._records = records
        self._audit = audit
        self._now_ms = now_ms
        self._idle_ms = idle_ms
        self._absolute_ms = absolute_ms
        self._cache: OrderedDict[bytes, tuple[int, Session | None]] = OrderedDict()

    async def make_link(
        self, name: str, role: Role, agency: str = "", *, made_by: str, by: Subject | None = None
    ) -> Link:
        """A link for one person.

        Args:
            made_by: the subject id of the maker, or what made it (`start`); the session's opening names it.
            by: the maker, where there is one: then for whom the link is goes on record before the link is given.

        Raises:
            InputRefusedError: no name, or a role that is no person's.
        """
        name, agency = " ".join(name.split()), " ".join(agency.split())
        if not name or len(name) > NAME_CHARS_MAX or len(agency) > NAME_CHARS_MAX or not (name + agency).isprintable():
            raise InputRefusedError(
                f"A link needs a person's name of at most {NAME_CHARS_MAX} characters.", reference="link-name"
            )
        if role not in PEOPLE_ROLES:
            raise InputRefusedError(f"'{role}' is no role of a person.", reference="link-role")
        token = secrets.token_urlsafe(32)
        now = self._now_ms()
        row = {
            "token_sha256": _digest(token),
            "name": name,
            "role": str(role),
            "agency": agency,
            "made_by": made_by,
            "made_ms": now,
            "expires_ms": now + LINK_MS,
        }
        await self._records.write(lambda connection: _do(connection, access_links.insert().values(row)))
        if by is not None:  # whoever makes a link could open it: the auditor must see in whose name
            await self._audit.append(
                entry_of(
                    by,
                    "links.make",
                    at_ms=now,
                    reasons=("link-made",),
                    elements={"for": person_id(name, role, agency), "name": name, "role": role, "agency": agency},
                )
            )
        return Link(token, now + LINK_MS)

    async def make_first_link(self) -> Link | None:
        """The operator's link of a first start; None once anybody has ever signed in."""
        query = select(func.count()).select_from(access_sessions)
        if await self._records.read(lambda connection: connection.execute(query).scalar_one()):
            return None
        return await self.make_link(FIRST_NAME, Role.OPERATOR, made_by="start")

    async def open(self, token: str) -> tuple[str, Session]:
        """Redeem a link: the cookie's value and the session. Once; two at the same time give one session.

        Raises:
            NotSignedInError: no such link, used, or too old (one sentence for all: `link-spent`).
        """
        now = self._now_ms()
        digest, cookie = _digest(token), secrets.token_urlsafe(32)

        def redeem(connection: Connection) -> tuple[Session, str] | None:
            spent = (
                update(access_links)
                .where(
                    access_links.c.token_sha256 == digest,
                    access_links.c.used_ms.is_(None),
                    access_links.c.expires_ms > now,
                )
                .values(used_ms=now)
            )
            if connection.execute(spent).rowcount != 1:
                return None
            link = connection.execute(select(access_links).where(access_links.c.token_sha256 == digest)).one()
            subject = Subject(
                id=person_id(link.name, Role(link.role), link.agency),
                role=Role(link.role),
                name=link.name,
                agency=link.agency,
                session_id=secrets.token_hex(8),
            )
            session = Session(subject, now + self._absolute_ms, now)
            connection.execute(
                access_sessions.insert(),
                {
                    "id": subject.session_id,
                    "token_sha256": _digest(cookie),
                    "subject_id": subject.id,
                    "name": subject.name,
                    "role": str(subject.role),
                    "agency": subject.agency,
                    "opened_ms": now,
                    "seen_ms": now,
                    "expires_ms": session.expires_ms,
                },
            )
            return session, link.made_by

        redeemed = await self._records.write(redeem)
        if redeemed is None:
            raise NotSignedInError(
                "This link is not known, has been used, or is older than ten minutes.",
                hint="Ask for a new one: `guardian access link NAME`.",
                reference="link-spent",
            )
        session, made_by = redeemed
        who = session.subject
        await self._audit.append(
            entry_of(
                who,
                "session.open",
                at_ms=now,
                reasons=("link-ok",),
                elements={"session": who.session_id, "link_by": made_by},
            )
        )
        return cookie, session

    async def find(self, cookie: str) -> Session | None:
        """The session in force of a cookie's value, or None; notes that it was used."""
        digest, now = _digest(cookie), self._now_ms()
        kept = self._cache.get(digest)
        if kept is not None and 0 <= now - kept[0] < CACHE_MS:
            return kept[1] if kept[1] is not None and now < kept[1].expires_ms else None
        query = select(access_sessions).where(access_sessions.c.token_sha256 == digest)
        row = await self._records.read(lambda connection: connection.execute(query).first())
        session = self._in_force(row, now)
        if session is not None:
            await self._note_use(session)
        self._cache[digest] = (now, session)
        self._cache.move_to_end(digest)
        while len(self._cache) > CACHE_MAX:
            self._cache.popitem(last=False)
        return session

    async def find_by_id(self, session_id: str) -> Session | None:
        """The session in force with this id, or None."""
        query = select(access_sessions).where(access_sessions.c.id == session_id)
        row = await self._records.read(lambda connection: connection.execute(query).first())
        return self._in_force(row, self._now_ms())

    async def keep_open(self, session_id: str) -> bool:
        """Whether a page that follows something may go on: the session is in force. Such a page is in use: a desk that
        only watches must not be signed out between two alarms; the absolute end and closing hold all the same."""
        session = await self.find_by_id(session_id)
        if session is None:
            return False
        await self._note_use(session)
        return True

    async def _note_use(self, session: Session) -> None:
        now = self._now_ms()
        if now - session.seen_ms >= min(SEEN_STEP_MS, self._idle_ms // 2):
            used = update(access_sessions).where(access_sessions.c.id == session.subject.session_id).values(seen_ms=now)
            await self._records.write(lambda connection: _do(connection, used))

    async def close(self, session_id: str) -> None:
        """End a session at once; the cookie of it opens nothing any more."""
        now = self._now_ms()
        statement = (
            update(access_sessions)
            .where(access_sessions.c.id == session_id, access_sessions.c.closed_ms.is_(None))
            .values(closed_ms=now)
        )
        await self._records.write(lambda connection: _do(connection, statement))
        self._cache.clear()

    def _in_force(self, row: Row[Any] | None, now: int) -> Session | None:
        if row is None or row.closed_ms is not None or now >= row.expires_ms or now - row.seen_ms >= self._idle_ms:
            return None
        subject = Subject(row.subject_id, Role(row.role), row.name, row.agency, row.id)
        return Session(subject, row.expires_ms, row.seen_ms)


def _do(connection: Connection, statement: Executable) -> None:
    connection.execute(statement)


def person_id(name: str, role: Role, agency: str) -> str:
    """The subject id of a person: the same name, role and agency are the same person, for now."""
    return "p-" + hashlib.sha256(f"{agency}\n{name}\n{role}".encode()).hexdigest()[:16]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
