"""A part that breaks is said and begun again, or stops the device loudly; none dies in silence."""

from __future__ import annotations

import errno
import socket
import threading
from pathlib import Path

import httpx
import pytest

from guardian.device.alarm import AlarmDesk
from guardian.device.follow import StillFollower
from guardian.device.identity import Identity
from guardian.device.journal import Journal
from guardian.device.listcopy import ListCopy
from guardian.device.page import AlarmPage, CardPictures
from guardian.device.pipeline import READS_WAITING, UNREADABLE
from guardian.device.run import Device, Options
from guardian.device.seal import Sealer
from guardian.device.spool import Spool
from guardian.device.status import DeviceStatus
from guardian.domain.errors import DiskFullError, NeighbourUnreachableError
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import KEY, NOW_MS, ScriptedEngine, ScriptedSource, entry, make_read, plate_seen, stamp
from tests.device.sim_disk import SimDisk
from tests.device.station import open_station
from tests.device.test_pipeline import pipeline


class FaultyDisk(SimDisk):
    """One writing operation fails half way with an I/O error, and perhaps what would take it back fails too."""

    def __init__(self, fail_at: int, *, for_operations: int = 1) -> None:
        super().__init__()
        self._fails = range(fail_at, fail_at + for_operations)

    def append(self, path: str, data: bytes) -> None:
        if self.operations + 1 in self._fails:
            super().append(path, data[: len(data) // 2])
            raise OSError(errno.EIO, "I/O error")
        super().append(path, data)

    def _step(self, *torn: object) -> None:
        self.operations += 1
        if self.operations in self._fails and torn == ():
            raise OSError(errno.EIO, "I/O error")


@pytest.mark.parametrize("for_operations", [1, 2, 3])
def test_after_an_error_of_the_disk_every_record_is_found_where_it_was_said_to_lie(for_operations: int) -> None:
    written = 0
    for fail_at in range(1, 40):
        disk = FaultyDisk(fail_at, for_operations=for_operations)
        journal = Journal(disk, "reads", Sealer(KEY))
        kept = {}
        for number in range(12):
            plain = b"record %d" % number
            try:
                kept[plain] = journal.append(plain)
            except OSError:
                continue
        assert journal.read_all(list(kept.values())) == list(kept), f"operation {fail_at}"
        again = [item[1] for item in Journal(disk, "reads", Sealer(KEY)).replay() if isinstance(item, tuple)]
        assert set(kept) <= set(again), f"operation {fail_at}"
        written += len(kept)
    assert written > 39 * 12 - 39 * for_operations


def test_a_read_outlives_an_error_of_the_disk_and_is_sent(tmp_path: Path) -> None:
    spool = Spool(FaultyDisk(8), Sealer(KEY), reserve_bytes=0)
    for sequence in range(1, 9):
        spool.put(make_read(sequence, photos=False), stamp(sequence))
    assert [key[1] for key, _ in spool.batch(100)] == list(range(1, 9))
    assert spool.state().reads_lost == 0


def test_a_request_number_that_could_not_be_made_durable_is_not_given(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.send_all()
        last = s.identity._counter
        s.identity._set_aside = last  # the block is used up

        def full(_number: int) -> None:
            raise DiskFullError("full")

        advance = s.identity._requests.advance_to
        s.identity._requests.advance_to = full  # type: ignore[method-assign]
        for _ in range(2):
            with pytest.raises(NeighbourUnreachableError, match="request-number"):
                s.line.ask("POST", "/device/v1/heartbeat")
        assert s.identity._counter == last
        s.identity._requests.advance_to = advance  # type: ignore[method-assign]
        assert s.identity.next_counter() == last + 1
        assert Identity(tmp_path).next_counter() > last + 1


def test_a_thread_beside_the_pipeline_that_breaks_is_said_and_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardian.device.run.BEGIN_AGAIN_S", (0.0,))
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "x.txt").write_text("x")
    device = Device(Options(str(photos), tmp_path / "home", page_port=None, muted=True), engine=ScriptedEngine([]))  # type: ignore[arg-type]
    stop, tries, said = threading.Event(), [], []
    monkeypatch.setattr(device.desk, "say", lambda reference, sentence: said.append((reference, sentence)))

    def work(_stop: threading.Event) -> None:
        tries.append(1)
        if len(tries) < 4:
            raise ValueError("ABC-1234")
        stop.set()

    device._beside("uplink", work, stop)
    assert len(tries) == 4
    assert [reference for reference, _ in said] == ["broken-uplink"] * 6
    assert [bool(sentence) for _, sentence in said] == [True, False] * 3
    assert "上傳中斷" in said[0][1] and "ABC" not in said[0][1]
    device.lists.close()


def test_an_alarm_sounds_though_the_disk_does_not_give_the_entry_back(tmp_path: Path) -> None:
    cloud = FakeCloud()
    signed = cloud.give_list(7, [entry("BKD8869", remark="x")])
    lists = ListCopy(tmp_path / "list.db", key=KEY, list_key=cloud.list_key_text)
    cloud.stop()
    held = lists.take(signed)
    lists._entries._db.close()  # as a card that has come loose
    line, kept, desk, _ = pipeline(
        ScriptedEngine([[plate_seen("BKD8869")]]), ScriptedSource([0], still=True), StillFollower()
    )
    line._in_force = lambda: held
    line.run(threading.Event())
    shown = desk.view().card
    assert shown is not None and shown.entry_display == "BKD-8869" and shown.sure
    assert UNREADABLE in repr(shown)
    assert kept.reads[0].hits[0].entry_id == "e1"


def test_a_writer_that_breaks_while_reads_queue_up_stops_the_device_instead_of_hanging_it() -> None:
    reads = READS_WAITING + 20
    engine = ScriptedEngine([[plate_seen(f"ABC{n:04d}".replace("4", "5"))] for n in range(reads)])
    line, kept, *_ = pipeline(engine, ScriptedSource(range(reads), still=True), StillFollower())
    queue_is_full = threading.Event()

    def put(*_args: object, **_more: object) -> None:
        while len(line._written) < READS_WAITING:
            if queue_is_full.wait(0.01):
                break
        raise OSError(errno.EIO, "I/O error")

    kept.put = put
    ended = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            line.run(threading.Event())
        except OSError as error:
            failures.append(error)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert ended.wait(60), "it hangs"
    assert [error.errno for error in failures if isinstance(error, OSError)] == [errno.EIO]


@pytest.mark.parametrize("length", ["x", "-1", "", "9" * 30, "１"])
def test_a_press_whose_length_is_no_number_is_refused_and_the_page_goes_on(length: str) -> None:
    page = AlarmPage(
        AlarmDesk(lambda: 0), CardPictures(), lambda: DeviceStatus(at_ms=NOW_MS, device_id="car-1"), port=0
    )
    page.start()
    try:
        with socket.create_connection(("127.0.0.1", page.port), timeout=30) as line:
            head = f"POST /answer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
            line.sendall(head.encode() + b"\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 400")
        assert httpx.get(page.address).status_code == 200
    finally:
        page.stop()
