"""The last place of a unit: never from the future, never nowhere, never older than what is known. Pure.

Field cases G13 (no fix is not zero; a dead receiver repeats itself) and G29 (one position of the year 2031 stayed the
latest for ever).
"""

from __future__ import annotations

import msgspec

from guardian.domain.moment import CLOCK_FLOOR_MS
from guardian.domain.position import Position, distance_m

FUTURE_MS = 2 * 60 * 1000 + 5_000
"""A fix this far ahead is a clock that is a little off (and a message that took a moment), not another time."""
FRESH_MS = 60 * 1000
OLD_MS = 5 * 60 * 1000
JUMP_KMH = 300.0
JUMP_M_MIN = 5_000.0
"""Faster than any police car and farther than any tunnel's error: two places, not one that moved."""


def newer_place(kept: Position | None, come: Position | None, *, now_ms: int) -> Position | None:
    """The last place after a message that brought `come`.

    A fix from a little ahead counts as taken now, so that it cannot stand before the next honest one.
    """
    if come is None or come.problem() is not None:
        return kept
    if come.fixed_ms > now_ms + FUTURE_MS or come.fixed_ms < CLOCK_FLOOR_MS:
        return kept
    if come.fixed_ms > now_ms:
        come = msgspec.structs.replace(come, fixed_ms=now_ms)
    if kept is not None and come.fixed_ms < min(kept.fixed_ms, now_ms):
        return kept
    return come


def unit_state(position: Position | None, seen_ms: int, *, now_ms: int) -> str:
    """fresh | old | lost, by the age of what is drawn: the fix where there is one, else the last contact."""
    at_ms = seen_ms if position is None else min(seen_ms, position.fixed_ms)
    age = now_ms - at_ms
    if age <= FRESH_MS:
        return "fresh"
    return "old" if age <= OLD_MS else "lost"


def is_jump(before: Position, after: Position) -> bool:
    """Whether nobody can have come from one place to the other in the time between the fixes."""
    metres = distance_m(before.lat_deg, before.lon_deg, after.lat_deg, after.lon_deg)
    if metres < JUMP_M_MIN:
        return False
    hours = max(abs(after.fixed_ms - before.fixed_ms), 1000) / 3_600_000
    return metres / 1000 / hours > JUMP_KMH
