"""Colours of vehicles: which of the registry's dozen words lamps, rain and shade turn into one another."""

from __future__ import annotations

NEAR_COLOURS = frozenset(
    frozenset(pair)
    for pair in (
        ("white", "silver"), ("silver", "grey"), ("grey", "black"), ("grey", "white"), ("black", "blue"),
        ("red", "orange"), ("orange", "yellow"), ("yellow", "gold"), ("gold", "brown"), ("gold", "silver"),
        ("brown", "black"), ("brown", "red"), ("blue", "purple"), ("blue", "green"), ("grey", "blue"), ("black", "green"),
    )
)  # fmt: skip


def colours_apart(seen: str, listed: str) -> bool:
    """Whether both are known and clearly not the same; only then does a colour speak against an entry."""
    return bool(seen and listed and seen != listed) and frozenset((seen, listed)) not in NEAR_COLOURS
