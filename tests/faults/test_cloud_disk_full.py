"""The disk of the whole cloud is full: a clear refusal, the device keeps everything, and all goes on by itself with room.

The small disk is a tmpfs where we may mount one (root). Elsewhere the cloud's process is held to files of no size
(RLIMIT_FSIZE by prlimit), which SQLite tells as a broken disk rather than a full one: 503 instead of 507, the rest alike.
"""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.real_station import clock_from_the_past, keep, real_station, send_all, step
from tests.house import RunningCloud, running_cloud
from tests.stories import found_ids

DISK_BYTES = 192 << 20


class CloudDisk:
    """A folder whose room a test takes and gives back while the cloud runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        self._ballast = folder / "ballast"

    def fill(self, cloud: RunningCloud) -> None:
        if not self.mounted:
            _limit_files(cloud, 0)
            return
        with self._ballast.open("ab") as file:
            for _ in range(100):  # the cloud writes as well: what was free a moment ago may not be now
                found = os.statvfs(self.folder)
                try:
                    os.posix_fallocate(
                        file.fileno(), file.seek(0, os.SEEK_END), max(4096, found.f_bavail * found.f_frsize)
                    )
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    if os.statvfs(self.folder).f_bavail == 0:
                        return

    def free(self, cloud: RunningCloud) -> None:
        if self.mounted:
            self._ballast.unlink(missing_ok=True)
        else:
            _limit_files(cloud, resource.RLIM_INFINITY)

    def remove(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


def _limit_files(cloud: RunningCloud, size: int) -> None:
    resource.prlimit(cloud.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[CloudDisk]:
    made = CloudDisk(tmp_path / "disk")
    yield made
    made.remove()


def test_a_full_disk_of_the_cloud_keeps_everything_on_the_device_and_goes_on_by_itself(
    tmp_path: Path, disk: CloudDisk
) -> None:
    with running_cloud(disk.folder / "home") as cloud:
        operator, detective = cloud.sign_in("operator"), cloud.sign_in("detective")
        clock = clock_from_the_past(120_000)
        with real_station(
            tmp_path / "car", cloud.address, cloud=cloud, operator=operator, unit="滿碟 1 號", clock=clock
        ) as s:
            keep(s, 1, "FAA0001")
            send_all(s)
            disk.fill(cloud)
            for n in range(2, 42):
                clock.advance(1_000)
                keep(s, n, f"FAA{n:04d}".replace("4", "5"))
            for _ in range(3):
                assert not step(s)
            refusal = refused_batch(s)
            assert refusal.status_code == (507 if disk.mounted else 503), refusal.text
            if disk.mounted:
                assert b"disk-full" in refusal.content and str(disk.folder).encode() not in refusal.content
            assert s.spool.state().reads == 40 and not s.spool.state().all_sent
            assert cloud.process.poll() is None
            assert httpx.get(f"{cloud.address}/api/health", timeout=20).status_code == 200
            disk.free(cloud)
            send_all(s)
            assert found_ids(detective, "FAA*") == [
                f"{s.identity.file.device_id}.{s.boot}.{n}" for n in range(41, 0, -1)
            ]


def refused_batch(s) -> httpx.Response:  # type: ignore[no-untyped-def]
    """What the cloud answers to the batch that is next, as it stands on the wire."""
    body, _ = s.uplink._pack(s.spool.batch(1000))
    counter = s.identity.next_counter()
    kind = "application/msgpack"
    headers = s.identity.headers("POST", "/device/v1/batches", body, counter, content_type=kind)
    return httpx.post(f"{s.identity.file.cloud}/device/v1/batches", content=body, headers=headers, timeout=40)
