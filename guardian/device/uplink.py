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

import itertools
import random
import threading
from collections.abc import Callable, Iterable
from urllib.parse import quote

import msgspec
import structlog

from guardian.device.clock import DeviceClock
from guardian.device.cloudline import (
    CloudBusyError,
    CloudLine,
    RefusedByCloudError,
    TooLargeOnTheWayError,
    decoded,
    not_our_cloud,
)
from guardian.device.identity import Identity
from guardian.device.listcopy import ListCopy, ListInForce
from guardian.device.listupdate import ListRefusedError
from guardian.device.opinionbook import OpinionBook
from guardian.device.spool import Spool
from guardian.device.spooled import Kept, Key
from guardian.device.stage import Stage
from guardian.domain.errors import GuardianError, NeighbourUnreachableError
from guardian.domain.wire import (
    BATCH_ITEMS_MAX,
    BODY_BYTES_MAX,
    HEADER_PHOTO,
    Batch,
    BatchAnswer,
    DeviceAnswer,
    Heartbeat,
    HeartbeatAnswer,
    ReadOpinion,
    SignedWatchlistUpdate,
)

log = structlog.get_logger("device.uplink")

HEARTBEAT_MS = 5_000
LIST_WAIT_S = 25
PAUSE_MAX_S = 30.0
REVOKED_PAUSE_S = 60.0
ANSWERS_MAX = 200
OPINIONS_AT_ONCE = 200
PHOTO_LATER_MS = 600_000
"""A picture that does not go through just now is asked about again after this; the spool holds it until then."""
REVOKED = frozenset({"device-revoked", "device-unknown"})
"""How the cloud says that it knows this device no more."""
PHOTO_NEVER = frozenset({"photo-name", "photo-size", "photo-hash", "photo-form", "body-too-large"})
"""Why the cloud will not have a picture, now or ever."""
WANTED_MAX = 2_000
"""Of one answer: crop and overview of each read of a batch."""

_encode = msgspec.msgpack.Encoder().encode


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
        opinions: second opinions that wait to be told.
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
        opinions: OpinionBook | None = None,
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
        self._opinions = opinions
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
            if len(self._answers) > ANSWERS_MAX:
                log.warning("answer-given-up", read_id=self._answers.pop(0).read_id)
        self.hurry()

    def hurry(self) -> None:
        """Something is to be told now: the next heartbeat is due."""
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
                if idle and self._spool.changed.is_set():
                    stop.wait(0.1)  # something waits that may not go yet: the time is not known
                elif idle:
                    self._spool.changed.wait(0.5)
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
        told = self._opinions.batch(OPINIONS_AT_ONCE) if self._opinions is not None else []
        own = self._identity.file.device_id  # a read may have been made before the device was enrolled
        opinions = tuple(ReadOpinion(f"{own}.{boot}.{number}", opinion) for (boot, number), opinion in told)
        beat = msgspec.structs.replace(self._heartbeat(), answers=answers, opinions=opinions)
        asked = self._clock.mono_ms()
        response = self._line.ask("POST", "/device/v1/heartbeat", _encode(beat))
        got = self._clock.mono_ms()
        answer = decoded(response, HeartbeatAnswer)
        with self._answers_lock:
            self._answers = [a for a in self._answers if a not in answers]
        if self._opinions is not None:
            self._opinions.told([key for key, _ in told])
        self._last_heartbeat_ms = got if len(told) < OPINIONS_AT_ONCE else None
        # The cloud's time was read somewhere between question and answer: the middle is off by half the way at most.
        self._clock.learn(answer.server_ms, "cloud", at_mono_ms=(asked + got) // 2)
        self._want(answer.photos_wanted)
        self._set_state("online")
        self._take_notice(answer.notice)
        self._spool.settle()

    def _want(self, photos: Iterable[str]) -> None:
        """Pictures that the cloud asks for, as far as they are here: those given up meanwhile are wanted in vain."""
        asked = itertools.chain(self._wanted, itertools.islice(photos, WANTED_MAX))
        self._wanted = frozenset(sha256 for sha256 in asked if self._spool.has_photo(sha256))

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
            except TooLargeOnTheWayError as error:
                if len(sent) == 1:
                    raise  # nobody but the cloud sets a read aside
                self._split(sent, error)
                return True
        answer = decoded(response, BatchAnswer)
        for verdict in answer.exceptions:
            if verdict.verdict == "quarantined":
                self._say("read-quarantined", f"雲端隔離 {answer.quarantined} 筆紀錄（{verdict.reason}），其餘已收下")
        self._spool.delivered([key for key, _ in sent])
        self._want(answer.photos_wanted)
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

    def _split(self, sent: list[tuple[Key, Kept]], error: GuardianError) -> None:
        """Halve what was refused as a whole; alone, the culprit is set aside."""
        log.warning("batch-refused", items=len(sent), reference=error.reference)
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
            answer = self._line.ask("PUT", f"/device/v1/photos/{sha256}", jpeg, kind="image/jpeg")
        except TooLargeOnTheWayError as error:
            return self._let_photo_wait(sha256, error.reference)
        except CloudBusyError as error:
            if error.told != "photos-unnamed-full":
                raise
            return self._let_photo_wait(sha256, error.told)
        except RefusedByCloudError as error:
            if error.status in (401, 403):
                raise
            # A picture that does not go through must not stand before the others.
            if error.reference not in PHOTO_NEVER:
                return self._let_photo_wait(sha256, error.reference)
            log.warning("photo-refused", status=error.status, reference=error.reference)
            self._say("photo-refused", f"雲端退回 1 張照片（{error.reference}），其餘照常傳送")
        else:
            if answer.headers.get(HEADER_PHOTO, "") != sha256:
                raise not_our_cloud()  # a portal says 200 to everything
        self._spool.photo_sent(sha256)
        self._wanted = self._wanted - {sha256}
        return True

    def _let_photo_wait(self, sha256: str, reference: str) -> bool:
        log.info("photo-waits", reference=reference)
        self._photos_later[sha256] = self._clock.mono_ms() + PHOTO_LATER_MS
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
        return decoded(response, SignedWatchlistUpdate)

    def _fetch_in_parts(self) -> ListInForce:
        """A list too long for one body: stretch by stretch, going on where a broken line or a restart has left it."""
        coming = self._lists.coming()
        try:
            while coming is None or not coming.whole:
                after = "" if coming is None else coming.after
                response = self._line.ask("GET", "/device/v1/watchlist/parts", query=f"after={quote(after, safe='')}")
                coming = self._lists.take_part(decoded(response, SignedWatchlistUpdate))
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
            self._say("cloud-refuses", "")

    def _refused(self, error: RefusedByCloudError) -> None:
        if error.reference in REVOKED:
            self._set_state("revoked", error.reference)
            self._say("device-revoked", "雲端不再接受本設備；判讀與告警照常，紀錄全部留在設備上。聯絡設備管理員")
        else:
            self._set_state("offline", error.reference)
            log.error("cloud-refuses", status=error.status, reference=error.reference)
            self._say(
                "cloud-refuses", f"雲端不接受傳送（{error.reference}）；紀錄全部留在設備上，持續重試。聯絡設備管理員"
            )

    def _take_notice(self, notice: str) -> None:
        if notice == self.notice:
            return
        self.notice = notice
        if notice == "identity-forked":
            log.error("identity-forked")
            self._say("identity-forked", "另一台設備正使用相同身分；紀錄照常保存，兩台都須重新註冊")
        elif not notice:
            self._say("identity-forked", "")
