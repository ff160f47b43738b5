"""G58: a cloud that is away for days, restarts, and marks that cannot be written: nothing counts as sent that is not."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from guardian.device.seal import Sealer
from guardian.device.spool import Spool
from guardian.domain.errors import NeighbourUnreachableError
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import KEY, HandClock, make_read, stamp
from tests.device.sim_disk import SimDisk
from tests.device.station import open_station

DAY_MS = 86_400_000


def test_three_days_of_502_and_twenty_restarts_lose_nothing(tmp_path: Path) -> None:
    cloud = FakeCloud()
    clock = HandClock()
    promised = 0
    for _ in range(20):
        with open_station(tmp_path, cloud, clock=clock) as s:
            cloud.answer_with = 502
            s.put(1, 2, 3)
            promised += 3
            for _ in range(3):
                with pytest.raises(NeighbourUnreachableError):
                    s.uplink.step()
            clock.advance(3 * DAY_MS // 20)
            assert s.spool.state().reads == promised
            assert not s.spool.state().all_sent
    cloud.answer_with = None
    with open_station(tmp_path, cloud, clock=clock) as s:
        s.send_all()
        assert len(cloud.reads) == promised
        assert s.spool.state().all_sent
    cloud.stop()


def test_a_mark_that_cannot_be_written_makes_nothing_twice() -> None:
    """The cloud has taken them, the folder is read-only: they may go again, under the same identity."""
    disk = SimDisk()
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0)
    for sequence in (1, 2, 3):
        spool.put(make_read(sequence, photos=False), stamp(sequence))
    first = [kept.read.id for _, kept in spool.batch(10)]
    disk.broken = OSError(errno.EROFS, "read-only file system")
    spool.delivered([key for key, _ in spool.batch(10)])
    assert spool.state().reads == 0, "not sent again in this run"
    again = Spool(disk.survivors("kept"), Sealer(KEY), reserve_bytes=0)
    assert [kept.read.id for _, kept in again.batch(10)] == first, "the same identities: already there"
    disk.broken = None
    spool.settle()
    assert Spool(disk.survivors("lost"), Sealer(KEY), reserve_bytes=0).state().reads == 0, "the owed mark was written"


def test_an_answer_that_got_lost_is_asked_for_again_and_stored_once(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.send_all()
        s.put(1, 2, 3)
        s.cloud.drop_answers = 2
        s.send_all()
        assert sorted(r.sequence for r in s.cloud.reads.values()) == [1, 2, 3]
        assert s.cloud.arrivals == [3, 3, 3]


def test_the_screen_never_says_all_sent_while_a_picture_waits(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True)
        s.uplink.step()
        assert s.spool.state().reads == 0
        assert not s.spool.state().all_sent
        s.send_all()
        assert s.spool.state().all_sent


def test_a_line_that_flaps_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        for round_ in range(30):
            s.put(round_ + 1)
            s.cloud.answer_with = 503 if round_ % 3 else None
            try:
                s.uplink.step()
            except NeighbourUnreachableError:
                s.clock.advance(500)
        s.cloud.answer_with = None
        s.send_all()
        assert sorted(r.sequence for r in s.cloud.reads.values()) == list(range(1, 31))
