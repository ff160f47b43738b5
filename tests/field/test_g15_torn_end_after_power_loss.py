"""G15: after a power cut the spool's end is torn, zeroed, or a bit is wrong; it starts, and every whole record is sent once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.device.journal import Journal
from guardian.device.seal import Sealer
from guardian.device.spool import Spool
from tests.device.rig import KEY, make_read, stamp
from tests.device.sim_disk import SimDisk

READS = 40


def filled() -> tuple[SimDisk, list[str]]:
    disk = SimDisk()
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0)
    texts = []
    for sequence in range(1, READS + 1):
        read = make_read(sequence, photos=False)
        spool.put(read, stamp(sequence))
        texts.append(read.text)
    return disk, texts


def newest(disk: SimDisk) -> bytearray:
    return disk.files[sorted(p for p in disk.files if p.endswith(".log"))[-1]].data


def restarted(disk: SimDisk) -> tuple[Spool, list[str], list[str]]:
    said: list[str] = []
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0, say=lambda reference, _s: said.append(reference))
    texts = []
    while batch := spool.batch(7):
        texts += [kept.read.text for _, kept in batch]
        spool.delivered([key for key, _ in batch])
    return spool, texts, said


@pytest.mark.parametrize("cut", [1, 2, 7, 16, 33, 64])
def test_bytes_cut_off_the_end_cost_the_last_record_only(cut: int) -> None:
    disk, texts = filled()
    del newest(disk)[-cut:]
    spool, sent, said = restarted(disk)
    assert sent == texts[:-1]
    assert spool.recovery.torn_ends == 1
    assert "spool-damaged" in said


@pytest.mark.parametrize("zeros", [1, 100, 4096])
def test_zeros_over_the_end_cost_only_what_they_cover(zeros: int) -> None:
    disk, texts = filled()
    data = newest(disk)
    record = len(data) / READS
    data[-zeros:] = bytes(zeros)
    spool, sent, said = restarted(disk)
    touched = int(zeros / record) + 1
    assert sent == texts[: len(sent)], "the whole ones before, in order"
    assert READS - touched - 1 <= len(sent) < READS
    assert spool.recovery.damaged_bytes >= zeros - 16
    assert said == ["spool-damaged"]


def test_zeros_behind_the_end_cost_nothing_and_are_said() -> None:
    disk, texts = filled()
    newest(disk).extend(bytes(4096))
    spool, sent, said = restarted(disk)
    assert sent == texts
    assert spool.recovery.torn_ends == 1
    assert spool.recovery.damaged_bytes == 4096
    assert said == ["spool-damaged"]


def test_an_emptied_newest_file_does_not_hinder_the_start() -> None:
    disk, texts = filled()
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0)  # a second start, with a segment of its own
    spool.put(make_read(1, boot=2, photos=False), stamp(50))
    newest(disk).clear()
    spool, sent, said = restarted(disk)
    assert sent == texts
    assert "spool-damaged" in said


def test_a_removed_side_file_takes_nothing_with_it() -> None:
    """There is no write-ahead file and no index beside the segments: whatever else is removed, the reads are there."""
    disk, texts = filled()
    for path in [p for p in disk.files if not p.endswith(".log")]:
        disk.remove(path)
    assert restarted(disk)[1] == texts


@pytest.mark.parametrize("where", [0, 3, 5, 9, 40])
def test_a_flipped_bit_in_the_middle_costs_one_record_and_those_behind_it_are_sent(where: int) -> None:
    disk, texts = filled()
    data = newest(disk)
    at = 20 * (len(data) // READS) + where
    data[at] ^= 0x10
    spool, sent, _said = restarted(disk)
    assert len(sent) == READS - 1
    assert set(texts) - set(sent) <= set(texts[18:23])
    assert spool.recovery.damaged_pieces == 1
    assert spool.recovery.numbers_missing == 1, "its number is missing, and that is said"
    assert any(p.startswith("spool/reads-set-aside/") for p in disk.files), "the piece is kept aside"


def test_a_record_of_a_newer_program_stays_where_it_is_though_all_around_it_is_sent() -> None:
    disk = SimDisk()
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0)
    spool.put(make_read(1, photos=False), stamp(1))
    newer = msgspec.msgpack.encode(["of-a-newer-program", 7])
    place = spool._journal.append(newer)
    spool.put(make_read(2, photos=False), stamp(2))
    for _ in range(2):
        _, sent, said = restarted(disk)
        assert said == [], "whole, so not damaged"
    assert sent == [], "the reads beside it went at the first start"
    journal = Journal(disk, "spool/reads", Sealer(KEY))
    assert journal.segments()[0] == place.segment
    assert journal.read_all([place]) == [newer], "for the program that understands it"


def test_so_many_damaged_pieces_are_kept_aside_and_the_same_one_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.device.journal.SET_ASIDE_MAX", 2)
    disk, _ = filled()
    data = newest(disk)
    for record in (5, 15, 25):
        data[record * (len(data) // READS) + 9] ^= 0x10
    aside: dict[str, bytes] = {}
    for _ in range(2):
        spool = Spool(disk, Sealer(KEY), reserve_bytes=0)
        assert spool.recovery.damaged_pieces == 3, "all are counted"
        found = {p: bytes(disk.files[p].data) for p in disk.files if p.startswith("spool/reads-set-aside/")}
        assert len(found) == 2 and aside in ({}, found), "as they were: not written behind themselves again"
        aside = found


def test_a_file_that_cannot_be_read_costs_its_own_reads_only(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, texts = filled()
    first = next(p for p in disk.files if p.endswith(".log"))
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0)
    spool.put(make_read(READS + 1, photos=False), stamp(READS + 1))
    read = disk.read

    def fail(path: str) -> bytes:
        if path == first:
            raise OSError(5, "Input/output error")
        return read(path)

    with monkeypatch.context() as bad:
        bad.setattr(disk, "read", fail)
        again, sent, said = restarted(disk)
    assert len(sent) == 1 and sent[0] not in texts
    assert (again.recovery.damaged_pieces, again.recovery.damaged_bytes) == (1, disk.size(first))
    assert "spool-damaged" in said
    assert restarted(disk)[1] == texts, "it was left alone: a start that can read it sends what it holds"


def _cut(n: int) -> Callable[[bytearray], None]:
    def damage(data: bytearray) -> None:
        del data[max(0, len(data) - n) :]

    return damage


def _flip(at: int) -> Callable[[bytearray], None]:
    def damage(data: bytearray) -> None:
        if data:
            data[at % len(data)] ^= 1 << (at % 8)

    return damage


def _zero(at: int, n: int) -> Callable[[bytearray], None]:
    def damage(data: bytearray) -> None:
        if data:
            start = at % len(data)
            data[start : start + n] = bytes(min(n, len(data) - start))

    return damage


DAMAGE = st.one_of(
    st.builds(_cut, st.integers(0, 9000)),
    st.builds(_flip, st.integers(0, 1 << 20)),
    st.builds(_zero, st.integers(0, 1 << 20), st.integers(1, 5000)),
)


@settings(deadline=None)
@given(st.lists(DAMAGE, min_size=1, max_size=4))
def test_whatever_the_damage_it_starts_and_sends_whole_records_once_in_order(
    damages: list[Callable[[bytearray], None]],
) -> None:
    disk, texts = filled()
    data = newest(disk)
    for damage in damages:
        damage(data)
    spool, sent, _ = restarted(disk)
    assert sent == [text for text in texts if text in set(sent)], "in order, none twice, none made up"
    spool.put(make_read(99, boot=3, photos=False), stamp(99))
    assert [k.read.sequence for _, k in spool.batch(5)] == [99], "and it goes on keeping"
