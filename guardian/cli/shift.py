"""The demo's other units: a simulator that enrols made-up devices and speaks for them over the real routes.

`footage.shift` says who drives where and what is seen; this sends it, each unit with its own Ed25519 key, as a device
would: enrol, heartbeat, batches, pictures, the list. It is a thread of the demo's process and ends with it. What it sends
says `simulated` wherever there is a field for a source, and the devices are named 模擬設備.

The first heartbeats go out at once; the history follows in late, shuffled batches between heartbeats, so that nothing
waits for it. A cloud that does not answer is asked again at the next turn; the shift goes on.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.domain.position import Position
from guardian.domain.read import PhotoRef, Read, places_fit
from guardian.domain.wire import (
    HEADER_COUNTER,
    HEADER_DEVICE,
    HEADER_SIGNATURE,
    Batch,
    BatchAnswer,
    EnrolAnswer,
    EnrolRequest,
    Heartbeat,
    HeartbeatAnswer,
    SignedWatchlistUpdate,
    WatchlistUpdate,
    signed_text,
)
from guardian.footage.shift import SOURCE, UNITS, Shift, ShiftUnit, Sighting
from guardian.footage.shift_art import draw_crop, places_in_crop
from guardian.footage.stills import load_stills

BEAT_S = 5.0
READ_EVERY_S = (9.0, 26.0)
"""Between two reads of one unit while the demo runs; a walking officer reads half as many."""
BATCH_READS = 24
TURN_S = 0.25
_MSGPACK = "application/msgpack"
_encode = msgspec.msgpack.Encoder().encode


class StandIn:
    """One made-up device: its key, its counter, and what it may say."""

    def __init__(self, address: str, unit: ShiftUnit, code: str) -> None:
        """Enrol with a one-time code.

        Raises:
            httpx.HTTPError: the cloud does not answer, or refuses the code.
        """
        self.unit = unit
        self.client = httpx.Client(base_url=address, timeout=10)
        self._key = Ed25519PrivateKey.generate()
        public = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        request = EnrolRequest(code, public, f"模擬設備 {unit.name}", unit.kind)
        answer = self.client.post("/device/v1/enrol", content=_encode(request), headers={"content-type": _MSGPACK})
        answer.raise_for_status()
        self.device_id = msgspec.msgpack.decode(answer.content, type=EnrolAnswer).device_id
        self._counter = 0
        self.sequence = 0
        self.list_version, self.list_issued_ms, self.list_digest = 0, 0, ""

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str = _MSGPACK) -> bytes:
        self._counter += 1
        text = signed_text(method, path, self.device_id, self._counter, body, content_type=kind)
        headers = {
            HEADER_DEVICE: self.device_id,
            HEADER_COUNTER: str(self._counter),
            HEADER_SIGNATURE: base64.b64encode(self._key.sign(text)).decode(),
            "content-type": kind,
        }
        answer = self.client.request(method, path, content=body, headers=headers)
        answer.raise_for_status()
        return answer.content

    def follow_list(self) -> None:
        """Take the list's newest version, as far as a heartbeat tells of it."""
        body = self._ask("GET", f"/device/v1/watchlist?have={self.list_version}&wait_s=0")
        if not body:
            return
        update = msgspec.msgpack.decode(
            msgspec.msgpack.decode(body, type=SignedWatchlistUpdate).body, type=WatchlistUpdate
        )
        self.list_version, self.list_issued_ms, self.list_digest = update.version, update.issued_ms, update.digest

    def beat(self, position: Position, now_ms: int, reads_last_hour: int) -> None:
        """Say how it is and where."""
        beat = Heartbeat(
            device_id=self.device_id, sent_ms=now_ms, position=position, unit=self.unit.name,
            list_version=self.list_version, list_issued_ms=self.list_issued_ms, list_digest=self.list_digest,
            spool_bytes=38_000_000, spool_bytes_max=2_000_000_000, clock_offset_ms=self.unit.clock_offset_ms,
            clock_source=SOURCE, picture_since_ms=now_ms - 80, source=SOURCE, frames_per_s=12.0, temperature_c=51.0,
            reads_last_hour=reads_last_hour, chars_per_read=6.8, software="guardian demo, simulated",
        )  # fmt: skip
        answer = msgspec.msgpack.decode(self._ask("POST", "/device/v1/heartbeat", _encode(beat)), type=HeartbeatAnswer)
        if answer.list_version > self.list_version:
            self.follow_list()

    def send(self, reads: Sequence[Read]) -> BatchAnswer:
        """Send a batch of reads."""
        batch = Batch(self.device_id, tuple(msgspec.Raw(_encode(read)) for read in reads))
        return msgspec.msgpack.decode(self._ask("POST", "/device/v1/batches", _encode(batch)), type=BatchAnswer)

    def put_photo(self, sha256: str, body: bytes) -> None:
        """Send a picture."""
        self._ask("PUT", f"/device/v1/photos/{sha256}", body, "image/jpeg")


class ShiftThread:
    """The shift on the road: started after the operator has the codes, ended with the demo."""

    def __init__(
        self,
        address: str,
        codes: Sequence[str],
        shift: Shift,
        *,
        now_ms: Callable[[], int],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._address, self._codes, self._shift = address, codes, shift
        self._now_ms, self._tell = now_ms, tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shift", daemon=True)
        self._dice = random.Random(f"turns-{shift.seed}")  # noqa: S311 - made-up traffic
        self.reads_sent = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End within a request or so; a daemon thread holds nobody up beyond that."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)  # the patrol device's vision goes first
        try:
            units = [StandIn(self._address, *pair) for pair in zip(UNITS, self._codes, strict=True)]
        except httpx.HTTPError as error:
            self._tell(f"  the simulated units could not enrol: {type(error).__name__}")
            return
        try:
            self._work(units)
        except Exception as error:  # the demo goes on without them, and says so
            if not self._stop.is_set():
                self._tell(f"  the simulated units stopped: {type(error).__name__}: {error}")
        finally:
            for unit in units:
                unit.client.close()

    def _work(self, units: list[StandIn]) -> None:
        for number, unit in enumerate(units):
            with contextlib.suppress(httpx.HTTPError):
                unit.follow_list()
            self._beat(units, number)
        for sighting in self._shift.at_once:
            self._send(units, sighting.unit, [sighting])
        self._send_impossible(units)
        waiting = deque(self._batches())
        soon = list(self._shift.soon)
        started = time.monotonic()
        beats = [started + BEAT_S * (1 + number / len(units)) for number in range(len(units))]
        reads = [started + self._pause(number) for number in range(len(units))]
        while not self._stop.wait(0.02 if waiting else TURN_S):
            now = time.monotonic()
            for number in range(len(units)):
                if UNITS[number].silent_for_ms is not None:
                    continue
                if now >= beats[number]:
                    beats[number] = now + BEAT_S
                    self._beat(units, number)
                if now >= reads[number]:
                    reads[number] = now + self._pause(number)
                    self._send(units, number, [self._shift.live(number, self._now_ms())])
            for sighting in [s for s in soon if s.captured_ms <= self._now_ms()]:
                soon.remove(sighting)
                self._send(units, sighting.unit, [sighting])
            if waiting:
                number, batch = waiting.popleft()
                self._send(units, number, batch)

    def _pause(self, number: int) -> float:
        return self._dice.uniform(*READ_EVERY_S) * (2 if UNITS[number].kind == "foot" else 1)

    def _batches(self) -> list[tuple[int, list[Sighting]]]:
        """The history in late batches: planned hits first, so that they are soon there, the rest shuffled."""
        hits = [s for s in self._shift.history if s.planned_hit]
        batches = [(s.unit, [s]) for s in hits]
        rest: list[tuple[int, list[Sighting]]] = []
        for number in range(len(UNITS)):
            mine = [s for s in self._shift.history if s.unit == number and not s.planned_hit]
            self._dice.shuffle(mine)
            rest += [(number, mine[at : at + BATCH_READS]) for at in range(0, len(mine), BATCH_READS)]
        self._dice.shuffle(rest)
        return batches + rest

    def _beat(self, units: list[StandIn], number: int) -> None:
        now_ms = self._now_ms()
        fixed_ms = now_ms - (UNITS[number].silent_for_ms or 0)
        position = self._shift.position(number, fixed_ms)
        with contextlib.suppress(httpx.HTTPError):
            units[number].beat(position, now_ms, self._shift.reads_last_hour(number, now_ms))

    def _send(self, units: list[StandIn], number: int, sightings: Sequence[Sighting]) -> None:
        unit = units[number]
        reads: list[Read] = []
        photos: dict[str, bytes] = {}
        for sighting in sightings:
            unit.sequence += 1
            read = sighting.as_read(unit.device_id, unit.sequence, clock_offset_ms=UNITS[number].clock_offset_ms)
            reads.append(self._with_pictures(read, sighting, photos))
        with contextlib.suppress(httpx.HTTPError):
            answer = unit.send(reads)
            self.reads_sent += answer.stored
            for sha256 in answer.photos_wanted or photos:
                if sha256 in photos:
                    unit.put_photo(sha256, photos[sha256])

    def _with_pictures(self, read: Read, sighting: Sighting, photos: dict[str, bytes]) -> Read:
        """The read with its crop, and with its still where there is one; their bytes go into `photos`."""
        if not sighting.pictured or self._stop.is_set():
            return read

        def keep(jpeg: bytes, width: int, height: int) -> PhotoRef:
            sha256 = hashlib.sha256(jpeg).hexdigest()
            photos[sha256] = jpeg
            return PhotoRef(sha256, sighting.captured_ms, width, height)

        def fitting(places: bytes) -> bytes:
            return places if places_fit(places, read.text) else b""

        still = load_stills().get(sighting.still)
        if still is None:
            crop = keep(*draw_crop(sighting, self._shift.seed))
            return msgspec.structs.replace(read, crop=crop, places=fitting(places_in_crop(sighting.plate)))
        jpeg = still.path.read_bytes()
        return msgspec.structs.replace(
            read,
            crop=keep(*still.crop(jpeg)),
            overview=keep(jpeg, still.width_px, still.height_px),
            corners=still.corners,
            places=fitting(still.places(sighting.plate)),
        )

    def _send_impossible(self, units: list[StandIn]) -> None:
        """One read from 200° north, as a broken receiver gives it: the quarantine has something to show."""
        unit, number = units[4], 4
        unit.sequence += 1
        read = self._shift.live(number, self._now_ms()).as_read(unit.device_id, unit.sequence)
        broken = msgspec.structs.replace(self._shift.position(number, self._now_ms()), lat_deg=200.0)
        with contextlib.suppress(httpx.HTTPError):
            unit.send([msgspec.structs.replace(read, position=broken)])
