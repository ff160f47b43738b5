"""Things that happened, as the bus carries them: past tense, at least once, every consumer idempotent by `id`."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. `topic` is dotted, e.g. `reads.stored`; `id` is unique and the same on every re-delivery."""

    id: str
    topic: str
    at_ms: int
    body: bytes  # MessagePack of the topic's struct


class ReadsStored(msgspec.Struct, frozen=True, omit_defaults=True):
    """`reads.stored`: a batch's good items are durable. Consumers load them by `batch_id` from the batch journal."""

    batch_id: str
    device_id: str
    count: int
    time_doubtful: bool = False  # their capture times cannot be true: never a last position (field case G29)


class HitChanged(msgspec.Struct, frozen=True, omit_defaults=True):
    """`hits.changed`: a hit was raised or has a new fact."""

    hit_id: str
    kind: str
    fact_number: int


class ListChanged(msgspec.Struct, frozen=True, omit_defaults=True):
    """`lists.changed`: the watchlist has a new version."""

    version: int
    put: int
    removed: int


class UnitMoved(msgspec.Struct, frozen=True, omit_defaults=True):
    """`units.moved`: a heartbeat brought a position or health."""

    device_id: str
    at_ms: int


class DeviceChanged(msgspec.Struct, frozen=True, omit_defaults=True):
    """`devices.changed`: enrolled, revoked, forked."""

    device_id: str
    kind: str
