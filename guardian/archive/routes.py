"""Reads over HTTP: batches and pictures in, questions and pictures out, quarantine. Thin."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from guardian.archive.desk import SearchDesk
from guardian.archive.ingest import JSON, Ingest, content_kind
from guardian.archive.pictures import PhotoIntake, require_hash, unseen
from guardian.archive.ports import PhotoGrants
from guardian.archive.quarantine import Quarantine
from guardian.archive.views import (
    PageRequest,
    QuarantineDeed,
    QuarantineDeedAnswer,
    QuarantinePage,
    QuarantineView,
    ReadDetail,
    ReasonRequest,
    SearchAnswer,
    SearchRequest,
)
from guardian.domain.errors import NotFoundError
from guardian.domain.subject import Subject
from guardian.domain.wire import BODY_BYTES_MAX, HEADER_PHOTO, PHOTO_BYTES_MAX, BatchAnswer
from guardian.stores.ports import Photos

T = TypeVar("T")


def _file(media_type: str) -> dict[int, ResponseSpec]:
    """For the document: the answer is a file."""
    return {200: ResponseSpec(bytes, generate_examples=False, description="The file", media_type=media_type)}


@post(
    "/batches",
    opt={"action": "device.send", "body_bytes_max": BODY_BYTES_MAX},
    status_code=200,
    responses={
        200: ResponseSpec(
            BatchAnswer,
            generate_examples=False,
            description="In the batch's own form",
            media_type="application/msgpack",
        )
    },
)
async def send_batch(
    request: Request[Any, Any, Any], subject: NamedDependency[Subject], ingest: NamedDependency[Ingest]
) -> Response[bytes]:
    """A batch of reads; the answer has a verdict for each item that was not simply stored."""
    content_type = request.headers.get("content-type", "")
    kind = content_kind(content_type)
    answer: BatchAnswer = await ingest.accept(subject.id, await request.body(), content_type)
    encode = msgspec.json.encode if kind == JSON else msgspec.msgpack.encode
    return Response(encode(answer), media_type=kind)


@put(
    "/photos/{sha256:str}",
    opt={"action": "device.send", "body_bytes_max": PHOTO_BYTES_MAX},
    responses={
        200: ResponseSpec(None, description="It was here"),
        201: ResponseSpec(None, description="It is new"),
    },
)
async def send_photo(
    request: Request[Any, Any, Any],
    sha256: FromPath[str],
    subject: NamedDependency[Subject],
    photo_intake: NamedDependency[PhotoIntake],
) -> Response[None]:
    """A picture under its SHA-256: 201 where it is new, 200 where it was here."""
    new = await photo_intake.take(subject.id, sha256, await request.body())
    return Response(None, status_code=201 if new else 200, headers={HEADER_PHOTO: sha256})


@get("/photos/{sha256:str}", opt={"action": "photos.view"}, responses=_file("image/jpeg"))
async def view_photo(
    sha256: FromPath[str],
    subject: NamedDependency[Subject],
    photos: NamedDependency[Photos],
    photo_grants: NamedDependency[PhotoGrants],
    ref: FromQuery[str] = "",
) -> Response[bytes]:
    """A picture that a hit, a look-up or the live view has shown to this person."""
    require_hash(sha256)
    if not await photo_grants.allows(subject, ref, sha256):
        raise unseen()
    try:
        body = await photos.get(sha256)
    except NotFoundError as error:
        raise unseen() from error
    return Response(
        body,
        media_type="image/jpeg",
        headers={"cache-control": "private, max-age=3600, immutable", "x-content-type-options": "nosniff"},
    )


@post("/searches", opt={"action": "reads.search", "lookup": True}, status_code=200)
async def search(
    request: Request[Any, Any, Any],
    data: JSONBody[SearchRequest],
    subject: NamedDependency[Subject],
    search_desk: NamedDependency[SearchDesk],
) -> SearchAnswer:
    """Ask about reads; purpose and case number are required."""
    return await unless_gone(request, search_desk.ask(subject, data))


@post("/searches/{search_id:str}/pages", opt={"action": "reads.search", "lookup": True}, status_code=200)
async def turn_page(
    request: Request[Any, Any, Any],
    search_id: FromPath[str],
    data: JSONBody[PageRequest],
    subject: NamedDependency[Subject],
    search_desk: NamedDependency[SearchDesk],
) -> SearchAnswer:
    """A further page of one's own search."""
    return await unless_gone(request, search_desk.page(subject, search_id, data.cursor))


@post("/searches/{search_id:str}/open", opt={"action": "reads.search", "lookup": True}, status_code=200)
async def open_search(
    request: Request[Any, Any, Any],
    search_id: FromPath[str],
    data: JSONBody[ReasonRequest],
    subject: NamedDependency[Subject],
    search_desk: NamedDependency[SearchDesk],
) -> SearchAnswer:
    """A search that somebody shared, for one's own purpose."""
    return await unless_gone(request, search_desk.open(subject, search_id, data.purpose, data.case_number))


@get(
    "/searches/{search_id:str}/export.csv",
    opt={"action": "reads.export", "lookup": True},
    responses=_file("text/csv"),
)
async def export_search(
    search_id: FromPath[str],
    subject: NamedDependency[Subject],
    search_desk: NamedDependency[SearchDesk],
) -> Stream:
    """The whole answer as a table for a spreadsheet."""
    return Stream(
        await search_desk.export(subject, search_id),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": 'attachment; filename="guardian-reads.csv"',
            "cache-control": "no-store",
        },
    )


@post("/reads/{read_id:str}", opt={"action": "reads.view", "lookup": True}, status_code=200)
async def view_read(
    read_id: FromPath[str],
    data: JSONBody[ReasonRequest],
    subject: NamedDependency[Subject],
    search_desk: NamedDependency[SearchDesk],
) -> ReadDetail:
    """One read whole."""
    return await search_desk.detail(subject, read_id, data.purpose, data.case_number)


@get("/quarantine", opt={"action": "quarantine.view"})
async def view_quarantine(quarantine: NamedDependency[Quarantine]) -> QuarantineView:
    """What was set apart, by reason."""
    return await quarantine.view()


@get("/quarantine/items", opt={"action": "quarantine.view"})
async def list_quarantine(
    quarantine: NamedDependency[Quarantine], reason: FromQuery[str], cursor: FromQuery[str] = ""
) -> QuarantinePage:
    """The items of one reason."""
    return await quarantine.items(reason, cursor)


@post("/quarantine/replay", opt={"action": "quarantine.decide"}, status_code=200)
async def replay_items(
    data: JSONBody[QuarantineDeed],
    subject: NamedDependency[Subject],
    quarantine: NamedDependency[Quarantine],
) -> QuarantineDeedAnswer:
    """Check items again; those that pass are stored."""
    return await quarantine.replay(subject, data)


@post("/quarantine/reject", opt={"action": "quarantine.decide"}, status_code=200)
async def reject_items(
    data: JSONBody[QuarantineDeed],
    subject: NamedDependency[Subject],
    quarantine: NamedDependency[Quarantine],
) -> QuarantineDeedAnswer:
    """Never store these, for the reason given."""
    return await quarantine.reject(subject, data)


async def unless_gone(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client hangs up meanwhile (field cases G40, G63)."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
        return await task
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()


async def _until_gone(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


api_router = Router(
    path="/api",
    route_handlers=[
        view_photo, search, turn_page, open_search, export_search, view_read, view_quarantine, list_quarantine, replay_items,
        reject_items,
    ],
)  # fmt: skip
device_router = Router(path="/device/v1", route_handlers=[send_batch, send_photo])
