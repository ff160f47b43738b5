"""Reads and batches for the archive's tests; the dull parts filled in."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from guardian.archive.model import ArchivedRead
from guardian.domain.moment import Clock
from guardian.domain.position import Position
from guardian.domain.read import PhotoRef, Read, VehicleLook

NOW_MS = 1_795_600_000_000  # 2026-11-25T09:46:40Z
MSGPACK = "application/msgpack"


def make_read(sequence: int = 1, text: str = "ABC1235", **changes: Any) -> Read:
    """A read of device `car-1` at a place in Hsinchu, a minute before NOW_MS."""
    whole: dict[str, Any] = {
        "device_id": "car-1",
        "boot": 1,
        "sequence": sequence,
        "captured_ms": NOW_MS - 60_000,
        "text": text,
        "raw_text": text,
        "char_probs": (0.99,) * len(text),
        "confidence_prob": 0.99,
        "dash_after": 3,
        "series": "2012-3+4",
        "clock": Clock(offset_ms=3, source="gps", age_ms=1000, corrected=True),
        "position": Position(24.80, 120.96, NOW_MS - 61_000, accuracy_m=4.0, heading_deg=90.0),
        "unit": "信義 3",
        "look": VehicleLook(kind="car", colour="white"),
        "crop": PhotoRef(hashlib.sha256(f"crop {sequence}".encode()).hexdigest(), NOW_MS - 60_000, 200, 60),
        "frames_seen": 7,
    }
    whole.update(changes)
    return Read(**whole)


def pack(read: Read) -> bytes:
    """A read in MessagePack."""
    return msgspec.msgpack.encode(read)


def batch_body(items: list[Any], device_id: str = "car-1", **more: Any) -> bytes:
    """A batch in MessagePack from reads or anything else."""
    return msgspec.msgpack.encode({"device_id": device_id, "items": items, **more})


def held(read: Read, number: int = 1, received_ms: int = NOW_MS, **more: Any) -> ArchivedRead:
    """A read as the archive holds it."""
    return ArchivedRead(read, received_ms, number, **more)
