"""G17: one read that the cloud will never take stands at the head of the queue; all behind it still arrive."""

from __future__ import annotations

from pathlib import Path

from tests.device.station import open_station


def test_an_item_that_the_cloud_puts_aside_is_told_and_the_rest_is_stored(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.quarantine = lambda read: read.sequence == 500
        s.put(*range(1, 1001))
        s.send_all()
        assert len(s.cloud.reads) == 999
        assert s.spool.state().all_sent
        assert "隔離 1 筆" in s.said["read-quarantined"]
        assert s.cloud.arrivals == [1000]


def test_a_refusal_of_the_whole_batch_is_halved_until_the_culprit_stands_alone(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.refuse_read = lambda read: read.sequence == 500
        s.put(*range(1, 1001))
        s.send_all()
        assert len(s.cloud.reads) == 999
        assert s.spool.state().all_sent
        assert s.spool.state().reads_refused_by_cloud == 1
        assert "退回 1 筆" in s.said["read-refused"]
        assert s.cloud.requests < 40, "halving, not one by one"
        aside = list((tmp_path / "spool" / "refused").iterdir())
        assert len(aside) == 1, "kept aside for a look"
        s.put(1001)
        s.send_all()
        assert len(s.cloud.reads) == 1000


def test_a_refused_read_does_not_come_back_after_a_restart(tmp_path: Path) -> None:
    from tests.device.fake_cloud import FakeCloud

    cloud = FakeCloud()
    with open_station(tmp_path, cloud) as s:
        cloud.refuse_read = lambda read: read.sequence == 2
        s.put(1, 2, 3)
        s.send_all()
    with open_station(tmp_path, cloud) as s:
        assert s.spool.state().reads == 0
    cloud.stop()


def test_batches_that_are_too_large_are_sent_in_parts(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.items_max = 100
        s.put(*range(1, 351))
        s.send_all()
        assert len(s.cloud.reads) == 350
        assert max(s.cloud.arrivals) <= 100
        assert [int(i.rsplit(".", 1)[1]) for i in s.cloud.order] == list(range(1, 351)), "still in order of capture"
