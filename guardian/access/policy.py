"""The policy table: which roles may do which action, and how much of it the audit record keeps.

A rule is data. An action that is not in the table is refused to everyone, and the self-check at start names it
(`unguarded_routes`). The table is the one of `docs/api.md`; a test compares the two.

How much is kept (`Keeping`):
- RECORDED: one line for each, before it is done: every deed, every opening of one hit, everything an auditor does.
- LOOKUP: the look-up record (`lookups`) is the line: begun before anything is fetched, delivered before it leaves.
- COUNTED: one line an hour for each subject and action, with how often. What a machine asks for by itself (batches,
  photos, heartbeats, live pages, health, the console's own files) would bury what a person did.
A refusal is always recorded, whatever the action's keeping, also where a room refuses (a spent link, a wrong code); from the sixty-first in a minute on by the same subject for
the same action, only how many more there were (`tally`).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from guardian.access.model import AccessDecision, Verdict
from guardian.domain.subject import Role, Subject


class Keeping(StrEnum):
    """How much of an allowed action the audit record keeps."""

    RECORDED = "recorded"
    LOOKUP = "lookup"
    COUNTED = "counted"


class Rule(msgspec.Struct, frozen=True):
    """Who may, and what is kept of it."""

    roles: frozenset[Role]
    keeping: Keeping


_OPERATOR, _DETECTIVE, _AUDITOR = Role.OPERATOR, Role.DETECTIVE, Role.AUDITOR
_SIGNED_IN = (_OPERATOR, _DETECTIVE, _AUDITOR)
_ANYBODY = (*_SIGNED_IN, Role.DEVICE, Role.NOBODY)


def _rule(keeping: Keeping, *roles: Role) -> Rule:
    return Rule(frozenset(roles), keeping)


POLICY: dict[str, Rule] = {
    "console.load": _rule(Keeping.COUNTED, *_ANYBODY),
    "health.view": _rule(Keeping.COUNTED, *_ANYBODY),
    "openapi.view": _rule(Keeping.COUNTED, *_ANYBODY),
    "basemap.view": _rule(Keeping.COUNTED, *_SIGNED_IN),
    "reader.use": _rule(Keeping.COUNTED, _OPERATOR, _DETECTIVE),
    "session.open": _rule(Keeping.COUNTED, *_ANYBODY),  # `sessions` records it under the name it gives
    "session.view": _rule(Keeping.COUNTED, *_SIGNED_IN),
    "session.close": _rule(Keeping.RECORDED, *_SIGNED_IN),
    "links.make": _rule(Keeping.RECORDED, _OPERATOR),
    "live.watch": _rule(Keeping.COUNTED, _OPERATOR, _DETECTIVE),
    "hits.list": _rule(Keeping.COUNTED, _OPERATOR, _DETECTIVE),
    "hits.view": _rule(Keeping.RECORDED, _OPERATOR, _DETECTIVE),
    "hits.check": _rule(Keeping.RECORDED, _OPERATOR),
    "hits.export": _rule(Keeping.RECORDED, _OPERATOR),
    "photos.view": _rule(Keeping.COUNTED, _OPERATOR, _DETECTIVE),
    "reads.search": _rule(Keeping.LOOKUP, _OPERATOR, _DETECTIVE),
    "reads.view": _rule(Keeping.LOOKUP, _OPERATOR, _DETECTIVE),
    "reads.export": _rule(Keeping.LOOKUP, _OPERATOR, _DETECTIVE),
    "lists.view": _rule(Keeping.COUNTED, _OPERATOR, _DETECTIVE),
    "lists.edit": _rule(Keeping.RECORDED, _OPERATOR),
    "lists.export": _rule(Keeping.RECORDED, _OPERATOR),
    "devices.view": _rule(Keeping.COUNTED, _OPERATOR),
    "devices.enrol": _rule(Keeping.RECORDED, _OPERATOR),
    "devices.revoke": _rule(Keeping.RECORDED, _OPERATOR),
    "quarantine.view": _rule(Keeping.COUNTED, _OPERATOR),
    "quarantine.decide": _rule(Keeping.RECORDED, _OPERATOR),
    "audit.view": _rule(Keeping.RECORDED, _AUDITOR),
    "audit.export": _rule(Keeping.RECORDED, _AUDITOR),
    "device.enrol": _rule(Keeping.COUNTED, Role.NOBODY),  # `device_proof` records the key that it takes
    "device.send": _rule(Keeping.COUNTED, Role.DEVICE),
    "device.list": _rule(Keeping.COUNTED, Role.DEVICE),
}


def decide(subject: Subject, action: str) -> AccessDecision:
    """Whether `subject` may do `action`. Pure; with no rule, or no role in it, the answer is no."""
    rule = POLICY.get(action)
    if rule is None:
        return AccessDecision(Verdict.REFUSED, ("action-unknown",))
    if subject.role in rule.roles:
        return AccessDecision(Verdict.ALLOWED, (f"role-{subject.role}-ok",))
    if subject.role is Role.NOBODY:
        return AccessDecision(Verdict.REFUSED, ("not-signed-in",))
    return AccessDecision(Verdict.REFUSED, (f"role-{subject.role}-not-enough",))


def actions_of(role: Role) -> tuple[str, ...]:
    """What a role may do, in the table's order: the console shows only what will be answered."""
    return tuple(action for action, rule in POLICY.items() if role in rule.roles)
