"""Errors to the outside: one shape, `{"reference", "sentence", "hint", "status"}`, for whatever went wrong where.

To the outside we say less: a bug of ours is "internal-error" with an id to quote, never a text of an exception. Answers
follow the request's kind: who sent MessagePack is answered in MessagePack.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from guardian.access.model import (
    BodyTooLargeError,
    DeviceProofError,
    NotSignedInError,
    UnguardedRouteError,
    UnrecordedLookupError,
)
from guardian.domain.errors import (
    ConflictError,
    DiskFullError,
    GuardianError,
    InputRefusedError,
    NeighbourUnreachableError,
    NotAllowedError,
    NotFoundError,
    frames_of,
)
from guardian.domain.wire import HEADER_COUNTER_FLOOR
from guardian.stores.failures import ReadCutOffError

log = structlog.get_logger(__name__)

MSGPACK = "application/msgpack"
REFERENCE = "guardian_reference"
"""Key of the scope under which the reference of an error's answer lies, for whoever records it."""

STATUS: tuple[tuple[type[GuardianError], int], ...] = (
    (BodyTooLargeError, 413),
    (InputRefusedError, 400),
    (NotFoundError, 404),
    (ConflictError, 409),
    (NotSignedInError, 401),
    (NotAllowedError, 403),
    (ReadCutOffError, 504),
    (NeighbourUnreachableError, 503),
    (DiskFullError, 507),
    (UnguardedRouteError, 500),
    (UnrecordedLookupError, 500),
)
"""First that fits. A GuardianError of no listed kind is a bug of ours: 500, but its own sentence may be shown."""

_OF_STATUS = {
    400: ("input-refused", "The request could not be understood."),
    404: ("not-found", "There is nothing here."),
    405: ("method-not-allowed", "This cannot be done with this address."),
    413: ("body-too-large", "The request is larger than this route takes."),
    415: ("media-type", "This kind of body is not taken here."),
}


class ErrorAnswer(msgspec.Struct, frozen=True):
    """What every error looks like from outside."""

    reference: str
    sentence: str
    hint: str
    status: int


def status_of(error: GuardianError) -> int:
    """The HTTP status of an error of the house."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def answer_of(error: Exception) -> ErrorAnswer:
    """The outside's view of any exception."""
    if isinstance(error, GuardianError):
        return ErrorAnswer(error.reference, error.sentence, error.hint, status_of(error))
    if isinstance(error, ValidationException):
        return ErrorAnswer("input-refused", _fields(error) or error.detail, "", 400)
    if isinstance(error, HTTPException) and error.status_code < 500:
        reference, sentence = _OF_STATUS.get(error.status_code, ("request-refused", "The request was refused."))
        return ErrorAnswer(reference, sentence, "", error.status_code)
    if isinstance(error, RecursionError):  # of a decoder: a body of a hundred thousand brackets
        return ErrorAnswer("input-refused", "The request is nested too deeply.", "", 400)
    incident = secrets.token_hex(4)
    log.error("request.failed", incident=incident, error=type(error).__name__, frames=frames_of(error))
    return ErrorAnswer(
        "internal-error", "Something went wrong on our side; it has been logged.", f"Quote {incident}.", 500
    )


def _fields(error: ValidationException) -> str:
    """Which fields were refused and why, without the values."""
    extra = error.extra if isinstance(error.extra, list) else []
    said = [f"{part.get('key', '')}: {part.get('message', '')}".strip(": ") for part in extra if isinstance(part, dict)]
    return "; ".join(said[:10])


def headers_of(error: Exception) -> dict[str, str]:
    """Headers that say more than the body: where a device's counter goes on; when to try again."""
    if isinstance(error, DeviceProofError) and error.counter_floor is not None:
        return {HEADER_COUNTER_FLOOR: str(error.counter_floor)}
    if isinstance(error, NeighbourUnreachableError):
        return {"retry-after": "2"}
    return {}


def encode(answer: ErrorAnswer, headers: Mapping[str, str]) -> tuple[bytes, str]:
    """The bytes and their media type, in the request's kind (`headers` by lower-case name)."""
    kinds = headers.get("content-type", "") + headers.get("accept", "")
    if MSGPACK in kinds or "application/x-msgpack" in kinds:
        return msgspec.msgpack.encode(answer), MSGPACK
    return msgspec.json.encode(answer), "application/json"


def to_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the whole application."""
    answer = answer_of(error)
    request.scope[REFERENCE] = answer.reference  # type: ignore[literal-required]
    body, media_type = encode(answer, {name.lower(): value for name, value in request.headers.items()})
    return Response(body, status_code=answer.status, media_type=media_type, headers=headers_of(error))


EXCEPTION_HANDLERS: dict[type[Exception] | int, Any] = {Exception: to_response, HTTPException: to_response}
