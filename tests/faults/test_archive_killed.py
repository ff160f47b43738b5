"""The cloud killed with -9 in the middle of batches and fills: nothing acknowledged is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from guardian.archive import journal
from tests.archive.builders import make_read
from tests.archive.house import ArchiveHouse, archive_house

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]


def run_until_killed(folder: Path, first: int, rng: random.Random, batches: int) -> tuple[int, int]:
    """Feed batches of 100 and kill while one is on its way; gives how far was sent and how far was acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.archive_child", str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        kept = sent = first
        for _ in range(batches):
            child.stdin.write(f"{sent} {sent + 100}\n")
            child.stdin.flush()
            sent += 100
            if sent < first + batches * 100:
                assert child.stdout.readline() == f"ok {sent - 100}\n"
                kept = sent
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):  # somewhere in the batch or in a fill
                    child.wait(rng.random() * 0.05)
        child.send_signal(signal.SIGKILL)
        return sent, kept
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


async def test_killed_anywhere_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    rng = random.Random(9)
    upto = 0
    for _ in range(2):
        sent, kept = await asyncio.to_thread(run_until_killed, tmp_path, upto, rng, rng.randint(2, 6))
        assert kept <= sent
        upto = kept  # the device sends again what was not acknowledged
    async with archive_house(tmp_path, engine="chdb") as house:
        answer = await house.send([make_read(n, f"ABC{n % 10000:04d}") for n in range(upto, upto + 100)])
        assert answer.stored + answer.already == 100
        sequences = sorted(read.sequence for read in await house.all_reads())
        assert sequences == list(range(upto + 100))
        for table in ("reads", "sight", "whole"):
            rows = await house.archive._ask(f"SELECT count() FROM {table}")  # type: ignore[attr-defined]
            assert rows == [[upto + 100]], table
        rows = await house.archive._ask("SELECT sum(n) FROM plates")  # type: ignore[attr-defined]
        assert rows == [[upto + 100]]


class Killed(BaseException):
    """Stands for kill -9 at one place."""


@pytest.mark.parametrize("place", ["before the insert", "after the insert", "after it was marked"])
async def test_a_fill_that_stops_at_any_place_is_finished_once(tmp_path: Path, place: str) -> None:
    async with archive_house(tmp_path, engine="chdb", filling=False) as house:
        for first in range(0, 500, 100):
            await house.send([make_read(n, f"ABC{n:04d}") for n in range(first, first + 100)])
        with pytest.raises(Killed):
            await drain_until(house, place)
        await house.send([make_read(n, f"ABC{n:04d}") for n in range(500, 600)])
    async with archive_house(tmp_path, engine="chdb", filling=False) as house:
        await house.filler.drain()
        for table in ("reads", "sight", "whole"):
            assert await house.archive._ask(f"SELECT count() FROM {table}") == [[600]]  # type: ignore[attr-defined]
        assert await house.archive._ask("SELECT sum(n) FROM plates_rev") == [[600]]  # type: ignore[attr-defined]
        assert await house.filler.drain() == 0


async def drain_until(house: ArchiveHouse, place: str) -> None:
    """Fill as the filler does, and stop dead at a place."""
    insert, write = house.archive.insert, house.records.write

    async def stopping_insert(*args: Any, **more: Any) -> None:
        if place == "before the insert":
            raise Killed
        await insert(*args, **more)
        if place == "after the insert":
            raise Killed

    async def stopping_write(fn: Callable[[Connection], Any]) -> Any:
        done = await write(fn)
        if place == "after it was marked" and await house.records.read(lambda c: journal.backlog(c)[1] == 0):
            raise Killed
        return done

    house.archive.insert = stopping_insert  # type: ignore[method-assign]
    house.records.write = stopping_write  # type: ignore[method-assign]
    try:
        await house.filler.drain()
    finally:
        house.archive.insert, house.records.write = insert, write  # type: ignore[method-assign]
