"""The fleet over HTTP: what operators see and do, and what devices say and ask (`/device/v1`).

Devices' bodies are MessagePack or JSON; answers follow the request's kind.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody

from guardian.domain.errors import InputRefusedError
from guardian.domain.subject import Subject
from guardian.domain.wire import EnrolAnswer, EnrolRequest, Heartbeat, HeartbeatAnswer, SignedWatchlistUpdate
from guardian.fleet.bounds import BODY_BYTES_MAX, refuse_odd, without_odd_place
from guardian.fleet.fleet import Fleet
from guardian.fleet.ports import WatchlistUpdates
from guardian.fleet.views import DevicesView, DeviceView, EnrolmentCode, EnrolmentCodeRequest, RevokeRequest

T = TypeVar("T")
Asked = Request[Any, Any, Any]

MSGPACK = "application/msgpack"
WAIT_S_MAX = 25.0
ENROL_BYTES_MAX = 16 * 1024
"""Anybody may knock here: nobody unknown makes us read more."""


@get("/api/devices", opt={"action": "devices.view"})
async def list_devices(fleet: NamedDependency[Fleet]) -> DevicesView:
    """All devices, worst first."""
    return await fleet.list_devices()


@post("/api/devices/codes", opt={"action": "devices.enrol"}, status_code=201)
async def make_code(
    data: JSONBody[EnrolmentCodeRequest], subject: NamedDependency[Subject], fleet: NamedDependency[Fleet]
) -> EnrolmentCode:
    """A one-time code for the next device of a unit."""
    return await fleet.make_code(data, subject)


@post("/api/devices/{device_id:str}/revoke", opt={"action": "devices.revoke"}, status_code=200)
async def revoke(
    device_id: FromPath[str],
    data: JSONBody[RevokeRequest],
    subject: NamedDependency[Subject],
    fleet: NamedDependency[Fleet],
) -> DeviceView:
    """Believe nothing of this device any more."""
    return await fleet.revoke(device_id, data, subject)


def _told(answer: type, status_code: int) -> dict[int, ResponseSpec]:
    """For the document: what a device is answered, in MessagePack or in the form of its question."""
    said = (answer.__doc__ or "").split("\n")[0]
    return {status_code: ResponseSpec(answer, generate_examples=False, description=said, media_type=MSGPACK)}


@post(
    "/device/v1/enrol",
    opt={"action": "device.enrol"},
    status_code=201,
    request_max_body_size=ENROL_BYTES_MAX,
    responses=_told(EnrolAnswer, 201),
)
async def enrol(request: Asked, fleet: NamedDependency[Fleet]) -> Response[bytes]:
    """A device joins with a one-time code."""
    return _answer(request, await fleet.enrol(await _asked(request, EnrolRequest)), status_code=201)


@post(
    "/device/v1/heartbeat",
    opt={"action": "device.send", "body_bytes_max": BODY_BYTES_MAX},
    status_code=200,
    responses=_told(HeartbeatAnswer, 200),
)
async def take_heartbeat(
    request: Asked, subject: NamedDependency[Subject], fleet: NamedDependency[Fleet]
) -> Response[bytes]:
    """How a device is."""
    beat = await _asked(request, Heartbeat)
    refuse_odd(beat)
    return _answer(request, await fleet.take_heartbeat(subject.id, without_odd_place(beat)))


@get(
    "/device/v1/watchlist",
    opt={"action": "device.list"},
    responses={**_told(SignedWatchlistUpdate, 200), 204: ResponseSpec(None, description="Nothing new came in time")},
)
async def give_watchlist(
    request: Asked,
    subject: NamedDependency[Subject],
    fleet: NamedDependency[Fleet],
    watchlist_updates: NamedDependency[WatchlistUpdates],
    have: FromQuery[int] = 0,
    wait_s: FromQuery[float] = 0.0,
) -> Response[bytes]:
    """What leads from version `have` to the newest; 204 where nothing new came in time."""
    update = await watchlist_updates.update_since(max(0, have), min(max(0.0, wait_s), WAIT_S_MAX))
    if update is None:
        return Response(b"", status_code=204, media_type=MSGPACK)
    await fleet.refuse_revoked(subject.id)  # it may have waited for 25 s, and been revoked meanwhile
    return _answer(request, update)


@get("/device/v1/watchlist/parts", opt={"action": "device.list"}, responses=_told(SignedWatchlistUpdate, 200))
async def give_watchlist_part(
    request: Asked, watchlist_updates: NamedDependency[WatchlistUpdates], after: FromQuery[str] = ""
) -> Response[bytes]:
    """A stretch of a long list: the entries after an id, in order; the first where none is given."""
    return _answer(request, await watchlist_updates.part_after(after))


async def _asked(request: Asked, kind: type[T]) -> T:
    """The body as `kind`, from MessagePack or JSON.

    Raises:
        InputRefusedError: it is none.
    """
    body = await request.body()
    try:
        if "json" in request.headers.get("content-type", ""):
            return msgspec.json.decode(body, type=kind)
        return msgspec.msgpack.decode(body, type=kind)
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
    ) as error:  # the decoder's words name fields, never values
        said = f": {error}" if isinstance(error, msgspec.ValidationError) else ""
        raise InputRefusedError(f"The body is no {kind.__name__}{said}.", reference="body-form") from error


def _answer(request: Asked, answer: object, *, status_code: int = 200) -> Response[bytes]:
    if _answers_json(request):
        return Response(msgspec.json.encode(answer), status_code=status_code, media_type="application/json")
    return Response(msgspec.msgpack.encode(answer), status_code=status_code, media_type=MSGPACK)


def _answers_json(request: Asked) -> bool:
    """Accept decides where it names one of the two, else the kind of the body; MessagePack where neither does."""
    accept = request.headers.get("accept", "")
    if "msgpack" in accept or "json" in accept:
        return "msgpack" not in accept
    return "json" in request.headers.get("content-type", "")


router = Router(
    "/",
    route_handlers=[
        list_devices,
        make_code,
        revoke,
        enrol,
        take_heartbeat,
        give_watchlist,
        give_watchlist_part,
    ],
    tags=["fleet"],
)
