"""What tests of the device are built from: reads, clocks moved by hand, a scripted eye."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from guardian.device.clock import DeviceClock, Stamp
from guardian.device.source import Frame, SourceHealth
from guardian.domain.read import Alternative, Corners, DeviceHit, PhotoRef, Read
from guardian.domain.watch import Category, Priority, WatchEntry
from guardian.vision.engine import StageTimes
from guardian.vision.judge import PlateSeen
from guardian.vision.place import spans_of
from guardian.vision.ports import ReadChar, TextRead
from guardian.vision.series import number_of

NOW_MS = 1_795_600_000_000  # 2026-11-25
KEY = bytes(range(32))


# ---- values ----------------------------------------------------------------------------------------------------------


def make_read(
    sequence: int,
    *,
    boot: int = 1,
    text: str = "",
    captured_ms: int = NOW_MS,
    hit: bool = False,
    photos: bool = True,
    probs: Sequence[float] = (),
    alternatives: tuple[tuple[Alternative, ...], ...] = (),
    **more: object,
) -> Read:
    text = text or plate_text(sequence * 7 + boot)
    hits = (DeviceHit("e1", "exact", 7, NOW_MS, captured_ms),) if hit else ()
    return Read(
        device_id="car-1",
        boot=boot,
        sequence=sequence,
        captured_ms=captured_ms,
        text=text,
        raw_text=text,
        char_probs=tuple(probs) or (0.99,) * len(text),
        confidence_prob=min(probs, default=0.99),
        alternatives=alternatives,
        crop=PhotoRef(sha_of(crop_of(boot, sequence)), captured_ms) if photos else None,
        overview=PhotoRef(sha_of(overview_of(boot, sequence)), captured_ms) if photos else None,
        hits=hits,
        **more,  # type: ignore[arg-type]
    )


def plate_text(number: int) -> str:
    """A plate of today's series for each number below 6561 (no 4 in it)."""
    digits = ""
    for _ in range(4):
        number, rest = divmod(number, 9)
        digits = "012356789"[rest] + digits
    return f"ABC{digits}"


def crop_of(boot: int, sequence: int, size: int = 200) -> bytes:
    return (b"crop %d %d " % (boot, sequence)) + b"c" * size


def overview_of(boot: int, sequence: int, size: int = 400) -> bytes:
    return (b"overview %d %d " % (boot, sequence)) + b"o" * size


def sha_of(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def stamp(mono_ms: int, kernel: str = "run-1") -> Stamp:
    return Stamp(mono_ms, kernel)


def entry(text: str, entry_id: str = "e1", **more: object) -> WatchEntry:
    fields: dict[str, object] = {"category": Category.STOLEN, "priority": Priority.HIGH, **more}
    return WatchEntry(entry_id, text, **fields)  # type: ignore[arg-type]


class HandClock(DeviceClock):
    """A device clock whose wall and monotonic clocks are moved by the test."""

    def __init__(self, *, wall_ms: int = NOW_MS, mono_ms: int = 1_000_000, kernel: str = "run-1") -> None:
        self.wall = wall_ms
        self.mono = mono_ms
        super().__init__(wall_ms=lambda: self.wall, mono_ms=lambda: self.mono, kernel=kernel)

    def ask_system(self) -> bool:
        return False  # the machine's own time service is none of the test's business

    def advance(self, ms: int) -> None:
        self.wall += ms
        self.mono += ms


# ---- an eye ----------------------------------------------------------------------------------------------------------


def plate_seen(
    text: str,
    *,
    prob: float = 0.99,
    doubtful: dict[int, tuple[float, str, float]] | None = None,
    x: float = 300.0,
    y: float = 200.0,
    dash: int | None = None,
) -> PlateSeen:
    """One plate in one frame. `doubtful`: place → its probability, another sign, that one's."""
    chars = []
    for place, sign in enumerate(text):
        if doubtful and place in doubtful:
            own, other, other_prob = doubtful[place]
            chars.append(ReadChar(sign, own, (place + 0.5) / len(text), (Alternative(other, other_prob),)))
        else:
            chars.append(ReadChar(sign, prob, (place + 0.5) / len(text)))
    if dash is not None:
        chars.insert(dash, ReadChar("-", 0.99, (dash) / len(text)))
    number = number_of(TextRead(tuple(chars)))
    assert number is not None, text
    corners = ((x, y), (x + 120, y), (x + 120, y + 40), (x, y + 40))
    return PlateSeen(number, corners, 0.9, text, spans=spans_of(number.places))


class ScriptedEngine:
    """In place of the engine: gives what the script says for each look, then nothing."""

    name = "day-one-scripted"  # beside a day-one engine stands no second reader that a device would load

    def __init__(self, script: Sequence[Sequence[PlateSeen]], *, delay: Callable[[], None] = lambda: None) -> None:
        self.script = list(script)
        self.looks = 0
        self.delay = delay

    def look(
        self, frame: np.ndarray, times: StageTimes | None = None, *, known: Sequence[Corners] = ()
    ) -> list[PlateSeen]:
        self.delay()
        self.looks += 1
        return list(self.script[self.looks - 1]) if self.looks <= len(self.script) else []

    def near(self, frame: np.ndarray, expected: Sequence[Corners], times: StageTimes | None = None) -> list[PlateSeen]:
        return self.look(frame, times)


class ScriptedSource:
    """Frames at given monotonic moments; `paced` as a camera is."""

    name = "scripted"

    def __init__(
        self,
        moments_ms: Sequence[int],
        *,
        paced: bool = False,
        still: bool = False,
        size: tuple[int, int] = (480, 640),
        before_frame: Callable[[int], None] = lambda _n: None,
    ) -> None:
        self.health = SourceHealth()
        self.paced = paced
        self._moments = moments_ms
        self._still = still
        self._size = size
        self._before = before_frame

    def frames(self, stop: threading.Event):  # type: ignore[no-untyped-def]
        noise = np.random.default_rng(1)
        for number, moment in enumerate(self._moments, 1):
            if stop.is_set():
                return
            self._before(number)
            image = noise.integers(0, 255, (*self._size, 3), dtype=np.uint8)
            self.health.frames += 1
            self.health.last_frame_mono_ms = moment
            yield Frame(image, moment, number, still=self._still)
