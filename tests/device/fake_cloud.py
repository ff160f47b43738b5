"""A cloud of one process on loopback, for tests of the device: checks signatures and counters, keeps what it is given."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guardian.domain.read import Read
from guardian.domain.watch import WatchEntry
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
from tests.device.rig import NOW_MS, sha_of


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
