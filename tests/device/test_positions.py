"""Where positions come from: a track beside a film, a receiver's file, a TCP port, gpsd, a fixed place."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from guardian.device.clock import DeviceClock
from guardian.device.gps import open_feed
from guardian.device.gpsd import GpsdFeed
from guardian.device.nmea import serial_feed
from guardian.device.position import CircleFeed, PositionFeed, PositionKeeper
from guardian.device.trackfile import TrackKeeper, load_track
from guardian.domain.errors import InputRefusedError
from guardian.domain.position import distance_m
from tests.device.rig import HandClock

RMC = "$GPRMC,021000.00,A,2501.9800,N,12133.9240,E,21.6,87.5,251126,,,A*5B"


def wait_for(seen: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if seen():
            return True
        time.sleep(0.02)
    return seen()


@contextmanager
def listening(feed: PositionFeed) -> Iterator[PositionKeeper]:
    keeper, stop = PositionKeeper(DeviceClock()), threading.Event()
    thread = threading.Thread(target=feed.run, args=(keeper, stop), daemon=True)
    thread.start()
    yield keeper
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive(), "a feed ends when it is stopped"


def track(path: Path) -> Path:
    points = [
        {"t_ms": 0, "lat": 25.0300, "lon": 121.5600, "heading_deg": 350.0, "speed_kmh": 36.0},
        {"t_ms": 1000, "lat": 25.0310, "lon": 121.5600, "heading_deg": 10.0, "speed_kmh": 36.0},
    ]
    path.write_text("\n".join(json.dumps(p) for p in points) + "\n")
    return path


def test_a_film_brings_its_track_and_a_place_between_two_points_is_between_them(tmp_path: Path) -> None:
    keeper = TrackKeeper(HandClock(), load_track(track(tmp_path / "t.jsonl")))
    position = keeper.at(1_000_000, 500)
    assert position is not None
    assert position.lat_deg == pytest.approx(25.0305)
    assert position.heading_deg == pytest.approx(0.0), "over north, not through south"
    assert position.source == "track"
    assert keeper.at(1_000_000, 9_000_000) is not None, "far behind its end the last place stays"


def test_the_track_that_our_own_footage_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "track.jsonl"
    path.write_text(
        '{"captured_ms":1795000000000,"video_s":0.5,"lat_deg":25.0336852,"lon_deg":121.5375967,"heading_deg":180.6,'
        '"speed_kmh":15.5,"accuracy_m":3.7,"road":"建國南路一段"}\n'
    )
    (point,) = load_track(path)
    assert (point.t_ms, point.lat, point.lon, point.accuracy_m) == (500, 25.0336852, 121.5375967, 3.7)


def test_a_bad_line_of_a_track_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"t_ms":0,"lat":25,"lon":121}\n{"t_ms":1,"lat":"x"}\n')
    with pytest.raises(InputRefusedError, match="Line 2"):
        load_track(path)
    path.write_text('{"t_ms":0,"lat":0,"lon":0}\n')
    with pytest.raises(InputRefusedError, match="0, 0"):
        load_track(path)
    path.write_text("")
    with pytest.raises(InputRefusedError, match="no point"):
        load_track(path)


def test_a_file_of_sentences_is_played(tmp_path: Path) -> None:
    (tmp_path / "drive.nmea").write_text(f"{RMC}\r\n" * 3)
    with listening(serial_feed(str(tmp_path / "drive.nmea"))) as keeper:
        assert wait_for(lambda: keeper.at(keeper.clock.mono_ms()) is not None)


def test_a_tcp_port_is_heard_and_heard_again_after_it_went_away() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        feed = open_feed(f"nmea://127.0.0.1:{server.getsockname()[1]}")
        with listening(feed) as keeper:
            for _ in range(2):
                line, _ = server.accept()
                line.sendall(f"{RMC}\r\n".encode())
                assert wait_for(lambda: keeper.at(keeper.clock.mono_ms()) is not None)
                keeper._fix = None
                line.close()


def test_a_simulated_car_drives_at_its_speed() -> None:
    feed = CircleFeed(25.0330, 121.5654, radius_m=250, speed_kmh=36)
    a, b = feed.place(10.0), feed.place(11.0)
    assert distance_m(a[0], a[1], b[0], b[1]) == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize("text", ["nowhere", "0,0", "95.0,121.5", "gpsd://", "/no/such/file"])
def test_what_is_no_source_of_positions_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputRefusedError):
        open_feed(text)


def test_broken_json_from_gpsd_is_counted_and_no_fix_is_no_position() -> None:
    keeper, feed = PositionKeeper(HandClock()), GpsdFeed()
    feed.hear(b"{nonsense", keeper)
    feed.hear(b'{"class":"VERSION","release":"3.22"}', keeper)
    feed.hear(b'{"class":"TPV","mode":1}', keeper)
    feed.hear(b'{"class":"TPV","mode":3,"lat":0.0,"lon":0.0,"time":"2005-05-05T00:00:00Z"}', keeper)
    assert keeper.at(1_000_000) is None
    assert feed.broken == 1
    feed.hear(
        b'{"class":"TPV","mode":3,"lat":25.03,"lon":121.56,"eph":4.2,"track":90.1,"speed":10.0,"time":"2026-11-25T02:10:00.000Z"}',
        keeper,
    )
    position = keeper.at(1_000_000)
    assert position is not None
    assert (position.accuracy_m, position.heading_deg, position.speed_kmh) == (4.2, 90.1, 36.0)
    assert keeper.clock.source == "gps"


@pytest.mark.real("gpsd")
def test_a_real_gpsd_gives_the_place_of_its_receiver(tmp_path: Path) -> None:
    lines = [
        RMC,
        "$GPGGA,021000.00,2501.9800,N,12133.9240,E,1,08,1.2,20.0,M,,M,,*71",
        "$GPGSA,A,3,01,02,03,04,05,06,07,08,,,,,1.9,1.2,1.5*3A",
    ]
    log = tmp_path / "receiver.log"
    log.write_text("\r\n".join(_signed(line) for line in lines * 20) + "\r\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fake = subprocess.Popen(
        ["gpsfake", "-q", "-c", "0.1", "-P", str(port), str(log)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        with listening(GpsdFeed(port=port)) as keeper:
            found = wait_for(lambda: keeper.at(keeper.clock.mono_ms()) is not None, 60)
            assert found, "gpsd gave no fix"
            position = keeper.at(keeper.clock.mono_ms())
            assert position is not None
            assert position.lat_deg == pytest.approx(25.033, abs=1e-4)
            assert position.lon_deg == pytest.approx(121.5654, abs=1e-4)
            assert position.accuracy_m is not None
    finally:
        fake.terminate()
        try:
            fake.wait(timeout=30)
        except subprocess.TimeoutExpired:
            fake.kill()


def _signed(line: str) -> str:
    body = line[1:].split("*")[0]
    total = 0
    for sign in body.encode():
        total ^= sign
    return f"${body}*{total:02X}"
