"""Made-up traffic for the figures: plates of today's series, reads of one device, signed batches."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.domain.moment import Clock
from guardian.domain.position import Position
from guardian.domain.read import PhotoRef, Read
from guardian.domain.wire import HEADER_COUNTER, HEADER_DEVICE, HEADER_SIGNATURE, Batch, signed_text

LETTERS, DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "012356789"


def make_plates(count: int, seed: int, *, first: str = LETTERS) -> list[str]:
    """Distinct numbers of today's series, the same for the same seed; their first letter is one of `first`."""
    rng = random.Random(seed)
    out: dict[str, None] = {}
    while len(out) < count:
        out[rng.choice(first) + "".join(rng.choices(LETTERS, k=2)) + "".join(rng.choices(DIGITS, k=4))] = None
    return list(out)


def make_read(device_id: str, boot: int, sequence: int, text: str, at_ms: int, rng: random.Random) -> Read:
    """One plausible read with everything that a real one carries."""
    return Read(
        device_id=device_id,
        boot=boot,
        sequence=sequence,
        captured_ms=at_ms,
        text=text,
        raw_text=text,
        char_probs=tuple(round(rng.uniform(0.9, 0.999), 3) for _ in text),
        confidence_prob=0.9,
        dash_after=3,
        series="2012-3+4",
        vehicle_classes=("car",),
        clock=Clock(12, "gps", 3000, True),
        position=Position(
            25.03 + rng.uniform(-0.01, 0.01), 121.54 + rng.uniform(-0.01, 0.01), at_ms - 200, 5.0, 90.0, 32.0
        ),
        unit="大安 3 號",
        crop=PhotoRef(rng.randbytes(32).hex(), at_ms, 240, 80),
        overview=PhotoRef(rng.randbytes(32).hex(), at_ms, 960, 540),
        corners=((400.0, 300.0), (520.0, 302.0), (519.0, 342.0), (399.0, 340.0)),
        frames_seen=9,
    )


def make_batches(
    device_id: str, count: int, size: int, plates: list[str], now_ms: int, boot: int = 1
) -> Iterator[bytes]:
    """`count` encoded batches of `size` reads, captured over the last hour."""
    rng = random.Random(11)
    encoder = msgspec.msgpack.Encoder()
    sequence = 0
    total = count * size
    for _ in range(count):
        items = []
        for _ in range(size):
            sequence += 1
            at = now_ms - 3_600_000 + 3_500_000 * sequence // total
            read = make_read(device_id, boot, sequence, rng.choice(plates), at, rng)
            items.append(msgspec.Raw(encoder.encode(read)))
        yield encoder.encode(Batch(device_id, tuple(items)))


def sign(
    key: Ed25519PrivateKey,
    device_id: str,
    counter: int,
    method: str,
    path: str,
    body: bytes,
    kind: str = "application/msgpack",
) -> dict[str, str]:
    """The headers of a signed request."""
    signature = key.sign(signed_text(method, path, device_id, counter, body, content_type=kind))
    return {
        HEADER_DEVICE: device_id,
        HEADER_COUNTER: str(counter),
        HEADER_SIGNATURE: base64.b64encode(signature).decode(),
        "content-type": kind,
    }
