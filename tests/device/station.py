"""A device without a camera, enrolled in a fake cloud: identity, spool, list and uplink, stepped by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from guardian.device.clockruns import ClockRuns
from guardian.device.cloudline import CloudLine
from guardian.device.disk import RealDisk
from guardian.device.enrol import enrol
from guardian.device.identity import Identity
from guardian.device.listcopy import ListCopy
from guardian.device.opinionbook import OpinionBook
from guardian.device.seal import Sealer
from guardian.device.spool import Spool
from guardian.device.uplink import Uplink
from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.wire import Heartbeat
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import HandClock, crop_of, make_read, overview_of, stamp
from tests.device.sim_disk import SimDisk


class Station:
    """See the module. `said` holds what is on the screen by its reference."""

    def __init__(
        self, home: Path, cloud: FakeCloud, *, disk: SimDisk | None = None, clock: HandClock | None = None
    ) -> None:
        self.home, self.cloud = home, cloud
        self.clock = clock or HandClock()
        self.identity = Identity(home)
        self.clock.remember(ClockRuns(home))
        if not self.identity.enrolled:
            enrol(self.identity, cloud=cloud.address, code=cloud.code, name="大安 3 號")
        key = self.identity.keys.at_rest
        self.said: dict[str, str] = {}
        self.spool = Spool(disk or RealDisk(home), Sealer(key), reserve_bytes=0, say=self.say)
        self.opinions = OpinionBook(disk or RealDisk(home), Sealer(key))
        self.boot = self.identity.next_boot(seen=self.spool.highest_boot)
        self.lists = ListCopy(home / "list" / "list.db", key=key, list_key=self.identity.file.list_key)
        self.line = CloudLine(self.identity, client=httpx.Client(timeout=5.0))
        self.uplink = Uplink(
            self.line,
            identity=self.identity,
            spool=self.spool,
            lists=self.lists,
            clock=self.clock,
            heartbeat=lambda: Heartbeat(self.identity.file.device_id, self.clock.now_ms()),
            say=self.say,
            rng=random.Random(1),
            opinions=self.opinions,
        )

    def say(self, reference: str, sentence: str) -> None:
        if sentence:
            self.said[reference] = sentence
        else:
            self.said.pop(reference, None)

    def put(self, *sequences: int, hit: bool = False, photos: bool = False, **more: object) -> None:
        for sequence in sequences:
            self.spool.put(
                make_read(sequence, boot=self.boot, hit=hit, photos=photos, **more),  # type: ignore[arg-type]
                stamp(self.clock.mono, self.clock.kernel),
                crop=crop_of(self.boot, sequence) if photos else None,
                overview=overview_of(self.boot, sequence) if photos else None,
            )
            self.clock.advance(10)

    def send_all(self, steps: int = 200) -> None:
        """Step until nothing is due; a cloud that is away costs a step."""
        for _ in range(steps):
            try:
                if self.uplink.step():
                    return
            except NeighbourUnreachableError:
                self.clock.advance(1000)
        raise AssertionError("the queue stands")

    def close(self) -> None:
        self.line.close()
        self.lists.close()


@contextmanager
def open_station(home: Path, cloud: FakeCloud | None = None, **more: object) -> Iterator[Station]:
    """A station, and its cloud unless one is given."""
    own = cloud or FakeCloud()
    station = Station(home, own, **more)  # type: ignore[arg-type]
    try:
        yield station
    finally:
        station.close()
        if cloud is None:
            own.stop()
