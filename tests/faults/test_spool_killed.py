"""The spool killed at every operation on its disk, one after the other, until it survives: no read is lost, none is twice.

Three fates of what was not yet synced are tried for each: it is all there (only the program died), it is gone, or it is
zeros. A second test kills a real process on a real file system at every operation.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from guardian.device.disk import NumberOnDisk
from guardian.device.seal import Sealer
from guardian.device.spool import Spool
from tests.device.rig import KEY, crop_of, make_read, overview_of, stamp
from tests.device.sim_disk import Fate, PowerCut, SimDisk

READS = 5


class Downstream:
    """The cloud, as far as these tests need one: keeps each identity once."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def take(self, spool: Spool, limit: int) -> int:
        batch = spool.batch(limit)
        for _, kept in batch:
            self.texts[kept.read.id] = kept.read.text
        spool.delivered([key for key, _ in batch])
        return len(batch)


def open_spool(disk: SimDisk) -> tuple[Spool, int]:
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0)
    numbers = NumberOnDisk(disk, "boot")
    boot = max(numbers.last(), spool.highest_boot) + 1
    numbers.advance_to(boot)
    return spool, boot


def work(disk: SimDisk, cloud: Downstream, promised: list[str]) -> None:
    """A short life of a spool: keep, send some, keep more, send pictures. `promised` gets each text that was kept."""
    spool, boot = open_spool(disk)
    for sequence in range(1, READS + 1):
        read = make_read(sequence, boot=boot, hit=sequence == 2)
        spool.put(read, stamp(sequence), crop=crop_of(boot, sequence), overview=overview_of(boot, sequence))
        promised.append(read.text)
        if sequence == 3:
            cloud.take(spool, 2)
    cloud.take(spool, 10)
    while (photo := spool.next_photo()) is not None:
        spool.photo_sent(photo[0])


def check(disk: SimDisk, cloud: Downstream, promised: list[str]) -> None:
    """After the next start everything that was promised arrives, each once."""
    spool, _ = open_spool(disk)
    while cloud.take(spool, 3):
        pass
    arrived = list(cloud.texts.values())
    missing = set(promised) - set(arrived)
    assert not missing, f"lost: {missing}"
    assert len(arrived) == len(set(arrived)), "one vehicle under two identities"
    assert spool.state().reads == 0
    while (photo := spool.next_photo()) is not None:
        spool.photo_sent(photo[0])
    assert spool.state().all_sent
    assert spool.state().reads_lost == 0


@pytest.mark.parametrize("fate", ["kept", "lost", "zeros"])
def test_killed_at_every_operation_nothing_is_lost_and_nothing_is_twice(fate: Fate) -> None:
    survived = False
    kill = 0
    while not survived:
        kill += 1
        disk, cloud, promised = SimDisk(die_at=kill), Downstream(), []
        try:
            work(disk, cloud, promised)
            survived = True
        except PowerCut:
            pass
        check(disk.survivors(fate), cloud, promised)
    assert kill > 60, "the life is too short to prove anything"


@pytest.mark.parametrize("fate", ["kept", "lost", "zeros"])
def test_killed_again_while_starting_after_a_kill_changes_nothing(fate: Fate) -> None:
    first = SimDisk(die_at=40)
    cloud, promised = Downstream(), []
    with pytest.raises(PowerCut):
        work(first, cloud, promised)
    for second in range(1, 12):
        disk = first.survivors(fate)
        disk.die_at = second
        again = Downstream()
        again.texts = dict(cloud.texts)
        try:
            work(disk, again, [])
        except PowerCut:
            check(disk.survivors(fate), again, promised)


def test_a_boot_number_is_never_used_twice_however_the_start_dies() -> None:
    for fate in ("kept", "lost", "zeros"):
        for kill in range(1, 8):
            disk = SimDisk(die_at=None)
            spool, first = open_spool(disk)
            spool.put(make_read(1, boot=first), stamp(1))
            disk.die_at, disk.operations = kill, 0
            used = first
            with contextlib.suppress(PowerCut):
                _, used = open_spool(disk)
            _, after = open_spool(disk.survivors(fate))
            assert after > first
            assert used == first or after > used


def test_a_real_process_killed_at_every_operation_loses_nothing(tmp_path: Path) -> None:
    child = Path(__file__).with_name("spool_child.py")
    done = subprocess.run(
        [sys.executable, str(child), str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[-1].split()[0]) > 60
