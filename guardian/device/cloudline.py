"""The line to the cloud: one signed request at a time, and whose answer it was that came back.

Between a car and its cloud stand things that answer in its place: portals that want a login, proxies with an opinion on the
size of a body, a port that belongs to somebody else. What they say is never taken for the cloud's word: an answer counts
as a refusal only in the cloud's own shape (`reference`, `sentence`), everything else is a line that does not work just now.
"""

from __future__ import annotations

import ssl
import threading
from typing import TypeVar

import httpx
import msgspec

from guardian.device.identity import Identity
from guardian.domain.errors import DiskFullError, GuardianError, NeighbourUnreachableError
from guardian.domain.wire import COUNTER_MAX, HEADER_COUNTER_FLOOR

T = TypeVar("T")

MSGPACK = "application/msgpack"
REPLAY_TRIES = 3
TRY_AGAIN = frozenset({408, 425, 429})
"""Beside all 5xx."""


class RefusedByCloudError(GuardianError):
    """The cloud answered, and the answer was no. `status` is the HTTP status, `reference` the cloud's own."""

    reference = "refused-by-cloud"

    def __init__(self, status: int, reference: str, sentence: str) -> None:
        super().__init__(sentence or f"The cloud answered {status}.", reference=reference or "refused-by-cloud")
        self.status = status


class CloudBusyError(NeighbourUnreachableError):
    """The cloud answered that it cannot just now. `told` is its own reference for why, empty where it gave none."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(f"The cloud answers {status}.", reference=f"cloud-{status}")
        self.told = told


class TooLargeOnTheWayError(NeighbourUnreachableError):
    """Something before the cloud finds this body too large (413 without the cloud's words); a smaller one may pass."""

    reference = "cloud-not-ours"


class _ErrorBody(msgspec.Struct, frozen=True):
    reference: str = ""
    sentence: str = ""


def told_error(response: httpx.Response) -> tuple[str, str]:
    """Reference and sentence of the cloud's error, whatever the content type says; empty where it is not the cloud's."""
    for decode in (msgspec.json.decode, msgspec.msgpack.decode):
        try:
            body = decode(response.content, type=_ErrorBody)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        return body.reference, body.sentence
    return "", ""


def not_our_cloud() -> NeighbourUnreachableError:
    """Something answers, and it is not the cloud: a line that does not work just now."""
    return NeighbourUnreachableError("What answers does not speak as our cloud does.", reference="cloud-not-ours")


X509_V_FLAG_NO_CHECK_TIME = 0x200000
"""OpenSSL, x509_vfy.h: everything of a certificate is checked but its dates."""


def tls_context(*, clock_set: bool) -> ssl.SSLContext:
    """How the cloud's certificate is checked.

    A machine that wakes up in 1970 finds every certificate "not yet valid", so it would never get on line to learn the
    time (field case G14). Until its clock was set, dates are left out; issuer and name are checked as ever, what we send is
    signed, and lists are believed by their own signature alone.
    """
    context = ssl.create_default_context()
    if not clock_set:
        context.verify_flags |= X509_V_FLAG_NO_CHECK_TIME
    return context


class CloudLine:
    """Signed requests to one cloud. Used by both threads."""

    def __init__(
        self,
        identity: Identity,
        *,
        client: httpx.Client | None = None,
        timeout_s: float = 10.0,
        clock_set: bool = True,
    ) -> None:
        self._identity = identity
        self._base = identity.file.cloud.rstrip("/")
        self._numbering = threading.Lock()
        self._client = client or httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=5.0),
            follow_redirects=False,
            verify=tls_context(clock_set=clock_set),
        )

    def ask(
        self, method: str, path: str, body: bytes = b"", *, query: str = "", kind: str = MSGPACK, wait_s: float = 0.0
    ) -> httpx.Response:
        """One signed request; comes back with any 2xx answer.

        Raises:
            NeighbourUnreachableError: nobody answered, or somebody else (`cloud-not-ours`; TooLargeOnTheWayError), or the answer
                (CloudBusyError) was 5xx, 408, 425 or 429: try again. Also where the disk takes no request number.
            RefusedByCloudError: any other answer of the cloud.
        """
        target = path + (f"?{query}" if query else "")
        for _ in range(REPLAY_TRIES):
            try:
                with self._numbering:
                    counter = self._identity.next_counter()
            except (DiskFullError, OSError) as error:
                raise NeighbourUnreachableError(
                    "The disk takes no request number, so nothing can be signed.", reference="request-number"
                ) from error
            headers = self._identity.headers(method, target, body, counter, content_type=kind) | {"accept": MSGPACK}
            url = f"{self._base}{target}"
            timeout = httpx.Timeout(wait_s + 10.0, connect=5.0) if wait_s else httpx.USE_CLIENT_DEFAULT
            try:
                response = self._client.request(method, url, content=body, headers=headers, timeout=timeout)
            except (httpx.HTTPError, OSError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and not self._client.is_closed:
                    raise  # httpx says RuntimeError of a client that was closed meanwhile; any other is a bug of ours
                raise NeighbourUnreachableError(
                    "The cloud does not answer.", reference=f"cloud-{type(error).__name__.lower()}"
                ) from error
            if response.is_success:
                return response
            reference, sentence = told_error(response)
            if response.status_code >= 500 or response.status_code in TRY_AGAIN:
                raise CloudBusyError(response.status_code, reference)
            if reference == "request-replayed":
                floor = response.headers.get(HEADER_COUNTER_FLOOR, "")
                if floor.isdigit() and int(floor) < COUNTER_MAX:
                    with self._numbering:
                        self._identity.raise_counter(int(floor))
                continue
            if not reference:
                raise (
                    TooLargeOnTheWayError("The body is too large.") if response.status_code == 413 else not_our_cloud()
                )
            raise RefusedByCloudError(response.status_code, reference, sentence)
        raise NeighbourUnreachableError("The cloud takes our request numbers for replays.", reference="cloud-replay")

    def close(self) -> None:
        """Let go of the connections; a waiting request ends with an error."""
        self._client.close()


def decoded(response: httpx.Response, kind: type[T]) -> T:
    """What the cloud answered.

    Raises:
        NeighbourUnreachableError: it is no such thing: a portal that wants a login, or a proxy's page.
    """
    try:
        if "json" in response.headers.get("content-type", ""):
            return msgspec.json.decode(response.content, type=kind)
        return msgspec.msgpack.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_our_cloud() from error
