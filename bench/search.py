"""Search over ten million stored reads: how long a person waits, by kind of question.

    .venv/bin/python -m bench.search [--reads 10000000] [--store FOLDER] [--questions 200]

Makes the reads inside the column store (thirty days, 12 million possible plates, hot plates as on the road), asks
through the same port as the console, and prints a table with the ratio to the goal and to the engine's own floor
(`SELECT 1` on the same connection in the same run). `--store` (or BENCH_STORE) keeps the reads for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from guardian.archive.area import box_region
from guardian.archive.chdb_engine import ChdbArchive
from guardian.archive.lookalike import lookalikes
from guardian.archive.question import Cursor, Question
from guardian.archive.timeline import timeline
from guardian.domain.moment import Clock
from guardian.domain.plate import parse_pattern
from guardian.domain.position import Position
from guardian.domain.read import PhotoRef, Read, VehicleLook

NOW_MS = 1_795_600_000_000
DAYS = 30
CHUNK = 500_000
EXACT_GOAL_MS, WILDCARD_GOAL_MS = 50.0, 150.0
LETTERS, DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "012356789"
DEVICE, PLATE, HASH = "car-####", "@@@@@@@", "%" * 64
U64_A, U64_B = 0x1111111111111111, 0x2222222222222222


def body_parts() -> list[str]:
    """A read in MessagePack with its changing parts taken out, as SQL: what is stored is what a device sends."""
    read = Read(
        device_id=DEVICE, boot=1, sequence=U64_A, captured_ms=U64_B, text=PLATE, raw_text=PLATE, char_probs=(0.99,) * 7,
        confidence_prob=0.98, dash_after=3, series="2012-3+4", vehicle_classes=("car",),
        clock=Clock(3, "gps", 1000, True), position=Position(24.8, 120.96, NOW_MS, 4.0, 90.0, 31.5), unit="信義 3",
        look=VehicleLook("car", "white"), crop=PhotoRef(HASH, NOW_MS, 200, 60), frames_seen=7,
    )  # fmt: skip
    raw = msgspec.msgpack.encode(read)
    slots = {
        DEVICE.encode(): "device", PLATE.encode(): "plate", HASH.encode(): "photo",
        U64_A.to_bytes(8, "big"): "unhex(leftPad(hex(sequence), 16, '0'))",
        U64_B.to_bytes(8, "big"): "unhex(leftPad(hex(at_ms), 16, '0'))",
    }  # fmt: skip
    parts = ["unhex('94cf')", "unhex(leftPad(hex(at_ms + 60000), 16, '0'))", "unhex('cf0000000000000001c2')"]
    while raw:
        places = [(raw.find(slot), slot) for slot in slots if slot in raw]
        at, slot = min(places) if places else (len(raw), b"")
        parts.append(f"unhex('{raw[:at].hex()}')")
        if slot:
            parts.append(slots[slot])
        raw = raw[at + len(slot) :]
    return parts


def plate_of(number: int) -> str:
    """The plate of a number below 12 million."""
    digits, letters = number % 6561, number // 6561
    text = "".join(LETTERS[letters // 24**k % 24] for k in (2, 1, 0))
    return text + "".join(DIGITS[digits // 9**k % 9] for k in (3, 2, 1, 0))


def fill(archive: ChdbArchive, reads: int) -> None:
    """Ten million reads by INSERT … SELECT, through the same inbox and views as real ones."""
    run = archive._run  # the bench fills past the port: INSERT … SELECT is not a thing that rooms do
    letter = (
        "concat("
        + ", ".join(f"substring('{LETTERS}', 1 + intDiv(intDiv(p, 6561), {24**k}) % 24, 1)" for k in (2, 1, 0))
        + ")"
    )
    digit = (
        "concat(" + ", ".join(f"substring('{DIGITS}', 1 + intDiv(p % 6561, {9**k}) % 9, 1)" for k in (3, 2, 1, 0)) + ")"
    )
    started = time.perf_counter()
    for first in range(0, reads, CHUNK):
        count = min(CHUNK, reads - first)
        # Spread over the days so that each part holds some hours, as live filling would leave them.
        run(
            f"""INSERT INTO inbox SELECT plate, toDateTime(intDiv(at_ms, 1000)) AS ts, toUInt16(at_ms % 1000) AS ms,
            toStartOfHour(ts) AS hour, device, 1 AS boot, sequence, '信義 3' AS unit, lon5, lat5,
            toUInt32(1 + x0 + 2 * y0) AS cell, 'car' AS kind, arrayElement(['white','black','grey','silver','red','blue'], 1 + n % 6) AS colour,
            {first} + 1 AS batch, 0 AS doubtful, concat({", ".join(body_parts())}) AS body
            FROM (SELECT number + {first} AS n, {NOW_MS} - {DAYS} * 86400000 + toUInt64(n * ({DAYS} * 86400000. / {reads})) AS at_ms,
              toUInt32(12000000 * pow(cityHash64(n, 1) / 18446744073709551616., 2)) AS p, concat({letter}, {digit}) AS plate,
              concat('car-', leftPad(toString(cityHash64(n, 2) % 3240), 4, '0')) AS device, n AS sequence,
              toInt32(12000000 + cityHash64(device, 3) % 150000 + cityHash64(n, 5) % 400) AS lon5,
              toInt32(2200000 + cityHash64(device, 4) % 300000 + cityHash64(n, 6) % 400) AS lat5,
              intDiv(lon5 - 11700000, 500) AS x, intDiv(lat5 - 2100000, 500) AS y,
              {" + ".join(f"intDiv(x, {2**k}) % 2 * {4**k}" for k in range(11))} AS x0,
              {" + ".join(f"intDiv(y, {2**k}) % 2 * {4**k}" for k in range(11))} AS y0,
              lower(concat(leftPad(hex(cityHash64(n, 7)), 16, '0'), leftPad(hex(cityHash64(n, 8)), 16, '0'),
                leftPad(hex(cityHash64(n, 9)), 16, '0'), leftPad(hex(cityHash64(n, 10)), 16, '0'))) AS photo
              FROM numbers({count})) SETTINGS max_threads=2"""
        )
        print(
            f"\r{first + count:,} reads, {(first + count) / (time.perf_counter() - started):,.0f}/s",
            end="",
            flush=True,
            file=sys.stderr,
        )
    for table in ("reads", "sight", "whole", "plates", "plates_rev"):
        run(f"OPTIMIZE TABLE {table} FINAL")


Took = list[tuple[float, float]]
"""Milliseconds and milliseconds of this process's CPU, sorted."""


async def measure(ask: Callable[[], Awaitable[object]], times: int) -> Took:
    """What each call took, one after the other."""
    out = []
    for _ in range(times):
        started, used = time.perf_counter(), time.process_time()
        await ask()
        out.append(((time.perf_counter() - started) * 1000, (time.process_time() - used) * 1000))
    return sorted(out)


def row(name: str, took: Took, goal_ms: float | None, floor_ms: float) -> str:
    """One line of the table."""
    p50, p95 = took[len(took) // 2][0], took[min(len(took) - 1, int(len(took) * 0.95))][0]
    cpu = sorted(used for _, used in took)
    goal = "—" if goal_ms is None else f"{goal_ms:g}"
    ratio = "—" if goal_ms is None else f"{p95 / goal_ms:.2f}"
    cpu95 = cpu[min(len(cpu) - 1, int(len(cpu) * 0.95))]
    return (
        f"| {name} | {len(took)} | {p50:.1f} | {p95:.1f} | {goal} | {ratio} | {p50 / floor_ms:.1f} | "
        f"{cpu[len(cpu) // 2]:.1f} | {cpu95:.1f} |"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reads", type=int, default=10_000_000)
    parser.add_argument("--store", type=Path, default=os.environ.get("BENCH_STORE") or None)
    parser.add_argument("--questions", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = ChdbArchive(asked.store or Path(folder), now_ms=lambda: NOW_MS, limit_s=60)
        have = int((await archive._ask("SELECT count() FROM reads"))[0][0])
        if have < asked.reads:
            fill(archive, asked.reads)
        await report(archive, asked.reads, asked.questions)
        await archive.close()


async def report(archive: ChdbArchive, reads: int, questions: int) -> None:
    """Ask everything and print the tables."""
    rng = random.Random(8)
    everything = 2**62

    def page(make: Callable[[], Question]) -> Callable[[], Awaitable[object]]:
        return lambda: archive.page(make(), cursor=None, limit=50, as_of=everything)

    def plate() -> str:
        return plate_of(int(12_000_000 * rng.random() ** 2))

    def pattern(cut: Callable[[str], str]) -> Callable[[], Question]:
        return lambda: Question(pattern=parse_pattern(cut(plate())))

    def at(hours: int) -> dict[str, int]:
        start = NOW_MS - rng.randrange(hours, DAYS * 24) * 3_600_000
        return {"from_ms": start, "until_ms": start + hours * 3_600_000}

    def box() -> Question:
        lat, lon = rng.uniform(22.1, 24.9), rng.uniform(120.1, 121.4)
        return Question(region=box_region(lat, lat + 0.045, lon, lon + 0.045), **at(1))

    hot = Question(pattern=parse_pattern(plate_of(0)))
    anchor = await archive.page(hot, cursor=None, limit=50, as_of=everything)
    floor = statistics.median(took for took, _ in await measure(lambda: archive._ask("SELECT 1"), questions))
    for make in (pattern(lambda t: t), pattern(lambda t: t[:2] + "?" + t[3:5] + "*")):
        await measure(page(make), 10)  # first touches of files are not what an officer sees all day

    wild = {
        "wildcard, anchored `AB?12*`": pattern(lambda t: t[:2] + "?" + t[3:5] + "*"),
        "wildcard, one unknown `ABC12?5`": pattern(lambda t: t[:5] + "?" + t[6:]),
        "wildcard, suffix `*C1235`": pattern(lambda t: "*" + t[2:]),
        "wildcard, leading `?BC1235`": pattern(lambda t: "?" + t[1:]),
        "wildcard, inner `*BC123*`": pattern(lambda t: "*" + t[1:6] + "*"),
    }
    lines = [row("exact, newest 50", await measure(page(pattern(lambda t: t)), questions), EXACT_GOAL_MS, floor)]
    every: Took = []
    for name, make in wild.items():
        took = await measure(page(make), questions // 2)
        every += took
        lines.append(row(name, took, WILDCARD_GOAL_MS, floor))
    lines.append(row("wildcards, all kinds", sorted(every), WILDCARD_GOAL_MS, floor))
    lines += [
        row("look-alike, about 1,000 candidates", await measure(page(lambda: Question(pattern=parse_pattern(plate()), lookalike=True)), questions // 4), None, floor),
        row("5 × 5 km, one hour", await measure(page(box), questions // 4), None, floor),
        row("everything of one hour", await measure(page(lambda: Question(**at(1))), questions // 4), None, floor),
        row("everything of 30 days", await measure(page(lambda: Question(from_ms=NOW_MS - DAYS * 86_400_000)), questions // 8), None, floor),
        row("hottest plate, second page", await measure(lambda: archive.page(hot, cursor=Cursor(*anchor.reads[-1].key), limit=50, as_of=everything), questions // 4), None, floor),
        row("exact: count", await measure(lambda: archive.count(pattern(lambda t: t)(), as_of=everything), questions // 4), None, floor),
        row("exact: histogram", await measure(lambda: timeline(archive, pattern(lambda t: t)(), as_of=everything, now_ms=NOW_MS), questions // 4), None, floor),
        row("one read by its id", await measure(lambda: archive.find_many([anchor.reads[0].read.id]), questions // 4), None, floor),
    ]  # fmt: skip
    print(
        f"\nReads {reads:,}; candidates of a look-alike {len(lookalikes(plate()))}; `SELECT 1` {floor:.2f} ms; load average "
        f"{os.getloadavg()[0]:.1f}. CPU is this process's own: neighbours inflate it much less than the waiting.\n"
    )
    print(
        "| question | n | p50 ms | p95 ms | goal ms | p95 / goal | p50 / `SELECT 1` | CPU p50 ms | CPU p95 ms |\n|---|---|---|---|---|---|---|---|---|"
    )
    print("\n".join(lines))
    sizes = await archive._ask(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table"
    )
    print("\n| table | rows | bytes/read |\n|---|---|---|")
    for table, rows, size in sizes:
        print(f"| {table} | {int(rows):,} | {int(size) / reads:.1f} |")
    print(f"| all | | {sum(int(size) for _, _, size in sizes) / reads:.1f} |")
    print(f"\nPeak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    asyncio.run(main())
