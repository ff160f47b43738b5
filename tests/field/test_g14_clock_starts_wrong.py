"""G14: the device wakes up in 1970. It reads and alarms at once, and dates what it read when somebody tells the time."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.device.clock import DeviceClock
from guardian.device.nmea import NMEAListener
from guardian.device.position import PositionKeeper
from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.moment import CLOCK_FLOOR_MS, parse_instant
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import NOW_MS, HandClock, entry, make_read
from tests.device.station import open_station
from tests.field.test_g13_no_fix_is_not_zero import sentence

MINUTE = 60_000


def in_1970() -> HandClock:
    return HandClock(wall_ms=5_000, mono_ms=5_000)


def test_forty_reads_before_the_time_is_known_are_dated_by_their_distance_and_marked(tmp_path: Path) -> None:
    clock = in_1970()
    cloud = FakeCloud()
    with open_station(tmp_path, cloud, clock=clock) as s:
        cloud.answer_with = 502
        made = []
        for sequence in range(1, 41):
            made.append(clock.mono)
            s.put(sequence, captured_ms=clock.wall)
            clock.advance(15_000)
        with pytest.raises(NeighbourUnreachableError):
            s.uplink.step()
        NMEAListener(PositionKeeper(clock)).hear(
            sentence("GPRMC,021000.00,A,2501.9800,N,12133.9240,E,21.6,87.5,251126,,,A")
        )
        told = parse_instant("2026-11-25T02:10:00Z")
        at = clock.mono
        cloud.answer_with = None
        s.send_all()
        reads = sorted(cloud.reads.values(), key=lambda r: r.sequence)
        assert len(reads) == 40
        for read, mono in zip(reads, made, strict=True):
            assert read.captured_ms == told - (at - mono), "by the monotonic distance"
            assert read.clock.corrected
            assert read.clock.source == "gps"
            assert read.captured_ms > CLOCK_FLOOR_MS
    cloud.stop()


def test_without_gps_the_first_answer_of_the_cloud_tells_the_time_before_any_read_leaves(tmp_path: Path) -> None:
    with open_station(tmp_path, clock=in_1970()) as s:
        s.put(1, captured_ms=s.clock.wall)
        s.clock.advance(MINUTE)
        s.send_all()
        assert s.clock.source == "cloud"
        (read,) = s.cloud.reads.values()
        assert abs(read.captured_ms - (s.cloud.server_ms - MINUTE)) < 2_000
        assert s.cloud.heartbeats, "a heartbeat went first"


def test_the_list_counts_by_its_number_and_not_by_a_clock_that_was_never_set(tmp_path: Path) -> None:
    with open_station(tmp_path, clock=in_1970()) as s:
        s.cloud.give_list(3, [entry("ABC1235", expires_ms=NOW_MS + 1)])
        assert s.uplink.fetch_list(wait_s=0)
        assert s.lists.in_force.version == 3
        assert s.lists.in_force.matcher.match("ABC1235", at_ms=0), "and it alarms from the first second"


def test_a_program_that_restarts_without_a_reboot_still_knows_the_distance(tmp_path: Path) -> None:
    clock, cloud = in_1970(), FakeCloud()
    with open_station(tmp_path, cloud, clock=clock) as s:
        s.put(1, captured_ms=clock.wall)
    mono = clock.mono - 10
    clock.advance(5 * MINUTE)
    with open_station(tmp_path, cloud, clock=clock) as s:
        s.send_all()
    (read,) = cloud.reads.values()
    assert abs(read.captured_ms - (cloud.server_ms - (clock.mono - mono))) < 2_000
    cloud.stop()


def test_after_a_reboot_the_date_is_a_bound_and_says_so(tmp_path: Path) -> None:
    first, cloud = in_1970(), FakeCloud()
    with open_station(tmp_path, cloud, clock=first) as s:
        s.put(1, captured_ms=first.wall)
    second = HandClock(wall_ms=5_000, mono_ms=20_000, kernel="run-2")
    with open_station(tmp_path, cloud, clock=second) as s:
        s.send_all()
    (read,) = cloud.reads.values()
    assert read.clock.source == "unset"
    assert read.captured_ms <= cloud.server_ms - 20_000 + 2_000, "it was before this run began"
    assert read.captured_ms > CLOCK_FLOOR_MS, "and never 1970"
    cloud.stop()


DAY = 86_400_000


def test_a_day_behind_and_restarted_before_anybody_told_the_time_is_put_right_and_marked(tmp_path: Path) -> None:
    """The clock has a battery and runs on through the restart: what it is found wrong by then, it was wrong by before."""
    true = NOW_MS
    first, cloud = HandClock(wall_ms=true - DAY), FakeCloud()
    with open_station(tmp_path, cloud, clock=first) as s:
        for sequence in (1, 2, 3):
            s.put(sequence, captured_ms=first.wall)
            first.advance(60_000)
            first.note()
        cloud.answer_with = 502
        with pytest.raises(NeighbourUnreachableError):
            s.uplink.step()
        assert not s.spool.batch(1)[0][1].read.clock.certain, "as long as nobody vouches for it, it says so"
    cloud.answer_with = None
    second = HandClock(wall_ms=first.wall + 30_000, mono_ms=7_000, kernel="run-2")
    with open_station(tmp_path, cloud, clock=second) as s:
        cloud.server_ms = second.wall + DAY
        s.send_all()
    reads = sorted(cloud.reads.values(), key=lambda r: r.sequence)
    assert [abs(read.captured_ms - (true + 60_010 * n)) < 2_000 for n, read in enumerate(reads)] == [True] * 3
    assert {(read.clock.source, read.clock.corrected, read.clock.certain) for read in reads} == {
        ("carried", True, False)
    }
    assert all(abs(read.clock.offset_ms - DAY) < 2_000 for read in reads)
    cloud.stop()


def test_told_before_the_restart_is_as_good_as_told_now(tmp_path: Path) -> None:
    first, cloud = HandClock(wall_ms=NOW_MS - DAY), FakeCloud()
    with open_station(tmp_path, cloud, clock=first) as s:
        s.put(1, captured_ms=first.wall)
        first.advance(60_000)
        assert first.learn(NOW_MS + 60_000, "gps")
    second = HandClock(wall_ms=NOW_MS - 40 * DAY, mono_ms=500, kernel="run-2")  # and now it is another wrong date
    with open_station(tmp_path, cloud, clock=second) as s:
        cloud.server_ms = NOW_MS + 120_000
        s.send_all()
    (read,) = cloud.reads.values()
    assert abs(read.captured_ms - NOW_MS) < 1_000, "by the distance in its own run"
    assert (read.clock.source, read.clock.corrected) == ("gps", True)
    cloud.stop()


@pytest.mark.parametrize("why", ["went back", "was set"])
def test_a_wall_clock_that_did_not_run_on_says_nothing_of_the_run_before(tmp_path: Path, why: str) -> None:
    first, cloud = HandClock(wall_ms=NOW_MS - 5_000), FakeCloud()
    with open_station(tmp_path, cloud, clock=first) as s:
        s.put(1, captured_ms=first.wall)
        before = first.wall
        first.advance(70_000)
        if why == "was set":
            first.wall += 3 * DAY
        first.note()
    again = HandClock(wall_ms=first.wall + (10_000 if why == "was set" else -DAY), mono_ms=7_000, kernel="run-2")
    with open_station(tmp_path, cloud, clock=again) as s:
        cloud.server_ms = NOW_MS + 3 * DAY
        s.send_all()
    (read,) = cloud.reads.values()
    assert read.captured_ms == before - 10 and not read.clock.corrected, "left as it is"
    assert not read.clock.certain, "and it says that nobody vouches for it"
    cloud.stop()


def test_a_program_that_restarts_knows_at_once_what_it_was_told(tmp_path: Path) -> None:
    clock, cloud = in_1970(), FakeCloud()
    with open_station(tmp_path, cloud, clock=clock):
        assert clock.learn(NOW_MS, "gps")
    clock.advance(5_000)
    again = HandClock(wall_ms=clock.wall, mono_ms=clock.mono)
    with open_station(tmp_path, cloud, clock=again):
        assert again.source == "gps" and again.now_ms() == NOW_MS + 5_000
    cloud.stop()


def test_a_clock_wrong_by_a_day_is_corrected_for_reads_not_yet_sent(tmp_path: Path) -> None:
    clock = HandClock(wall_ms=NOW_MS - 86_400_000)
    with open_station(tmp_path, clock=clock) as s:
        s.put(1, captured_ms=clock.wall)
        s.send_all()
        (read,) = s.cloud.reads.values()
        assert abs(read.captured_ms - s.cloud.server_ms) < 2_000
        assert abs(read.clock.offset_ms - 86_400_000) < 2_000
        clock.wall += 86_400_000  # somebody sets the wall clock: nothing moves
        assert abs(clock.now_ms() - s.cloud.server_ms) < 2_000


def test_a_better_source_is_not_overruled_by_a_worse_one_at_once() -> None:
    clock = HandClock()
    assert clock.learn(NOW_MS + 5_000, "gps")
    assert not clock.learn(NOW_MS + 9_000, "cloud")
    clock.advance(31 * MINUTE)
    assert clock.learn(NOW_MS + 31 * MINUTE + 9_000, "cloud"), "but after half an hour of silence"
    assert not clock.learn(1_115_251_200_000, "gps"), "2005 is never believed"


def test_the_real_clock_counts_and_names_its_run() -> None:
    clock = DeviceClock()
    read = make_read(1)
    assert clock.redate(read, clock.stamp()) == read
    assert clock.mono_ms() <= clock.mono_ms()
    assert len(clock.kernel) > 8
