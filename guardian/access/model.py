"""What the seam decides and with which reasons. Values only; the table of rules is `policy`, the doing is `seam`."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from guardian.domain.errors import GuardianError, InputRefusedError, NotAllowedError
from guardian.domain.subject import Role, Subject

NOBODY = Subject(id="", role=Role.NOBODY, name="")
"""Who has proved nothing. May load the console, ask for health, redeem a link or a code."""


class Verdict(StrEnum):
    """The two answers that there are; with no reason to allow, it is the second."""

    ALLOWED = "allowed"
    REFUSED = "refused"


class AccessDecision(msgspec.Struct, frozen=True):
    """The answer to "may this subject do this", with every reason as a kebab-case word (存取決策)."""

    verdict: Verdict
    reasons: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOWED


class NotSignedInError(NotAllowedError):
    """Nobody has proved who asks: no session, an ended one, or a device's proof that does not hold. HTTP 401."""

    reference = "not-signed-in"


class DeviceProofError(NotSignedInError):
    """A device's signature, key or counter was refused. HTTP 401.

    References: `signature-missing`, `signature-wrong`, `device-unknown`, `device-revoked`, `request-replayed`.
    `counter_floor` is set with the last of them: the device goes on above it.
    """

    reference = "signature-wrong"

    def __init__(
        self,
        sentence: str,
        *,
        hint: str = "",
        reference: str | None = None,
        counter_floor: int | None = None,
        device_id: str = "",
    ) -> None:
        super().__init__(sentence, hint=hint, reference=reference)
        self.counter_floor = counter_floor
        self.device_id = device_id


class CrossSiteError(NotAllowedError):
    """A request that changes something did not come from our own pages, or named a host that is not ours. HTTP 403."""

    reference = "cross-site"


class BodyTooLargeError(InputRefusedError):
    """More bytes than the route takes; nothing was read to its end. HTTP 413."""

    reference = "body-too-large"


class UnguardedRouteError(GuardianError):
    """Our bug: a route that names no action, or an action without a rule. HTTP 500, and nothing was done."""

    reference = "unguarded-route"


class UnrecordedLookupError(GuardianError):
    """Our bug: a look-up whose answer was ready before its record was. HTTP 500, and the answer did not leave."""

    reference = "lookup-unrecorded"
