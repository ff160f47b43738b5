"""The way to the cloud: signed requests that empty the spool, fetch the list and tell how the device is.

Rules:
- nothing leaves the spool before the cloud has answered for it; tries have no end, pauses grow to 30 s and are uneven, so
  that a hundred cars that come out of one tunnel do not knock together (G58);
- reads go in order of capture, pictures after them, hits' first; a picture for which the cloud has no room just now waits
  aside while the others go on;
- a batch that is refused as a whole is halved until the culprit stands alone; it is set aside, the rest goes on (G17);
- while nobody has told the time, a heartbeat goes first, because its answer tells it: no read leaves undated (G14);
- revoked means: say so, keep everything, ask again once a minute.

Two threads: one sends, one waits for lists. Request numbers grow over both; one that was overtaken on the way is refused
as a replay and simply asked again under a new number.
"""

from __future__ import annotations

import random
import ssl
import threading
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec
import structlog

from guardian.device.clock import DeviceClock
from guardian.device.identity import Identity
from guardian.device.listcopy import ListCopy, ListInForce
from guardian.device.listupdate import ListRefusedError
from guardian.device.spool import Kept, Key, Spool
from guardian.device.stage import Stage
from guardian.domain.errors import GuardianError, NeighbourUnreachableError
from guardian.domain.wire import (
    BATCH_ITEMS_MAX,
    BODY_BYTES_MAX,
    COUNTER_MAX,
    HEADER_COUNTER_FLOOR,
    Batch,
    BatchAnswer,
    DeviceAnswer,
    Heartbeat,
    HeartbeatAnswer,
    SignedWatchlistUpdate,
)

log = structlog.get_logger("device.uplink")

T = TypeVar("T")

MSGPACK = "application/msgpack"
HEARTBEAT_MS = 5_000
LIST_WAIT_S = 25
PAUSE_MAX_S = 30.0
REVOKED_PAUSE_S = 60.0
REPLAY_TRIES = 3
ANSWERS_MAX = 200
PHOTO_LATER_MS = 600_000
"""A picture for which the cloud has no room is asked about again after this; the spool holds it until then."""

_encode = msgspec.msgpack.Encoder().encode


class RefusedByCloudError(GuardianError):
    """The cloud answered, and the answer was no. `status` is the HTTP status."""

    reference = "refused-by-cloud"

    def __init__(self, status: int, reference: str, sentence: str) -> None:
        super().__init__(sentence or f"The cloud answered {status}.", reference=reference or "refused-by-cloud")
        self.status = status


class CloudBusyError(NeighbourUnreachableError):
    """The cloud answered that it cannot just now. `told` is its own reference for why, empty where it gave none."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(f"The cloud answers {status}.", reference=f"cloud-{status}")
        self.told = told


class _ErrorBody(msgspec.Struct, frozen=True):
    reference: str = ""
    sentence: str = ""


def _told_error(response: httpx.Response) -> RefusedByCloudError:
    """The cloud's error in its one shape, whatever the content type says."""
    body = _ErrorBody()
    for decode in (msgspec.json.decode, msgspec.msgpack.decode):
        try:
            body = decode(response.content, type=_ErrorBody)
            break
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return RefusedByCloudError(response.status_code, body.reference, body.sentence)


X509_V_FLAG_NO_CHECK_TIME = 0x200000
"""OpenSSL, x509_vfy.h: everything of a certificate is checked but its dates."""


def tls_context(*, clock_set: bool) -> ssl.SSLContext:
    """How the cloud's certificate is checked.

    A machine that wakes up in 1970 finds every certificate "not yet valid", so it would never get on line to learn the
    time (field case G14). Until its clock was set, dates are left out; issuer and name are checked as ever, what we send is
    signed, and lists are believed by their own signature alone.
    """
    context = ssl.create_default_context()
    if not clock_set:
        context.verify_flags |= X509_V_FLAG_NO_CHECK_TIME
    return context


class CloudLine:
    """Signed requests to one cloud. Used by both threads."""

    def __init__(
        self,
        identity: Identity,
        *,
        client: httpx.Client | None = None,
        timeout_s: float = 10.0,
        clock_set: bool = True,
    ) -> None:
        self._identity = identity
        self._base = identity.file.cloud.rstrip("/")
        self._numbering = threading.Lock()
        self._client = client or httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=5.0),
            follow_redirects=False,
            verify=tls_context(clock_set=clock_set),
        )

    def ask(
        self, method: str, path: str, body: bytes = b"", *, query: str = "", kind: str = MSGPACK, wait_s: float = 0.0
    ) -> httpx.Response:
        """One signed request; comes back with any 2xx answer.

        Raises:
            NeighbourUnreachableError: nobody answered, or the answer (CloudBusyError) was 5xx, 408, 425 or 429: try again.
            RefusedByCloudError: any other answer.
        """
        target = path + (f"?{query}" if query else "")
        for _ in range(REPLAY_TRIES):
            with self._numbering:
                counter = self._identity.next_counter()
            headers = self._identity.headers(method, target, body, counter, content_type=kind) | {"accept": MSGPACK}
            url = f"{self._base}{target}"
            timeout = httpx.Timeout(wait_s + 10.0, connect=5.0) if wait_s else httpx.USE_CLIENT_DEFAULT
            try:
                response = self._client.request(method, url, content=body, headers=headers, timeout=timeout)
            except (httpx.HTTPError, OSError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and not self._client.is_closed:
                    raise
                raise NeighbourUnreachableError(
                    "The cloud does not answer.", reference=f"cloud-{type(error).__name__.lower()}"
                ) from error
            if response.is_success:
                return response
            if response.status_code >= 500 or response.status_code in (408, 425, 429):
                raise CloudBusyError(response.status_code, _told_error(response).reference)
            refusal = _told_error(response)
            if refusal.reference == "request-replayed":
                floor = response.headers.get(HEADER_COUNTER_FLOOR, "")
                if floor.isdigit() and int(floor) < COUNTER_MAX:
                    with self._numbering:
                        self._identity.raise_counter(int(floor))
                continue
            raise refusal
        raise NeighbourUnreachableError("The cloud takes our request numbers for replays.", reference="cloud-replay")

    def close(self) -> None:
        """Let go of the connections; a waiting request ends with an error."""
        self._client.close()


class Pauses:
    """Growing, uneven pauses between tries."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.failures = 0

    def next_s(self) -> float:
        """Half to whole of 0.5 s, 1 s, 2 s … 30 s."""
        whole: float = min(PAUSE_MAX_S, 0.5 * 2 ** min(self.failures, 10))
        self.failures += 1
        return whole * (0.5 + self._rng.random() / 2)

    def worked(self) -> None:
        """Begin anew."""
        self.failures = 0


class Uplink:
    """Sends until stopped.

    Args:
        heartbeat: makes one; called in the sending thread.
        say: a lasting sentence for the screen by its reference; an empty sentence takes it away.
        on_list: told the list that came into force.
    """

    def __init__(
        self,
        line: CloudLine,
        *,
        identity: Identity,
        spool: Spool,
        lists: ListCopy,
        clock: DeviceClock,
        heartbeat: Callable[[], Heartbeat],
        say: Callable[[str, str], None] = lambda _reference, _sentence: None,
        on_list: Callable[[ListInForce], None] = lambda _list: None,
        stage: Stage | None = None,
        rng: random.Random | None = None,
        batch_items: int = BATCH_ITEMS_MAX,
    ) -> None:
        self._line = line
        self._identity = identity
        self._spool = spool
        self._lists = lists
        self._clock = clock
        self._heartbeat = heartbeat
        self._say = say
        self._on_list = on_list
        self._stage = stage or Stage("uplink")
        self._rng = rng or random.Random()  # noqa: S311 - spreads knocks, guards nothing
        self._batch_items = batch_items
        self._split_until: list[int] = []
        self._wanted: frozenset[str] = frozenset()
        self._photos_later: dict[str, int] = {}  # by SHA-256: not before this moment
        self._last_heartbeat_ms: int | None = None
        self._answers: list[DeviceAnswer] = []
        self._answers_lock = threading.Lock()
        self.state = "offline"
        self.state_since_ms = clock.mono_ms()
        self.notice = ""
        self.last_failure = ""

    # ---- from outside ------------------------------------------------------------------------------------------------

    def tell_answer(self, answer: DeviceAnswer) -> None:
        """An officer pressed; it goes with the next heartbeat, and again until one arrives."""
        with self._answers_lock:
            self._answers.append(answer)
            del self._answers[:-ANSWERS_MAX]
        self._last_heartbeat_ms = None
        self._spool.changed.set()

    # ---- the sending thread ------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Heartbeats, batches, pictures, for ever."""
        pauses = Pauses(self._rng)
        while not stop.is_set():
            try:
                idle = self.step()
                pauses.worked()
                if idle:
                    self._spool.changed.wait(0.5) if not self._spool.changed.is_set() else stop.wait(0.1)
            except NeighbourUnreachableError as error:
                self._set_state("offline", error.reference)
                stop.wait(pauses.next_s())
            except RefusedByCloudError as error:
                self._refused(error)
                stop.wait(REVOKED_PAUSE_S if self.state == "revoked" else pauses.next_s())

    def step(self) -> bool:
        """One thing that is due; gives True when nothing was.

        Raises:
            NeighbourUnreachableError, RefusedByCloudError: as `CloudLine.ask`.
        """
        now = self._clock.mono_ms()
        due = self._last_heartbeat_ms is None or now - self._last_heartbeat_ms >= HEARTBEAT_MS
        if due or not self._clock.verified:
            self._beat()
        if self._clock.verified and self._send_reads():
            return False
        return not self._send_photo()

    def _beat(self) -> None:
        with self._answers_lock:
            answers = tuple(self._answers)
        beat = msgspec.structs.replace(self._heartbeat(), answers=answers)
        asked = self._clock.mono_ms()
        response = self._line.ask("POST", "/device/v1/heartbeat", _encode(beat))
        got = self._clock.mono_ms()
        answer = _decoded(response, HeartbeatAnswer)
        with self._answers_lock:
            self._answers = [a for a in self._answers if a not in answers]
        self._last_heartbeat_ms = got
        # The cloud's time was read somewhere between question and answer: the middle is off by half the way at most.
        self._clock.learn(answer.server_ms, "cloud", at_mono_ms=(asked + got) // 2)
        self._wanted = self._wanted | frozenset(answer.photos_wanted[:1000])
        self._set_state("online")
        self._take_notice(answer.notice)
        self._spool.settle()

    def _send_reads(self) -> bool:
        limit = self._split_until.pop() if self._split_until else self._batch_items
        batch = self._spool.batch(limit)
        if not batch:
            self._split_until.clear()
            return False
        body, sent = self._pack(batch)
        with self._stage.timed(len(sent)):
            try:
                response = self._line.ask("POST", "/device/v1/batches", body)
            except RefusedByCloudError as error:
                if error.status not in (400, 413, 422):
                    raise
                self._split(sent, error)
                return True
        answer = _decoded(response, BatchAnswer)
        for verdict in answer.exceptions:
            if verdict.verdict == "quarantined":
                self._say("read-quarantined", f"雲端隔離 {answer.quarantined} 筆紀錄（{verdict.reason}），其餘已收下")
        self._spool.delivered([key for key, _ in sent])
        self._wanted = self._wanted | frozenset(answer.photos_wanted[:1000])
        self._set_state("online")
        self._take_notice(answer.notice)
        return True

    def _pack(self, batch: list[tuple[Key, Kept]]) -> tuple[bytes, list[tuple[Key, Kept]]]:
        """The body, and what of the batch is in it: as much as a body may hold."""
        items: list[msgspec.Raw] = []
        size = 0
        own = self._identity.file.device_id
        for _, kept in batch:
            read = self._clock.redate(kept.read, kept.stamp)
            if read.device_id != own:  # made before the device was enrolled
                read = msgspec.structs.replace(read, device_id=own)
            raw = _encode(read)
            size += len(raw)
            if items and size > BODY_BYTES_MAX - 4096:
                break
            items.append(msgspec.Raw(raw))
        return _encode(Batch(own, tuple(items))), batch[: len(items)]

    def _split(self, sent: list[tuple[Key, Kept]], error: RefusedByCloudError) -> None:
        """Halve what was refused as a whole; alone, the culprit is set aside."""
        log.warning("batch-refused", status=error.status, items=len(sent), reference=error.reference)
        if len(sent) == 1:
            self._spool.refuse(sent[0][0], error.reference)
            return
        half = len(sent) // 2
        # First half next, then the rest: the spool gives them in the same order again.
        self._split_until.append(len(sent) - half)
        self._split_until.append(half)

    def _send_photo(self) -> bool:
        now = self._clock.mono_ms()
        self._photos_later = {sha256: at for sha256, at in self._photos_later.items() if at > now}
        found = self._spool.next_photo(self._wanted, later=self._photos_later.keys())
        if found is None:
            return False
        sha256, jpeg = found
        try:
            self._line.ask("PUT", f"/device/v1/photos/{sha256}", jpeg, kind="image/jpeg")
        except CloudBusyError as error:
            if error.told != "photos-unnamed-full":
                raise
            log.info("photo-waits", reference=error.told)
            self._photos_later[sha256] = now + PHOTO_LATER_MS
            return True
        except RefusedByCloudError as error:
            if error.status in (401, 403):
                raise
            # A picture that the cloud will not have must not stand before the others.
            log.warning("photo-refused", status=error.status, reference=error.reference)
            self._say("photo-refused", f"雲端退回 1 張照片（{error.reference}），其餘照常傳送")
        self._spool.photo_sent(sha256)
        self._wanted = self._wanted - {sha256}
        return True

    # ---- the list's thread -------------------------------------------------------------------------------------------

    def run_list(self, stop: threading.Event) -> None:
        """Wait for lists, for ever."""
        pauses = Pauses(self._rng)
        have: int | None = None
        while not stop.is_set():
            asked = self._clock.mono_ms()
            try:
                took = self.fetch_list(have)
                have = None
                pauses.worked()
                if took:
                    self._say("list-refused", "")
                elif self._clock.mono_ms() - asked < 1000:
                    stop.wait(1.0)  # a cloud that does not hold the question must not be asked without end
            except ListRefusedError as error:
                log.warning("list-refused", reference=error.reference)
                if error.reference in ("list-gap", "list-digest"):
                    have = 0  # ask for the whole list
                held = self._lists.in_force.version
                self._say("list-refused", f"收到的名單未套用（{error.reference}），仍用第 {held} 版")
                stop.wait(pauses.next_s())
            except NeighbourUnreachableError:
                stop.wait(pauses.next_s())
            except RefusedByCloudError as error:
                if error.status not in (401, 403):
                    log.warning("list-not-given", status=error.status, reference=error.reference)
                stop.wait(REVOKED_PAUSE_S if error.status in (401, 403) else pauses.next_s())

    def fetch_list(self, have: int | None = None, *, wait_s: int = LIST_WAIT_S) -> bool:
        """Ask once for a newer list; gives whether one came into force.

        Raises:
            ListRefusedError: the list in force stays.
        """
        version = self._lists.in_force.version if have is None else have
        try:
            update = self._ask_list(version, wait_s)
        except RefusedByCloudError as error:
            if error.reference != "list-in-parts":
                raise
            self._on_list(self._fetch_in_parts())
            return True
        if update is None:
            return False
        self._on_list(self._lists.take(update))
        return True

    def _ask_list(self, have: int, wait_s: int) -> SignedWatchlistUpdate | None:
        response = self._line.ask("GET", "/device/v1/watchlist", query=f"have={have}&wait_s={wait_s}", wait_s=wait_s)
        if response.status_code == 204 or not response.content:
            return None
        return _decoded(response, SignedWatchlistUpdate)

    def _fetch_in_parts(self) -> ListInForce:
        """A list too long for one body: stretch by stretch, going on where a broken line or a restart has left it."""
        coming = self._lists.coming()
        try:
            while coming is None or not coming.whole:
                after = "" if coming is None else coming.after
                response = self._line.ask("GET", "/device/v1/watchlist/parts", query=f"after={quote(after, safe='')}")
                coming = self._lists.take_part(_decoded(response, SignedWatchlistUpdate))
                self._say("list-coming", f"新名單下載中：{coming.entries:,}／{coming.total:,} 筆；比對照用現行名單")
            try:
                since = self._ask_list(coming.version, 0)
            except RefusedByCloudError as error:
                if error.reference != "list-in-parts":
                    raise
                self._lists.drop_coming()
                raise ListRefusedError(
                    "The list has moved on too far while it was fetched; it is fetched anew.", reference="list-gap"
                ) from error
            return self._lists.finish(since)
        finally:
            self._say("list-coming", "")

    # ---- state -------------------------------------------------------------------------------------------------------

    def _set_state(self, state: str, failure: str = "") -> None:
        self.last_failure = failure
        if state == self.state:
            return
        self.state, self.state_since_ms = state, self._clock.mono_ms()
        log.info("uplink-state", state=state, reason=failure)
        if state == "online":
            self._say("device-revoked", "")

    def _refused(self, error: RefusedByCloudError) -> None:
        if error.status in (401, 403):
            self._set_state("revoked", error.reference)
            self._say("device-revoked", "雲端不再接受本設備；判讀與告警照常，紀錄全部留在設備上。聯絡設備管理員")
        else:
            self._set_state("offline", error.reference)
            log.error("cloud-refuses", status=error.status, reference=error.reference)

    def _take_notice(self, notice: str) -> None:
        if notice == self.notice:
            return
        self.notice = notice
        if notice == "identity-forked":
            log.error("identity-forked")
            self._say("identity-forked", "另一台設備正使用相同身分；紀錄照常保存，兩台都須重新註冊")
        elif not notice:
            self._say("identity-forked", "")


def _decoded(response: httpx.Response, kind: type[T]) -> T:
    try:
        if "json" in response.headers.get("content-type", ""):
            return msgspec.json.decode(response.content, type=kind)
        return msgspec.msgpack.decode(response.content, type=kind)
    except msgspec.DecodeError as error:
        # A portal that wants a login, or a proxy's page: not our cloud's voice.
        raise NeighbourUnreachableError(
            "What answers does not speak as our cloud does.", reference="cloud-not-ours"
        ) from error
