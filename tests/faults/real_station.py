"""The device's own parts (identity, spool, list, uplink) enrolled in a real cloud, stepped by hand, its clock moved by hand."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.read import Read
from tests.device.rig import HandClock, make_read, stamp
from tests.device.station import Station
from tests.house import RunningCloud


def now_ms() -> int:
    """This machine's clock, which is the cloud's."""
    return time.time_ns() // 1_000_000


@dataclass
class Joining:
    """What `Station` needs to know of a cloud."""

    address: str
    code: str = ""


@contextlib.contextmanager
def real_station(
    home: Path, address: str, *, cloud: RunningCloud, operator: httpx.Client, unit: str, clock: HandClock
) -> Iterator[Station]:
    """A station that is enrolled through `address` (the cloud's, or a bad line to it); opened again it stays who it is."""
    code = ""
    if not (home / "device.json").exists():
        asked = operator.post("/api/devices/codes", json={"unit": unit, "kind": "car"}).raise_for_status()
        code = asked.json()["code"]
    station = Station(home, Joining(address, code), clock=clock)  # type: ignore[arg-type]
    try:
        yield station
    finally:
        station.close()


def clock_from_the_past(past_ms: int) -> HandClock:
    """A clock that says what it was `past_ms` ago and knows it from a satellite: moved on by as much, it is now."""
    clock = HandClock(wall_ms=now_ms() - past_ms)
    clock.learn(clock.wall, "gps")
    return clock


def keep(station: Station, sequence: int, text: str, **more: object) -> Read:
    """A vehicle passes: its read is in the spool, dated by the station's clock as the pipeline dates it."""
    captured_ms, known = station.clock.at(station.clock.mono)
    read = make_read(
        sequence, boot=station.boot, text=text, photos=False, captured_ms=captured_ms, clock=known, **more
    )  # fmt: skip
    station.spool.put(read, stamp(station.clock.mono, station.clock.kernel))
    return read


def step(station: Station) -> bool:
    """One step of the uplink as its loop makes it, without the pause; gives whether the line held."""
    try:
        station.uplink.step()
    except NeighbourUnreachableError as error:
        station.uplink._set_state("offline", error.reference)
        return False
    return True


def send_all(station: Station, *, tries: int = 300) -> None:
    """Step until the spool is empty; a line that fails costs a try."""
    for _ in range(tries):
        step(station)
        if station.spool.state().all_sent:
            return
    raise AssertionError("the queue stands")
