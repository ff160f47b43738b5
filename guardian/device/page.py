"""The alarm page: `/alarm` on loopback, served by the device itself, so that it works with no network at all.

What it serves: the page and its three files, a stream of what the desk shows (`/events`, server-sent), the two pictures of a
card, and one door in, `/answer`. Only this machine may ask: the address is loopback, the Host header is checked against
rebinding, and a press must come from the page itself. No plate stands in any address.

Bounds: 8 screens at once; pictures of the last 24 cards; a press is at most 1 kB.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import structlog

from guardian.device.alarm import ANSWERS, AlarmDesk, DeskView
from guardian.device.card import AlarmCard
from guardian.device.status import DeviceStatus
from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.moment import TAIPEI

log = structlog.get_logger("device.page")

FOLDER = Path(__file__).parent / "alarm_page"
FILES = {
    "/alarm": ("alarm.html", "text/html; charset=utf-8"),
    "/alarm.css": ("alarm.css", "text/css; charset=utf-8"),
    "/alarm.js": ("alarm.js", "text/javascript; charset=utf-8"),
    "/plate.woff2": ("plate.woff2", "font/woff2"),
}
SCREENS_MAX = 8
PICTURES_MAX = 48
PRESS_BYTES_MAX = 1024
ALIVE_S = 2.0
"""The stream says something so often: a page that hears nothing for 10 s knows that the device has stopped (G39)."""


class CardPictures:
    """The JPEGs of the last cards, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, sha256: str, jpeg: bytes) -> None:
        """Keep one; the oldest go."""
        with self._lock:
            self._kept[sha256] = jpeg
            self._kept.move_to_end(sha256)
            while len(self._kept) > PICTURES_MAX:
                self._kept.popitem(last=False)

    def find(self, sha256: str) -> bytes | None:
        """One of them."""
        with self._lock:
            return self._kept.get(sha256)


def _card_json(card: AlarmCard) -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(card)
    return shown | {"yes": card.yes, "no": card.no, "tone": card.tone}


def render_view(view: DeskView, status: DeviceStatus) -> bytes:
    """What the page draws, as JSON on one line."""
    hour = datetime.fromtimestamp(status.at_ms / 1000, TAIPEI).hour
    body = {
        "version": view.version,
        "card": _card_json(view.card) if view.card is not None else None,
        "waiting": view.waiting,
        "rows": [_card_json(row.card) | {"answer": row.answer} for row in view.rows],
        "sound": msgspec.to_builtins(view.sound),
        "banners": msgspec.to_builtins(view.banners),
        "status": msgspec.to_builtins(status),
        "night": not 6 <= hour < 18,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class AlarmPage:
    """Runs from `start` to `stop` in threads of its own.

    Args:
        port: 0 takes a free one.
    """

    def __init__(
        self,
        desk: AlarmDesk,
        pictures: CardPictures,
        status: Callable[[], DeviceStatus],
        *,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.desk = desk
        self.pictures = pictures
        self.status = status
        self.screens = threading.BoundedSemaphore(SCREENS_MAX)
        self.stopping = threading.Event()
        page = self

        class Handler(_Handler):
            served = page

        try:
            self._server = _Server((host, port), Handler)
        except OSError as error:
            raise NeighbourUnreachableError(
                f"Port {port} is taken; the alarm page cannot be served there.",
                hint="Choose another with --page PORT, or --page 0 for any free one.",
                reference="page-port-taken",
            ) from error
        self._server.daemon_threads = True
        self._host = host
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """To be opened in a browser."""
        return f"http://{self._host}:{self.port}/alarm"

    def start(self) -> None:
        """Begin to serve."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="page", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; open streams end by themselves within two seconds."""
        self.stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A request that broke goes into the log; a traceback over the card on the terminal would help nobody."""
        error = sys.exc_info()[1]
        log.warning("page-request-broken", error=type(error).__name__)


class _Handler(BaseHTTPRequestHandler):
    served: AlarmPage
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:
        """Silent: an address line would be noise, and nothing here is news."""

    def _ours(self) -> bool:
        """Whether the request names this machine: a foreign name that resolves to loopback is refused."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        return host in ("127.0.0.1", "localhost", "[::1]")

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if not self._ours():
            self._send(403, "text/plain", b"only this machine")
        elif path == "/":
            self.send_response(302)
            self.send_header("Location", "/alarm")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path in FILES:
            name, kind = FILES[path]
            self._send(200, kind, (FOLDER / name).read_bytes())
        elif path == "/events":
            self._stream()
        elif path == "/state":
            self._send(200, "application/json", render_view(self.served.desk.view(), self.served.status()))
        elif path.startswith("/picture/"):
            jpeg = self.served.pictures.find(path.removeprefix("/picture/"))
            if jpeg is None:
                self._send(404, "text/plain", b"not kept")
            else:
                self._send(200, "image/jpeg", jpeg)
        else:
            self._send(404, "text/plain", b"not here")

    def _stream(self) -> None:
        page = self.served
        if not page.screens.acquire(blocking=False):
            self._send(503, "text/plain", b"too many screens")
            return
        try:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            seen = -1
            while not page.stopping.is_set():
                view = page.desk.wait_for_change(seen, ALIVE_S) if seen >= 0 else page.desk.view()
                seen = view.version
                self.wfile.write(b"data: " + render_view(view, page.status()) + b"\n\n")
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass  # the screen was closed
        finally:
            page.screens.release()

    def do_POST(self) -> None:
        origin = self.headers.get("Origin")
        own = f"http://{self.headers.get('Host', '')}"
        announced = self.headers.get("Content-Length", "")
        length = int(announced) if announced.isdecimal() and len(announced) <= 9 else 0
        if not self._ours() or (origin is not None and origin != own) or self.path != "/answer":
            self._send(403, "text/plain", b"only this page")
            return
        if not 0 < length <= PRESS_BYTES_MAX or self.headers.get("Content-Type") != "application/json":
            self.close_connection = True
            self._send(400, "text/plain", b"not a press")
            return
        try:
            press = msgspec.json.decode(self.rfile.read(length), type=dict[str, str])
        except msgspec.DecodeError:
            self._send(400, "text/plain", b"not a press")
            return
        answer = press.get("answer", "")
        for known in ANSWERS:
            if answer == known:
                taken = self.served.desk.answer(press.get("card", ""), known)
                self._send(200 if taken else 409, "application/json", b"{}")
                return
        self._send(400, "text/plain", b"not a press")
