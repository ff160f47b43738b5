"""A bad line between the device's own parts and a real cloud: every read once, in order of capture, and no early "all sent"."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from guardian.device.enrol import enrol
from guardian.device.identity import Identity
from guardian.device.run import Device, Options
from tests.device.rig import ScriptedEngine, plate_seen
from tests.device.station import Station
from tests.faults.real_station import clock_from_the_past, keep, now_ms, real_station, send_all, step
from tests.house import RunningCloud, wait_until
from tests.line import BadLine, Fate, bad_line
from tests.stories import hits_of, searched

HOUR_MS = 3_600_000


@pytest.fixture
def line(cloud: RunningCloud) -> Iterator[BadLine]:
    with bad_line(cloud.address) as made:
        yield made


def rows_by_capture(detective: httpx.Client, plate: str) -> list[dict]:  # type: ignore[type-arg]
    found = searched(detective, plate)
    assert found["next_cursor"] == "", "more than a page"
    return sorted(found["rows"], key=lambda row: row["captured_ms"])


def check_all_came_once_in_order(detective: httpx.Client, plate: str, station: Station, count: int) -> None:
    rows = rows_by_capture(detective, plate)
    device_id = station.identity.file.device_id
    assert [row["id"] for row in rows] == [f"{device_id}.{station.boot}.{n}" for n in range(1, count + 1)]
    received = [row["received_ms"] for row in rows]
    assert received == sorted(received), "an older read came after a newer one"


def test_an_hour_without_a_line_loses_nothing_and_comes_in_order_of_capture(
    tmp_path: Path, cloud: RunningCloud, line: BadLine, operator: httpx.Client, detective: httpx.Client
) -> None:
    cloud.watch(operator, "LAA-0077")
    clock = clock_from_the_past(HOUR_MS)
    with real_station(
        tmp_path / "car", line.address, cloud=cloud, operator=operator, unit="長坑 1 號", clock=clock
    ) as s:
        s.uplink._batch_items = 10
        for n in range(1, 6):
            clock.advance(10)
            keep(s, n, f"LAA{n:04d}".replace("4", "5"))
        send_all(s)
        line.cut()
        for n in range(6, 66):
            clock.advance(HOUR_MS // 60)
            keep(s, n, "LAA0077" if n == 40 else f"LAA{n + 1000}".replace("4", "5"))
            assert not step(s)
            assert (s.uplink.state, s.spool.state().reads) == ("offline", n - 5)
            assert not s.spool.state().all_sent
        line.mend()
        waiting = s.spool.state().reads
        while waiting:
            assert step(s)
            left = s.spool.state().reads
            assert s.spool.state().all_sent == (left == 0)
            waiting = left
        assert s.uplink.state == "online"
        check_all_came_once_in_order(detective, "LAA*", s, 65)
        newest = rows_by_capture(detective, "LAA*")[-1]
        assert abs(newest["captured_ms"] - now_ms()) < 60_000, "an hour on the device's clock was an hour"
    wait_until(lambda: hits_of(operator, "LAA0077"), "a hit for a read that waited in the valley")
    assert len(hits_of(operator, "LAA0077")) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_a_line_that_flaps_and_eats_answers_makes_every_read_once(
    tmp_path: Path, cloud: RunningCloud, line: BadLine, operator: httpx.Client, detective: httpx.Client, seed: int
) -> None:
    plate = f"L{'BC'[seed - 1]}A"
    cloud.watch(operator, f"{plate}-0017")
    clock = clock_from_the_past(600_000)
    rng = random.Random(seed)
    with real_station(
        tmp_path / "car", line.address, cloud=cloud, operator=operator, unit=f"長坑 {seed + 1} 號", clock=clock
    ) as s:
        s.uplink._batch_items = 7
        weather: list[Fate] = ["refuse", "half", "deaf", "deaf", "pass"]
        line.fates = (rng.choice(weather) for _ in itertools.count())
        for n in range(1, 101):
            clock.advance(5_000)
            keep(s, n, f"{plate}{n:04d}".replace("4", "5") if n != 17 else f"{plate}0017")
            step(s)
            if s.spool.state().all_sent:
                assert len(rows_by_capture(detective, f"{plate}*")) == n, "it says 'all sent' and the cloud lacks some"
        send_all(s, tries=600)
        assert all(line.met[fate] > 5 for fate in ("refuse", "half", "deaf", "pass")), line.met
        check_all_came_once_in_order(detective, f"{plate}*", s, 100)
        line.fates = iter(())
        clock.advance(6_000)
        assert step(s) and s.uplink.state == "online"
    wait_until(lambda: hits_of(operator, f"{plate}0017"), "the hit")
    assert len(hits_of(operator, f"{plate}0017")) == 1


def test_an_answer_lost_after_the_commit_and_a_restart_cut_other_batches_of_the_same_reads(
    tmp_path: Path, cloud: RunningCloud, line: BadLine, operator: httpx.Client, detective: httpx.Client
) -> None:
    """G30 across the wire: stored, never told, killed before it could note; then again with other borders."""
    cloud.watch(operator, "LDA-0003")
    clock = clock_from_the_past(60_000)
    home = tmp_path / "car"
    with real_station(home, line.address, cloud=cloud, operator=operator, unit="長坑 4 號", clock=clock) as s:
        assert step(s)
        boot = s.boot
        for n in range(1, 31):
            clock.advance(100)
            keep(s, n, f"LDA{n:04d}".replace("4", "5"))
        line.fates = iter(["deaf"])
        assert not step(s)
        assert s.spool.state().reads == 30 and not s.spool.state().all_sent
    with real_station(home, line.address, cloud=cloud, operator=operator, unit="", clock=clock) as s:
        assert s.spool.state().reads == 30, "a restart forgets nothing that was not answered for"
        s.uplink._batch_items = 11
        for n in range(1, 11):
            clock.advance(100)
            keep(s, n, f"LDA9{n:03d}".replace("4", "5"))
        send_all(s)
        rows = rows_by_capture(detective, "LDA*")
        device_id = s.identity.file.device_id
        expected = [f"{device_id}.{boot}.{n}" for n in range(1, 31)]
        expected += [f"{device_id}.{s.boot}.{n}" for n in range(1, 11)]
        assert [row["id"] for row in rows] == expected
        assert s.spool.state().all_sent
    wait_until(lambda: hits_of(operator, "LDA0003"), "the hit")
    assert len(hits_of(operator, "LDA0003")) == 1


def test_a_whole_device_drives_through_a_cut_and_its_screen_never_says_all_sent_too_early(
    tmp_path: Path, cloud: RunningCloud, line: BadLine, operator: httpx.Client, detective: httpx.Client
) -> None:
    """Everything of `guardian device run` but the engine: photos, pipeline, spool, uplink and status on their own threads."""
    cloud.watch(operator, "LEA-8869")
    home, photos = tmp_path / "home", tmp_path / "photos"
    photos.mkdir()
    for n in range(12):  # each another grey, so that each has pictures of its own
        picture = np.full((300, 400, 3), 40 + 10 * n, np.uint8)
        (photos / f"{n:02d}.jpg").write_bytes(bytes(cv2.imencode(".jpg", picture)[1]))
    asked = operator.post("/api/devices/codes", json={"unit": "長坑 5 號", "kind": "car"}).raise_for_status()
    identity = Identity(home)
    enrol(identity, cloud=line.address, code=asked.json()["code"], name="長坑 5 號")

    def between_looks() -> None:
        if engine.looks == 4:
            wait_until(lambda: device.pipeline.reads == 4 and device.spool.state().all_sent, "four sent", limit_s=60)
            line.cut()
        if engine.looks == 6:
            wait_until(lambda: device.uplink and device.uplink.state == "offline", "offline", limit_s=60)
        if engine.looks == 9:
            line.fates = iter(["deaf", "half", "refuse", "deaf"])
            line.mend()

    texts = ["LEA8869" if n == 7 else f"LEB00{n:02d}".replace("4", "5") for n in range(12)]
    engine = ScriptedEngine([[plate_seen(text)] for text in texts], delay=between_looks)
    device = Device(
        Options(str(photos), home, muted=True, page_port=None, drain_s=90),
        engine=engine,  # type: ignore[arg-type]
    )
    said_all_sent: list[tuple[int, int]] = []  # how many reads were kept, and when
    ended = threading.Event()

    def look_at_the_screen() -> None:
        while not ended.is_set():
            kept = device.pipeline.reads
            status = device.telling.status()
            if not status.spool_reads and not status.spool_photos and kept:
                said_all_sent.append((kept, now_ms()))
            ended.wait(0.002)

    watching = threading.Thread(target=look_at_the_screen, daemon=True)
    watching.start()
    summary = device.run(threading.Event())
    ended.set()
    watching.join()
    assert (summary.reads, summary.waiting, summary.photos_waiting) == (12, 0, 0)
    rows = sorted(rows_by_capture(detective, "LE?*"), key=lambda row: int(row["id"].rsplit(".", 1)[1]))
    assert [row["id"] for row in rows] == [f"{identity.file.device_id}.{device.boot}.{n}" for n in range(1, 13)]
    assert said_all_sent, "it was said at least once: after the first four"
    for kept, at_ms in said_all_sent:
        assert all(row["received_ms"] <= at_ms for row in rows[:kept]), f"{kept} were kept, and not all had arrived"
    for row in rows:
        assert detective.get(row["crop_url"]).status_code == 200, "pictures came too"
    wait_until(lambda: hits_of(operator, "LEA8869"), "the hit")
    assert len(hits_of(operator, "LEA8869")) == 1
