"""Joining a cloud with a one-time code: the device makes its key, the cloud answers with the device's id and its list key."""

from __future__ import annotations

import httpx
import msgspec

from guardian.device.cloudline import told_error
from guardian.device.identity import DeviceFile, Identity
from guardian.domain.errors import InputRefusedError, NeighbourUnreachableError, NotAllowedError
from guardian.domain.wire import EnrolAnswer, EnrolRequest


def enrol(
    identity: Identity, *, cloud: str, code: str, name: str, kind: str = "car", client: httpx.Client | None = None
) -> DeviceFile:
    """Ask to join; on yes the home folder knows its cloud.

    Raises:
        NotAllowedError: the code is wrong, used or expired.
        NeighbourUnreachableError: nobody answers there.
        InputRefusedError: what answers is no guardian cloud.
    """
    if not cloud.startswith(("http://", "https://")):
        raise InputRefusedError(
            f"'{cloud}' is no address of a cloud.",
            hint="Write it with http:// or https://, as in --cloud http://127.0.0.1:8480",
            reference="cloud-address",
        )
    request = EnrolRequest(code.strip(), identity.keys.public, name, kind)
    try:
        with client or httpx.Client(timeout=10.0) as asked:
            response = asked.post(
                f"{cloud.rstrip('/')}/device/v1/enrol",
                content=msgspec.msgpack.encode(request),
                headers={"content-type": "application/msgpack", "accept": "application/msgpack"},
            )
    except (httpx.HTTPError, OSError) as error:
        raise NeighbourUnreachableError(
            f"No cloud answers at {cloud}. The device stays as it was.",
            hint="Is guardian serve running there? Check address, port and network; the code can still be used.",
            reference="cloud-unreachable",
        ) from error
    reference, sentence = told_error(response) if not response.is_success else ("", "")
    if reference in ("code-refused", "code-wrong"):
        raise NotAllowedError(
            f"The cloud did not take the code {code.strip()[:4]}…: it is wrong, used, or has expired.",
            hint="Look at it once more (no O, no I), or ask an operator for a new one (console: 設備).",
            reference="code-refused",
        )
    if reference and response.status_code < 500:  # too many tries, a key or a name that it does not take: its own words
        raise NotAllowedError(
            f"The cloud did not enrol this device: {sentence}", hint="The device stays as it was.", reference=reference
        )
    if not response.is_success:
        raise NeighbourUnreachableError(
            f"The cloud at {cloud} answers {response.status_code}; the device stays as it was.",
            hint="Try again in a minute; the code can still be used. guardian doctor says what the cloud lacks.",
            reference="cloud-unreachable",
        )
    try:
        answer = (
            msgspec.json.decode(response.content, type=EnrolAnswer)
            if "json" in response.headers.get("content-type", "")
            else msgspec.msgpack.decode(response.content, type=EnrolAnswer)
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputRefusedError(
            f"What answers at {cloud} is no guardian cloud.",
            hint="Check the port; a login page of the network may stand in between.",
            reference="not-a-cloud",
        ) from error
    file = DeviceFile(answer.device_id, name, cloud.rstrip("/"), answer.list_key, answer.unit or name, kind)
    identity.enrol(file)
    return file
