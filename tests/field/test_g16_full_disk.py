"""G16: the disk is full. It gives up in the promised order, says so once, keeps reads and hits, and recovers by itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from guardian.device.logfile import BoundedLog
from guardian.device.seal import Sealer
from guardian.device.spool import Spool
from guardian.domain.read import PhotoRef
from tests.device.rig import KEY, crop_of, make_read, overview_of, sha_of, stamp
from tests.device.sim_disk import SimDisk

MB = 1 << 20
CROP, OVERVIEW = 30_000, 200_000


def keep(spool: Spool, sequence: int, *, hit: bool = False) -> None:
    crop, overview = crop_of(1, sequence, CROP), overview_of(1, sequence, OVERVIEW)
    read = make_read(sequence, hit=hit, photos=False)
    read = msgspec.structs.replace(
        read, crop=PhotoRef(sha_of(crop), 0), overview=PhotoRef(sha_of(overview), 0), captured_ms=sequence
    )
    spool.put(read, stamp(sequence), crop=crop, overview=overview)


def kinds(spool: Spool) -> dict[str, int]:
    found = {"crop": 0, "overview": 0, "hit": 0}
    for kind, hit, _ in spool.photos._photos.values():
        found[kind] += 1
        found["hit"] += hit
    return found


def test_it_gives_up_in_the_promised_order_says_so_once_and_keeps_every_read_and_hit() -> None:
    disk = SimDisk(capacity=20 * MB)
    said: list[str] = []
    spool = Spool(disk, Sealer(KEY), reserve_bytes=1 * MB, say=lambda reference, _s: said.append(reference))
    seen_without_crop_loss = False
    for sequence in range(1, 701):
        keep(spool, sequence, hit=sequence % 50 == 0)
        state = spool.state()
        assert state.reads == sequence, "never a read"
        if state.given_up_crops:
            assert kinds(spool)["overview"] == kinds(spool)["hit"] // 2, "crops go only when no plain overview is left"
        elif state.given_up_overviews:
            seen_without_crop_loss = True
    state = spool.state()
    assert seen_without_crop_loss
    assert state.given_up_overviews > 0
    assert state.given_up_crops > 0
    assert kinds(spool)["hit"] == 2 * 14, "never anything of a hit"
    assert said == ["spool-pressed"], "once, however many pictures went"
    assert state.pressed
    assert state.reads_in_memory == 0
    assert state.reads_lost == 0


def test_freed_room_brings_it_back_by_itself_and_it_says_how_many_went() -> None:
    disk = SimDisk(capacity=12 * MB)
    said: list[tuple[str, str]] = []
    spool = Spool(disk, Sealer(KEY), reserve_bytes=MB // 2, say=lambda r, s: said.append((r, s)))
    for sequence in range(1, 120):
        keep(spool, sequence)
    assert spool.state().pressed
    disk.capacity += 15 * MB
    for sequence in range(120, 124):
        keep(spool, sequence)
    assert not spool.state().pressed
    assert [reference for reference, _ in said] == ["spool-pressed", "spool-relaxed"]
    assert f"{spool.state().given_up_overviews:,}" in said[1][1]
    assert spool.photos.has(sha_of(overview_of(1, 123, OVERVIEW))), "pictures are kept again"


def test_where_not_even_a_read_fits_reads_wait_in_memory_and_are_written_when_there_is_room() -> None:
    disk = SimDisk(capacity=8_000)
    said: list[str] = []
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0, say=lambda reference, _s: said.append(reference))
    for sequence in range(1, 61):
        spool.put(make_read(sequence, photos=False), stamp(sequence))
    state = spool.state()
    assert state.reads == 60
    assert state.reads_in_memory > 0
    assert said.count("spool-full") == 1
    assert [k.read.sequence for _, k in spool.batch(100)] == list(range(1, 61)), "and they can be sent from there"
    disk.capacity = MB
    spool.put(make_read(61, photos=False), stamp(61))
    assert spool.state().reads_in_memory == 0
    assert "spool-room-again" in said
    again = Spool(disk, Sealer(KEY), reserve_bytes=0)
    assert again.state().reads == 61


def test_room_bytes_bound_the_spool_on_a_large_disk_as_well() -> None:
    spool = Spool(SimDisk(), Sealer(KEY), reserve_bytes=0, room_bytes=2 * MB)
    for sequence in range(1, 101):
        keep(spool, sequence)
        assert spool.state().bytes <= 2 * MB
    assert spool.state().reads == 100


def test_the_log_never_grows_beyond_its_bound(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "log" / "device.log", bytes_max=10_000)
    for _ in range(3_000):
        log.write('{"event":"spool-giving-up-photos"}\n')
    assert sum(f.stat().st_size for f in (tmp_path / "log").iterdir()) <= 20_000


def test_a_read_that_nothing_can_take_is_said_at_once_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.device.spool.IN_MEMORY_MAX", 30)
    said: list[tuple[str, str]] = []
    spool = Spool(SimDisk(capacity=8_000), Sealer(KEY), reserve_bytes=0, say=lambda r, s: said.append((r, s)))
    sequence = 0
    while spool.state().reads_lost == 0:
        sequence += 1
        assert sequence < 500
        spool.put(make_read(sequence, hit=sequence % 10 == 0, photos=False), stamp(sequence))
    assert [(r, "遺失 1 筆" in s) for r, s in said if r == "reads-lost"] == [("reads-lost", True)], "at the first one"
    for more in range(sequence + 1, sequence + 100):
        spool.put(make_read(more, hit=more % 10 == 0, photos=False), stamp(more))
    state = spool.state()
    assert state.reads_lost == 100
    assert state.reads_in_memory == 30, "the bound holds"
    kept = [kept.read for _, kept in spool.batch(1000)]
    assert len(kept) + state.reads_lost == sequence + 99, "every read is either kept or counted"
    hits = [read for read in kept if read.hits]
    assert len(hits) >= 10, "hits go last"
    assert [r for r, _ in said].count("reads-lost") == 2, "then once for each hundred"
