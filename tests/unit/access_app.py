"""A small application behind the real seam, on real records: what the tests of access knock at.

`house()` gives one; its routes stand for the kinds that there are: a view, a deed, a look-up, a stream, a device's batch.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import ASGITransport, AsyncClient, Response
from litestar import Litestar, Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from guardian.access.routes import router
from guardian.access.seam import COOKIE, Access
from guardian.domain.errors import ConflictError
from guardian.domain.subject import LookupRecorder, Role, Subject
from guardian.domain.wire import HEADER_COUNTER, HEADER_DEVICE, HEADER_SIGNATURE, signed_text
from guardian.stores.metadata import metadata
from guardian.stores.records import SqlRecords, create_missing, open_records

ORIGIN = "http://127.0.0.1"
START_MS = 1_795_600_000_000  # a day in November 2026


class Ask(msgspec.Struct):
    purpose: str
    case_number: str
    plate: str = ""


@get("/api/health", opt={"action": "health.view"})
async def health() -> dict[str, str]:
    return {"status": "ok"}


@get("/api/hits/{hit_id:str}", opt={"action": "hits.view"})
async def view_hit(hit_id: FromPath[str], subject: NamedDependency[Subject]) -> dict[str, str]:
    return {"hit": hit_id, "seen_by": subject.name}


@post("/api/hits/{hit_id:str}/claim", opt={"action": "hits.check"})
async def claim_hit(hit_id: FromPath[str]) -> dict[str, str]:
    if hit_id == "taken":
        raise ConflictError("Someone else checks this hit.", reference="hit-claimed")
    return {"hit": hit_id}


@post("/api/searches", opt={"action": "reads.search", "lookup": True})
async def search(
    data: JSONBody[Ask], subject: NamedDependency[Subject], lookups: NamedDependency[LookupRecorder]
) -> dict[str, int]:
    lookup_id = await lookups.begin(subject, "reads.search", data.purpose, data.case_number, {"plate": data.plate})
    await lookups.deliver(lookup_id, 3)
    return {"found": 3}


@get("/api/unguarded")
async def unguarded() -> str:
    return "secret"


@post("/device/v1/batches", opt={"action": "device.send"})
async def take_batch(request: Request[Any, Any, Any], subject: NamedDependency[Subject]) -> dict[str, Any]:
    return {"device": subject.id, "bytes": len(await request.body())}


@put("/device/v1/photos/{sha256:str}", opt={"action": "device.send"})
async def take_photo(sha256: FromPath[str], request: Request[Any, Any, Any]) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@get("/device/v1/watchlist", opt={"action": "device.list"})
async def give_list(have: FromQuery[int] = 0) -> dict[str, int]:
    return {"have": have}


@post("/device/v1/enrol", opt={"action": "device.enrol"})
async def enrol(data: JSONBody[dict[str, str]]) -> dict[str, str]:
    return data


ROUTES = (health, view_hit, claim_hit, search, take_batch, take_photo, give_list, enrol)


class Clock:
    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms


class House:
    """One running application: its access, its clock, a way to knock."""

    def __init__(self, access: Access, app: Litestar, client: AsyncClient, clock: Clock, records: SqlRecords) -> None:
        self.access = access
        self.app = app
        self.client = client
        self.clock = clock
        self.records = records

    async def sign_in(self, role: Role, name: str = "林佳穎", agency: str = "") -> dict[str, str]:
        """The headers of a signed-in browser page of ours."""
        link = await self.access.sessions.make_link(name, role, agency, made_by="test")
        cookie, _ = await self.access.sessions.open(link.token)
        return {"cookie": f"{COOKIE}={cookie}", "origin": ORIGIN}

    async def trail(self) -> list[tuple[str, str, str, tuple[str, ...]]]:
        """The audit record, oldest first: kind, action, verdict, reasons."""
        return [(row.kind, row.action, row.verdict, row.reasons) async for row in self.access.audit.rows()]


class SignedDevice:
    """A device that signs as `domain.wire` says."""

    def __init__(self, device_id: str, key: Ed25519PrivateKey | None = None) -> None:
        self.id = device_id
        self.key = key or Ed25519PrivateKey.generate()
        self.counter = 0

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def headers(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        counter: int | None = None,
        *,
        content_type: str = "application/json",
        content_encoding: str = "",
    ) -> dict[str, str]:
        if counter is None:
            self.counter += 1
            counter = self.counter
        how = {"content_type": content_type, "content_encoding": content_encoding}
        signature = self.key.sign(signed_text(method, target, self.id, counter, body, **how))
        packing = {"content-encoding": content_encoding} if content_encoding else {}
        return packing | {
            HEADER_DEVICE: self.id,
            HEADER_COUNTER: str(counter),
            HEADER_SIGNATURE: base64.b64encode(signature).decode(),
            "content-type": content_type,
        }

    async def send(
        self, client: AsyncClient, body: bytes = b"{}", *, counter: int | None = None, content_encoding: str = ""
    ) -> Response:
        target = "/device/v1/batches"
        signed = self.headers("POST", target, body, counter, content_encoding=content_encoding)
        return await client.post(target, content=body, headers=signed)


@asynccontextmanager
async def house(
    folder: Path, *, url: str = "", routes: tuple[Any, ...] = ROUTES, clock: Clock | None = None
) -> AsyncIterator[House]:
    clock = clock or Clock()
    records = open_records(url or f"sqlite:///{folder / 'records.db'}")
    await create_missing(records, metadata)
    access = Access(records, clock)
    app = Litestar([*routes, router], plugins=[access.plugin()], openapi_config=None)
    try:
        async with AsyncClient(transport=ASGITransport(app), base_url=ORIGIN) as client:
            yield House(access, app, client, clock, records)
    finally:
        await access.close()
        await records.close()


def streaming(count: int, *, deliver: bool = True) -> Any:
    """A route that streams `count` rows of an export; it may forget to say how many."""

    @post("/api/exports", opt={"action": "reads.export", "lookup": True})
    async def export(
        data: JSONBody[Ask], subject: NamedDependency[Subject], lookups: NamedDependency[LookupRecorder]
    ) -> Stream:
        lookup_id = await lookups.begin(subject, "reads.export", data.purpose, data.case_number, {"plate": data.plate})

        async def rows() -> AsyncIterator[str]:
            sent = 0
            try:
                for _ in range(count):
                    yield "row\n"
                    sent += 1
            finally:
                if deliver:
                    await lookups.deliver(lookup_id, sent)

        return Stream(rows(), media_type="text/csv")

    return export
