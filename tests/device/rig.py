"""What tests of the device are built from: reads, clocks moved by hand, a disk that dies or fills, a scripted eye, a cloud.

`SimDisk` keeps apart what was written and what is durable, as a real disk with a cache does. `die_at` names the operation at
which the power goes; `survivors` gives what a start would find, by one of three fates of what was not synced.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guardian.device.clock import DeviceClock, Stamp
from guardian.device.source import Frame, SourceHealth
from guardian.domain.errors import DiskFullError
from guardian.domain.read import Alternative, Corners, DeviceHit, PhotoRef, Read
from guardian.domain.watch import Category, Priority, WatchEntry
from guardian.domain.wire import (
    HEADER_COUNTER,
    HEADER_COUNTER_FLOOR,
    HEADER_DEVICE,
    HEADER_PHOTO,
    HEADER_SIGNATURE,
    Batch,
    BatchAnswer,
    EnrolAnswer,
    EnrolRequest,
    Heartbeat,
    HeartbeatAnswer,
    SignedWatchlistUpdate,
    Verdict,
    WatchlistPart,
    WatchlistUpdate,
    list_digest,
    signed_text,
)
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


# ---- a disk ----------------------------------------------------------------------------------------------------------


class PowerCut(BaseException):
    """The machine died here; nothing of ours may catch it."""


Fate = Literal["kept", "lost", "zeros"]


@dataclass
class _File:
    data: bytearray = field(default_factory=bytearray)
    durable: int = 0  # so many bytes are certain


class SimDisk:
    """See the module. `capacity` in bytes; `broken` makes every writing operation fail with that error."""

    def __init__(self, *, capacity: int = 1 << 40, die_at: int | None = None) -> None:
        self.files: dict[str, _File] = {}
        self.durable_names: dict[str, _File] = {}
        self.capacity = capacity
        self.die_at = die_at
        self.operations = 0
        self.broken: OSError | None = None
        self.appends = 0

    def _step(self, torn: Callable[[], None] = lambda: None) -> None:
        if self.broken is not None:
            raise self.broken
        self.operations += 1
        if self.die_at is not None and self.operations == self.die_at:
            torn()
            raise PowerCut(f"at operation {self.operations}")

    def used(self) -> int:
        return sum(len(f.data) for f in self.files.values())

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return bytes(self.files[path].data)

    def names(self, folder: str) -> list[str]:
        prefix = f"{folder}/"
        return sorted(
            p.removeprefix(prefix) for p in self.files if p.startswith(prefix) and "/" not in p[len(prefix) :]
        )

    def size(self, path: str) -> int:
        return len(self.files[path].data) if path in self.files else 0

    def append(self, path: str, data: bytes) -> None:
        self.appends += 1

        def torn() -> None:
            self.files.setdefault(path, _File()).data.extend(data[: len(data) // 2])

        self._step(torn)
        room = self.capacity - self.used()
        if len(data) > room:
            self.files.setdefault(path, _File()).data.extend(data[: max(0, room)])
            raise DiskFullError("full")
        self.files.setdefault(path, _File()).data.extend(data)

    def cut(self, path: str, size: int) -> None:
        self._step()
        del self.files[path].data[size:]
        self.files[path].durable = min(self.files[path].durable, size)

    def sync(self, path: str) -> None:
        self._step()
        self.files[path].durable = len(self.files[path].data)

    def sync_folder(self, folder: str) -> None:
        self._step()
        prefix = f"{folder}/"
        for path in [p for p in self.durable_names if p.startswith(prefix) and p not in self.files]:
            del self.durable_names[path]
        for path, file in self.files.items():
            if path.startswith(prefix):
                self.durable_names[path] = file

    def rename(self, old: str, new: str) -> None:
        self._step()
        self.files[new] = self.files.pop(old)

    def remove(self, path: str) -> None:
        if path in self.files:
            self._step()
            del self.files[path]

    def free_bytes(self) -> int:
        return max(0, self.capacity - self.used())

    def total_bytes(self) -> int:
        return self.capacity

    def survivors(self, fate: Fate) -> SimDisk:
        """What a start finds. `kept`: only the program died. `lost`: names and bytes that were not synced are gone (and
        removed names are back). `zeros`: unsynced bytes are there as zeros."""
        after = SimDisk(capacity=self.capacity)
        names = dict(self.files) if fate == "kept" else dict(self.durable_names)
        if fate == "zeros":
            names |= self.files
        for path, file in names.items():
            data = bytearray(file.data)
            if fate == "lost":
                del data[file.durable :]
            elif fate == "zeros":
                data[file.durable :] = bytes(len(data) - file.durable)
            kept = _File(data, len(data))
            after.files[path] = after.durable_names[path] = kept
        return after


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


# ---- a cloud ---------------------------------------------------------------------------------------------------------


class FakeCloud:
    """A cloud of one process on loopback: checks signatures and counters as the real one does, keeps what it is given.

    Drive it by its fields: `answer_with` (status for everything, or None), `refuse_read` (who may not be in a batch),
    `quarantine` (who is put aside), `items_max` (413 above), `drop_answers` (so many answers are cut off after the deed).
    """

    def __init__(self) -> None:
        self.reads: dict[str, Read] = {}
        self.order: list[str] = []
        self.arrivals: list[int] = []
        self.photos: dict[str, bytes] = {}
        self.photo_order: list[str] = []
        self.photos_unnamed: set[str] = set()  # for these there is no room
        self.photos_knocked: list[str] = []
        self.heartbeats: list[Heartbeat] = []
        self.requests = 0
        self.answer_with: int | None = None
        self.error_body = b""
        self.refuse_read: Callable[[Read], bool] = lambda _read: False
        self.quarantine: Callable[[Read], bool] = lambda _read: False
        self.items_max = 1000
        self.drop_answers = 0
        self.notice = ""
        self.server_ms = NOW_MS + 500
        self.seen_counters: set[int] = set()
        self.counter_floor = 0
        self.code = "7K3M-Q2XD"
        self.list_key = Ed25519PrivateKey.generate()
        self.keys: dict[str, Ed25519PublicKey] = {}
        self.update: SignedWatchlistUpdate | None = None
        self.update_version = 0
        self.list_requests: list[int] = []
        self.parts: dict[str, SignedWatchlistUpdate] = {}
        self.part_requests: list[str] = []
        self.changed = threading.Condition()
        cloud = self

        class Handler(_CloudHandler):
            served = cloud

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, seen: Callable[[], bool], timeout_s: float = 60.0) -> bool:
        with self.changed:
            return self.changed.wait_for(seen, timeout_s)

    def give_list(self, version: int, entries: Sequence[WatchEntry], *, base: int = 0, removed: tuple[str, ...] = (),
                  whole: Sequence[WatchEntry] | None = None, key: Ed25519PrivateKey | None = None) -> SignedWatchlistUpdate:  # fmt: skip
        content = {e.id: e for e in (entries if whole is None else whole)}
        update = WatchlistUpdate(version, base, NOW_MS, list_digest(content), tuple(entries), removed)
        body = msgspec.msgpack.encode(update)
        self.update = SignedWatchlistUpdate(body, (key or self.list_key).sign(body))
        self.update_version = version
        return self.update

    def give_list_in_parts(self, version: int, entries: Sequence[WatchEntry], size: int) -> None:
        """The whole list can be had in stretches of `size` only."""
        ordered = sorted(entries, key=lambda e: e.id)
        digest = list_digest({e.id: e for e in entries})
        after = ""
        for start in range(0, len(ordered), size):
            put = tuple(ordered[start : start + size])
            last = start + size >= len(ordered)
            part = WatchlistPart(version, NOW_MS, digest, after, len(ordered), put, last)
            body = msgspec.msgpack.encode(part)
            self.parts[after] = SignedWatchlistUpdate(body, self.list_key.sign(body))
            after = put[-1].id
        self.update, self.update_version = None, version

    @property
    def list_key_text(self) -> str:
        return base64.b64encode(self.list_key.public_key().public_bytes_raw()).decode()


class _CloudHandler(BaseHTTPRequestHandler):
    served: FakeCloud
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, status: int, value: object = None, headers: dict[str, str] | None = None) -> None:
        cloud = self.served
        if cloud.drop_answers and status < 300:
            cloud.drop_answers -= 1
            self.close_connection = True
            self.connection.close()
            return
        body = b"" if value is None else msgspec.msgpack.encode(value)
        self.send_response(status)
        self.send_header("Content-Type", "application/msgpack")
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, reference: str, headers: dict[str, str] | None = None) -> None:
        self._answer(status, {"reference": reference, "sentence": "no", "hint": "", "status": status}, headers)

    def _proven(self, body: bytes) -> bool:
        cloud = self.served
        device, counter = self.headers[HEADER_DEVICE], int(self.headers[HEADER_COUNTER])
        signature = base64.b64decode(self.headers[HEADER_SIGNATURE])
        key = cloud.keys.get(device)
        if key is None:
            self._refuse(401, "device-unknown")
            return False
        try:
            kind = self.headers["Content-Type"]
            key.verify(signature, signed_text(self.command, self.path, device, counter, body, content_type=kind))
        except InvalidSignature:
            self._refuse(401, "signature-wrong")
            return False
        if counter in cloud.seen_counters or counter <= cloud.counter_floor:
            floor = str(max(cloud.seen_counters | {cloud.counter_floor}))
            self._refuse(401, "request-replayed", {HEADER_COUNTER_FLOOR: floor})
            return False
        cloud.seen_counters.add(counter)
        return True

    def _serve(self) -> None:
        cloud = self.served
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        with cloud.changed:
            cloud.requests += 1
            cloud.changed.notify_all()
            if cloud.answer_with is not None:
                self._refuse(cloud.answer_with, "device-revoked" if cloud.answer_with == 401 else "broken")
                return
            if path == "/device/v1/enrol":
                self._enrol(msgspec.msgpack.decode(body, type=EnrolRequest))
            elif self._proven(body):
                self._proven_request(path, body)
            cloud.changed.notify_all()

    do_GET = do_POST = do_PUT = _serve

    def _enrol(self, request: EnrolRequest) -> None:
        cloud = self.served
        if request.code != cloud.code:
            self._refuse(403, "code-wrong")
            return
        cloud.keys["car-1"] = Ed25519PublicKey.from_public_bytes(base64.b64decode(request.public_key))
        self._answer(200, EnrolAnswer("car-1", cloud.list_key_text, "大安 3 號", cloud.server_ms))

    def _proven_request(self, path: str, body: bytes) -> None:
        cloud = self.served
        if path == "/device/v1/batches":
            self._take_batch(msgspec.msgpack.decode(body, type=Batch))
        elif path == "/device/v1/heartbeat":
            beat = msgspec.msgpack.decode(body, type=Heartbeat)
            cloud.heartbeats.append(beat)
            self._answer(200, HeartbeatAnswer(cloud.server_ms, cloud.update_version, cloud.notice))
        elif path == "/device/v1/watchlist":
            have = int(parse_qs(urlsplit(self.path).query)["have"][0])
            cloud.list_requests.append(have)
            if have == 0 and cloud.parts:
                self._refuse(409, "list-in-parts")
            elif cloud.update is not None and cloud.update_version != have:
                self._answer(200, cloud.update)
            else:
                self._answer(204)
        elif path == "/device/v1/watchlist/parts":
            after = parse_qs(urlsplit(self.path).query, keep_blank_values=True)["after"][0]
            cloud.part_requests.append(after)
            self._answer(200, cloud.parts[after])
        elif path.startswith("/device/v1/photos/"):
            sha = path.rsplit("/", 1)[1]
            assert sha_of(body) == sha
            cloud.photos_knocked.append(sha)
            if sha in cloud.photos_unnamed:
                self._refuse(507, "photos-unnamed-full")
                return
            cloud.photos[sha] = body
            cloud.photo_order.append(sha)
            self._answer(201, headers={HEADER_PHOTO: sha})
        else:
            self._refuse(404, "not-here")

    def _take_batch(self, batch: Batch) -> None:
        cloud = self.served
        reads = [msgspec.msgpack.decode(item, type=Read) for item in batch.items]
        if len(reads) > cloud.items_max:
            self._refuse(413, "batch-too-large")
            return
        if any(cloud.refuse_read(read) for read in reads):
            self._refuse(400, "batch-malformed")
            return
        exceptions: list[Verdict] = []
        stored = already = 0
        cloud.arrivals.append(len(reads))
        for index, read in enumerate(reads):
            if cloud.quarantine(read):
                exceptions.append(Verdict(index, "quarantined", "position-impossible"))
            elif read.id in cloud.reads:
                already += 1
                exceptions.append(Verdict(index, "already"))
            else:
                stored += 1
                cloud.reads[read.id] = read
                cloud.order.append(read.id)
        quarantined = sum(e.verdict == "quarantined" for e in exceptions)
        self._answer(
            200,
            BatchAnswer("b", stored, already, quarantined, tuple(exceptions), cloud.server_ms, (), cloud.notice),
        )
